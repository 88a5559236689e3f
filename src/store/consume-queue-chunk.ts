import { setInt64, viewOf } from './int64-view.js'

/** Bytes of one unit: physical offset i64, record size i32, tagsCode i64 (store-format 5.1). */
export const UNIT_SIZE = 20
/** Size in a unit that stands for no record: what precedes the first message of a queue, or a hole. */
export const BLANK_UNIT_SIZE = 0x7fffffff

/** How much of a queue is read, cached and buffered at once: as many units as one pull may look at. */
export const CHUNK_UNITS = 800
const FIRST_UNITS = 16

/** A run of units in memory: read from a file, or appended and not yet all written to it. */
export class ConsumeQueueChunk {
  view: DataView
  /** Bytes filled. */
  length: number
  /** Bytes of them that the file holds. */
  written: number

  constructor(
    /** Stream position (in bytes) of the first unit. */
    readonly start: number,
    public buffer: Buffer,
    filled: number,
  ) {
    this.view = viewOf(buffer)
    this.length = filled
    this.written = filled
  }

  static empty(start: number, limit: number, unitSize: number): ConsumeQueueChunk {
    return new ConsumeQueueChunk(start, Buffer.allocUnsafeSlow(Math.min(FIRST_UNITS * unitSize, limit)), 0)
  }

  get end(): number {
    return this.start + this.length
  }

  /** More room, up to `limit` bytes in all. Returns false when there is none. */
  grow(limit: number): boolean {
    if (this.buffer.length >= limit) return false
    const larger = Buffer.allocUnsafeSlow(Math.min(limit, this.buffer.length * 4))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
    this.view = viewOf(larger)
    return true
  }

  append(physicalOffset: number, size: number, tagsCode: number): void {
    const view = this.view
    const at = this.length
    setInt64(view, at, physicalOffset)
    view.setInt32(at + 8, size)
    setInt64(view, at + 12, tagsCode)
    this.length = at + UNIT_SIZE
  }
}
