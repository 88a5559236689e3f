import type { Clock, Logger } from '../util/index.js'
import type { StoreCheckpoint } from './checkpoint.js'
import type { CommitLog } from './commit-log.js'
import type { ConsumeQueue } from './consume-queue.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { QueueReach } from './consume-queue-types.js'
import type { Damage, DamageLog } from './damage.js'
import type { Dispatcher } from './dispatcher.js'
import { FormerUnits } from './former-units.js'
import type { IndexService } from './index-service.js'
import type { LightQueues } from './light-queues.js'
import { type DamagedStretch, LogScanner } from './log-scanner.js'
import type { MappedFile } from './mapped-file.js'
import type { Manifest, ManifestQueue } from './queue-manifest.js'
import { QueueReplay } from './queue-replay.js'
import { RecordReader } from './record-reader.js'
import type { StoreSettings } from './settings.js'
import type { StoreMarks } from './store-marks.js'

export interface RecoveryOptions {
  settings: StoreSettings
  clock: Clock
  logger: Logger
  log: CommitLog
  queues: ConsumeQueueStore
  index: IndexService | undefined
  checkpoint: StoreCheckpoint
  dispatcher: Dispatcher
  light: LightQueues
  marks: StoreMarks
  manifest: Manifest | undefined
  damage: DamageLog
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
  /** What was found damaged, at most 1000 of `damageCount`. */
  readonly damages: readonly Damage[]
  readonly damageCount: number
}

export interface Recovered {
  readonly report: RecoveryReport
  /** What was made of the store must be on the disk before the first message. */
  readonly mustFlush: boolean
}

/** Progress is logged this often. */
const PROGRESS_MS = 1000

/** What a queue held before its end was taken out to be replayed. */
interface Before {
  readonly maxOffset: number
  readonly lastPhysicalOffset: number
}

/**
 * Brings log, queues and index to one state after a start (store-format 8). After a clean stop only what the queues
 * lack is dispatched; after a crash everything from the first file that may not have been flushed, and what queues
 * and index hold beyond that is taken out first, since a power cut may have kept any part of it. Queues that hold less
 * than they once did are built again from the whole log.
 */
export class Recovery {
  private scanner: LogScanner
  private replay: QueueReplay | undefined
  private readonly reader = new RecordReader()
  private readonly before = new Map<ConsumeQueue, Before>()
  /** Records that are not in the queue they name. */
  private readonly strays = new Set<number>()
  private readonly former = new FormerUnits()
  private lastProgress: number
  private tornTails = 0
  /** Queues are not what the manifest says, and not built again either. */
  private hasLess = false

  constructor(private readonly options: RecoveryOptions) {
    const { clock } = options
    this.lastProgress = clock.monotonic()
    this.scanner = this.newScanner()
  }

  private newScanner(exactEnd?: number): LogScanner {
    const { settings, clock, log } = this.options
    const { checkCRCOnRecover, forceVerifyPropCRC } = settings
    return new LogScanner({
      log,
      clock,
      checksCrc: checkCRCOnRecover && !forceVerifyPropCRC,
      verifyPropertyCrc: forceVerifyPropCRC,
      onRecord: (file, physicalOffset, reader) => this.replay?.take(file, physicalOffset, reader),
      onDamage: stretch => this.onDamage(stretch),
      onTornTail: (file, physicalOffset, problem) => this.onTornTail(file, physicalOffset, problem),
      ...(exactEnd !== undefined && { exactEnd }),
      onProgress: physicalOffset => this.logProgress(physicalOffset),
    })
  }

  async run(isAfterCrash: boolean): Promise<Recovered> {
    const { clock, log, queues, logger, manifest } = this.options
    const started = clock.monotonic()
    if (log.files.last === undefined) return { report: this.withoutLog(isAfterCrash, started), mustFlush: isAfterCrash }
    const first = isAfterCrash ? this.firstFileAfterCrash() : this.firstFileAfterStop(queues.maxPhysicalOffset())
    const revived = this.dropRevived()
    if (isAfterCrash) this.forgetFrom(first.startOffset)
    // nobody has told us what the queues of this store held: once, the whole log is compared with them
    const gap = this.indexGap(isAfterCrash)
    const file = this.earlierOf(first, manifest === undefined ? log.minOffset : gap)
    const scannedFrom = file.startOffset
    this.replay = this.newReplay({ startsLate: scannedFrom > log.minOffset })
    for (const queue of revived) this.replay.incomplete.add(queue)
    const knownEnd = manifest?.logEnd ?? -1
    if (!isAfterCrash && manifest?.isClean) this.scanner = this.newScanner(knownEnd)
    const endOffset = await this.scanner.scan(file, knownEnd)
    this.replay.finish()
    log.files.truncate(endOffset)
    for (const queue of queues.all()) if (queue.maxPhysicalOffset > endOffset) await this.cut(queue, endOffset)
    this.hasLess = manifest === undefined || manifest.logEnd > endOffset
    const rebuiltQueues = await this.rebuildQueues(isAfterCrash, endOffset)
    this.keepNumbers(endOffset)
    this.settleQueues(log.minOffset)
    const report = this.report(isAfterCrash, { scannedFrom, endOffset, rebuiltQueues, started })
    const { damages, ...numbers } = report
    logger.info(
      { event: 'store-recovered', ...numbers },
      `the store is read: ${report.records} records from ${scannedFrom} to ${endOffset} ` +
        `checked in ${report.tookMs} ms` +
        (report.damageCount > 0 ? `; ${report.damageCount} damages, see above` : ''),
    )
    return { report, mustFlush: this.mustFlush(isAfterCrash, rebuiltQueues) }
  }

  /** Units and index entries without a log point nowhere. */
  private withoutLog(isAfterCrash: boolean, started: number): RecoveryReport {
    const { queues, index } = this.options
    for (const queue of [...queues.all()]) queue.destroy()
    queues.topics.clear()
    index?.rebuildBefore(0, 0, () => undefined)
    return this.report(isAfterCrash, { scannedFrom: 0, endOffset: 0, rebuiltQueues: 0, started })
  }

  private newReplay(how: { startsLate: boolean; only?: ReadonlySet<ConsumeQueue> }): QueueReplay {
    const { queues, dispatcher, light, index, marks, damage, log, manifest } = this.options
    const isWholeLog = log.minOffset === 0 && !how.startsLate
    const settledTo = how.only === undefined ? (manifest?.logEnd ?? 0) : 0
    const { strays, former } = this
    const before = { isWholeLog, settledTo, strays, former }
    return new QueueReplay({ queues, dispatcher, light, index, marks, damage, ...before, ...how })
  }

  private onDamage({ file, from, to, problem, head }: DamagedStretch): void {
    const length = to - from
    const text = `the commit log is damaged at ${from}: ${problem}; ${length} bytes up to the next record are skipped`
    this.options.damage.add({ kind: 'record', path: file.path, physicalOffset: from, length, text })
    if (head !== undefined) this.replay?.takeDamaged(file, from, head)
  }

  private onTornTail({ path }: MappedFile, physicalOffset: number, problem: string): void {
    const text = `the commit log ends at ${physicalOffset} with a part of a record (${problem}), which is cut off`
    this.tornTails++
    this.options.damage.add({ kind: 'record', path, physicalOffset, text })
  }

  /**
   * Whether another start would not do the same again, were the power cut now: what this one has decided, or taken
   * out, must be on the disk then before the next message. Where it has only entered records behind what the manifest
   * says, the next one enters them too, and those that follow.
   */
  private mustFlush(isAfterCrash: boolean, rebuiltQueues: number): boolean {
    if (rebuiltQueues > 0) return true
    return isAfterCrash && (this.hasLess || this.options.damage.total > this.tornTails)
  }

  private report(
    isAfterCrash: boolean,
    parts: { scannedFrom: number; endOffset: number; rebuiltQueues: number; started: number },
  ): RecoveryReport {
    const { started, ...rest } = parts
    const { damage, clock } = this.options
    const tookMs = Math.round(clock.monotonic() - started)
    const { records, lastRecordOffset, lastStoreTimestamp } = this.scanner
    const damages = [...damage.entries]
    const found = { lastRecordOffset, lastStoreTimestamp, records, tookMs, damages, damageCount: damage.total }
    return { isAfterCrash, ...rest, ...found }
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
    const { queues, index, checkpoint, log, marks, manifest } = this.options
    // what was on the disk when the manifest was written needs no replay
    const durable = new Map<ConsumeQueue, QueueReach>()
    for (const entry of manifest?.queues ?? []) {
      const queue = queues.find(entry.topic, entry.queueId)
      if (queue !== undefined) durable.set(queue, entry)
    }
    for (const queue of queues.all()) {
      const known = durable.get(queue)
      const keep = Math.max(physicalOffset, known?.maxPhysicalOffset ?? 0)
      const last = queue.maxPhysicalOffset > keep ? queue.readUnitSync(queue.endUnit - 1) : undefined
      if (last !== undefined && last.physicalOffset >= marks.deletedBefore(queue.topic)) {
        this.before.set(queue, { maxOffset: queue.maxOffset, lastPhysicalOffset: last.physicalOffset })
      }
      if (last !== undefined) this.former.note(queue, known)
      queue.truncateTo(keep, known)
    }
    const last = manifest?.index.at(-1)
    const flushed = last && { name: last.name, physicalOffset: manifest?.logEnd ?? 0 }
    index?.rebuildBefore(physicalOffset, checkpoint.indexMsgTimestamp, offset => storeTimeAt(log, offset), flushed)
  }

  /**
   * Numbers that were given to messages in front of the log's end are never given to others, even where the log does
   * not tell any more whose they were.
   */
  private keepNumbers(endOffset: number): void {
    for (const [queue, before] of this.before) {
      const wasInLog = before.lastPhysicalOffset >= 0 && before.lastPhysicalOffset < endOffset
      if (!wasInLog || queue.maxOffset >= before.maxOffset) continue
      this.noteHole(queue, before.maxOffset)
      queue.padTo(before.maxOffset)
    }
  }

  private noteHole(queue: ConsumeQueue, to: number): void {
    const { topic, queueId, maxOffset } = queue
    const text = `messages ${maxOffset} to ${to - 1} of ${topic}-${queueId} are damaged: their numbers stay empty`
    this.options.damage.add({ kind: 'offset-hole', topic, queueId, queueOffset: maxOffset, text })
  }

  /** Builds queues again that hold less, or other things, than they should; how many. */
  private async rebuildQueues(isAfterCrash: boolean, endOffset: number): Promise<number> {
    const { log, queues, logger } = this.options
    const short = this.shortQueues(isAfterCrash, endOffset)
    const { incomplete, misled } = this.replay!
    const wanted = new Set([...incomplete, ...misled, ...short.keys()])
    if (wanted.size === 0) return 0
    logger.warn(
      { event: 'queues-rebuilt', queues: wanted.size },
      `${wanted.size} queues lack units of messages that the log may hold: they are built again`,
    )
    // each time without the strays found before
    for (let only = wanted; only.size > 0; only = this.replay!.misled) {
      await queues.writeOut()
      for (const queue of only) queue.reset()
      this.replay = this.newReplay({ startsLate: false, only })
      await this.newScanner(endOffset).scan(log.files.first!, endOffset)
      this.replay.finish()
    }
    for (const [queue, entry] of short) {
      if (queue.maxOffset >= entry.maxOffset) continue
      if (!queue.isEmpty) this.noteHole(queue, entry.maxOffset)
      queue.padTo(entry.maxOffset)
    }
    return wanted.size
  }

  /** Queues that are not what the manifest says they were. */
  private shortQueues(isAfterCrash: boolean, endOffset: number): Map<ConsumeQueue, ManifestQueue> {
    const { manifest, queues, marks, log, damage } = this.options
    const short = new Map<ConsumeQueue, ManifestQueue>()
    if (manifest === undefined) return short
    // somebody else, the Java broker for one, has gone on with the store
    const isCurrent = manifest.isClean && !isAfterCrash && manifest.logEnd === endOffset
    if (!isAfterCrash && !isCurrent) return short
    for (const entry of manifest.queues) {
      const { topic, queueId, maxOffset, maxPhysicalOffset } = entry
      if (maxPhysicalOffset > endOffset) this.hasLess = true
      if (maxOffset === 0 || maxPhysicalOffset <= marks.deletedBefore(topic) || maxPhysicalOffset > endOffset) continue
      const found = queues.find(topic, queueId)
      // after a crash a queue that had no records left may have been deleted
      if (found === undefined && isAfterCrash && maxPhysicalOffset <= log.minOffset) {
        this.hasLess = true
        continue
      }
      const isRight = isCurrent
        ? found?.maxOffset === maxOffset && found.maxPhysicalOffset === maxPhysicalOffset
        : found !== undefined && found.maxOffset >= maxOffset
      if (isRight) continue
      const has = found?.maxOffset ?? 0
      const text = `queue ${topic}-${queueId} had ${maxOffset} messages and has ${has}: it is built again from the log`
      damage.add({ kind: 'queue', topic, queueId, queueOffset: has, text })
      short.set(queues.queueOf(queues.topicOf(topic), queueId), entry)
    }
    return short
  }

  /** Takes out queues of deleted topics of which a power cut has brought files back; they are built again. */
  private dropRevived(): ConsumeQueue[] {
    const { marks, queues } = this.options
    const revived: ConsumeQueue[] = []
    for (const topic of marks.deleted) {
      for (const queue of queues.topics.get(topic)?.queues ?? []) {
        if (!queue?.pointsBefore(marks.deletedBefore(topic))) continue
        queue.reset()
        revived.push(queue)
      }
    }
    return revived
  }

  /** The file to scan from when the index lacks entries from `physicalOffset` on. */
  private earlierOf(first: MappedFile, physicalOffset: number | undefined): MappedFile {
    if (physicalOffset === undefined) return first
    const { files } = this.options.log
    const file = physicalOffset <= files.minOffset ? files.first! : (files.find(physicalOffset) ?? first)
    return file.startOffset < first.startOffset ? file : first
  }

  /** From where on the index lacks entries; undefined when it is complete. */
  private indexGap(isAfterCrash: boolean): number | undefined {
    const { index, manifest, damage, log } = this.options
    if (index === undefined) return undefined
    const expected = isAfterCrash ? undefined : manifest?.index.filter(file => file.endPhyOffset >= log.minOffset)
    const problem = index.dropDamaged(expected, offset => storeTimeAt(log, offset))
    if (problem !== undefined) {
      const { path, text, from } = problem
      damage.add({ kind: 'index', path, text: `${text}: the index is built again from ${from}` })
      return from
    }
    return undefined
  }

  private settleQueues(minPhysicalOffset: number): void {
    const { queues, marks } = this.options
    for (const queue of queues.all()) {
      queue.purgedTo = Math.min(marks.purgedTo(queue.topic, queue.queueId), queue.maxOffset)
      queue.correctMinOffset(minPhysicalOffset)
      queue.nextOffset = queue.maxOffset
      queue.noteLoaded()
    }
  }

  private logProgress(physicalOffset: number): void {
    const { clock, logger, log } = this.options
    const now = clock.monotonic()
    if (now - this.lastProgress < PROGRESS_MS) return
    this.lastProgress = now
    const { records } = this.scanner
    logger.info(
      { event: 'store-recovering', physicalOffset, records },
      `reading the commit log: ${records} records, now at ${physicalOffset} of ${log.maxOffset}`,
    )
  }
}

function storeTimeAt(log: CommitLog, physicalOffset: number): number | undefined {
  const file = log.files.find(physicalOffset)?.map()
  if (file === undefined) return undefined
  const reader = new RecordReader()
  const kind = reader.read(file.buffer, file.view, physicalOffset - file.startOffset, file.wrotePosition)
  return kind === 'record' ? reader.storeTimestamp : undefined
}
