import { type Clock, errorText, type Logger, type Timer } from '../util/index.js'

export interface RebalanceLoopOptions {
  clock: Clock
  logger: Logger
  /** Resolves to whether every consumer owns what it should. */
  run: () => Promise<boolean>
}

const WAIT_MS = 20_000
const MIN_INTERVAL_MS = 1000

/** Runs the rebalance every 20 s, after a second while something is unbalanced, and when woken. */
export class RebalanceLoop {
  private timer: Timer | undefined
  private running: Promise<void> | undefined
  private lastStart = Number.NEGATIVE_INFINITY
  private isRunning = false
  private wanted = false
  private stopped = true

  constructor(private readonly options: RebalanceLoopOptions) {}

  start(): void {
    this.stopped = false
    this.schedule(WAIT_MS)
  }

  /** Runs as soon as `delayMs` and the least interval between two runs allow. */
  wake(delayMs = 0): void {
    if (this.stopped) return
    if (this.isRunning) {
      this.wanted = true
      return
    }
    const sinceLast = this.options.clock.monotonic() - this.lastStart
    this.schedule(Math.max(delayMs, MIN_INTERVAL_MS - sinceLast, 0))
  }

  /** No further run starts; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.running
  }

  private schedule(delayMs: number): void {
    this.timer?.cancel()
    this.timer = this.options.clock.after(delayMs, () => {
      this.running = this.runOnce().finally(() => {
        this.running = undefined
      })
    })
  }

  private async runOnce(): Promise<void> {
    this.isRunning = true
    this.wanted = false
    this.lastStart = this.options.clock.monotonic()
    let balanced = false
    try {
      balanced = await this.options.run()
    } catch (error) {
      this.options.logger.error({ event: 'rebalance-failed', err: error }, `rebalance failed: ${errorText(error)}`)
    }
    this.isRunning = false
    if (!this.stopped) this.schedule(balanced && !this.wanted ? WAIT_MS : MIN_INTERVAL_MS)
  }
}
