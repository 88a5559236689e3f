import { Hold, type Reply } from '../../remoting/index.js'
import type { Clock, Logger, Timer } from '../../util/index.js'

const COLD_HOLD_MS = 3000
/** Pulls that wait at once. */
const CAPACITY = 10_000

interface Waiting {
  readonly hold: Hold
  readonly timer: Timer
  readonly pullAgain: () => Reply | Promise<Reply>
}

/** Keeps pulls that want old data, of groups that have read enough of it, for a few seconds (broker-behaviour 16.2). */
export class ColdDataPullRequestHoldService {
  private readonly held = new Set<Waiting>()

  constructor(private readonly options: { clock: Clock; logger: Logger }) {}

  get size(): number {
    return this.held.size
  }

  /** Undefined when as many wait as may: the pull is to be answered now. */
  hold(pullAgain: () => Reply | Promise<Reply>): Hold | undefined {
    if (this.held.size >= CAPACITY) return undefined
    const waiting: Waiting = {
      hold: new Hold(() => this.remove(waiting)),
      timer: this.options.clock.after(COLD_HOLD_MS, () => void this.answer(waiting)),
      pullAgain,
    }
    this.held.add(waiting)
    return waiting.hold
  }

  /** Answers every held pull now. */
  async stop(): Promise<void> {
    await Promise.all([...this.held].map(waiting => this.answer(waiting)))
  }

  private async answer(waiting: Waiting): Promise<void> {
    this.remove(waiting)
    try {
      waiting.hold.resolve(await waiting.pullAgain())
    } catch (error) {
      this.options.logger.error(
        { event: 'held-pull-failed', err: error },
        'a pull held for reading old data could not be answered',
      )
      waiting.hold.abandon()
    }
  }

  private remove(waiting: Waiting): void {
    waiting.timer.cancel()
    this.held.delete(waiting)
  }
}
