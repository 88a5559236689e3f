import { SystemTopic } from '../../common/index.js'
import type { MessageStore } from '../../store/index.js'
import { type Clock, createLogLimiter, type Logger } from '../../util/index.js'
import type { MessagePutter } from '../put/message-putter.js'
import type { SpecialMessageRule } from '../put/special-messages.js'
import type { BrokerSettings } from '../settings.js'
import type { BrokerStats } from '../stats/broker-stats.js'
import { CancelledDelays } from './cancelled-delays.js'
import { DelayLevelDelivery } from './delay-level-delivery.js'
import { delayLevelRule, queueIdOfLevel } from './delay-level-rule.js'
import { DelayOffsets } from './delay-offsets.js'

export interface ScheduleMessageServiceOptions {
  settings: BrokerSettings
  store: MessageStore
  puts: MessagePutter
  stats: BrokerStats
  clock: Clock
  logger: Logger
}

const WARNING_PERIOD_MS = 60_000

/**
 * Messages with a delay level: they wait in the schedule topic, in a queue per level, and are put into their own queue
 * when they are due (broker-behaviour 6.2). Only a master delivers.
 */
export class ScheduleMessageService {
  /** Sends messages with a delay level into the schedule topic. */
  readonly rule: SpecialMessageRule
  readonly offsets: DelayOffsets
  /** Messages an operator took back. */
  readonly cancelled: CancelledDelays
  /** By queue id. */
  private deliveries: DelayLevelDelivery[] = []

  constructor(private readonly options: ScheduleMessageServiceOptions) {
    this.rule = delayLevelRule(options.store.delayLevels)
    this.offsets = new DelayOffsets(options)
    this.cancelled = new CancelledDelays(options)
  }

  /** @throws MQError ERR_CONFIG_FILE */
  load(): void {
    this.offsets.load()
    this.cancelled.load(level => this.offsets.get(level))
  }

  /** The store must be running. Messages that fell due while the broker was down are delivered at once. */
  start(): void {
    if (this.options.settings.brokerRole === 'SLAVE') return
    const { clock } = this.options
    const warnings = createLogLimiter({ clock, periodMs: WARNING_PERIOD_MS })
    const parts = { ...this.options, offsets: this.offsets, cancelled: this.cancelled, warnings }
    for (let level = 1; level <= this.levels; level++) this.deliveries.push(new DelayLevelDelivery(level, parts))
    for (const delivery of this.deliveries) delivery.wake()
    this.offsets.start()
  }

  /** Ends deliveries and writes down how far they are. */
  async stop(): Promise<void> {
    await Promise.all(this.deliveries.map(delivery => delivery.stop()))
    this.deliveries = []
    await this.offsets.stop()
    await this.cancelled.stop()
  }

  /** A message has come into a queue of the schedule topic. */
  onArrival(queueId: number): void {
    this.deliveries[queueId]?.wake()
  }

  /** `scheduleMessageOffset_<level>`: next message to deliver and end of the queue, in Java's form. */
  *runtimeInfo(): Iterable<[string, string]> {
    for (const level of this.offsets.levels) {
      const end = this.options.store.maxOffset(SystemTopic.SCHEDULE, queueIdOfLevel(level))
      yield [`scheduleMessageOffset_${level}`, `${this.offsets.get(level)},${end}`]
    }
  }

  /** Levels of a longer table in former times may still have messages waiting. */
  get levels(): number {
    const { store } = this.options
    return Math.max(store.delayLevels.maxLevel, store.queues.topics.get(SystemTopic.SCHEDULE)?.queues.length ?? 0)
  }
}
