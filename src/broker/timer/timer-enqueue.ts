import { SystemTopic } from '../../common/index.js'
import {
  type GetMessageResult,
  type MessageStore,
  TimerRecords,
  type TimerRecovery,
  type TimerStore,
} from '../../store/index.js'
import { type Clock, errorText, javaHash, type Logger } from '../../util/index.js'
import { RecordTimerProperties } from './record-properties.js'
import { NEVER_ENQUEUED, type TimerDelivery } from './timer-delivery.js'
import type { TimerMetrics } from './timer-metrics.js'
import type { WorkSlice } from './work-slice.js'

/** `idle`: nothing to do; `more`: the slice is over; `blocked`: a disk or the store refuses, try again later. */
export type WorkState = 'idle' | 'more' | 'blocked'

export interface TimerEnqueueOptions {
  store: MessageStore
  timer: TimerStore
  delivery: TimerDelivery
  metrics: TimerMetrics
  /** Whether the slot of a time is being delivered: what is added to it now would be missed. */
  isOpen: (time: number) => boolean
  clock: Clock
  logger: Logger
}

const QUEUE_ID = 0
const MESSAGES_PER_READ = 64
/** The group that reads are counted for: none. */
const NO_GROUP = ''

/** Takes messages from the queue of the timer topic into the wheel; what is due already goes on at once. */
export class TimerEnqueue {
  /** Messages taken since the start. */
  count = 0
  /** Store time and clock of the last message taken, for the lag. */
  lastStoreTime = 0
  lastTakenAt = 0
  private readonly records: TimerRecords
  private readonly properties = new RecordTimerProperties()
  /** Commit log offsets of messages that are in the wheel already although the check point does not say so. */
  private known: Set<number> = new Set()
  /** Messages in front of this offset were taken once; what was due before {@link doneTime} was delivered. */
  private takenBefore = 0
  private doneTime = 0

  constructor(private readonly options: TimerEnqueueOptions) {
    this.records = new TimerRecords(options.store)
  }

  /** Where to go on after a start (store-format 11.5). */
  async resume(recovery: TimerRecovery): Promise<void> {
    const { store, timer, logger } = this.options
    const counted = timer.checkpoint.lastTimerQueueOffset
    this.known = new Set(recovery.uncounted)
    timer.queueOffset = counted
    if (recovery.isLogDamaged) {
      timer.queueOffset = Math.min(counted, await this.offsetBehind(recovery))
      this.takenBefore = counted
      this.doneTime = timer.readTime
      logger.error(
        { event: 'timer-log-damaged', from: timer.queueOffset, to: counted },
        `the timer log lost its end: messages ${timer.queueOffset} to ${counted} of ` +
          `${SystemTopic.TIMER_WHEEL} are put ` +
          'into the wheel again',
      )
    }
    const [min, max] = [store.minOffset(SystemTopic.TIMER_WHEEL, QUEUE_ID), this.maxOffset]
    timer.queueOffset = Math.max(min, Math.min(max, timer.queueOffset))
  }

  /** Offset behind the message that the last unit points to; 0 when that cannot be told. */
  private async offsetBehind({ lastUnit }: TimerRecovery): Promise<number> {
    if (lastUnit === undefined) return 0
    const record = await this.records.readCold(lastUnit.physicalOffset)
    return record !== undefined && this.records.openCopy(record) === 'open' ? this.records.head.queueOffset + 1 : 0
  }

  get maxOffset(): number {
    return this.options.store.maxOffset(SystemTopic.TIMER_WHEEL, QUEUE_ID)
  }

  /** Whether messages at or behind the queue offset are in the wheel. */
  get hasUncounted(): boolean {
    return this.known.size > 0
  }

  /** Messages that wait to be taken. */
  get behind(): number {
    return Math.max(0, this.maxOffset - this.options.timer.queueOffset)
  }

  async run(slice: WorkSlice): Promise<WorkState> {
    const { store, timer } = this.options
    for (;;) {
      const offset = timer.queueOffset
      if (offset >= this.maxOffset) {
        this.known.clear()
        return 'idle'
      }
      const request = { group: NO_GROUP, topic: SystemTopic.TIMER_WHEEL, queueId: QUEUE_ID, offset }
      const asked = store.getMessage({ ...request, maxMsgNums: MESSAGES_PER_READ })
      const result = asked instanceof Promise ? await asked : asked
      if (result === undefined) return 'blocked'
      let state: WorkState
      try {
        state = this.take(result, slice)
      } finally {
        result.release()
      }
      if (state !== 'idle') return state
      if (timer.queueOffset === offset && result.nextBeginOffset <= offset) return 'blocked'
    }
  }

  /** Takes what was read; `idle` when all of it was. */
  private take(result: GetMessageResult, slice: WorkSlice): WorkState {
    const { timer } = this.options
    for (const bytes of result.slices) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      for (let at = 0; at < bytes.length; ) {
        at = this.records.openIn(bytes, view, at)
        const { head } = this.records
        if (head.queueOffset >= timer.queueOffset) {
          const state = this.takeOne()
          if (state !== 'idle') return state
          timer.queueOffset = head.queueOffset + 1
        }
        if (slice.isOver()) return 'more'
      }
    }
    timer.queueOffset = Math.max(timer.queueOffset, result.nextBeginOffset)
    return 'idle'
  }

  /** `idle` when the message needs no more care. */
  private takeOne(): WorkState {
    const { records, properties } = this
    const { timer, delivery, clock, isOpen } = this.options
    const { head } = records
    properties.scan(records.buffer, head.propertiesStart, head.propertiesEnd)
    const problem = delivery.problemOf(properties)
    if (problem !== undefined) {
      const { physicalOffset, queueOffset } = head
      const text = `message ${queueOffset} of ${SystemTopic.TIMER_WHEEL} is left out: it has ${problem}`
      delivery.warn('timer-message-unfit', { physicalOffset, queueOffset }, text)
      return 'idle'
    }
    const deliverTime = properties.number('outMs')!
    if (head.queueOffset < this.takenBefore && deliverTime < this.doneTime) return 'idle'
    if (this.known.size > 0 && this.known.delete(head.physicalOffset)) return 'idle'
    const now = clock.now()
    // the clock went back in this very turn: the read time has to follow before anything can be told late
    if (timer.floor(now) < timer.readTime) return 'more'
    this.lastTakenAt = now
    this.lastStoreTime = head.storeTimestamp
    const writeTime = timer.floor(now)
    // overdue, but its slot has not been read: there may be a delete marker for it
    const isLate = deliverTime < timer.readTime || (isOpen(deliverTime) && deliverTime < writeTime)
    return isLate ? this.passOn() : this.enter(deliverTime, writeTime)
  }

  /** Its slot has been read before it was taken. A delete marker comes too late then. */
  private passOn(): WorkState {
    const { delivery } = this.options
    if (this.properties.has('deleteKey')) return 'idle'
    const outcome = delivery.deliver(this.records, this.properties, NEVER_ENQUEUED, false)
    return outcome === 'retry' ? 'blocked' : 'idle'
  }

  private enter(deliverTime: number, writeTime: number): WorkState {
    const { records, properties } = this
    const { timer, metrics, delivery } = this.options
    const { physicalOffset, totalSize: size } = records.head
    const topic = properties.text('realTopic')!
    const isDelete = properties.has('deleteKey')
    try {
      timer.add({ deliverTime, writeTime, isDelete, physicalOffset, size, topicHash: javaHash(topic) })
    } catch (error) {
      delivery.warn(
        'timer-log-full',
        { err: error },
        `timer messages wait: the timer log cannot grow: ${errorText(error)}`,
      )
      return 'blocked'
    }
    metrics.add(topic, isDelete ? -1 : 1)
    this.count++
    return 'idle'
  }
}
