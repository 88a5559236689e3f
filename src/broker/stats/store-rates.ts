import type { Clock, Timer } from '../../util/index.js'

const SAMPLE_MS = 1000
/** The windows of the runtime info, in samples. */
const WINDOWS = [10, 60, 600] as const
const RING = WINDOWS[2] + 1

/** What is sampled: messages put, pulls that found something, pulls that did not, messages handed out. */
const columns = ['put', 'getFound', 'getMiss', 'transferred'] as const
type Column = (typeof columns)[number]

/** Upper bounds in ms (exclusive) of the latency classes of `putMessageDistributeTime`, with Java's labels. */
const latencyClasses: readonly (readonly [bound: number, label: string])[] = [
  [1, '[<=0ms]'],
  [10, '[0~10ms]'],
  [50, '[10~50ms]'],
  [100, '[50~100ms]'],
  [200, '[100~200ms]'],
  [500, '[200~500ms]'],
  [1_000, '[500ms~1s]'],
  [2_000, '[1~2s]'],
  [3_000, '[2~3s]'],
  [4_000, '[3~4s]'],
  [5_000, '[4~5s]'],
  [10_000, '[5~10s]'],
  [Number.POSITIVE_INFINITY, '[10s~]'],
]

/** Totals and rates of the store's work, for the runtime info (broker-behaviour 12.6). */
export class StoreRates {
  putMessageTimesTotal = 0
  putMessageSizeTotal = 0
  putMessageFailedTimes = 0
  /** Ms. */
  putMessageEntireTimeMax = 0
  getMessageEntireTimeMax = 0

  private readonly totals: Record<Column, number> = { put: 0, getFound: 0, getMiss: 0, transferred: 0 }
  private readonly latencies = new Array<number>(latencyClasses.length).fill(0)
  private readonly rings: Record<Column, Float64Array>
  private readonly times = new Float64Array(RING)
  private samples = 0
  private timer: Timer | undefined

  constructor(private readonly clock: Clock) {
    const ring = (): Float64Array => new Float64Array(RING)
    this.rings = { put: ring(), getFound: ring(), getMiss: ring(), transferred: ring() }
  }

  start(): void {
    this.sample()
    this.timer = this.clock.every(SAMPLE_MS, () => this.sample())
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = undefined
  }

  addPut(count: number, bytes: number): void {
    this.putMessageTimesTotal += count
    this.putMessageSizeTotal += bytes
    this.totals.put += count
  }

  addPutLatency(elapsedMs: number): void {
    if (elapsedMs > this.putMessageEntireTimeMax) this.putMessageEntireTimeMax = elapsedMs
    let at = 0
    while (elapsedMs >= latencyClasses[at]![0]) at++
    this.latencies[at] = this.latencies[at]! + 1
  }

  addGet(count: number): void {
    if (count > 0) {
      this.totals.getFound++
      this.totals.transferred += count
    } else this.totals.getMiss++
  }

  addGetLatency(elapsedMs: number): void {
    if (elapsedMs > this.getMessageEntireTimeMax) this.getMessageEntireTimeMax = elapsedMs
  }

  /** Three numbers, for 10 s, 60 s and 600 s; a window that is not full yet is an empty text, as in Java. */
  text(column: Column): string {
    return WINDOWS.map(window => {
      const rate = this.rate(column, window)
      return rate === undefined ? '' : javaDouble(rate)
    }).join(' ')
  }

  /** As {@link text}, found and missed together, where Java shows 0.0 for a window that is not full. */
  totalText(): string {
    return WINDOWS.map(window =>
      javaDouble((this.rate('getFound', window) ?? 0) + (this.rate('getMiss', window) ?? 0)),
    ).join(' ')
  }

  distributionText(): string {
    return latencyClasses.map(([, label], i) => `${label}:${this.latencies[i]} `).join('')
  }

  /** Ms below which this part (0 to 1) of the puts stayed: the upper bound of their latency class. */
  latencyQuantile(part: number): number {
    const all = this.latencies.reduce((sum, count) => sum + count, 0)
    let seen = 0
    for (let i = 0; i < latencyClasses.length; i++) {
      seen += this.latencies[i]!
      if (seen >= all * part) {
        const bound = i === 0 ? 0 : latencyClasses[i]![0]
        return Math.min(bound, this.putMessageEntireTimeMax)
      }
    }
    return 0
  }

  private rate(column: Column, window: number): number | undefined {
    if (this.samples <= window) return undefined
    const last = this.samples - 1
    const first = last - window
    const ring = this.rings[column]
    const elapsedMs = this.times[last % RING]! - this.times[first % RING]!
    if (elapsedMs <= 0) return undefined
    return ((ring[last % RING]! - ring[first % RING]!) * 1000) / elapsedMs
  }

  private sample(): void {
    const at = this.samples % RING
    this.times[at] = this.clock.monotonic()
    for (const column of columns) this.rings[column][at] = this.totals[column]
    this.samples++
  }
}

/** A number as Java prints a double. */
export function javaDouble(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e7 ? `${value}.0` : String(value)
}
