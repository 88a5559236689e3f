import type { RecordReader } from './record-reader.js'
import type { TopicQueues } from './topic-queues.js'

const FIRST_PLACES = 1024

/**
 * Finds the topics of records by the bytes of their names: a text for each record costs more than all else of it. A
 * table of hashes, its names one after the other: what is looked at is small and lies together.
 */
export class TopicLookup {
  private readonly topics: TopicQueues[] = []
  /** By number: where its name ends in {@link names}; the first has number 1. */
  private readonly ends = [0]
  private names = Buffer.alloc(FIRST_PLACES * 16)
  /** By place: hash and number; number 0 where there is none. As many places as a power of two. */
  private hashes = new Int32Array(FIRST_PLACES)
  private numbers = new Int32Array(FIRST_PLACES)

  constructor(private readonly topicOf: (name: string) => TopicQueues) {}

  /** The topic of the record that `reader` has read; undefined when its name cannot be one. */
  of(bytes: Buffer, reader: RecordReader): TopicQueues | undefined {
    const { topicStart, topicEnd } = reader
    let hash = 0
    for (let at = topicStart; at < topicEnd; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0
    const { hashes, numbers } = this
    for (let place = placeOf(hash, numbers.length); ; place = (place + 1) & (numbers.length - 1)) {
      const number = numbers[place]!
      if (number === 0) break
      if (hashes[place] === hash && this.isName(number, bytes, topicStart, topicEnd)) return this.topics[number - 1]
    }
    const name = topicName(bytes, reader)
    if (name === undefined) return undefined
    const topic = this.topicOf(name)
    this.add(topic, hash, bytes.subarray(topicStart, topicEnd))
    return topic
  }

  private isName(number: number, bytes: Buffer, start: number, end: number): boolean {
    const { names, ends } = this
    const from = ends[number - 1]!
    const length = ends[number]! - from
    if (length !== end - start) return false
    for (let i = 0; i < length; i++) if (names[from + i] !== bytes[start + i]) return false
    return true
  }

  private add(topic: TopicQueues, hash: number, name: Buffer): void {
    const from = this.ends.at(-1)!
    if (from + name.length > this.names.length) {
      this.names = Buffer.concat([this.names], (from + name.length) * 2)
    }
    name.copy(this.names, from)
    this.topics.push(topic)
    this.ends.push(from + name.length)
    if (this.topics.length * 2 > this.numbers.length) this.grow()
    this.enter(this.topics.length, hash)
  }

  private enter(number: number, hash: number): void {
    let place = placeOf(hash, this.numbers.length)
    while (this.numbers[place] !== 0) place = (place + 1) & (this.numbers.length - 1)
    this.numbers[place] = number
    this.hashes[place] = hash
  }

  private grow(): void {
    const { hashes, numbers } = this
    this.hashes = new Int32Array(hashes.length * 2)
    this.numbers = new Int32Array(numbers.length * 2)
    for (const [place, number] of numbers.entries()) if (number !== 0) this.enter(number, hashes[place]!)
  }
}

function placeOf(hash: number, places: number): number {
  return (hash ^ (hash >>> 15)) & (places - 1)
}

/** The topic of a record, which becomes the name of a folder; undefined when it cannot be one. */
export function topicName(bytes: Buffer, reader: RecordReader): string | undefined {
  const { topicStart, topicEnd } = reader
  for (let at = topicStart; at < topicEnd; at++) if (bytes[at]! < 0x20 || bytes[at] === 0x2f) return undefined
  const name = bytes.toString('utf8', topicStart, topicEnd)
  return name === '' || name === '.' || name === '..' ? undefined : name
}
