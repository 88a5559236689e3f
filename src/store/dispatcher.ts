import { MessageSysFlag, transactionType } from '../common/index.js'
import type { BatchConsumeQueue } from './batch-consume-queue.js'
import type { ExtUnit } from './consume-queue-ext.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { UnitPut } from './consume-queue-types.js'
import type { DelayLevels } from './delay-levels.js'
import type { DispatchRequest } from './dispatch-request.js'
import type { ExtendedConsumeQueue } from './extended-consume-queue.js'
import type { IndexService } from './index-service.js'
import type { LightQueues } from './light-queues.js'
import { continueJavaHash, PropertyScan, parseDecimal } from './property-scan.js'

/** A message that consumers can see from now on. One object, filled again and again: copy what is kept. */
export interface Arrival {
  topic: string
  queueId: number
  /** Offset after the message. */
  newMaxOffset: number
  tagsCode: number
  storeTimestamp: number
  /** Of the record, for filters that look into it. */
  physicalOffset: number
  /** Where the queue keeps more of the message. */
  extension: ExtUnit | undefined
}

/** What {@link DispatcherOptions.bitMapOf} looks at; borrowed until it returns. */
export interface RecordToFilter {
  readonly topic: { readonly topic: string }
  /** Where the properties lie in {@link bytes}. */
  readonly bytes: Buffer
  readonly propertiesStart: number
  readonly propertiesEnd: number
}

/** Told of each arrival; called in the turn of the append, so be brief. */
export type OnArrival = (arrival: Readonly<Arrival>) => void

export interface DispatcherOptions {
  queues: ConsumeQueueStore
  light: LightQueues
  index: IndexService | undefined
  delayLevels: DelayLevels
  /** Bloom bits of the groups that want the message; undefined where they are not worked out. */
  bitMapOf: ((record: RecordToFilter) => Buffer | undefined) | undefined
  /** A queue got a hole: records before this one are gone from the log. */
  onGap: (request: { topic: { topic: string }; queueId: number; queueOffset: number }) => void
}

/** Enters records into their queue and the index: at append, in recovery, and on a slave alike (store-format 7). */
export class Dispatcher {
  /** Absent while recovery replays the log: nobody waits for old messages. */
  onArrival: OnArrival | undefined
  private readonly scan = new PropertyScan()
  /** Of the record dispatched last. */
  private messages = 1
  private readonly tail = new PropertyScan()
  private scannedBatch = -1
  /** Where the tail of that batch was scanned. */
  private scannedAt = 0
  private tailKeyHash: number | undefined
  private readonly arrival: Arrival = {
    topic: '',
    queueId: 0,
    newMaxOffset: 0,
    tagsCode: 0,
    storeTimestamp: 0,
    physicalOffset: 0,
    extension: undefined,
  }

  private readonly hasLightQueues: boolean

  constructor(private readonly options: DispatcherOptions) {
    this.hasLightQueues = options.light.isOn
  }

  dispatch(request: DispatchRequest): void {
    const { scan } = this
    request.uniqKeyHash = undefined
    if (request.tailLength === 0) scan.scan(request.bytes, request.propertiesStart, request.propertiesEnd)
    else this.scanOfBatch(request)
    const isQueued = isVisible(request.sysFlag)
    const tagsCode = isQueued ? this.putUnit(request) : 0
    const type = transactionType(request.sysFlag)
    if (type !== MessageSysFlag.TRANSACTION_ROLLBACK_TYPE) this.options.index?.put(request, scan)
    if (isQueued && this.onArrival !== undefined) {
      const { arrival } = this
      arrival.topic = request.topic.topic
      arrival.queueId = request.queueId
      arrival.newMaxOffset = request.queueOffset + this.messages
      arrival.tagsCode = tagsCode
      arrival.storeTimestamp = request.storeTimestamp
      arrival.physicalOffset = request.physicalOffset
      this.onArrival(arrival)
    }
    if (this.hasLightQueues && isQueued) this.dispatchToLightQueues(request, tagsCode)
    if (this.arrival.extension !== undefined) this.arrival.extension = undefined
  }

  /** Enters a record into the other queues that it names. */
  private dispatchToLightQueues(request: DispatchRequest, tagsCode: number): void {
    const { light, onGap } = this.options
    const { physicalOffset, size, storeTimestamp } = request
    for (const entry of light.entriesOf(request)) {
      const { name, queueOffset } = entry
      const queue = light.queueOf(entry)
      if (!light.isPossible(queue, queueOffset, physicalOffset)) continue
      const put = queue.put(physicalOffset, size, tagsCode, queueOffset)
      if (put === 'gap') onGap({ topic: { topic: name }, queueId: queue.queueId, queueOffset })
      const { arrival } = this
      arrival.topic = name
      arrival.queueId = queue.queueId
      arrival.newMaxOffset = queueOffset + 1
      arrival.tagsCode = tagsCode
      arrival.storeTimestamp = storeTimestamp
      arrival.physicalOffset = physicalOffset
      this.onArrival?.(arrival)
    }
  }

  /** The properties that a batch shares stand behind each message's own: they are scanned once. */
  private scanOfBatch(request: DispatchRequest): void {
    const { scan, tail } = this
    const tailStart = request.propertiesEnd - request.tailLength
    if (request.batch !== this.scannedBatch) {
      this.scannedBatch = request.batch
      tail.scan(request.bytes, tailStart, request.propertiesEnd)
      this.scannedAt = tailStart
      this.tailKeyHash =
        tail.uniqKeyStart < 0
          ? undefined
          : continueJavaHash(request.topic.indexKeyHash, request.bytes, tail.uniqKeyStart, tail.uniqKeyEnd)
    }
    request.uniqKeyHash = this.tailKeyHash
    scan.scan(request.bytes, request.propertiesStart, tailStart)
    scan.overlay(tail, tailStart - this.scannedAt)
  }

  /** Enters a record into its queue only: for a queue that is built again. */
  dispatchToQueue(request: DispatchRequest): void {
    this.scan.scan(request.bytes, request.propertiesStart, request.propertiesEnd)
    if (isVisible(request.sysFlag)) this.putUnit(request)
  }

  /** Enters a record into the index only. */
  dispatchToIndex(request: DispatchRequest): void {
    if (transactionType(request.sysFlag) === MessageSysFlag.TRANSACTION_ROLLBACK_TYPE) return
    this.scan.scan(request.bytes, request.propertiesStart, request.propertiesEnd)
    this.options.index?.put(request, this.scan)
  }

  /** Enters a record whose topic was deleted: into the index, and into the other queues that it names. */
  dispatchWithoutTopic(request: DispatchRequest): void {
    this.dispatchToIndex(request)
    if (!this.hasLightQueues || !isVisible(request.sysFlag)) return
    this.scan.scan(request.bytes, request.propertiesStart, request.propertiesEnd)
    this.dispatchToLightQueues(request, this.tagsCodeOf(request))
  }

  private putUnit(request: DispatchRequest): number {
    const tagsCode = this.tagsCodeOf(request)
    this.messages = 1
    const queue = this.options.queues.queueOf(request.topic, request.queueId)
    const put = request.topic.isBatch
      ? this.putBatchUnit(queue as BatchConsumeQueue, request, tagsCode)
      : queue.ext === undefined
        ? queue.put(request.physicalOffset, request.size, tagsCode, request.queueOffset)
        : this.putExtendedUnit(queue as ExtendedConsumeQueue, request, tagsCode)
    if (put === 'gap') this.options.onGap(request)
    return tagsCode
  }

  private putExtendedUnit(queue: ExtendedConsumeQueue, request: DispatchRequest, tagsCode: number): UnitPut {
    const { physicalOffset, size, queueOffset, storeTimestamp } = request
    const bitMap = this.options.bitMapOf?.(request)
    const extension = { tagsCode, storeTimestamp, bitMap }
    if (this.onArrival !== undefined) this.arrival.extension = extension
    return queue.putExtended(physicalOffset, size, queueOffset, extension)
  }

  /** The unit of a batch queue: how many messages, and from which number on, its record's properties say. */
  private putBatchUnit(queue: BatchConsumeQueue, request: DispatchRequest, tagsCode: number): UnitPut {
    const { scan } = this
    const { physicalOffset, size, storeTimestamp, bytes, queueOffset } = request
    const isBatch = scan.innerNumStart >= 0 && scan.innerBaseStart >= 0
    const baseOffset = isBatch ? parseDecimal(bytes, scan.innerBaseStart, scan.innerBaseEnd, queueOffset) : queueOffset
    this.messages = isBatch ? Math.max(1, parseDecimal(bytes, scan.innerNumStart, scan.innerNumEnd, 1)) : 1
    const { messages } = this
    return queue.putBatch({ physicalOffset, size, tagsCode, storeTimestamp, baseOffset, messages })
  }

  private tagsCodeOf(request: DispatchRequest): number {
    const { scan } = this
    if (request.topic.isSchedule && scan.delayStart >= 0) {
      const level = parseDecimal(request.bytes, scan.delayStart, scan.delayEnd, 0)
      if (level > 0) return this.options.delayLevels.deliverTime(level, request.storeTimestamp)
    }
    return scan.tagsStart < 0 ? 0 : continueJavaHash(0, request.bytes, scan.tagsStart, scan.tagsEnd)
  }
}

/** Neither half nor rolled back: consumers get it. */
function isVisible(sysFlag: number): boolean {
  const type = transactionType(sysFlag)
  return type === MessageSysFlag.TRANSACTION_NOT_TYPE || type === MessageSysFlag.TRANSACTION_COMMIT_TYPE
}
