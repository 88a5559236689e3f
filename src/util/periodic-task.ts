import type { Clock, Timer } from './clock.js'
import { errorText } from './errors.js'
import type { Logger } from './logger.js'

export interface PeriodicTaskOptions {
  name: string
  periodMs: number
  clock: Clock
  logger: Logger
  run: () => void | Promise<void>
}

/** Runs a task every period, never twice at once; a failure is logged and the next period tries again. */
export class PeriodicTask {
  private timer: Timer | undefined
  private running: Promise<void> | undefined

  constructor(private readonly options: PeriodicTaskOptions) {}

  start(initialDelayMs = this.options.periodMs): this {
    this.schedule(initialDelayMs)
    return this
  }

  /** Runs now, or joins the run under way. */
  runNow(): Promise<void> {
    this.running ??= this.runOnce().finally(() => {
      this.running = undefined
    })
    return this.running
  }

  /** No further run starts; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.timer?.cancel()
    this.timer = undefined
    await this.running
  }

  private schedule(delayMs: number): void {
    const timer = this.options.clock.after(delayMs, () => {
      void this.runNow().then(() => {
        if (this.timer === timer) this.schedule(this.options.periodMs)
      })
    })
    this.timer = timer
  }

  private async runOnce(): Promise<void> {
    try {
      await this.options.run()
    } catch (error) {
      this.options.logger.error(
        { event: 'periodic-task-failed', task: this.options.name, err: error },
        `${this.options.name} failed: ${errorText(error)}; it runs again in ${this.options.periodMs} ms`,
      )
    }
  }
}
