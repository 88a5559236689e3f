/** Offsets of one chunk: a bit each. */
const CHUNK_BITS = 8192
const CHUNK_WORDS = CHUNK_BITS / 32

/**
 * A set of queue offsets that lie close together: a bit each, so that a million finished transactions take 128 KB. What
 * lies below {@link floor} is in the set without taking room.
 */
export class OffsetSet {
  private readonly chunks = new Map<number, Uint32Array>()
  private low = 0

  /** Every offset below it is in the set. */
  get floor(): number {
    return this.low
  }

  add(offset: number): void {
    if (offset < this.low) return
    const index = Math.floor(offset / CHUNK_BITS)
    let chunk = this.chunks.get(index)
    if (chunk === undefined) this.chunks.set(index, (chunk = new Uint32Array(CHUNK_WORDS)))
    const bit = offset % CHUNK_BITS
    chunk[bit >>> 5]! |= 1 << (bit & 31)
  }

  has(offset: number): boolean {
    if (offset < this.low) return true
    const chunk = this.chunks.get(Math.floor(offset / CHUNK_BITS))
    if (chunk === undefined) return false
    const bit = offset % CHUNK_BITS
    return (chunk[bit >>> 5]! & (1 << (bit & 31))) !== 0
  }

  /** The first offset at or behind `from` that is not in the set. */
  firstMissing(from: number): number {
    let offset = Math.max(from, this.low)
    for (;;) {
      const chunk = this.chunks.get(Math.floor(offset / CHUNK_BITS))
      if (chunk === undefined) return offset
      const start = offset - (offset % CHUNK_BITS)
      for (let bit = offset % CHUNK_BITS; bit < CHUNK_BITS; ) {
        const word = chunk[bit >>> 5]!
        if (word === 0xffffffff && (bit & 31) === 0) bit += 32
        else if ((word & (1 << (bit & 31))) !== 0) bit++
        else return start + bit
      }
      offset = start + CHUNK_BITS
    }
  }

  /** Takes every offset below `floor` into the set, and frees their room. */
  raiseFloor(floor: number): void {
    if (floor <= this.low) return
    this.low = floor
    const first = Math.floor(floor / CHUNK_BITS)
    for (const index of this.chunks.keys()) if (index < first) this.chunks.delete(index)
  }

  /** Begins again: in the set is what lies below `floor`, nothing else. */
  reset(floor: number): void {
    this.chunks.clear()
    this.low = floor
  }
}
