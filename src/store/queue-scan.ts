import type { ConsumeQueue } from './consume-queue.js'
import { BLANK_UNIT_SIZE } from './consume-queue-chunk.js'
import { type ConsumeQueueExt, type ExtUnit, MISSING_EXT_UNIT } from './consume-queue-ext.js'
import { extOffsetAt } from './ext-address.js'
import type { GetMessageRequest, GetMessageResult, GetMessageStatus, MessageFilter } from './get-message-result.js'
import { getInt64, viewOf } from './int64-view.js'
import type { MappedFile } from './mapped-file.js'
import type { MessageReader } from './message-reader.js'
import { RecordReader } from './record-reader.js'
import type { UnitRepair } from './unit-repair.js'

const MAX_BYTES = 128 * 1024 * 1024

/** Records that follow each other in one file: mapped ones by position, cold ones by the bytes read. */
interface Run {
  readonly file: MappedFile
  start: number
  end: number
  /** Of a run that is read from the disk: the size of each record, and whose it is. */
  readonly cold: { readonly size: number; readonly messages: number; readonly queueOffset: number }[] | undefined
  bytes: readonly Buffer[]
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
  slices: Buffer[] = []
  totalBytes = 0
  coldDataSum = 0
  suggestPullingFromSlave = false
  firstStoreTimestamp = 0

  private runs: Run[] = []
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
    while (this.goesOn()) {
      const chunk = queue.chunkAt(this.unit)
      if (chunk === undefined) return this.after(queue.loadChunk(this.unit))
      for (let at = this.unit * unitSize - chunk.start; at < chunk.length && this.goesOn(); at += unitSize) {
        const taken = this.takeUnit(chunk.view, at)
        if (taken === 'full') return this.finish()
        if (taken !== 'next') return this.after(taken)
      }
    }
    return this.finish()
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
    const isWarm = this.reader.isWarm(physicalOffset)
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
    const file = log.files.find(physicalOffset)
    if (file === undefined || physicalOffset + size > file.startOffset + file.wrotePosition || size <= 0) {
      const isGone = file === undefined && physicalOffset >= 0 && physicalOffset < log.minOffset
      return isGone ? this.removed(physicalOffset) : this.lookAgain()
    }
    if (isWarm) return this.takeMapped(file, physicalOffset, size)
    if (filter?.matchesRecord === undefined) return this.add(file, physicalOffset, size, true)
    if (this.coldRecord === undefined) return this.readColdRecord(file, physicalOffset, size)
    const record = this.coldRecord
    this.coldRecord = undefined
    return filter.matchesRecord(record)
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
    const position = physicalOffset - file.startOffset
    const { reader } = this
    if (this.unit !== this.settledUnit && !reader.isRecordOf(this.queue, this.identity(physicalOffset, size), file)) {
      return this.lookAgain()
    }
    const { filter } = this.request
    if (filter?.matchesRecord && !filter.matchesRecord(file.buffer.subarray(position, position + size))) {
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
    this.noteReach(physicalOffset)
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

  private add(file: MappedFile, physicalOffset: number, size: number, isCold: boolean): 'next' {
    const start = physicalOffset - file.startOffset
    let run = this.runs[this.runs.length - 1]
    if (run !== undefined && run.file === file && run.end === start && (run.cold !== undefined) === isCold) {
      run.end += size
    } else {
      if (!isCold) file.retain()
      run = { file, start, end: start + size, cold: isCold ? [] : undefined, bytes: [] }
      this.runs.push(run)
    }
    run.cold?.push({ size, messages: this.messages, queueOffset: this.nextBeginOffset })
    this.messageCount += this.messages
    this.totalBytes += size
    if (physicalOffset < this.coldAreaEnd) this.coldDataSum += size
    return this.passed(physicalOffset)
  }

  private noteReach(physicalOffset: number): void {
    const { log } = this.reader.options
    this.suggestPullingFromSlave = log.maxOffset - physicalOffset > this.reader.memoryReach
  }

  private finish(): GetMessageResult | Promise<GetMessageResult> {
    if (this.messageCount > 0) this.status = 'FOUND'
    for (const run of this.runs) if (run.cold !== undefined) return this.readCold()
    return this.slice()
  }

  private async readCold(): Promise<GetMessageResult> {
    try {
      for (const run of this.runs) {
        if (run.cold === undefined) continue
        const bytes = Buffer.allocUnsafeSlow(run.end - run.start)
        const got = await run.file.read(bytes, run.start)
        run.bytes = this.soundPartsOf(run, bytes.subarray(0, got))
      }
    } catch (error) {
      this.release()
      throw error
    }
    const first = this.runs[0]?.bytes[0]
    if (first !== undefined) this.firstStoreTimestamp = this.reader.storeTimeAt(viewOf(first), 0)
    if (this.messageCount === 0) this.status = 'NO_MATCHED_MESSAGE'
    return this.slice()
  }

  /** What comes from the disk is checked, body and all: the parts of the run without its damaged records. */
  private soundPartsOf(run: Run, bytes: Buffer): Buffer[] {
    const record = new RecordReader()
    record.checksCrc = true
    const view = viewOf(bytes)
    const parts: Buffer[] = []
    let from = 0
    let at = 0
    for (const { size, messages, queueOffset } of run.cold!) {
      const physicalOffset = run.file.startOffset + run.start + at
      const isSound =
        record.read(bytes, view, at, Math.min(at + size, bytes.length)) === 'record' &&
        record.totalSize === size &&
        record.physicalOffset === physicalOffset &&
        record.queueId === this.queue.recordQueueId(record.queueId)
      if (!isSound) {
        if (at > from) parts.push(bytes.subarray(from, at))
        from = at + size
        this.messageCount -= messages
        this.totalBytes -= size
        this.reader.noteSkipped(this.queue, queueOffset, physicalOffset)
      }
      at += size
    }
    if (at > from) parts.push(bytes.subarray(from, at))
    return parts
  }

  private slice(): GetMessageResult {
    for (const run of this.runs) {
      if (run.cold === undefined) this.slices.push(run.file.buffer.subarray(run.start, run.end))
      else this.slices.push(...run.bytes)
    }
    return this
  }

  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    for (const run of this.runs) if (run.cold === undefined) run.file.release()
    // whoever still has the result must not keep hundreds of objects of every read with it
    this.runs = []
    this.slices = []
  }
}
