import { type Clock, systemClock } from '../../src/util/index.js'

/** The system's clock, `factor` times faster: what takes a minute there takes a few seconds here, sockets included. */
export function fastClock(factor: number): Clock {
  const start = systemClock.now()
  return {
    now: () => start + Math.floor((systemClock.now() - start) * factor),
    monotonic: () => systemClock.monotonic() * factor,
    after: (delayMs, task) => systemClock.after(delayMs / factor, task),
    every: (periodMs, task) => systemClock.every(periodMs / factor, task),
  }
}
