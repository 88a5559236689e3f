import { ConsumeQueue } from './consume-queue.js'
import type { ConsumeQueueChunk } from './consume-queue-chunk.js'
import type { ConsumeQueueShared, UnitPut } from './consume-queue-types.js'
import { getInt64, setInt64 } from './int64-view.js'

/** Bytes of one unit of a batch queue (store-format 5.6). */
export const BATCH_UNIT_SIZE = 46

/** Positions in a unit behind the 20 bytes that all units begin with. */
export const BatchUnitPosition = {
  STORE_TIMESTAMP: 20,
  BASE_OFFSET: 28,
  BATCH_SIZE: 36,
  COMPACTED_OFFSET: 38,
  RESERVED: 42,
} as const

/** A record of a batch queue: one message, or several undivided. */
export interface BatchToPut {
  readonly physicalOffset: number
  readonly size: number
  readonly tagsCode: number
  readonly storeTimestamp: number
  /** Offset of its first message. */
  readonly baseOffset: number
  readonly messages: number
}

/**
 * A queue whose units stand for whole batches: topics with `queue.type=BatchCQ`. A unit's place says nothing about its
 * offsets; the unit of a message is found by halving.
 */
export class BatchConsumeQueue extends ConsumeQueue {
  private first = 0
  private end = 0

  constructor(shared: ConsumeQueueShared, topic: string, queueId: number, folder: string) {
    super(shared, topic, queueId, folder, BATCH_UNIT_SIZE)
  }

  override get minOffset(): number {
    return Math.max(this.first, this.purgedTo)
  }

  override get maxOffset(): number {
    return this.end
  }

  override offsetOfUnit(_number: number, view: DataView, at: number): number {
    return getInt64(view, at + BatchUnitPosition.BASE_OFFSET)
  }

  override messagesOfUnit(view: DataView, at: number): number {
    return Math.max(1, view.getInt16(at + BatchUnitPosition.BATCH_SIZE))
  }

  override put(physicalOffset: number, size: number, tagsCode: number, queueOffset: number): UnitPut {
    return this.putBatch({ physicalOffset, size, tagsCode, storeTimestamp: 0, baseOffset: queueOffset, messages: 1 })
  }

  /** Takes the unit of a record in log order; one that is there already changes nothing. */
  putBatch(batch: BatchToPut): UnitPut {
    const { physicalOffset, size, baseOffset, messages } = batch
    if (physicalOffset + size <= this.maxPhysicalOffset || baseOffset < this.end) return 'present'
    const isGap = this.endUnit > 0 && baseOffset > this.end
    const chunk = this.chunkForNext()
    const at = chunk.length
    chunk.append(physicalOffset, size, batch.tagsCode)
    const { view } = chunk
    setInt64(view, at + BatchUnitPosition.STORE_TIMESTAMP, batch.storeTimestamp)
    setInt64(view, at + BatchUnitPosition.BASE_OFFSET, baseOffset)
    view.setInt16(at + BatchUnitPosition.BATCH_SIZE, messages)
    view.setInt32(at + BatchUnitPosition.COMPACTED_OFFSET, -1)
    view.setInt32(at + BatchUnitPosition.RESERVED, 0)
    chunk.length = at + BATCH_UNIT_SIZE
    if (this.endUnit === 0) this.first = baseOffset
    this.noteAppended(physicalOffset, size)
    this.end = baseOffset + messages
    return isGap ? 'gap' : 'appended'
  }

  /** Units name their offsets: numbers that nothing stands for need none. */
  override padTo(queueOffset: number): void {
    if (this.endUnit === 0) this.first = queueOffset
    this.end = Math.max(this.end, queueOffset)
  }

  /** The number of the last unit that begins at or before `queueOffset`. */
  override locate(queueOffset: number): number | Promise<number> {
    const last = this.endUnit - 1
    const chunk = this.chunkAt(last)
    // consumers that keep up ask for the newest
    if (chunk !== undefined && this.baseIn(chunk, last) <= queueOffset) return last
    return this.search(queueOffset)
  }

  private async search(queueOffset: number): Promise<number> {
    let low = this.minUnit
    let high = this.endUnit - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const chunk = this.chunkAt(middle) ?? (await this.loadChunk(middle))
      if (this.baseIn(chunk, middle) <= queueOffset) low = middle
      else high = middle - 1
    }
    return low
  }

  private baseIn(chunk: ConsumeQueueChunk, number: number): number {
    return getInt64(chunk.view, number * BATCH_UNIT_SIZE - chunk.start + BatchUnitPosition.BASE_OFFSET)
  }

  protected override unitsChanged(): void {
    if (this.endUnit === 0) {
      this.first = this.end = 0
      return
    }
    const last = this.unitViewSync(this.endUnit - 1)
    if (last !== undefined) this.end = this.offsetOfUnit(0, last, 0) + this.messagesOfUnit(last, 0)
    const first = this.minUnit < this.endUnit ? this.unitViewSync(this.minUnit) : undefined
    this.first = first === undefined ? this.end : this.offsetOfUnit(0, first, 0)
  }
}
