import type { Clock, Logger } from '../util/index.js'
import type { StoreCheckpoint } from './checkpoint.js'
import type { CommitLog } from './commit-log.js'
import type { ConsumeQueue } from './consume-queue.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { Dispatcher, DispatchRequest } from './dispatcher.js'
import type { IndexService } from './index-service.js'
import type { MappedFile } from './mapped-file.js'
import { hasValidPropertyCrc } from './property-crc.js'
import { RecordReader } from './record-reader.js'
import { emptyRequest, fillRequest } from './reput.js'
import type { StoreSettings } from './settings.js'

export interface RecoveryOptions {
  settings: StoreSettings
  clock: Clock
  logger: Logger
  log: CommitLog
  queues: ConsumeQueueStore
  index: IndexService | undefined
  checkpoint: StoreCheckpoint
  dispatcher: Dispatcher
}

export interface RecoveryReport {
  /** The `abort` file was there: the last run did not end in order. */
  readonly isAfterCrash: boolean
  readonly scannedFrom: number
  /** End of the last record, where the log goes on. */
  readonly endOffset: number
  /** Start of the last record; 0 when there is none. */
  readonly lastRecordOffset: number
  /** Its store time; 0 when there is none. */
  readonly lastStoreTimestamp: number
  readonly records: number
  readonly rebuiltQueues: number
  readonly tookMs: number
}

/** Progress is logged, and the loop let go on, this often. */
const PROGRESS_MS = 1000
const YIELD_MS = 20

/**
 * Brings log, queues and index to one state after a start (store-format 8). After a clean stop only what the queues
 * lack is dispatched; after a crash everything from the first file that may not have been flushed, and what queues
 * and index hold beyond that is taken out first, since a power cut may have kept any part of it.
 */
export class Recovery {
  private readonly reader = new RecordReader()
  private request: DispatchRequest | undefined
  private records = 0
  private lastRecordOffset = 0
  private lastStoreTimestamp = 0
  private lastYield = 0
  private lastProgress = 0
  /** Queues that began, or went on, in the middle: their units must be built from an earlier part of the log. */
  private readonly incomplete = new Set<ConsumeQueue>()

  constructor(private readonly options: RecoveryOptions) {
    const { checkCRCOnRecover, forceVerifyPropCRC } = options.settings
    this.reader.checksCrc = checkCRCOnRecover && !forceVerifyPropCRC
  }

  async run(isAfterCrash: boolean): Promise<RecoveryReport> {
    const { clock, log, queues, logger } = this.options
    const started = (this.lastYield = this.lastProgress = clock.monotonic())
    if (log.files.last === undefined) {
      // units and index entries without a log point nowhere
      for (const queue of [...queues.all()]) queue.destroy()
      queues.topics.clear()
      this.options.index?.rebuildBefore(0, 0, () => undefined)
      return this.report(isAfterCrash, { scannedFrom: 0, endOffset: 0, rebuiltQueues: 0, started })
    }
    const dispatchFrom = isAfterCrash ? -1 : queues.maxPhysicalOffset()
    const first = isAfterCrash ? this.firstFileAfterCrash() : this.firstFileAfterStop(dispatchFrom)
    const scannedFrom = first.startOffset
    if (isAfterCrash) this.forgetFrom(scannedFrom)
    const endOffset = await this.scan(first, Math.max(dispatchFrom, scannedFrom))
    log.files.truncate(endOffset)
    for (const queue of queues.all()) if (queue.maxPhysicalOffset > endOffset) await this.cut(queue, endOffset)
    const rebuiltQueues = this.incomplete.size
    if (rebuiltQueues > 0) await this.rebuildIncomplete(endOffset)
    for (const queue of queues.all()) {
      queue.correctMinOffset(log.minOffset)
      queue.nextOffset = queue.maxOffset
    }
    const report = this.report(isAfterCrash, { scannedFrom, endOffset, rebuiltQueues, started })
    logger.info(
      { event: 'store-recovered', ...report },
      `the store is read: ${report.records} records from ${scannedFrom} to ${endOffset} checked in ${report.tookMs} ms`,
    )
    return report
  }

  private report(
    isAfterCrash: boolean,
    parts: { scannedFrom: number; endOffset: number; rebuiltQueues: number; started: number },
  ): RecoveryReport {
    const { started, ...rest } = parts
    const tookMs = Math.round(this.options.clock.monotonic() - started)
    const { records, lastRecordOffset, lastStoreTimestamp } = this
    return { isAfterCrash, ...rest, lastRecordOffset, lastStoreTimestamp, records, tookMs }
  }

  /** A queue holds units of records that the log has lost. */
  private async cut(queue: ConsumeQueue, endOffset: number): Promise<void> {
    await queue.writeOut()
    queue.truncateTo(endOffset)
  }

  /** The newest file whose first record was durable, queue unit included, by what the checkpoint says. */
  private firstFileAfterCrash(): MappedFile {
    const safe = this.options.checkpoint.minTimestamp
    return this.newestFileWhere(reader => reader.storeTimestamp <= safe)
  }

  private firstFileAfterStop(dispatchFrom: number): MappedFile {
    return this.newestFileWhere(reader => reader.physicalOffset <= dispatchFrom)
  }

  private newestFileWhere(matches: (first: RecordReader) => boolean): MappedFile {
    const { files } = this.options.log.files
    for (let i = files.length - 1; i > 0; i--) {
      const file = files[i]!.map()
      const kind = this.reader.read(file.buffer, file.view, 0, file.length)
      if (kind === 'record' && this.reader.storeTimestamp > 0 && matches(this.reader)) return file
    }
    return files[0]!
  }

  private forgetFrom(physicalOffset: number): void {
    const { queues, index, checkpoint, log } = this.options
    for (const queue of queues.all()) queue.truncateTo(physicalOffset)
    index?.rebuildBefore(physicalOffset, checkpoint.indexMsgTimestamp, offset => storeTimeAt(log, offset))
  }

  /** Checks records from the start of `first` on and dispatches those at or behind `dispatchFrom`; where they end. */
  private async scan(first: MappedFile, dispatchFrom: number): Promise<number> {
    const { files } = this.options.log.files
    let end = first.startOffset
    for (let i = files.indexOf(first); i < files.length; i++) {
      const file = files[i]!
      if (file.startOffset !== end) break
      file.map()
      const stop = await this.scanFile(file, dispatchFrom)
      end = file.startOffset + stop
      if (stop < file.length) break
    }
    return end
  }

  /** Position behind the last record of the file; its length when a blank record ends it. */
  private async scanFile(file: MappedFile, dispatchFrom: number): Promise<number> {
    const { logger } = this.options
    let at = 0
    for (;;) {
      const kind = this.reader.read(file.buffer, file.view, at, file.length)
      // the last blank record of the log: nothing follows, so the log goes on in its place, as in Java
      if (kind === 'blank') return file === this.options.log.files.last ? at : file.length
      const physicalOffset = file.startOffset + at
      if (kind === 'bad' || !this.isTrusted(file, at, physicalOffset)) {
        if (file.view.getInt32(Math.min(at, file.length - 4)) !== 0) {
          logger.warn(
            { event: 'commit-log-ends', physicalOffset, problem: this.reader.problem },
            `the commit log ends at ${physicalOffset}: what follows there has ${this.reader.problem}`,
          )
        }
        return at
      }
      this.records++
      this.lastRecordOffset = physicalOffset
      this.lastStoreTimestamp = this.reader.storeTimestamp
      if (physicalOffset >= dispatchFrom) this.dispatch(file, physicalOffset)
      at += this.reader.totalSize
      if (this.records % 1024 === 0) await this.breathe(physicalOffset)
    }
  }

  /** What Java does not check: a record left over from before an earlier cut stands at another offset than it says. */
  private isTrusted(file: MappedFile, at: number, physicalOffset: number): boolean {
    const { reader } = this
    if (reader.physicalOffset !== physicalOffset) {
      reader.problem = `a record that belongs to offset ${reader.physicalOffset}`
      return false
    }
    if (isTorn(file.buffer, reader.topicStart, reader.topicEnd, reader.propertiesEnd)) {
      reader.problem = 'a topic or properties of which a part is missing'
      return false
    }
    if (!this.options.settings.forceVerifyPropCRC) return true
    if (hasValidPropertyCrc(file.buffer, at, at + reader.totalSize)) return true
    reader.problem = 'a record without a fitting __CRC32# property'
    return false
  }

  private dispatch(file: MappedFile, physicalOffset: number): void {
    const { queues, dispatcher } = this.options
    const { reader } = this
    const topic = queues.topicOf(file.buffer.toString('utf8', reader.topicStart, reader.topicEnd))
    const request = this.requestFor(topic, file.buffer)
    fillRequest(request, reader, physicalOffset)
    const before = topic.queues[reader.queueId]
    const skips = before === undefined ? reader.queueOffset > 0 : before.wouldSkip(reader.queueOffset)
    dispatcher.dispatch(request)
    const queue = topic.queues[reader.queueId]
    if (skips && queue !== undefined) this.incomplete.add(queue)
  }

  private requestFor(topic: DispatchRequest['topic'], bytes: Buffer): DispatchRequest {
    const request = this.request ?? emptyRequest(topic, bytes)
    this.request = request
    request.topic = topic
    request.bytes = bytes
    return request
  }

  /** Queues with a hole are built again from all that the log holds of them. */
  private async rebuildIncomplete(endOffset: number): Promise<void> {
    const { log, queues, dispatcher, logger } = this.options
    const rebuilt = [...this.incomplete]
    logger.warn(
      { event: 'queues-rebuilt', queues: rebuilt.length },
      `${rebuilt.length} queues lack units of messages that the log may hold: they are built again`,
    )
    await queues.writeOut()
    for (const queue of rebuilt) queue.reset()
    for (const file of log.files.files) {
      file.map()
      for (let at = 0; file.startOffset + at < endOffset; at += this.reader.totalSize) {
        if (this.reader.read(file.buffer, file.view, at, file.length) !== 'record') break
        const topic = queues.topicOf(file.buffer.toString('utf8', this.reader.topicStart, this.reader.topicEnd))
        const queue = topic.queues[this.reader.queueId]
        if (queue === undefined || !this.incomplete.has(queue)) continue
        dispatcher.dispatchToQueue(fillRequest(this.requestFor(topic, file.buffer), this.reader, file.startOffset + at))
      }
      await this.breathe(file.endOffset)
    }
  }

  private async breathe(physicalOffset: number): Promise<void> {
    const { clock, logger } = this.options
    const now = clock.monotonic()
    if (now - this.lastYield < YIELD_MS) return
    await new Promise(resolve => setImmediate(resolve))
    this.lastYield = clock.monotonic()
    if (now - this.lastProgress < PROGRESS_MS) return
    this.lastProgress = now
    logger.info(
      { event: 'store-recovering', physicalOffset, records: this.records },
      `reading the commit log: ${this.records} records, now at ${physicalOffset} of ${this.options.log.maxOffset}`,
    )
  }
}

const SECTOR = 512

/**
 * No CRC covers topic and properties: what a power cut or a cut file took of them is zeros. Zero characters stand in no
 * topic, nor at the end of properties, and do not fill what a record has in a sector.
 */
function isTorn(bytes: Buffer, topicStart: number, topicEnd: number, end: number): boolean {
  for (let at = topicStart; at < topicEnd; at++) if (bytes[at] === 0) return true
  const propertiesStart = topicEnd + 2
  if (end === propertiesStart) return false
  if (bytes[end - 1] === 0) return true
  let from = Math.ceil(propertiesStart / SECTOR) * SECTOR
  for (; from < end; from += SECTOR) {
    let at = from
    const to = Math.min(from + SECTOR, end)
    while (at < to && bytes[at] === 0) at++
    if (at === to) return true
  }
  return false
}

function storeTimeAt(log: CommitLog, physicalOffset: number): number | undefined {
  const file = log.files.find(physicalOffset)?.map()
  if (file === undefined) return undefined
  const reader = new RecordReader()
  const kind = reader.read(file.buffer, file.view, physicalOffset - file.startOffset, file.wrotePosition)
  return kind === 'record' ? reader.storeTimestamp : undefined
}
