import type { Clock } from './clock.js'
import type { LogFields, Logger } from './logger.js'

export interface LogLimiterOptions {
  clock: Clock
  /** At most one line per key in this time. */
  periodMs: number
  /** Keys remembered; the oldest is forgotten (and may log again) beyond it. */
  maxKeys?: number
}

/** Lets a warning that could repeat thousands of times a second through once per period, with the count of the rest. */
export interface LogLimiter {
  /** Logs, or counts: the next line of `key` carries `suppressed=<count>`. Returns whether it logged. */
  warn(logger: Logger, key: string, fields: LogFields, text: string): boolean
}

export function createLogLimiter({ clock, periodMs, maxKeys = 1000 }: LogLimiterOptions): LogLimiter {
  const seen = new Map<string, { loggedAtMs: number; suppressed: number }>()
  return {
    warn(logger, key, fields, text) {
      const now = clock.monotonic()
      const state = seen.get(key)
      if (state !== undefined && now - state.loggedAtMs < periodMs) {
        state.suppressed++
        return false
      }
      const suppressed = state?.suppressed ?? 0
      seen.delete(key)
      seen.set(key, { loggedAtMs: now, suppressed: 0 })
      if (seen.size > maxKeys) seen.delete(seen.keys().next().value as string)
      logger.warn(suppressed > 0 ? { ...fields, suppressed } : fields, text)
      return true
    },
  }
}
