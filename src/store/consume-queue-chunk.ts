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
  /** Bytes filled. */
  length: number
  private slab: Slab
  /** Where its bytes begin in the slab. */
  private base: number
  /** Bytes there is room for. */
  capacity: number
  /** Bytes of {@link length} that the file holds. */
  written: number
  private ownView: DataView | undefined = undefined
  /** Stream position (in bytes) of the first unit. */
  readonly start: number

  private constructor(start: number, { slab, base, length }: Room, filled: number) {
    this.length = filled
    this.slab = slab
    this.base = base
    this.capacity = length
    this.written = filled
    this.start = start
  }

  static empty(start: number, limit: number, unitSize: number): ConsumeQueueChunk {
    return new ConsumeQueueChunk(start, takeRoom(Math.min(FIRST_UNITS * unitSize, limit)), 0)
  }

  /** Bytes that a file holds, `filled` of them this chunk's own. */
  static read(start: number, bytes: Buffer, filled = bytes.length): ConsumeQueueChunk {
    return new ConsumeQueueChunk(start, { slab: { view: viewOf(bytes) }, base: 0, length: bytes.length }, filled)
  }

  get end(): number {
    return this.start + this.length
  }

  /** All its bytes, filled or not; another chunk's, or nobody's, once this one has grown. */
  get view(): DataView {
    // made for who reads: most chunks are only ever appended to
    this.ownView ??= new DataView(this.slab.view.buffer, this.slab.view.byteOffset + this.base, this.capacity)
    return this.ownView
  }

  /** More room, up to `limit` bytes in all. Returns false when there is none. */
  grow(limit: number): boolean {
    if (this.capacity >= limit) return false
    const filled = this.bytes(0, this.length)
    const { slab, base, length } = takeRoom(Math.min(limit, this.capacity * 2))
    this.slab = slab
    this.base = base
    this.capacity = length
    this.ownView = undefined
    this.set(filled, 0)
    return true
  }

  /** All its bytes, filled or not. */
  get buffer(): Buffer {
    return this.bytes(0, this.capacity)
  }

  /** The bytes `[from, to)`; they are another chunk's, or nobody's, once this one has grown. */
  bytes(from: number, to: number): Buffer {
    const { view } = this.slab
    return Buffer.from(view.buffer, view.byteOffset + this.base + from, to - from)
  }

  /** Puts bytes in the place of others. */
  set(bytes: Uint8Array, at: number): void {
    this.bytes(at, at + bytes.length).set(bytes)
  }

  append(physicalOffset: number, size: number, tagsCode: number): void {
    const { view } = this.slab
    const at = this.base + this.length
    setInt64(view, at, physicalOffset)
    view.setInt32(at + 8, size)
    setInt64(view, at + 12, tagsCode)
    this.length += UNIT_SIZE
  }
}

/** Memory that chunks lie in, and the one view that all of them are appended to through. */
interface Slab {
  readonly view: DataView
}

/** A part of a slab. */
interface Room {
  readonly slab: Slab
  readonly base: number
  readonly length: number
}

/**
 * Small chunks lie together in slabs: a buffer of its own for each costs more than what it holds, and with tens of
 * thousands of them several waits for memory per unit.
 */
const SLAB = 65_536
const LARGEST_IN_SLAB = SLAB / 16
let slab = newSlab(0)
let slabUsed = 0

function newSlab(length: number): Slab {
  return { view: new DataView(new ArrayBuffer(length)) }
}

function takeRoom(length: number): Room {
  if (length > LARGEST_IN_SLAB) return { slab: newSlab(length), base: 0, length }
  if (slabUsed + length > slab.view.byteLength) {
    slab = newSlab(SLAB)
    slabUsed = 0
  }
  const base = slabUsed
  slabUsed += Math.ceil(length / 8) * 8
  return { slab, base, length }
}
