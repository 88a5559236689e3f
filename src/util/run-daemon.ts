import { type Clock, systemClock } from './clock.js'
import { errorText, MQError } from './errors.js'
import type { Logger } from './logger.js'
import { systemErrorText } from './system-error.js'

/** Exit codes of our daemons: Java's negative codes as the shell sees them. */
export const ExitCode = {
  ok: 0,
  /** Bad command line (1 in Java, too). */
  usage: 1,
  /** Settings that exclude each other (-4). */
  conflict: 252,
  /** Bad settings, port in use, store not loadable (-3). */
  notStarted: 253,
  /** Anything unexpected (-1). */
  failed: 255,
} as const

export interface RunningDaemon {
  /** Stops taking work, finishes what is under way, flushes. Called once. */
  stop(): Promise<void>
}

/** What {@link runDaemon} touches of the process; a test hands in its own. */
export interface ProcessLike {
  on(event: string, listener: (...args: unknown[]) => void): unknown
  exit(code: number): void
}

export interface DaemonOptions {
  name: string
  logger: Logger
  /** Brings the daemon up; a failure ends the process with {@link ExitCode.notStarted}. */
  start(): Promise<RunningDaemon>
  /** Awaited before an orderly end, e.g. for log lines that are on their way. */
  beforeExit?(): Promise<void>
  /** Last act before the process ends, e.g. flush the log. */
  onExit?(): void
  process?: ProcessLike
  clock?: Clock
}

const SIGNALS = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1 } as const

/**
 * One Ctrl-C may arrive twice, from the terminal and from npm, which passes it on; so may the SIGTERM of `timeout`.
 * What follows this soon is the same wish.
 */
const SAME_WISH_MS = 1000

/**
 * Runs a daemon until a signal: SIGTERM, SIGINT or SIGHUP stops it gracefully and exits 0 (255 when stopping fails); a
 * second signal, a second or more after the first, exits at once with 128 + its number. An error nobody caught ends
 * the process with 255 after logging: state that is not understood must not go on serving. Resolves when `start` has
 * ended.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { name, logger } = options
  const host: ProcessLike = options.process ?? process
  let running: RunningDaemon | undefined
  const clock = options.clock ?? systemClock
  let stopRequestedAt: number | undefined
  let exiting = false

  const exit = (code: number): void => {
    if (exiting) return
    exiting = true
    options.onExit?.()
    host.exit(code)
  }
  const stop = async (daemon: RunningDaemon): Promise<void> => {
    try {
      await daemon.stop()
      logger.info({ event: 'stopped' }, `${name} stopped`)
      await options.beforeExit?.()
      exit(ExitCode.ok)
    } catch (error) {
      logger.error({ event: 'stop-failed', err: error }, `${name} could not stop cleanly: ${errorText(error)}`)
      exit(ExitCode.failed)
    }
  }
  for (const [signal, number] of Object.entries(SIGNALS)) {
    host.on(signal, () => {
      if (stopRequestedAt !== undefined) {
        if (clock.monotonic() - stopRequestedAt < SAME_WISH_MS) return
        logger.warn({ event: 'killed', signal }, `${signal} again: ${name} exits at once, without a clean stop`)
        exit(128 + number)
        return
      }
      stopRequestedAt = clock.monotonic()
      logger.info({ event: 'stopping', signal }, `${signal}: ${name} stops (a second signal ends it at once)`)
      // While it still starts, the stop waits for the start: half-started parts cannot be stopped cleanly.
      if (running !== undefined) void stop(running)
    })
  }
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    host.on(event, (error: unknown) => {
      logger.error({ event: 'crashed', err: error }, `${name} ends after an unexpected error: ${errorText(error)}`)
      exit(ExitCode.failed)
    })
  }
  try {
    running = await options.start()
  } catch (error) {
    // an error that says what to do needs no stack, which would only hide it
    const systemText = systemErrorText(error)
    const isClear = systemText !== undefined || error instanceof MQError
    const details = isClear ? { code: (error as { code?: string }).code } : { err: error }
    logger.error({ event: 'start-failed', ...details }, `${name} could not start: ${systemText ?? errorText(error)}`)
    exit(ExitCode.notStarted)
    return
  }
  if (stopRequestedAt !== undefined) await stop(running)
}
