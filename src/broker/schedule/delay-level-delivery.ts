import { setImmediate as nextTurn } from 'node:timers/promises'
import { SystemGroup, SystemTopic } from '../../common/index.js'
import type { MessageStore, MessageToStore, PutStatus, QueueUnit } from '../../store/index.js'
import { type Clock, errorText, type Logger, type LogLimiter, type Timer } from '../../util/index.js'
import type { MessagePutter } from '../put/message-putter.js'
import type { BrokerSettings } from '../settings.js'
import type { BrokerStats } from '../stats/broker-stats.js'
import type { CancelledDelays } from './cancelled-delays.js'
import { queueIdOfLevel } from './delay-level-rule.js'
import type { DelayOffsets } from './delay-offsets.js'
import { dueMessage } from './due-message.js'
import { DueTimes } from './due-times.js'

export interface DelayDeliveryParts {
  settings: Pick<BrokerSettings, 'enableScheduleMessageStats'>
  store: Pick<MessageStore, 'queries' | 'log' | 'minOffset' | 'maxOffset' | 'delayLevels'>
  puts: MessagePutter
  stats: BrokerStats
  offsets: DelayOffsets
  cancelled: Pick<CancelledDelays, 'has'>
  clock: Clock
  logger: Logger
  warnings: LogLimiter
}

const TOPIC = SystemTopic.SCHEDULE
/** Longest wait without a look at the clock, which may have been set forward. */
const LOOK_AGAIN_MS = 1000
const AFTER_REFUSAL_MS = 100
const AFTER_FAILURE_MS = 10_000
const UNITS_AT_ONCE = 256
/** Deliveries between two turns of the event loop. */
const DELIVERIES_PER_TURN = 64

/**
 * Delivers the messages of one delay level, in the order they were stored. It sleeps until the first of them is due;
 * with none waiting, until {@link wake}. The offset moves after a put only: what fails is tried again, and a crash may
 * deliver twice but leaves nothing out (store-format 11.2).
 */
export class DelayLevelDelivery {
  private readonly queueId: number
  private readonly dueTimes: DueTimes
  private timer: Timer | undefined
  private running: Promise<void> | undefined
  /** Messages came while it was running. */
  private isWoken = false
  private isStopped = false
  private deliveries = 0

  constructor(
    private readonly level: number,
    private readonly parts: DelayDeliveryParts,
  ) {
    this.queueId = queueIdOfLevel(level)
    const { store } = parts
    this.dueTimes = new DueTimes(
      () => store.delayLevels.delayMs(level),
      () => store.log.maxOffset,
    )
  }

  /** The queue has messages that were not there before. */
  wake(): void {
    this.isWoken = true
    // while it waits for the first message those behind it change nothing
    if (this.timer === undefined) this.run()
  }

  /** Resolves when the delivery under way has ended. */
  async stop(): Promise<void> {
    this.isStopped = true
    this.timer?.cancel()
    await this.running
  }

  private run(): void {
    if (this.isStopped) return
    this.running ??= this.deliver().finally(() => {
      this.running = undefined
      if (this.isWoken && this.timer === undefined) this.run()
    })
  }

  private async deliver(): Promise<void> {
    this.isWoken = false
    let waitMs: number | undefined
    try {
      waitMs = await this.deliverDue()
    } catch (error) {
      waitMs = AFTER_FAILURE_MS
      const fields = { event: 'delay-delivery-failed', level: this.level, err: error }
      const text = `messages of delay level ${this.level} wait: ${errorText(error)}; tried again in ${waitMs} ms`
      this.parts.logger.error(fields, text)
    }
    if (waitMs === undefined || this.isStopped) return
    this.timer = this.parts.clock.after(waitMs, () => {
      this.timer = undefined
      this.run()
    })
  }

  /** Ms until it should be called again; undefined when nothing waits. */
  private async deliverDue(): Promise<number | undefined> {
    const { store, clock } = this.parts
    while (!this.isStopped) {
      const from = this.correctedOffset()
      const end = store.maxOffset(TOPIC, this.queueId)
      if (from >= end) return undefined
      const units = await store.queries.units(TOPIC, this.queueId, from, UNITS_AT_ONCE)
      for (const unit of units) {
        if (this.isStopped) return undefined
        const now = clock.now()
        const waitMs = this.dueTimes.dueTime(unit, now) - now
        if (waitMs > 0) return Math.min(waitMs, LOOK_AGAIN_MS)
        // borrowed for the turn of the put
        const record = store.queries.recordInMemory(unit.physicalOffset)
        const goesOn = this.deliverOne(unit, record ?? (await store.queries.recordAt(unit.physicalOffset)))
        if (!goesOn) return AFTER_REFUSAL_MS
        if (++this.deliveries % DELIVERIES_PER_TURN === 0) await nextTurn()
      }
      if (units.length === 0) this.skip(from, Math.min(from + UNITS_AT_ONCE, end))
    }
    return undefined
  }

  /** Steps over units that stand for no message: the log had a gap. */
  private skip(from: number, to: number): void {
    const fields = { event: 'delay-queue-gap', level: this.level, from, to }
    this.parts.logger.error(fields, `delay level ${this.level} has no messages from ${from} to ${to}: a gap in the log`)
    this.parts.offsets.moveTo(this.level, to)
  }

  /** The next offset, moved into the queue where files of the store have come or gone. */
  private correctedOffset(): number {
    const { store, offsets, logger } = this.parts
    const offset = offsets.get(this.level)
    const min = store.minOffset(TOPIC, this.queueId)
    const max = store.maxOffset(TOPIC, this.queueId)
    const corrected = Math.min(Math.max(offset, min), max)
    if (corrected !== offset) {
      const fields = { event: 'delay-offset-corrected', level: this.level, offset, min, max }
      logger.error(
        fields,
        `delay level ${this.level} is at ${offset}, its queue has ${min} to ${max}: on at ${corrected}`,
      )
      offsets.moveTo(this.level, corrected)
    }
    return corrected
  }

  /** Whether the level can go on with the next message. */
  private deliverOne(unit: QueueUnit, record: Buffer | undefined): boolean {
    const { offsets } = this.parts
    // in the turn of the put: whoever cancels until then is told that it counts
    if (this.parts.cancelled.has(this.level, unit.queueOffset)) {
      offsets.moveTo(this.level, unit.queueOffset + 1)
      return true
    }
    const message = record === undefined ? undefined : dueMessage(record)
    const problem = problemOf(record, message)
    if (problem !== undefined || message === undefined) {
      this.parts.logger.error(
        { event: 'delayed-message-skipped', level: this.level, ...unit },
        `message ${unit.queueOffset} of delay level ${this.level} is not delivered: ${problem}`,
      )
      offsets.moveTo(this.level, unit.queueOffset + 1)
      return true
    }
    // not special any more: the delay it carries is over
    const { status, wroteBytes, endOffset } = this.parts.puts.put(message, false)
    if (status !== 'PUT_OK') {
      this.warnOfRefusal(message, status)
      return false
    }
    offsets.moveTo(this.level, unit.queueOffset + 1, endOffset)
    this.count(message.topic, wroteBytes)
    return true
  }

  private warnOfRefusal(message: MessageToStore, status: PutStatus): void {
    const { warnings, logger } = this.parts
    const fields = { event: 'delayed-message-refused', level: this.level, topic: message.topic, status }
    const advice =
      status === 'MESSAGE_ILLEGAL' || status === 'PROPERTIES_SIZE_EXCEEDED'
        ? '; it was stored under other limits: set maxMessageSize as it was'
        : ''
    const text = `delay level ${this.level} waits: a message of ${message.topic} was refused with ${status}${advice}`
    warnings.warn(logger, String(this.level), fields, text)
  }

  private count(topic: string, bytes: number): void {
    const { settings, stats } = this.parts
    if (!settings.enableScheduleMessageStats) return
    stats.incGroupGet(SystemGroup.SCHEDULE_CONSUMER, TOPIC, 1, bytes)
    stats.incQueueGet(SystemGroup.SCHEDULE_CONSUMER, { topic: TOPIC, queueId: this.level - 1 }, 1, bytes)
    stats.incTopicPut(topic, 1, bytes)
    stats.incBrokerPut(1)
  }
}

function problemOf(record: Buffer | undefined, message: MessageToStore | undefined): string | undefined {
  if (record === undefined) return 'its record is gone from the log'
  if (message === undefined) return 'it does not say to which queue it belongs'
  if (message.topic === SystemTopic.TRANS_HALF) return 'it is half of a transaction, which cannot be delayed'
  return undefined
}
