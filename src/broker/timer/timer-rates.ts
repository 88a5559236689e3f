import type { Clock } from '../../util/index.js'

/** Messages per second through the timer, between two samples. */
export class TimerRates {
  enqueueTps = 0
  dequeueTps = 0
  private at: number
  private enqueued = 0
  private dequeued = 0

  constructor(
    private readonly clock: Clock,
    private readonly totals: () => { enqueued: number; dequeued: number },
  ) {
    this.at = clock.monotonic()
  }

  sample(): void {
    const now = this.clock.monotonic()
    const seconds = (now - this.at) / 1000
    if (seconds <= 0) return
    const { enqueued, dequeued } = this.totals()
    this.enqueueTps = (enqueued - this.enqueued) / seconds
    this.dequeueTps = (dequeued - this.dequeued) / seconds
    this.at = now
    this.enqueued = enqueued
    this.dequeued = dequeued
  }
}
