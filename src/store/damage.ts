import type { Logger } from '../util/index.js'

/** What is damaged. `offset-hole`: a queue has numbers without a message; `file`: a file as a whole. */
export type DamageKind = 'record' | 'offset-hole' | 'queue' | 'index' | 'checkpoint' | 'file'

/** One thing found damaged, with what is known of the place. */
export interface Damage {
  readonly kind: DamageKind
  /** What is wrong and what became of it. */
  readonly text: string
  readonly path?: string
  readonly physicalOffset?: number
  /** Bytes of the log that hold no readable record. */
  readonly length?: number
  readonly topic?: string
  readonly queueId?: number
  readonly queueOffset?: number
}

/** Kept for whoever asks; more are counted only. */
const KEPT = 1000
const LOGGED = 200

/** All damage found since the start, each thing once; said in the log, kept for reports, and asked before reading. */
export class DamageLog {
  readonly entries: Damage[] = []
  /** Also those beyond what is kept. */
  total = 0
  private readonly known = new Set<string>()
  /** Stretches of the log without readable records: start and end by turns, ascending. */
  private ranges: number[] = []

  constructor(private readonly logger: Logger) {}

  add(damage: Damage): void {
    const { kind, path, physicalOffset, topic, queueId, queueOffset } = damage
    const key = [kind, path, physicalOffset, topic, queueId, queueOffset].join('\u0000')
    if (this.known.has(key)) return
    if (this.known.size < KEPT) this.known.add(key)
    this.total++
    if (this.entries.length < KEPT) this.entries.push(damage)
    if (this.total <= LOGGED) this.logger.error({ event: 'store-damaged', ...damage }, damage.text)
    if (kind === 'record' && physicalOffset !== undefined && damage.length !== undefined) {
      this.ranges.push(physicalOffset, physicalOffset + damage.length)
      if (this.ranges.length > 2 && this.ranges.at(-3)! >= physicalOffset) this.sortRanges()
    }
  }

  /** Damage that an earlier start found and reported. */
  recall(from: number, to: number): void {
    this.ranges.push(from, to)
    this.sortRanges()
  }

  /** The log ends here: what is written from now on is not damaged. */
  forgetFrom(endOffset: number): void {
    const left = this.parts.filter(([from]) => from < endOffset)
    this.ranges = left.flatMap(([from, to]) => [from, Math.min(to, endOffset)])
  }

  /** Stretches of the log without readable records, ascending, none of them twice. */
  get parts(): [from: number, to: number][] {
    const parts: [number, number][] = []
    for (let i = 0; i < this.ranges.length; i += 2) {
      const [from, to] = [this.ranges[i]!, this.ranges[i + 1]!]
      const last = parts.at(-1)
      if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
      else parts.push([from, to])
    }
    return parts
  }

  private sortRanges(): void {
    const pairs: [number, number][] = []
    for (let i = 0; i < this.ranges.length; i += 2) pairs.push([this.ranges[i]!, this.ranges[i + 1]!])
    this.ranges = pairs.sort((a, b) => a[0] - b[0]).flat()
    this.ranges = this.parts.flat()
  }

  /** Whether the log has no readable record at this place. */
  covers(physicalOffset: number): boolean {
    const { ranges } = this
    if (ranges.length === 0) return false
    let low = 0
    let high = ranges.length / 2
    while (low < high) {
      const middle = (low + high) >> 1
      if (ranges[middle * 2]! <= physicalOffset) low = middle + 1
      else high = middle
    }
    return low > 0 && physicalOffset < ranges[low * 2 - 1]!
  }
}
