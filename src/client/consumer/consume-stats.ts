import { JavaDouble } from '../../common/index.js'
import type { Clock } from '../../util/index.js'

const BUCKET_MS = 10_000
const MINUTE_BUCKETS = 6
const HOUR_BUCKETS = 360

/** Sums and counts of the last minute and hour, in steps of 10 s. */
class Sampled {
  private readonly buckets = new Map<number, { sum: number; times: number }>()

  constructor(private readonly clock: Clock) {}

  add(value: number): void {
    const slot = Math.floor(this.clock.monotonic() / BUCKET_MS)
    const bucket = this.buckets.get(slot)
    if (bucket) {
      bucket.sum += value
      bucket.times++
      return
    }
    this.buckets.set(slot, { sum: value, times: 1 })
    for (const old of this.buckets.keys()) if (old <= slot - HOUR_BUCKETS) this.buckets.delete(old)
  }

  total(buckets: number): { sum: number; times: number } {
    const first = Math.floor(this.clock.monotonic() / BUCKET_MS) - buckets
    const total = { sum: 0, times: 0 }
    for (const [slot, bucket] of this.buckets) {
      if (slot <= first) continue
      total.sum += bucket.sum
      total.times += bucket.times
    }
    return total
  }

  perSecond(): number {
    return this.total(MINUTE_BUCKETS).sum / ((MINUTE_BUCKETS * BUCKET_MS) / 1000)
  }

  average(): number {
    const { sum, times } = this.total(MINUTE_BUCKETS)
    return times === 0 ? 0 : sum / times
  }

  lastHour(): number {
    return this.total(HOUR_BUCKETS).sum
  }
}

/** How consumption of one topic goes, for `mqadmin consumerStatus`. */
export class TopicConsumeStats {
  private readonly pulledMessages: Sampled
  private readonly pullTimes: Sampled
  private readonly consumeTimes: Sampled
  private readonly consumed: Sampled
  private readonly failed: Sampled

  constructor(clock: Clock) {
    this.pulledMessages = new Sampled(clock)
    this.pullTimes = new Sampled(clock)
    this.consumeTimes = new Sampled(clock)
    this.consumed = new Sampled(clock)
    this.failed = new Sampled(clock)
  }

  pulled(messages: number, costMs: number): void {
    this.pulledMessages.add(messages)
    this.pullTimes.add(costMs)
  }

  listened(result: { succeeded: number; failed: number; costMs: number }): void {
    this.consumeTimes.add(result.costMs)
    if (result.succeeded > 0) this.consumed.add(result.succeeded)
    if (result.failed > 0) this.failed.add(result.failed)
  }

  /** As in the status table of ConsumerRunningInfo. */
  status(): object {
    return {
      consumeFailedMsgs: this.failed.lastHour(),
      consumeFailedTPS: new JavaDouble(this.failed.perSecond()),
      consumeOKTPS: new JavaDouble(this.consumed.perSecond()),
      consumeRT: new JavaDouble(this.consumeTimes.average()),
      pullRT: new JavaDouble(this.pullTimes.average()),
      pullTPS: new JavaDouble(this.pulledMessages.perSecond()),
    }
  }
}

/** {@link TopicConsumeStats} by topic. */
export class ConsumeStats {
  private readonly topics = new Map<string, TopicConsumeStats>()

  constructor(private readonly clock: Clock) {}

  of(topic: string): TopicConsumeStats {
    let stats = this.topics.get(topic)
    if (!stats) {
      stats = new TopicConsumeStats(this.clock)
      this.topics.set(topic, stats)
    }
    return stats
  }
}
