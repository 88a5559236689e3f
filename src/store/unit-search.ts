import { BLANK_UNIT_SIZE, CHUNK_UNITS } from './consume-queue-chunk.js'
import { type UnitFields, unitAt } from './consume-queue-types.js'
import { viewOf } from './int64-view.js'
import type { UnitFiles } from './unit-files.js'

/** Looks for the units of a queue that stand for messages, between blank ones. For start-up: it reads at once. */
export class UnitSearch {
  constructor(
    private readonly files: UnitFiles,
    private readonly unitSize: number,
    private readonly read: (number: number) => UnitFields | undefined,
  ) {}

  /** The unit `number`, or for a blank one the nearest real one before it, or else behind it, within `[first, end)`. */
  realUnitAt(number: number, first: number, end: number): UnitFields | undefined {
    for (let at = number; at >= first; at--) {
      const found = this.read(at)
      if (found?.size !== BLANK_UNIT_SIZE) return found
    }
    let low = number + 1
    let high = end
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.read(middle)?.size === BLANK_UNIT_SIZE) low = middle + 1
      else high = middle
    }
    return low < end ? this.read(low) : undefined
  }

  /** End of the record of the last unit in `[first, end)` that has one; -1 without. */
  physicalEnd(first: number, end: number): number {
    const { unitSize, files } = this
    for (let to = end; to > first; ) {
      const from = Math.max(first, files.startOf((to - 1) * unitSize) / unitSize, to - CHUNK_UNITS)
      const bytes = Buffer.alloc((to - from) * unitSize)
      files.readSync(bytes, from * unitSize)
      const view = viewOf(bytes)
      for (let at = bytes.length - unitSize; at >= 0; at -= unitSize) {
        const { physicalOffset, size } = unitAt(view, at)
        if (size !== BLANK_UNIT_SIZE) return physicalOffset + size
      }
      to = from
    }
    return -1
  }
}
