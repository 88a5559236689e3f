import type { QueueUnit } from '../../store/index.js'

/**
 * When the messages of one delay level are due. A message says so itself, unless it would wait longer than its level
 * from now on: then the clock was set back, or the level was made shorter, since it was stored. Such messages are due
 * after one delay of the level from the moment this was noticed: not early, whatever the clock did, and not years late.
 */
export class DueTimes {
  /** What was stored before `logOffset` and is due after `latest` is due at `latest`. */
  private bound: { latest: number; logOffset: number } | undefined

  /**
   * @param delayMs the level's delay.
   * @param logEnd end of the commit log.
   */
  constructor(
    private readonly delayMs: () => number,
    private readonly logEnd: () => number,
  ) {}

  /** Time in ms at which a message may be delivered. */
  dueTime(unit: Pick<QueueUnit, 'physicalOffset' | 'tagsCode'>, now: number): number {
    const bounded = this.bounded(unit)
    if (bounded <= now + this.delayMs()) return bounded
    this.bound = { latest: now + this.delayMs(), logOffset: this.logEnd() }
    return this.bound.latest
  }

  private bounded({ physicalOffset, tagsCode }: Pick<QueueUnit, 'physicalOffset' | 'tagsCode'>): number {
    const { bound } = this
    return bound !== undefined && physicalOffset < bound.logOffset ? Math.min(tagsCode, bound.latest) : tagsCode
  }
}
