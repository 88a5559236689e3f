import { assert } from '../../util/index.js'
import { murmur3 } from './murmur3.js'

/** Bits that stand for one group and topic. Its JSON, in consumerFilter.json, has these names. */
export interface BloomFilterData {
  bitNum: number
  bitPos: number[]
}

export interface BloomFilterOptions {
  /** 1 to 99, percent (`maxErrorRateOfBloomFilter`). */
  errorRate: number
  /** How many groups one topic is expected to have (`expectConsumerNumUseFilter`). */
  expectedConsumers: number
}

/** The bloom filter over consumers of SQL92, with the sizes and bits of Java's (store-format 14.6). */
export class BloomFilter {
  /** Hash functions. */
  readonly hashCount: number
  /** Bits, a multiple of 8. */
  readonly bitCount: number

  constructor({ errorRate, expectedConsumers }: BloomFilterOptions) {
    assert(errorRate >= 1 && errorRate < 100, 'the error rate of a bloom filter is 1 to 99 percent')
    assert(expectedConsumers >= 1, 'a bloom filter expects at least one consumer')
    const rate = errorRate / 100
    this.hashCount = Math.ceil(logarithm(0.5, rate))
    const bits = Math.ceil(expectedConsumers * logarithm(2, 1 / rate) * logarithm(2, Math.E))
    this.bitCount = 8 * Math.ceil(bits / 8)
  }

  /** The bits of a consumer group's subscription of a topic. */
  generate(group: string, topic: string): BloomFilterData {
    return { bitNum: this.bitCount, bitPos: this.positions(`${group}#${topic}`) }
  }

  positions(text: string): number[] {
    const hash = murmur3(Buffer.from(text))
    const low = Number(BigInt.asIntN(32, hash))
    const high = Number(BigInt.asIntN(32, hash >> 32n))
    const positions: number[] = []
    for (let i = 1; i <= this.hashCount; i++) {
      const combined = (low + Math.imul(i, high)) | 0
      positions.push((combined < 0 ? ~combined : combined) % this.bitCount)
    }
    return positions
  }

  /** Whether data was made by a filter of this shape. */
  isValid(data: BloomFilterData): boolean {
    return data.bitNum === this.bitCount && data.bitPos.length === this.hashCount
  }

  /** A bit map with room for this filter's bits. */
  newBits(): Buffer {
    return Buffer.alloc(this.bitCount / 8)
  }

  /** Sets the bits of `data`. */
  hashTo(data: BloomFilterData, bits: Buffer): void {
    for (const position of data.bitPos) bits[position >> 3]! |= 1 << (position & 7)
  }

  /** Whether all bits of `data` are set: the group may want the message; else it surely does not. */
  isHit(data: BloomFilterData, bits: Buffer): boolean {
    return data.bitPos.every(position => (bits[position >> 3]! & (1 << (position & 7))) !== 0)
  }
}

function logarithm(base: number, value: number): number {
  return Math.log(value) / Math.log(base)
}
