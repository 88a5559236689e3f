import { MESSAGE_MAGIC_V1, MESSAGE_MAGIC_V2, RecordPosition, storeTimestampPosition } from '../common/index.js'
import type { CommitLog } from './commit-log.js'
import type { ConsumeQueue } from './consume-queue.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { DamageLog } from './damage.js'
import type { GetMessageRequest, GetMessageResult, GetMessageStatus } from './get-message-result.js'
import { getInt64 } from './int64-view.js'
import type { LightQueues } from './light-queues.js'
import type { MappedFile } from './mapped-file.js'
import { placeIn, QueueScan, type RecordIdentity } from './queue-scan.js'
import { ReadBuffers } from './read-buffers.js'
import type { RecordReader } from './record-reader.js'
import type { StoreSettings } from './settings.js'
import { UnitRepair } from './unit-repair.js'

export interface MessageReaderOptions {
  settings: StoreSettings
  log: CommitLog
  queues: ConsumeQueueStore
  light: LightQueues
  /** Of the machine. */
  memoryBytes: number
  damage: DamageLog
  /** What a unit of the record holds as tags code. */
  tagsCodeOf: (record: Buffer, reader: RecordReader) => number
}

/** Reads messages of a queue (store-format 10). */
export class MessageReader {
  readonly repair: UnitRepair
  readonly buffers = new ReadBuffers()

  constructor(readonly options: MessageReaderOptions) {
    this.repair = new UnitRepair(options)
  }

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
    const unit = queue.locate(offset)
    return typeof unit === 'number' ? this.scan(request, queue, unit) : unit.then(at => this.scan(request, queue, at))
  }

  private scan(
    request: GetMessageRequest,
    queue: ConsumeQueue,
    unit: number,
  ): GetMessageResult | Promise<GetMessageResult> {
    if (!queue.holds(unit)) {
      return this.nothing('OFFSET_FOUND_NULL', this.corrected(request.offset, queue.nextFileOffset(unit)), queue)
    }
    return new QueueScan(this, request, queue, unit).run()
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
      slices: NO_SLICES,
      totalBytes: 0,
      coldDataSum: 0,
      suggestPullingFromSlave: false,
      firstStoreTimestamp: 0,
      writeTo: nothingToWrite,
      release: nothingToRelease,
    }
  }

  /** Records from here on are, by our estimate, in memory. */
  get warmFrom(): number {
    const { settings, log, memoryBytes } = this.options
    return log.maxOffset - (memoryBytes * settings.accessMessageInMemoryMaxRatio) / 100
  }

  isWarm(physicalOffset: number): boolean {
    return physicalOffset >= this.warmFrom
  }

  /** Whether a mapped record is what a queue's unit says; a cheap look at what tells it from all others. */
  isRecordOf(queue: ConsumeQueue, wanted: RecordIdentity, file: MappedFile): boolean {
    const { view } = file
    const at = placeIn(file, wanted.physicalOffset)
    if (view.getInt32(at) !== wanted.size) return false
    const magic = view.getInt32(at + RecordPosition.MAGIC)
    if (magic !== MESSAGE_MAGIC_V1 && magic !== MESSAGE_MAGIC_V2) return false
    if (getInt64(view, at + RecordPosition.PHYSICAL_OFFSET) !== wanted.physicalOffset) return false
    return (
      queue.isShared ||
      (view.getInt32(at + RecordPosition.QUEUE_ID) === wanted.queueId &&
        getInt64(view, at + RecordPosition.QUEUE_OFFSET) === wanted.queueOffset)
    )
  }

  storeTimeAt(view: DataView, position: number): number {
    const sysFlag = view.getInt32(position + RecordPosition.SYS_FLAG)
    return getInt64(view, position + storeTimestampPosition(sysFlag))
  }

  /** A message that is in its queue and cannot be read. */
  noteSkipped(queue: ConsumeQueue, queueOffset: number, physicalOffset: number): void {
    const { topic, queueId } = queue
    const text =
      `message ${queueOffset} of ${topic}-${queueId} is damaged: no such record at ` +
      `${physicalOffset}; it is skipped`
    this.options.damage.add({ kind: 'record', topic, queueId, queueOffset, physicalOffset, text })
  }

  noteLost(queue: ConsumeQueue, queueOffset: number): void {
    const { topic, queueId } = queue
    const text = `message ${queueOffset} of ${topic}-${queueId} is skipped: its queue entry is damaged`
    this.options.damage.add({ kind: 'queue', topic, queueId, queueOffset, text })
  }

  /** Where, for flow control, cold data ends (`accessMessageInMemoryHotRatio`); -1 while that is off. */
  get coldAreaEnd(): number {
    const { settings, log, memoryBytes } = this.options
    if (!settings.coldDataFlowControlEnable) return -1
    return log.maxOffset - Math.floor((memoryBytes * settings.accessMessageInMemoryHotRatio) / 100)
  }
}

const NO_SLICES: readonly Buffer[] = []

function nothingToWrite(): void {}

function nothingToRelease(): void {}
