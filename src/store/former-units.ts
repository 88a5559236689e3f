import type { ConsumeQueue } from './consume-queue.js'
import { BLANK_UNIT_SIZE, UNIT_SIZE } from './consume-queue-chunk.js'
import { type QueueReach, unitAt } from './consume-queue-types.js'
import { viewOf } from './int64-view.js'

/** Most that is kept for all queues together: three million units. What is beyond it cannot be asked. */
const BUDGET_BYTES = 64 * 1024 * 1024

/**
 * What queues held before their ends were taken out to be replayed from the log. A power cut may have kept any part of
 * it, so it proves nothing; but where the log alone does not tell which of two records has a number, it may.
 */
export class FormerUnits {
  private readonly kept = new Map<ConsumeQueue, { readonly first: number; readonly view: DataView }>()
  private left = BUDGET_BYTES

  /** Keeps the units of a queue, the newest where not all find room; `known`: how far it was certain. */
  note(queue: ConsumeQueue, known: QueueReach | undefined): void {
    if (queue.unitSize !== UNIT_SIZE) return
    const from = Math.max(queue.minUnit, known?.maxOffset ?? 0, queue.endUnit - Math.floor(this.left / UNIT_SIZE))
    if (from >= queue.endUnit) return
    const bytes = queue.unitSearch.bytesOf(from, queue.endUnit)
    this.left -= bytes.length
    this.kept.set(queue, { first: from, view: viewOf(bytes) })
  }

  /** Where the log had the record of number `number` of a queue; undefined when that is not known. */
  physicalOffsetOf(queue: ConsumeQueue, number: number): number | undefined {
    const kept = this.kept.get(queue)
    if (kept === undefined || number < kept.first) return undefined
    const at = (number - kept.first) * UNIT_SIZE
    if (at + UNIT_SIZE > kept.view.byteLength) return undefined
    const { physicalOffset, size } = unitAt(kept.view, at)
    return size === BLANK_UNIT_SIZE || size <= 0 ? undefined : physicalOffset
  }
}
