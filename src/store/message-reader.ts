import { MESSAGE_MAGIC_V1, MESSAGE_MAGIC_V2, RecordPosition, storeTimestampPosition } from '../common/index.js'
import type { CommitLog } from './commit-log.js'
import type { ConsumeQueue } from './consume-queue.js'
import { BLANK_UNIT_SIZE, UNIT_SIZE } from './consume-queue-chunk.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { GetMessageRequest, GetMessageResult, GetMessageStatus } from './get-message-result.js'
import { getInt64, viewOf } from './int64-view.js'
import type { MappedFile } from './mapped-file.js'
import type { StoreSettings } from './settings.js'

export interface MessageReaderOptions {
  settings: StoreSettings
  log: CommitLog
  queues: ConsumeQueueStore
  /** Of the machine. */
  memoryBytes: number
  /** A unit points to something that is no such record. */
  onDamage: (topic: string, queueId: number, queueOffset: number, physicalOffset: number) => void
}

const MAX_BYTES = 128 * 1024 * 1024

/** Reads messages of a queue (store-format 10). */
export class MessageReader {
  constructor(readonly options: MessageReaderOptions) {}

  /** A promise only when something must come from the disk that is not in memory by our estimate. */
  get(request: GetMessageRequest): GetMessageResult | Promise<GetMessageResult> {
    const queue = this.options.queues.find(request.topic, request.queueId)
    if (queue === undefined || queue.maxOffset === 0) {
      return this.nothing('NO_MESSAGE_IN_QUEUE', this.corrected(request.offset, 0), queue)
    }
    const { offset } = request
    if (offset < queue.minOffset) {
      return this.nothing('OFFSET_TOO_SMALL', this.corrected(offset, queue.minOffset), queue)
    }
    if (offset === queue.maxOffset) return this.nothing('OFFSET_OVERFLOW_ONE', offset, queue)
    if (offset > queue.maxOffset) {
      return this.nothing('OFFSET_OVERFLOW_BADLY', this.corrected(offset, queue.maxOffset), queue)
    }
    if (!queue.holds(offset)) {
      return this.nothing('OFFSET_FOUND_NULL', this.corrected(offset, queue.nextFileOffset(offset)), queue)
    }
    return new QueueScan(this, request, queue).run()
  }

  /** A slave sends nobody elsewhere unless it is told to check offsets. */
  private corrected(asked: number, right: number): number {
    const { brokerRole, offsetCheckInSlave } = this.options.settings
    return brokerRole !== 'SLAVE' || offsetCheckInSlave ? right : asked
  }

  private nothing(
    status: GetMessageStatus,
    nextBeginOffset: number,
    queue: ConsumeQueue | undefined,
  ): GetMessageResult {
    return {
      status,
      nextBeginOffset,
      minOffset: queue?.minOffset ?? 0,
      maxOffset: queue?.maxOffset ?? 0,
      messageCount: 0,
      slices: [],
      totalBytes: 0,
      suggestPullingFromSlave: false,
      firstStoreTimestamp: 0,
      release: nothingToRelease,
    }
  }

  /** Whether a record is, by our estimate, in memory. */
  isWarm(physicalOffset: number): boolean {
    return this.options.log.maxOffset - physicalOffset <= this.memoryReach
  }

  get memoryReach(): number {
    return (this.options.memoryBytes * this.options.settings.accessMessageInMemoryMaxRatio) / 100
  }
}

function nothingToRelease(): void {}

/** Records that follow each other in one file: mapped ones by position, cold ones by the bytes read. */
interface Run {
  readonly file: MappedFile
  start: number
  end: number
  cold: Buffer | undefined
  isCold: boolean
}

/** One read under way. It can stop to wait for the disk and go on where it was. */
class QueueScan implements GetMessageResult {
  status: GetMessageStatus = 'NO_MATCHED_MESSAGE'
  nextBeginOffset: number
  readonly minOffset: number
  readonly maxOffset: number
  messageCount = 0
  slices: Buffer[] = []
  totalBytes = 0
  suggestPullingFromSlave = false
  firstStoreTimestamp = 0

  private readonly runs: Run[] = []
  private readonly maxBytes: number
  private readonly scanEnd: number
  private files = 0
  private fileEnd = 0
  /** Units of records in front of it are skipped: their file is gone. */
  private removedBefore = 0
  private coldRecord: Buffer | undefined
  private isReleased = false

  constructor(
    private readonly reader: MessageReader,
    private readonly request: GetMessageRequest,
    private readonly queue: ConsumeQueue,
  ) {
    const { settings } = reader.options
    this.nextBeginOffset = request.offset
    this.minOffset = queue.minOffset
    this.maxOffset = queue.maxOffset
    this.maxBytes = Math.max(100, Math.min(request.maxBytes ?? MAX_BYTES, MAX_BYTES))
    const budget = Math.max(Math.floor(settings.maxFilterMessageSize / UNIT_SIZE), request.maxMsgNums)
    this.scanEnd = request.offset + budget
  }

  run(): GetMessageResult | Promise<GetMessageResult> {
    while (this.goesOn()) {
      const chunk = this.queue.chunkAt(this.nextBeginOffset)
      if (chunk === undefined)
        return this.queue.loadChunk(this.nextBeginOffset).then(
          () => this.run(),
          error => this.fail(error),
        )
      const from = this.nextBeginOffset * UNIT_SIZE - chunk.start
      for (let at = from; at < chunk.length && this.goesOn(); at += UNIT_SIZE) {
        const taken = this.takeUnit(chunk.view, at)
        if (taken === 'full') return this.finish()
        if (taken !== 'next')
          return taken.then(
            () => this.run(),
            error => this.fail(error),
          )
      }
    }
    return this.finish()
  }

  private fail(error: unknown): never {
    this.release()
    throw error
  }

  private goesOn(): boolean {
    const next = this.nextBeginOffset
    if (next >= this.maxOffset || next >= this.scanEnd) return false
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
    const isWarm = this.reader.isWarm(physicalOffset)
    if (this.isFull(size, isWarm)) return 'full'
    const { filter } = this.request
    const isWanted =
      size !== BLANK_UNIT_SIZE &&
      physicalOffset >= this.removedBefore &&
      (filter === undefined || filter.matchesQueueUnit(getInt64(view, at + 12)))
    if (!isWanted) return this.passed(physicalOffset)
    const file = this.reader.options.log.files.find(physicalOffset)
    if (file === undefined || physicalOffset + size > file.startOffset + file.wrotePosition) {
      return this.removed(physicalOffset)
    }
    if (isWarm) return this.takeMapped(file, physicalOffset, size)
    if (filter?.matchesRecord === undefined) return this.add(file, physicalOffset, size, true)
    if (this.coldRecord === undefined) return this.readColdRecord(file, physicalOffset, size)
    const record = this.coldRecord
    this.coldRecord = undefined
    return filter.matchesRecord(record) ? this.add(file, physicalOffset, size, true) : this.passed(physicalOffset)
  }

  private takeMapped(file: MappedFile, physicalOffset: number, size: number): 'next' {
    file.map()
    const position = physicalOffset - file.startOffset
    if (!isRecordAt(file.view, position, size)) {
      const { queue } = this
      this.reader.options.onDamage(queue.topic, queue.queueId, this.nextBeginOffset, physicalOffset)
      return this.passed(physicalOffset)
    }
    const { filter } = this.request
    if (filter?.matchesRecord && !filter.matchesRecord(file.buffer.subarray(position, position + size))) {
      return this.passed(physicalOffset)
    }
    if (this.messageCount === 0) this.firstStoreTimestamp = storeTimeOf(file.view, position)
    return this.add(file, physicalOffset, size, false)
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
    if (this.messageCount >= this.request.maxMsgNums || bytes > this.maxBytes) return true
    const { settings } = this.reader.options
    return isWarm
      ? bytes > settings.maxTransferBytesOnMessageInMemory ||
          this.messageCount >= settings.maxTransferCountOnMessageInMemory
      : bytes > settings.maxTransferBytesOnMessageInDisk ||
          this.messageCount >= settings.maxTransferCountOnMessageInDisk
  }

  private passed(physicalOffset: number): 'next' {
    this.nextBeginOffset++
    this.noteReach(physicalOffset)
    return 'next'
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
    const last = this.runs[this.runs.length - 1]
    if (last !== undefined && last.file === file && last.end === start && last.isCold === isCold) last.end += size
    else {
      if (!isCold) file.retain()
      this.runs.push({ file, start, end: start + size, cold: undefined, isCold })
    }
    this.messageCount++
    this.totalBytes += size
    return this.passed(physicalOffset)
  }

  private noteReach(physicalOffset: number): void {
    const { log } = this.reader.options
    this.suggestPullingFromSlave = log.maxOffset - physicalOffset > this.reader.memoryReach
  }

  private finish(): GetMessageResult | Promise<GetMessageResult> {
    if (this.messageCount > 0) this.status = 'FOUND'
    const cold = this.runs.filter(run => run.isCold)
    if (cold.length > 0) return this.readCold(cold)
    return this.slice()
  }

  private async readCold(cold: readonly Run[]): Promise<GetMessageResult> {
    try {
      for (const run of cold) {
        const bytes = Buffer.allocUnsafeSlow(run.end - run.start)
        await run.file.read(bytes, run.start)
        run.cold = bytes
      }
    } catch (error) {
      this.release()
      throw error
    }
    const first = this.runs[0]
    if (first?.cold !== undefined) this.firstStoreTimestamp = storeTimeOf(viewOf(first.cold), 0)
    return this.slice()
  }

  private slice(): GetMessageResult {
    for (const run of this.runs) this.slices.push(run.cold ?? run.file.buffer.subarray(run.start, run.end))
    return this
  }

  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    for (const run of this.runs) if (!run.isCold) run.file.release()
  }
}

function isRecordAt(view: DataView, position: number, size: number): boolean {
  if (view.getInt32(position) !== size) return false
  const magic = view.getInt32(position + RecordPosition.MAGIC)
  return magic === MESSAGE_MAGIC_V1 || magic === MESSAGE_MAGIC_V2
}

function storeTimeOf(view: DataView, position: number): number {
  const sysFlag = view.getInt32(position + RecordPosition.SYS_FLAG)
  return getInt64(view, position + storeTimestampPosition(sysFlag))
}
