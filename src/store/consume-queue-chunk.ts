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
  /** Bytes there is room for. */
  capacity: number
  /** Bytes filled. */
  length: number
  /** Bytes of them that the file holds. */
  written: number

  constructor(
    /** Stream position (in bytes) of the first unit. */
    readonly start: number,
    bytes: Buffer | DataView,
    filled: number,
  ) {
    this.view = bytes instanceof DataView ? bytes : viewOf(bytes)
    this.capacity = this.view.byteLength
    this.length = filled
    this.written = filled
  }

  static empty(start: number, limit: number, unitSize: number): ConsumeQueueChunk {
    return new ConsumeQueueChunk(start, newView(Math.min(FIRST_UNITS * unitSize, limit)), 0)
  }

  get end(): number {
    return this.start + this.length
  }

  /** More room, up to `limit` bytes in all. Returns false when there is none. */
  grow(limit: number): boolean {
    if (this.capacity >= limit) return false
    const larger = newView(Math.min(limit, this.capacity * 2))
    new Uint8Array(larger.buffer, larger.byteOffset).set(this.bytes(0, this.length))
    this.view = larger
    this.capacity = larger.byteLength
    return true
  }

  /** All its bytes, filled or not. */
  get buffer(): Buffer {
    return this.bytes(0, this.capacity)
  }

  /** The bytes `[from, to)`; they are another chunk's, or nobody's, once this one has grown. */
  bytes(from: number, to: number): Buffer {
    return Buffer.from(this.view.buffer, this.view.byteOffset + from, to - from)
  }

  /** Puts bytes in the place of others. */
  set(bytes: Uint8Array, at: number): void {
    this.bytes(at, at + bytes.length).set(bytes)
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

/** Small chunks lie together in slabs: a buffer of its own for each costs more than what it holds. */
const SLAB = 65_536
const LARGEST_IN_SLAB = SLAB / 16
let slab = new ArrayBuffer(0)
let slabUsed = 0

function newView(length: number): DataView {
  if (length > LARGEST_IN_SLAB) return new DataView(new ArrayBuffer(length))
  if (slabUsed + length > slab.byteLength) {
    slab = new ArrayBuffer(SLAB)
    slabUsed = 0
  }
  const view = new DataView(slab, slabUsed, length)
  slabUsed += Math.ceil(length / 8) * 8
  return view
}
