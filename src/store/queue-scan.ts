import type { ByteSink } from '../util/index.js'
import type { ConsumeQueue } from './consume-queue.js'
import { BLANK_UNIT_SIZE, type ConsumeQueueChunk } from './consume-queue-chunk.js'
import { type ConsumeQueueExt, type ExtUnit, MISSING_EXT_UNIT } from './consume-queue-ext.js'
import { extOffsetAt } from './ext-address.js'
import type { GetMessageRequest, GetMessageResult, GetMessageStatus, MessageFilter } from './get-message-result.js'
import { getInt64, viewOf } from './int64-view.js'
import type { MappedFile } from './mapped-file.js'
import type { MessageReader } from './message-reader.js'
import { RecordRanges } from './record-ranges.js'
import { RecordReader } from './record-reader.js'
import type { UnitRepair } from './unit-repair.js'

const MAX_BYTES = 128 * 1024 * 1024
/** Of each record, four cache lines: most of a short one; what is longer the processor fetches ahead by itself. */
const TOUCHED_BYTES = 256
/** Records touched at once: what the first levels of the cache hold until they are read. */
const MOST_TOUCHED = 64

/**
 * Records of other queues that a read from the disk may take along: copying them costs less than one more call on the
 * pool, whose answer the loop has to take.
 */
const WIDEST_GAP = 16 * 1024
const LONGEST_RUN = 128 * 1024

interface ColdRecord {
  /** Where it begins in the run. */
  readonly at: number
  readonly size: number
  readonly messages: number
  readonly queueOffset: number
}

/** Records that lie close to each other in one file and are to be read from the disk, at once. */
interface ColdRun {
  readonly file: MappedFile
  readonly start: number
  end: number
  readonly records: ColdRecord[]
  /** Ranges of mapped records in front of it. */
  readonly rangesBefore: number
}

/**
 * Where in its file a record stands. As an integer, which a file of less than 2 GB allows: quicker code reads there
 * than at the difference of two offsets.
 */
export function placeIn(file: MappedFile, physicalOffset: number): number {
  return (physicalOffset - file.startOffset) | 0
}

function isNear(run: ColdRun, start: number, size: number): boolean {
  const gap = start - run.end
  return gap === 0 || (gap > 0 && gap <= WIDEST_GAP && start + size - run.start <= LONGEST_RUN)
}

/** Whether the record at `position` is the message that a unit says it is. */
export interface RecordIdentity {
  readonly size: number
  readonly physicalOffset: number
  readonly queueId: number
  readonly queueOffset: number
}

/** One read under way. It can stop to wait for the disk and go on where it was. */
export class QueueScan implements GetMessageResult {
  status: GetMessageStatus = 'NO_MATCHED_MESSAGE'
  nextBeginOffset: number
  readonly minOffset: number
  readonly maxOffset: number
  messageCount = 0
  totalBytes = 0
  coldDataSum = 0
  suggestPullingFromSlave = false
  firstStoreTimestamp = 0

  private readonly ranges = new RecordRanges()
  /** Stay mapped until {@link release}. */
  private readonly retained: MappedFile[] = []
  private coldRuns: ColdRun[] | undefined
  /** What they were read into; given back by {@link release}. */
  private buffers: Buffer[] | undefined
  /** The file of the unit looked at last. */
  private file: MappedFile | undefined
  /** Records from here on are, by our estimate, in memory. */
  private warmFrom = 0
  private readonly maxBytes: number
  private readonly scanEnd: number
  /** Records in front of it count as cold. */
  private readonly coldAreaEnd: number
  private files = 0
  private fileEnd = 0
  /** Units of records in front of it are skipped: their file is gone. */
  private removedBefore = Number.NEGATIVE_INFINITY
  private coldRecord: Buffer | undefined
  /** Of the unit being looked at, read a moment ago. */
  private extension: ExtUnit | undefined
  /** A unit that was looked at again and counts as it is. */
  private settledUnit = -1
  /** One that leads to no message. */
  private lostUnit = -1
  private isReleased = false
  /** Messages of the unit being looked at. */
  private messages = 1
  /** Kept, so that reading it is not optimized away. */
  protected touched = 0

  constructor(
    private readonly reader: MessageReader,
    private readonly request: GetMessageRequest,
    private readonly queue: ConsumeQueue,
    /** Number of the next unit to look at. */
    private unit: number,
  ) {
    const { settings } = reader.options
    this.nextBeginOffset = request.offset
    this.minOffset = queue.minOffset
    this.maxOffset = queue.maxOffset
    this.coldAreaEnd = reader.coldAreaEnd
    this.maxBytes = Math.max(100, Math.min(request.maxBytes ?? MAX_BYTES, MAX_BYTES))
    const budget = Math.max(Math.floor(settings.maxFilterMessageSize / queue.unitSize), request.maxMsgNums)
    this.scanEnd = Math.min(unit + budget, queue.endUnit)
  }

  run(): GetMessageResult | Promise<GetMessageResult> {
    const { queue } = this
    const { unitSize } = queue
    this.warmFrom = this.reader.warmFrom
    // it may have gone while something was waited for
    this.file = undefined
    while (this.goesOn()) {
      const chunk = queue.chunkAt(this.unit)
      if (chunk === undefined) return this.after(queue.loadChunk(this.unit))
      this.touchAhead(chunk, this.unit * unitSize - chunk.start)
      for (let at = this.unit * unitSize - chunk.start; at < chunk.length && this.goesOn(); at += unitSize) {
        const taken = this.takeUnit(chunk.view, at)
        if (taken === 'full') return this.finish()
        if (taken !== 'next') return this.after(taken)
      }
    }
    return this.finish()
  }

  /**
   * Reads a little of the records that the next units point to. They lie far apart: one by one each would be waited for
   * until memory has it, but loads that depend on nothing overlap.
   */
  private touchAhead(chunk: ConsumeQueueChunk, from: number): void {
    const { maxMsgNums, filter } = this.request
    // most of them may never be looked at
    if (filter !== undefined && filter.matchesRecord === undefined) return
    const { unitSize } = this.queue
    const end = Math.min(chunk.length, from + unitSize * Math.min(maxMsgNums, MOST_TOUCHED))
    const file = from < end ? this.fileOf(getInt64(chunk.view, from)) : undefined
    if (file === undefined) return
    const { view, startOffset } = file
    const first = Math.max(0, this.warmFrom - startOffset)
    const last = Math.min(file.wrotePosition, view.byteLength) - TOUCHED_BYTES
    let seen = 0
    for (let at = from; at < end; at += unitSize) {
      const offset = getInt64(chunk.view, at) - startOffset
      if (offset < first || offset > last) continue
      const position = offset | 0
      seen ^= view.getInt8(position) ^ view.getInt8(position + 64)
      seen ^= view.getInt8(position + 128) ^ view.getInt8(position + 192)
    }
    this.touched = seen
  }

  /** Goes on when what was waited for is there. */
  private after(wait: Promise<unknown>): Promise<GetMessageResult> {
    return wait.then(
      () => this.run(),
      (error: unknown) => {
        this.release()
        throw error
      },
    )
  }

  private goesOn(): boolean {
    const next = this.unit
    if (next >= this.scanEnd) return false
    if (next < this.fileEnd) return true
    // Java reads one queue file per call, more only while nothing was found
    if (this.messageCount > 0 || this.files >= this.reader.options.settings.travelCqFileNumWhenGetMessage) {
      return false
    }
    this.files++
    this.fileEnd = this.queue.nextFileOffset(next)
    return this.queue.holds(next)
  }

  /** Looks at one unit; a promise when its record must be read first to decide. */
  private takeUnit(view: DataView, at: number): 'next' | 'full' | Promise<void> {
    const physicalOffset = getInt64(view, at)
    const size = view.getInt32(at + 8)
    this.messages = this.queue.messagesOfUnit(view, at)
    const isWarm = physicalOffset >= this.warmFrom
    if (this.isFull(size, isWarm)) return 'full'
    const { filter } = this.request
    this.nextBeginOffset = this.queue.offsetOfUnit(this.unit, view, at)
    if (size === BLANK_UNIT_SIZE || physicalOffset < this.removedBefore) return this.passed(physicalOffset)
    if (filter !== undefined) {
      const { ext } = this.queue
      const isWanted =
        ext === undefined
          ? filter.matchesQueueUnit(getInt64(view, at + 12), undefined, physicalOffset)
          : this.isWantedByExtension(ext, filter, view, at)
      if (isWanted !== true) return isWanted || this.passed(physicalOffset)
    }
    const { log, damage } = this.reader.options
    if (this.unit === this.lostUnit) return this.removed(physicalOffset)
    if (damage.covers(physicalOffset)) return this.damaged(physicalOffset)
    const file = this.fileOf(physicalOffset)
    if (file === undefined || physicalOffset + size > file.startOffset + file.wrotePosition || size <= 0) {
      const isGone = file === undefined && physicalOffset >= 0 && physicalOffset < log.minOffset
      return isGone ? this.removed(physicalOffset) : this.lookAgain()
    }
    const place = placeIn(file, physicalOffset)
    if (isWarm || file.isInMemory(place, place + size)) return this.takeMapped(file, physicalOffset, size)
    if (filter?.matchesRecord === undefined) return this.add(file, physicalOffset, size, true)
    if (this.coldRecord === undefined) return this.readColdRecord(file, physicalOffset, size)
    const record = this.coldRecord
    this.coldRecord = undefined
    return filter.matchesRecord(record, 0, record.length)
      ? this.add(file, physicalOffset, size, true)
      : this.notWanted(physicalOffset, size)
  }

  /** What the filter says of a unit that may point to an extension; a promise when that must be read first. */
  private isWantedByExtension(
    ext: ConsumeQueueExt,
    filter: MessageFilter,
    view: DataView,
    at: number,
  ): boolean | Promise<void> {
    const physicalOffset = getInt64(view, at)
    const offset = extOffsetAt(view, at + 12)
    if (offset < 0) return filter.matchesQueueUnit(getInt64(view, at + 12), undefined, physicalOffset)
    const extension = this.extension ?? ext.find(offset)
    this.extension = undefined
    if (extension === undefined) {
      return ext.load(offset).then(loaded => {
        this.extension = loaded
      })
    }
    // where it is lost the message itself must tell
    return extension === MISSING_EXT_UNIT || filter.matchesQueueUnit(extension.tagsCode, extension, physicalOffset)
  }

  private takeMapped(file: MappedFile, physicalOffset: number, size: number): 'next' | Promise<void> {
    file.map()
    const position = placeIn(file, physicalOffset)
    const { reader } = this
    if (this.unit !== this.settledUnit && !reader.isRecordOf(this.queue, this.identity(physicalOffset, size), file)) {
      return this.lookAgain()
    }
    const { filter } = this.request
    if (filter?.matchesRecord && !filter.matchesRecord(file.buffer, position, position + size)) {
      return this.notWanted(physicalOffset, size)
    }
    if (this.messageCount === 0) this.firstStoreTimestamp = reader.storeTimeAt(file.view, position)
    return this.add(file, physicalOffset, size, false)
  }

  private identity(physicalOffset: number, size: number): RecordIdentity {
    return { size, physicalOffset, queueId: this.queue.queueId, queueOffset: this.nextBeginOffset }
  }

  /** The unit and the record it points to do not fit: the unit is put right from the log, if that holds the message. */
  private async lookAgain(): Promise<void> {
    const { unit, queue } = this
    const repair: UnitRepair = this.reader.repair
    const outcome = await repair.check(queue, unit, this.nextBeginOffset)
    if (outcome === 'fits') this.settledUnit = unit
    if (outcome !== 'lost') return
    this.lostUnit = unit
    this.reader.noteLost(queue, this.nextBeginOffset)
  }

  private async readColdRecord(file: MappedFile, physicalOffset: number, size: number): Promise<void> {
    const record = Buffer.allocUnsafeSlow(size)
    await file.read(record, physicalOffset - file.startOffset)
    this.coldRecord = record
  }

  /** Whether the message may not be added any more; the first always may. */
  private isFull(size: number, isWarm: boolean): boolean {
    if (this.messageCount === 0) return false
    const bytes = this.totalBytes + size
    if (this.messageCount + this.messages > this.request.maxMsgNums || bytes > this.maxBytes) return true
    const { settings } = this.reader.options
    return isWarm
      ? bytes > settings.maxTransferBytesOnMessageInMemory ||
          this.messageCount >= settings.maxTransferCountOnMessageInMemory
      : bytes > settings.maxTransferBytesOnMessageInDisk ||
          this.messageCount >= settings.maxTransferCountOnMessageInDisk
  }

  /** A record that was read for its filter. */
  private notWanted(physicalOffset: number, size: number): 'next' {
    if (physicalOffset < this.coldAreaEnd) this.coldDataSum += size
    return this.passed(physicalOffset)
  }

  private passed(physicalOffset: number): 'next' {
    this.nextBeginOffset += this.messages
    this.unit++
    this.suggestPullingFromSlave = physicalOffset < this.warmFrom
    return 'next'
  }

  private damaged(physicalOffset: number): 'next' {
    this.reader.noteSkipped(this.queue, this.nextBeginOffset, physicalOffset)
    return this.passed(physicalOffset)
  }

  private removed(physicalOffset: number): 'next' {
    if (this.messageCount === 0) this.status = 'MESSAGE_WAS_REMOVING'
    const { log } = this.reader.options
    const size = log.files.fileSize
    // without its file the record cannot be read, nor can its neighbours
    if (physicalOffset < log.minOffset) this.removedBefore = Math.floor(physicalOffset / size) * size + size
    return this.passed(physicalOffset)
  }

  private fileOf(physicalOffset: number): MappedFile | undefined {
    const { file } = this
    if (file !== undefined && physicalOffset >= file.startOffset && physicalOffset < file.endOffset) return file
    this.file = this.reader.options.log.files.find(physicalOffset)
    return this.file
  }

  private add(file: MappedFile, physicalOffset: number, size: number, isCold: boolean): 'next' {
    const start = placeIn(file, physicalOffset)
    if (isCold) this.addCold(file, start, size)
    else {
      if (this.retained[this.retained.length - 1] !== file) {
        file.retain()
        this.retained.push(file)
      }
      this.ranges.add(file.buffer, start, start + size)
    }
    this.messageCount += this.messages
    this.totalBytes += size
    if (physicalOffset < this.coldAreaEnd) this.coldDataSum += size
    return this.passed(physicalOffset)
  }

  private addCold(file: MappedFile, start: number, size: number): void {
    const runs = (this.coldRuns ??= [])
    const rangesBefore = this.ranges.count
    let run = runs[runs.length - 1]
    if (run?.file !== file || run.rangesBefore !== rangesBefore || !isNear(run, start, size)) {
      run = { file, start, end: start, records: [], rangesBefore }
      runs.push(run)
    }
    run.end = start + size
    run.records.push({ at: start - run.start, size, messages: this.messages, queueOffset: this.nextBeginOffset })
  }

  private finish(): GetMessageResult | Promise<GetMessageResult> {
    if (this.messageCount > 0) this.status = 'FOUND'
    return this.coldRuns === undefined ? this : this.readCold(this.coldRuns)
  }

  private async readCold(runs: readonly ColdRun[]): Promise<GetMessageResult> {
    const parts: (readonly Buffer[])[] = []
    const buffers: Buffer[] = []
    this.buffers = buffers
    try {
      for (const run of runs) {
        const length = run.end - run.start
        const buffer = this.reader.buffers.take(length)
        buffers.push(buffer)
        const got = await run.file.read(buffer.subarray(0, length), run.start)
        parts.push(this.soundPartsOf(run, buffer.subarray(0, got)))
      }
    } catch (error) {
      this.release()
      throw error
    }
    const first = runs[0]!.rangesBefore === 0 ? parts[0]![0] : undefined
    if (first !== undefined) this.firstStoreTimestamp = this.reader.storeTimeAt(viewOf(first), 0)
    // from behind: an insertion moves what follows it
    for (let i = runs.length - 1; i >= 0; i--) this.ranges.insert(runs[i]!.rangesBefore, parts[i]!)
    if (this.messageCount === 0) this.status = 'NO_MATCHED_MESSAGE'
    return this
  }

  /** What comes from the disk is checked, body and all: the sound records of the run, neighbours together. */
  private soundPartsOf(run: ColdRun, bytes: Buffer): Buffer[] {
    const record = new RecordReader()
    record.checksCrc = true
    const view = viewOf(bytes)
    const parts: Buffer[] = []
    let from = 0
    let end = 0
    for (const { at, size, messages, queueOffset } of run.records) {
      const physicalOffset = run.file.startOffset + run.start + at
      const isSound =
        record.read(bytes, view, at, Math.min(at + size, bytes.length)) === 'record' &&
        record.totalSize === size &&
        record.physicalOffset === physicalOffset &&
        record.queueId === this.queue.recordQueueId(record.queueId)
      if (!isSound) {
        this.messageCount -= messages
        this.totalBytes -= size
        this.reader.noteSkipped(this.queue, queueOffset, physicalOffset)
        continue
      }
      if (at !== end) {
        if (end > from) parts.push(bytes.subarray(from, end))
        from = at
      }
      end = at + size
    }
    if (end > from) parts.push(bytes.subarray(from, end))
    return parts
  }

  get slices(): Buffer[] {
    return this.ranges.slices()
  }

  writeTo(sink: ByteSink): void {
    this.ranges.writeTo(sink)
  }

  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    for (const file of this.retained) file.release()
    for (const buffer of this.buffers ?? []) this.reader.buffers.giveBack(buffer)
    this.buffers = undefined
    // whoever still has the result must not keep what it led to
    this.retained.length = 0
    this.ranges.clear()
    this.coldRuns = undefined
    this.file = undefined
  }
}
