import { BLANK_UNIT_SIZE, CHUNK_UNITS, UNIT_SIZE } from './consume-queue-chunk.js'
import { type QueueReach, type UnitFields, unitAt } from './consume-queue-types.js'
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

  /** The bytes of the units `[from, end)` as the files hold them; zeros where they do not. */
  bytesOf(from: number, end: number): Buffer {
    const { unitSize, files } = this
    const all = Buffer.alloc((end - from) * unitSize)
    for (let at = from; at < end; ) {
      const next = Math.min(end, (files.startOf(at * unitSize) + files.fileSize) / unitSize)
      files.readSync(all.subarray((at - from) * unitSize, (next - from) * unitSize), at * unitSize)
      at = next
    }
    return all
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

  /** The first unit in `[low, end)` whose record lies at or behind `minPhysicalOffset`; `end` when there is none. */
  firstBehind(minPhysicalOffset: number, low: number, end: number): number {
    const isWanted = (unit: UnitFields | undefined): boolean =>
      unit !== undefined && unit.size !== BLANK_UNIT_SIZE && unit.physicalOffset >= minPhysicalOffset
    if (isWanted(this.read(low))) return low
    let from = low
    let to = end
    let found = end
    while (from < to) {
      const middle = Math.floor((from + to) / 2)
      // blank units tell nothing: ask the first real one behind them
      let at = middle
      while (at < to && this.read(at)?.size === BLANK_UNIT_SIZE) at++
      if (at < to && !isWanted(this.read(at))) from = at + 1
      else {
        if (at < to) found = at
        to = middle
      }
    }
    return found
  }

  /** Number after the leading units in `[first, end)` that are valid and pass. */
  endWhere(keeps: (physicalOffset: number) => boolean, first: number, end: number): number {
    let low = first
    let high = end
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const found = this.realUnitAt(middle, first, end)
      const isKept = found !== undefined && found.size > 0 && found.physicalOffset >= 0 && keeps(found.physicalOffset)
      if (isKept) low = middle + 1
      else high = middle
    }
    return low
  }

  /** End of the record of a plain unit; -1 without. */
  physicalEndOf(number: number): number {
    const found = this.read(number)
    return found === undefined || found.size === BLANK_UNIT_SIZE ? -1 : found.physicalOffset + found.size
  }

  /** Whether the first message of some file lies in front of `physicalOffset`, or it has none at all. */
  pointsBefore(physicalOffset: number, endUnit: number): boolean {
    const { starts, fileSize } = this.files
    return starts.some(start => {
      const [first, end] = [start / this.unitSize, Math.min((start + fileSize) / this.unitSize, endUnit)]
      const found = first < end ? this.realUnitAt(first, first, end) : undefined
      return found === undefined || (found.size > 0 && found.physicalOffset < physicalOffset)
    })
  }

  /**
   * Where a queue of plain units ends that was said to end at `expected`, looked for in one page behind that; undefined
   * when the units do not bear it out, or go on.
   */
  endNear(expected: QueueReach, end: number): QueueReach | undefined {
    const { unitSize, files } = this
    const first = expected.maxOffset - 1
    const position = first * unitSize
    const room = files.startOf(position) + files.fileSize - position
    const bytes = near.subarray(0, files.readSync(near.subarray(0, Math.min(room, near.length)), position))
    const isFileEnd = bytes.length === room
    const view = viewOf(bytes)
    let maxPhysicalOffset = -1
    let number = first
    for (let at = 0; at + unitSize <= bytes.length; at += unitSize, number++) {
      const { physicalOffset, size } = unitAt(view, at)
      if (size === 0 && physicalOffset === 0 && number > first) return { maxOffset: number, maxPhysicalOffset }
      if (size <= 0 || size === BLANK_UNIT_SIZE || physicalOffset < maxPhysicalOffset) return undefined
      maxPhysicalOffset = physicalOffset + size
      if (number === first && maxPhysicalOffset !== expected.maxPhysicalOffset) return undefined
    }
    return isFileEnd && number === end ? { maxOffset: end, maxPhysicalOffset } : undefined
  }
}

const near = Buffer.alloc(200 * UNIT_SIZE)
const PAGE = 4096
/** The last unit may lie on two pages. */
const pages = Buffer.alloc(2 * PAGE)
const pagesView = viewOf(pages)
const ZEROS = Buffer.alloc(2 * PAGE)

/**
 * What most queues are like at a start, found in one look at one file: all units, plain ones, are in the first file,
 * and end where it was noted, with nothing but zeros behind. The answer is then where the record of the first unit
 * lies, -1 when that unit is blank; undefined when the queue is not like that, or it cannot be told. Where the file has
 * no room behind the end another may follow: then it cannot.
 */
export function firstRecordAsNoted(files: UnitFiles, { maxOffset, maxPhysicalOffset }: QueueReach): number | undefined {
  const end = maxOffset * UNIT_SIZE
  if (maxOffset <= 0 || end >= files.fileSize) return undefined
  const from = Math.floor((end - UNIT_SIZE) / PAGE) * PAGE
  let firstRecord = -1
  const isSo = files.takeOnlyFile(file => {
    // no further: of pages that were never written the kernel would make a lot, all zeros
    file.setReadAhead?.(false)
    const got = file.readSync(pages.subarray(0, end > from + PAGE ? 2 * PAGE : PAGE), from)
    if (got < end - from) return false
    const { physicalOffset, size } = unitAt(pagesView, end - from - UNIT_SIZE)
    const isPlain = size > 0 && size !== BLANK_UNIT_SIZE
    if (!isPlain || physicalOffset + size !== maxPhysicalOffset) return false
    if (pages.compare(ZEROS, 0, got - (end - from), end - from, got) !== 0) return false
    const behind = from + got
    if (behind < files.fileSize && (file.nextData?.(behind) ?? behind) < files.fileSize) return false
    if (from > 0) file.readSync(pages.subarray(0, UNIT_SIZE), 0)
    const first = unitAt(pagesView, 0)
    firstRecord = first.size === BLANK_UNIT_SIZE ? -1 : first.physicalOffset
    return true
  })
  return isSo ? firstRecord : undefined
}
