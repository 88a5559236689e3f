import { isLmq, SYSTEM_TOPIC_PREFIX } from '../../common/index.js'
import { type MessageStore, newTimerSlot, TimerRecords, type TimerRecovery, TimerStore } from '../../store/index.js'
import {
  type Clock,
  type Disk,
  errorText,
  type Logger,
  MQError,
  PeriodicTask,
  systemDisk,
  type Timer,
} from '../../util/index.js'
import type { BrokerStats } from '../stats/broker-stats.js'
import { PastDeliveries } from './past-deliveries.js'
import { SlotDelivery } from './slot-delivery.js'
import { TimerDelivery } from './timer-delivery.js'
import { TimerEnqueue, type WorkState } from './timer-enqueue.js'
import { TimerMetrics } from './timer-metrics.js'
import { TimerRates } from './timer-rates.js'
import { TimerScan } from './timer-scan.js'
import type { TimerSettings } from './timer-settings.js'
import { nextTurn, WorkSlice } from './work-slice.js'

export interface TimerServiceOptions {
  settings: TimerSettings
  store: MessageStore
  stats: Pick<BrokerStats, 'incTopicPut' | 'incBrokerPut'>
  clock: Clock
  logger: Logger
  disk?: Disk
  /** Whether a topic still exists: counts of others are forgotten. */
  topicExists: (topic: string) => boolean
}

/** Of the precision, as in Java. */
const POLL_SHARE = 0.1
const RETRY_SHARE = 0.5
const CLEAN_PERIOD_MS = 30_000
const RETAIN_PERIOD_MS = 180_000
const RECOUNT_LOOK_MS = 45 * 60_000
/** It takes some thousand messages in each; more only when the timer is kept from taking any. */
const SETTLE_TURNS = 1000
/**
 * Slots in front of the new time that are read once more when the clock went back, which costs next to nothing: the
 * clock
 * may have jumped several times before that is noticed, or is on the disk.
 */
const NOTICE_SLOTS = 86_400
const RECOUNT_PAUSE_MS = 70 * 60_000

/**
 * Timer messages (broker-behaviour 6.3): from the timer topic into the wheel, and when their slot has passed on to
 * where
 * they belong. It works in slices of a few ms between the turns of other traffic; nothing is delivered before its time,
 * whatever the clock does.
 */
export class TimerService {
  readonly timer: TimerStore
  readonly metrics: TimerMetrics
  readonly scan: TimerScan
  readonly rates: TimerRates
  private readonly past = new PastDeliveries()
  private readonly delivery: TimerDelivery
  private readonly enqueue: TimerEnqueue
  private readonly records: TimerRecords
  private readonly slice: WorkSlice
  private readonly slot = newTimerSlot()
  private readonly tasks: PeriodicTask[]

  private running: Promise<void> | undefined
  private isStopping = false
  private pause: { timer: Timer; end: () => void } | undefined
  private flushing: Promise<void> = Promise.resolve()
  /** The slot being delivered. */
  private current: SlotDelivery | undefined
  /** Slots in front of it may be read. */
  private readLimit = 0
  /** {@link readLimit} becomes `time` when the messages in front of `offset` are taken. */
  private barrier: { offset: number; time: number } | undefined
  /** End of the timer log when the last slot was read. */
  private readUpTo = 0
  /** Check points that must be written before more is taken, and those that were: the read time went back. */
  private flushesWanted = 0
  private flushesDone = 0
  private flushed = ''
  private lastRecount = 0
  private startedAt = 0

  constructor(private readonly options: TimerServiceOptions) {
    const { settings, store, stats, clock, logger, disk = systemDisk } = options
    this.timer = new TimerStore({ settings, disk, clock, logger })
    this.metrics = new TimerMetrics({ rootDir: settings.storePathRootDir, clock, logger })
    this.delivery = new TimerDelivery({ store, stats, past: this.past, clock, logger })
    const { timer, metrics, delivery } = this
    this.enqueue = new TimerEnqueue({
      store,
      timer,
      delivery,
      metrics,
      clock,
      logger,
      isOpen: time => this.current?.time === time,
    })
    this.records = new TimerRecords(store)
    this.scan = new TimerScan({ store, timer })
    this.slice = new WorkSlice(clock)
    this.rates = new TimerRates(clock, () => ({ enqueued: this.enqueue.count, dequeued: this.delivery.count }))
    this.tasks = this.createTasks()
  }

  private createTasks(): PeriodicTask[] {
    const { settings, clock, logger } = this.options
    const task = (name: string, periodMs: number, run: () => void | Promise<void>): PeriodicTask =>
      new PeriodicTask({ name, periodMs, clock, logger, run })
    return [
      task('flushing the timer', settings.timerFlushIntervalMs, () => this.flushPeriodically()),
      task('cleaning the timer log', CLEAN_PERIOD_MS, () => this.deleteObsolete()),
      task('cleaning timer counts', RETAIN_PERIOD_MS, () => this.retainTopics()),
      task('recounting timers', RECOUNT_LOOK_MS, () => this.recountIfDue()),
      task('reporting the timer', settings.timerProgressLogIntervalMs, () => this.logProgress()),
    ]
  }

  /** Recovers and begins to work. The message store must be running. Throws MQError `ERR_FILE_LENGTH` and the like. */
  async start(): Promise<void> {
    const { store, clock, logger } = this.options
    const recovery = await this.recover(store.log.maxOffset)
    await this.enqueue.resume(recovery)
    const { commitLogOffset } = this.timer.checkpoint
    // after a clean stop that is its end, unless what a crash before it left was still to be met
    if (commitLogOffset >= 0) {
      await this.past.read(this.records, Math.max(commitLogOffset, store.log.minOffset))
    }
    this.readUpTo = this.timer.log.maxOffset
    this.lastRecount = clock.now()
    this.startedAt = clock.monotonic()
    const { lastUnit: _unit, uncounted: _uncounted, ...facts } = recovery
    const { readTime, queueOffset } = this.timer
    logger.info({ event: 'timer-recovered', ...facts, readTime, queueOffset }, 'the timer is recovered')
    if (recovery.revisedUnits > 0 || store.recovery?.isAfterCrash) await this.recount()
    // from now on a crash finds where to begin
    await this.flush()
    for (const task of this.tasks) task.start()
    this.running = this.work()
  }

  private async recover(commitLogEnd: number): Promise<TimerRecovery> {
    try {
      this.metrics.load()
      return this.timer.recover(commitLogEnd)
    } catch (error) {
      await this.timer.close()
      throw error
    }
  }

  /** Ends the work and writes everything down. To be called while the message store still runs. */
  async stop(): Promise<void> {
    if (this.running === undefined) return
    this.isStopping = true
    this.pause?.end()
    await this.running
    this.running = undefined
    for (const task of this.tasks) await task.stop()
    await this.flush().catch(error => {
      this.options.logger.error(
        { event: 'timer-flush-failed', err: error },
        `the timer is not written down: ${errorText(error)}; some messages may be delivered again after the next start`,
      )
    })
    await this.metrics.stop()
    await this.timer.close()
  }

  private async work(): Promise<void> {
    const { clock, logger } = this.options
    while (!this.isStopping) {
      let state: WorkState
      try {
        this.slice.begin()
        state = await this.turn()
      } catch (error) {
        state = 'blocked'
        logger.error({ event: 'timer-failed', err: error }, `the timer failed: ${errorText(error)}; it tries again`)
      }
      if (this.isStopping) break
      if (state === 'more') await nextTurn()
      else await this.sleep(this.pauseMs(state, clock.now()))
    }
  }

  private pauseMs(state: WorkState, now: number): number {
    const { precisionMs } = this.timer
    if (state === 'blocked') return precisionMs * RETRY_SHARE
    return Math.min(precisionMs * POLL_SHARE, this.timer.floor(now) + precisionMs - now)
  }

  private sleep(ms: number): Promise<void> {
    return new Promise(resolve => {
      const end = (): void => {
        timer.cancel()
        this.pause = undefined
        resolve()
      }
      const timer = this.options.clock.after(ms, end)
      this.pause = { timer, end }
    })
  }

  private async turn(): Promise<WorkState> {
    const { timer, options } = this
    const now = timer.floor(options.clock.now())
    if (this.current !== undefined && now < this.current.time + timer.precisionMs) this.leaveSlot(this.current)
    if (now < timer.readTime && this.current === undefined) this.turnBack(now)
    if (this.mustFlush) await this.flush()
    const taken = this.mayTake(now) ? await this.enqueue.run(this.slice) : 'idle'
    // a slice each: neither can keep the other from its work
    this.slice.begin()
    const given = this.mayDeliver() ? await this.dequeue(taken) : 'idle'
    if (given === 'more' || taken === 'more') return 'more'
    return given === 'blocked' ? given : taken
  }

  private mayTake(now: number): boolean {
    if (this.options.settings.timerStopEnqueue) return false
    // what lies between now and the read time could not be told from what was delivered
    return now >= this.timer.readTime && !this.timer.isBehindTooFar(now)
  }

  private mayDeliver(): boolean {
    const { settings, clock } = this.options
    if (clock.monotonic() - this.startedAt < settings.disappearTimeAfterStart) return false
    return !settings.timerStopDequeue && settings.brokerRole !== 'SLAVE'
  }

  /** The clock was set back: slots in front of the read time are filled, and read, once more. */
  private turnBack(now: number): void {
    const { timer, options } = this
    options.logger.warn(
      { event: 'clock-set-back', from: timer.readTime, to: now },
      `the clock went back by ${timer.readTime - now} ms: timer messages are delivered by the new time`,
    )
    // what was sent since is not to be taken for late
    timer.turnBack(now - NOTICE_SLOTS * timer.precisionMs, this.readUpTo)
    this.readLimit = timer.readTime
    this.barrier = undefined
    this.flushesWanted++
  }

  private async dequeue(taken: WorkState): Promise<WorkState> {
    // taking may have waited for the disk, and the clock may have changed
    const now = this.timer.floor(this.options.clock.now())
    if (now < this.timer.readTime + (this.current === undefined ? 0 : this.timer.precisionMs)) return 'more'
    if (!this.mayRead(now, taken)) return 'more'
    for (;;) {
      if (this.current === undefined && !this.nextSlot(this.readLimit)) {
        if (taken === 'idle') this.past.readUpTo(this.timer.readTime)
        return 'idle'
      }
      this.current ??= this.openSlot()
      const state = await this.current.run(this.slice)
      if (state !== 'idle') return state
      this.closeSlot()
      if (this.slice.isOver() || this.mustFlush) return 'more'
    }
  }

  /**
   * A slot is read when what was sent until it ended is in the wheel: there may be a delete marker among it. False when
   * that has to be awaited.
   */
  private mayRead(now: number, taken: WorkState): boolean {
    const { timer, enqueue } = this
    this.readLimit = Math.min(this.readLimit, now)
    if (this.barrier !== undefined && this.barrier.time > now) this.barrier = undefined
    if (this.current !== undefined || this.readLimit === now) return true
    const limit = timer.isBehindTooFar(now) ? timer.nearestReadTime(now) : now
    this.barrier ??= { offset: enqueue.maxOffset, time: limit }
    if (taken === 'more' && timer.queueOffset < this.barrier.offset) return false
    this.readLimit = this.barrier.time
    this.barrier = undefined
    return true
  }

  /** Moves the read time to the next slot in front of `limit` that holds something. */
  private nextSlot(limit: number): boolean {
    const { timer, slot } = this
    const { wheel, precisionMs } = timer
    while (timer.readTime < limit) {
      const time = wheel.nextUsed(timer.readTime, limit)
      if (time < limit && wheel.get(time, slot)) {
        this.moveTo(time)
        return true
      }
      this.moveTo(Math.min(limit, time + precisionMs))
    }
    return false
  }

  private moveTo(readTime: number): void {
    if (readTime === this.timer.readTime) return
    this.timer.readTime = readTime
    this.timer.marks.passed(readTime)
    this.readUpTo = this.timer.log.maxOffset
  }

  private openSlot(): SlotDelivery {
    const { timer, records, delivery, metrics, slot } = this
    // what was taken since the slot was found may have grown its chain
    timer.wheel.get(timer.readTime, slot)
    this.readUpTo = timer.log.maxOffset
    return new SlotDelivery({ timer, records, delivery, metrics }, timer.readTime, slot.last)
  }

  /** The clock went back: the rest of the slot is not due any more. */
  private leaveSlot({ next, time, readUpTo }: SlotDelivery): void {
    const { timer } = this
    if (next !== undefined) timer.marks.add({ position: next, readTime: time + timer.precisionMs })
    this.readUpTo = readUpTo
    this.current = undefined
    this.flushesWanted++
  }

  private closeSlot(): void {
    const { timer, options } = this
    const { readUpTo, hasRolled } = this.current!
    this.readUpTo = readUpTo
    this.current = undefined
    timer.readTime += timer.precisionMs
    if (hasRolled) this.readLimit = timer.readTime
    timer.marks.passed(timer.readTime)
    // in this turn: a check point in between would count what has been added since as delivered
    const now = timer.floor(options.clock.now())
    if (now < timer.readTime) this.turnBack(now)
  }

  private get mustFlush(): boolean {
    return this.flushesDone < this.flushesWanted
  }

  private flush(): Promise<void> {
    this.flushing = this.flushing.catch(() => undefined).then(() => this.flushOnce())
    return this.flushing
  }

  private async flushOnce(): Promise<void> {
    const { timer, options } = this
    const { store } = options
    const next = this.current?.next
    const state = `${timer.readTime} ${timer.queueOffset} ${timer.log.maxOffset} ${next} ${this.delivery.count}`
    if (state === this.flushed && !this.mustFlush) return
    const end = store.log.maxOffset
    // until all of it has been met again, what was delivered before the crash stands behind the old offset
    const commitLogOffset = this.past.size > 0 ? timer.checkpoint.commitLogOffset : end
    const { hasUncounted } = this.enqueue
    const snapshot = timer.snapshot({ delivered: next, hasUncounted, commitLogOffset })
    const wanted = this.flushesWanted
    try {
      // what was delivered first: the check point must not say so of what a power cut takes
      const status = end > store.flushedOffset ? await store.whenDurable(end) : 'PUT_OK'
      if (status !== 'PUT_OK') throw new MQError('ERR_TIMER_FLUSH', `the commit log could not be flushed: ${status}`)
      await timer.flush(snapshot)
    } catch (error) {
      timer.wheel.returnChanges(snapshot.changes)
      throw error
    }
    this.flushesDone = wanted
    this.flushed = state
  }

  private async flushPeriodically(): Promise<void> {
    await this.flush()
    this.metrics.saveSoon()
    this.rates.sample()
  }

  private deleteObsolete(): void {
    const deleted = this.timer.deleteObsolete(this.options.store.log.minOffset)
    if (deleted > 0) this.options.logger.info({ event: 'timer-log-cleaned', deleted }, 'old timer log files deleted')
  }

  private retainTopics(): void {
    const { topicExists } = this.options
    this.metrics.retain(topic => topic.startsWith(SYSTEM_TOPIC_PREFIX) || isLmq(topic) || topicExists(topic))
  }

  private async recountIfDue(): Promise<void> {
    const { settings, clock } = this.options
    if (!settings.timerEnableCheckMetrics || clock.now() - this.lastRecount < RECOUNT_PAUSE_MS) return
    const hour = new Date(clock.now()).getHours()
    if (settings.timerCheckMetricsWhen.split(';').some(when => Number.parseInt(when, 10) === hour)) await this.recount()
  }

  private async recount(): Promise<void> {
    this.lastRecount = this.options.clock.now()
    const counted = await this.scan.countByTopic()
    for (const [topic, { count }] of this.metrics.timingCount) {
      // a topic with very many costs more to count than it is worth (Java's rule)
      if (count >= this.options.settings.timerMetricSmallThreshold) counted.delete(topic)
      else if (!counted.has(topic)) counted.set(topic, 0)
    }
    this.metrics.replace(counted)
  }

  private logProgress(): void {
    const { timer } = this
    this.options.logger.debug(
      { event: 'timer-progress', readTime: timer.readTime, queueOffset: timer.queueOffset, ...this.state() },
      'timer progress',
    )
  }

  /** For GET_BROKER_RUNTIME_INFO. Times in s. */
  state(): { readBehind: number; offsetBehind: number; congestNum: number; enqueueTps: number; dequeueTps: number } {
    const { timer, options, enqueue, rates } = this
    const behindMs = Math.max(0, timer.floor(options.clock.now()) - timer.readTime)
    return {
      readBehind: Math.floor(behindMs / 1000),
      offsetBehind: enqueue.behind,
      congestNum: timer.pendingCount(),
      enqueueTps: rates.enqueueTps,
      dequeueTps: rates.dequeueTps,
    }
  }

  /** Whether the slot of `outTime` has been read, or is about to be: too late to take a message of it back. */
  isRead(outTime: number): boolean {
    const { timer, options } = this
    return outTime < Math.max(timer.readTime, timer.floor(options.clock.now())) || this.current?.time === outTime
  }

  /** Takes everything the timer topic holds, so that a look at the wheel sees it. */
  async settle(): Promise<void> {
    const target = this.enqueue.maxOffset
    for (let turns = 0; this.timer.queueOffset < target && turns < SETTLE_TURNS && !this.isStopping; turns++) {
      this.pause?.end()
      await nextTurn()
    }
  }
}
