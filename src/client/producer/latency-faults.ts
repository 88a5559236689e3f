import type { Clock } from '../../util/index.js'

const LATENCY_MAX = [50, 100, 550, 1800, 3000, 5000, 15_000]
const NOT_AVAILABLE_FOR = [0, 0, 2000, 5000, 6000, 10_000, 30_000]
/** What a failed send counts as. */
const ISOLATION_LATENCY_MS = 10_000

/** Remembers slow and failing brokers, to be left out of the choice for a while. */
export class LatencyFaults {
  private readonly unavailableUntil = new Map<string, number>()

  constructor(private readonly clock: Clock) {}

  /** Tells how long a send took; `isolate` that it failed. */
  record(brokerName: string, latencyMs: number, isolate: boolean): void {
    const latency = isolate ? ISOLATION_LATENCY_MS : latencyMs
    const step = LATENCY_MAX.findLastIndex(max => latency >= max)
    const duration = NOT_AVAILABLE_FOR[step] ?? 0
    this.unavailableUntil.set(brokerName, this.clock.monotonic() + duration)
  }

  isAvailable(brokerName: string): boolean {
    const until = this.unavailableUntil.get(brokerName)
    return until === undefined || this.clock.monotonic() >= until
  }
}
