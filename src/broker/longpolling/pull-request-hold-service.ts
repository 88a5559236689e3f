import { Hold, type Reply } from '../../remoting/index.js'
import type { Arrival, MessageFilter } from '../../store/index.js'
import { type Clock, type Logger, PeriodicTask } from '../../util/index.js'

/** How often deadlines are looked at. */
const SWEEP_MS = 1000
/**
 * A held pull whose queue has moved on with messages it does not want is answered after this long, so that its client's
 * offset follows (broker-behaviour 3.5: Java's sweep).
 */
const MOVED_ON_MS = 5000

/** A pull that found nothing and waits. */
export interface HeldPull {
  topic: string
  queueId: number
  /** Offset the client wants next. */
  offset: number
  filter: MessageFilter | undefined
  /** How long it may wait, in ms. */
  waitMs: number
  /** Pulls again, this time without waiting. */
  pullAgain: () => Reply | Promise<Reply>
}

interface Waiting extends HeldPull {
  hold: Hold
  heldAt: number
  woken: boolean
}

export interface PullRequestHoldServiceOptions {
  clock: Clock
  logger: Logger
  /** End of a queue, to see whether it has moved on. */
  maxOffset: (topic: string, queueId: number) => number
  /** A record just stored, for filters that look into it. */
  recordAt: (physicalOffset: number) => Buffer | undefined
  /** Whether arrivals wake held pulls (`longPollingEnable`); without it they wait out their time. */
  wakeOnArrival: () => boolean
}

/**
 * Keeps pulls that found nothing until a message comes, their time is up, their connection goes or the broker stops.
 */
export class PullRequestHoldService {
  private readonly byTopic = new Map<string, Map<number, Set<Waiting>>>()
  private woken: Waiting[] = []
  private readonly sweepTask: PeriodicTask

  constructor(private readonly options: PullRequestHoldServiceOptions) {
    this.sweepTask = new PeriodicTask({
      name: 'held pulls',
      periodMs: SWEEP_MS,
      clock: options.clock,
      logger: options.logger,
      run: () => this.sweep(),
    })
  }

  start(): void {
    this.sweepTask.start()
  }

  /** Answers every held pull with what there is now. */
  async stop(): Promise<void> {
    await this.sweepTask.stop()
    this.eachHeld(waiting => this.wake(waiting))
    this.answerWoken()
  }

  get size(): number {
    let count = 0
    for (const queues of this.byTopic.values()) for (const held of queues.values()) count += held.size
    return count
  }

  hold(pull: HeldPull): Hold {
    const waiting: Waiting = {
      ...pull,
      hold: new Hold(() => this.remove(waiting)),
      heldAt: this.options.clock.monotonic(),
      woken: false,
    }
    let queues = this.byTopic.get(pull.topic)
    if (!queues) this.byTopic.set(pull.topic, (queues = new Map()))
    let held = queues.get(pull.queueId)
    if (!held) queues.set(pull.queueId, (held = new Set()))
    held.add(waiting)
    return waiting.hold
  }

  /**
   * A message has been dispatched. Called in the turn of its append: the pulls it wakes run when the turn is over, so
   * that one answer carries all that the turn appended.
   */
  onArrival(arrival: Readonly<Arrival>): void {
    const held = this.byTopic.get(arrival.topic)?.get(arrival.queueId)
    if (held === undefined || !this.options.wakeOnArrival()) return
    for (const waiting of held) {
      if (waiting.woken || arrival.newMaxOffset <= waiting.offset) continue
      if (this.matches(waiting.filter, arrival)) this.wakeSoon(waiting)
    }
  }

  /** Re-runs the held pulls of one queue, e.g. when a group has been moved. */
  wakeQueue(topic: string, queueId: number): void {
    for (const waiting of this.byTopic.get(topic)?.get(queueId) ?? []) this.wakeSoon(waiting)
  }

  /** Re-runs every held pull, e.g. when a slave's master is back. */
  wakeAll(): void {
    this.eachHeld(waiting => this.wakeSoon(waiting))
  }

  private matches(filter: MessageFilter | undefined, arrival: Readonly<Arrival>): boolean {
    const { tagsCode, extension, physicalOffset } = arrival
    if (!filter) return true
    if (!filter.matchesQueueUnit(tagsCode, extension, physicalOffset)) return false
    if (!filter.matchesRecord) return true
    const record = this.options.recordAt(physicalOffset)
    return record === undefined || filter.matchesRecord(record, 0, record.length)
  }

  private sweep(): void {
    const now = this.options.clock.monotonic()
    this.eachHeld(waiting => {
      const age = now - waiting.heldAt
      if (age >= waiting.waitMs) this.wakeSoon(waiting)
      else if (age >= MOVED_ON_MS && this.options.wakeOnArrival() && this.hasMovedOn(waiting)) this.wakeSoon(waiting)
    })
  }

  private hasMovedOn(waiting: Waiting): boolean {
    return this.options.maxOffset(waiting.topic, waiting.queueId) > waiting.offset
  }

  private wakeSoon(waiting: Waiting): void {
    if (waiting.woken) return
    if (this.woken.length === 0) queueMicrotask(() => this.answerWoken())
    this.wake(waiting)
  }

  private wake(waiting: Waiting): void {
    if (waiting.woken) return
    waiting.woken = true
    this.woken.push(waiting)
  }

  private answerWoken(): void {
    const woken = this.woken
    this.woken = []
    for (const waiting of woken) {
      this.remove(waiting)
      if (!waiting.hold.settled) this.answer(waiting)
    }
  }

  private answer(waiting: Waiting): void {
    const failed = (error: unknown): void => {
      this.options.logger.error(
        { event: 'held-pull-failed', topic: waiting.topic, err: error },
        'a held pull could not be answered',
      )
      waiting.hold.abandon()
    }
    try {
      const reply = waiting.pullAgain()
      if (reply instanceof Promise) reply.then(settled => waiting.hold.resolve(settled), failed)
      else waiting.hold.resolve(reply)
    } catch (error) {
      failed(error)
    }
  }

  private remove(waiting: Waiting): void {
    const queues = this.byTopic.get(waiting.topic)
    const held = queues?.get(waiting.queueId)
    if (!queues || !held) return
    held.delete(waiting)
    if (held.size > 0) return
    queues.delete(waiting.queueId)
    if (queues.size === 0) this.byTopic.delete(waiting.topic)
  }

  private eachHeld(visit: (waiting: Waiting) => void): void {
    for (const queues of this.byTopic.values())
      for (const held of queues.values()) for (const waiting of held) visit(waiting)
  }
}
