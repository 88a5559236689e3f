import type { Clock, Timer } from '../../src/util/index.js'

interface Due {
  at: number
  order: number
  task: () => void
  periodMs?: number
}

/** A clock that stands still until a test turns it. */
export class ManualClock implements Clock {
  private timeMs: number
  private wallShiftMs = 0
  private order = 0
  private readonly due = new Set<Due>()

  constructor(private readonly startMs = 1_700_000_000_000) {
    this.timeMs = startMs
  }

  now(): number {
    return this.timeMs + this.wallShiftMs
  }

  monotonic(): number {
    return this.timeMs - this.startMs
  }

  after(delayMs: number, task: () => void): Timer {
    return this.add({ at: this.timeMs + delayMs, order: this.order++, task })
  }

  every(periodMs: number, task: () => void): Timer {
    return this.add({ at: this.timeMs + periodMs, order: this.order++, task, periodMs })
  }

  /** Timers that wait. */
  get pending(): number {
    return this.due.size
  }

  /** Sets the wall clock forward or back by `ms`, as an operator does: no timer notices. */
  jump(ms: number): void {
    this.wallShiftMs += ms
  }

  /** Time passes in which nothing else can run, as while the process waits for a disk. */
  stall(ms: number): void {
    this.timeMs += ms
  }

  /** Moves the time on and runs what falls due, in order, letting promises settle before and after each task. */
  async advance(ms: number): Promise<void> {
    const end = this.timeMs + ms
    await settled()
    for (let next = this.next(end); next !== undefined; next = this.next(end)) {
      this.timeMs = Math.max(this.timeMs, next.at)
      if (next.periodMs === undefined) this.due.delete(next)
      else next.at += next.periodMs
      next.task()
      await settled()
    }
    this.timeMs = end
  }

  private next(end: number): Due | undefined {
    let first: Due | undefined
    for (const one of this.due) {
      if (one.at > end) continue
      if (first === undefined || one.at < first.at || (one.at === first.at && one.order < first.order)) first = one
    }
    return first
  }

  private add(due: Due): Timer {
    this.due.add(due)
    return { cancel: () => this.due.delete(due) }
  }
}

function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
