import {
  appendProperties,
  bodyLengthPosition,
  bornHostLength,
  encodeProperty,
  endsWithSeparator,
  hasIllegalCharacters,
  notAllowedSendTopics,
  PropertyName,
  RecordPosition,
  reconsumeTimesPosition,
  removeProperty,
  SystemTopic,
} from '../../common/index.js'
import type { MessageStore, MessageToStore, PutStatus, TimerRecords } from '../../store/index.js'
import { type Clock, createLogLimiter, type Logger, readInt64 } from '../../util/index.js'
import type { BrokerStats } from '../stats/broker-stats.js'
import type { PastDeliveries } from './past-deliveries.js'
import type { RecordTimerProperties } from './record-properties.js'

/** `retry`: the store does not take messages at present; nothing was lost. */
export type DeliveryOutcome = 'done' | 'dropped' | 'retry'

export interface TimerDeliveryOptions {
  store: Pick<MessageStore, 'append'>
  stats: Pick<BrokerStats, 'incTopicPut' | 'incBrokerPut'>
  /** What was delivered before a crash and is not to be again. */
  past: PastDeliveries
  clock: Clock
  logger: Logger
}

/** What TIMER_ENQUEUE_MS says of a message that was overdue before it reached the wheel: Java's Long.MAX_VALUE. */
export const NEVER_ENQUEUED = '9223372036854775807'

const WARNING_PERIOD_MS = 10_000
const LONGEST_TOPIC = 255
const SCRATCH_BYTES = 4096
const MOST_QUEUES = 65_536
/** Refusals that another try would meet again. */
const FINAL: ReadonlySet<PutStatus> = new Set<PutStatus>(['MESSAGE_ILLEGAL', 'PROPERTIES_SIZE_EXCEEDED'])
const MARKS = [PropertyName.TIMER_ENQUEUE_MS, PropertyName.TIMER_DEQUEUE_MS, PropertyName.TIMER_ROLL_TIMES].map(name =>
  Buffer.from(name),
)

/** Puts due messages where they belong: a new record with the old body, under its real topic (store-format 11.5). */
export class TimerDelivery {
  /** Messages put since the start. */
  count = 0
  private readonly message: MessageToStore
  private readonly warnings
  /** The marks of the last message, and what they say. */
  private tail = Buffer.alloc(0)
  private tailEnqueueMs = ''
  private tailDequeueMs = 0
  /** Where the properties of the message in hand are put together. */
  private readonly scratch: Buffer = Buffer.allocUnsafe(SCRATCH_BYTES)
  /** Topics that were found fit to deliver to. */
  private readonly fitTopics = new Set<string>()

  constructor(private readonly options: TimerDeliveryOptions) {
    this.warnings = createLogLimiter({ clock: options.clock, periodMs: WARNING_PERIOD_MS })
    this.message = {
      topic: '',
      queueId: 0,
      sysFlag: 0,
      flag: 0,
      bornTimestamp: 0,
      bornHost: Buffer.alloc(8),
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.alloc(0),
      properties: '',
    }
  }

  /**
   * Why a record cannot be a timer message; undefined when it can. A client may send anything to the timer topic, and a
   * message that names the timer topic itself would come round for ever.
   */
  problemOf(properties: RecordTimerProperties): string | undefined {
    if (properties.number('outMs') === undefined) return `no ${PropertyName.TIMER_OUT_MS}`
    const queueId = properties.number('realQueueId')
    if (queueId === undefined || queueId >= MOST_QUEUES) return `no ${PropertyName.REAL_QUEUE_ID}`
    const topic = properties.text('realTopic')
    if (topic === undefined) return `no ${PropertyName.REAL_TOPIC}`
    if (this.fitTopics.has(topic)) return undefined
    if (!isFitTopic(topic)) return `a ${PropertyName.REAL_TOPIC} that takes no messages`
    if (this.fitTopics.size > 10_000) this.fitTopics.clear()
    this.fitTopics.add(topic)
    return undefined
  }

  /** Tells of a message that is left out, at most once in a while. */
  warn(event: string, fields: Readonly<Record<string, unknown>>, text: string): void {
    this.warnings.warn(this.options.logger, event, { event, ...fields }, text)
  }

  /**
   * Puts the record that `records` has open.
   * @param enqueueMs value of TIMER_ENQUEUE_MS.
   * @param isRoll back to the timer topic, for the rest of its delay.
   */
  deliver(
    records: TimerRecords,
    properties: RecordTimerProperties,
    enqueueMs: string,
    isRoll: boolean,
  ): DeliveryOutcome {
    const { store, stats, past } = this.options
    if (past.take(records, properties, isRoll)) return 'done'
    const message = this.fill(records)
    message.topic = isRoll ? SystemTopic.TIMER_WHEEL : properties.text('realTopic')!
    message.queueId = isRoll ? 0 : properties.number('realQueueId')!
    message.properties = this.propertiesOf(properties, enqueueMs, isRoll)
    let result = store.append(message)
    if (result.status === 'PROPERTIES_SIZE_EXCEEDED') {
      // no room for the timer's own marks: the message counts, they do not
      message.properties = properties.all
      result = store.append(message)
    }
    const { status } = result
    if (status === 'PUT_OK') {
      stats.incTopicPut(message.topic, 1, result.wroteBytes)
      stats.incBrokerPut(1)
      this.count++
      return 'done'
    }
    const { topic } = message
    if (!FINAL.has(status)) {
      this.warn('timer-delivery-waits', { topic, status }, `due messages wait: the store answers ${status}`)
      return 'retry'
    }
    const { physicalOffset } = records.head
    this.options.logger.error(
      { event: 'timer-message-dropped', topic, status, physicalOffset },
      `a due message of ${topic} cannot be stored (${status}); it stays at ${physicalOffset} of the commit log`,
    )
    return 'dropped'
  }

  private fill(records: TimerRecords): MessageToStore {
    const { buffer, start, head } = records
    const { message } = this
    const bornHostAt = start + RecordPosition.BORN_HOST
    message.sysFlag = head.sysFlag
    message.flag = head.flag
    message.bornTimestamp = readInt64(buffer, start + RecordPosition.BORN_TIMESTAMP)
    message.bornHost = buffer.subarray(bornHostAt, bornHostAt + bornHostLength(head.sysFlag))
    message.reconsumeTimes = buffer.readInt32BE(start + reconsumeTimesPosition(head.sysFlag))
    message.body = buffer.subarray(start + bodyLengthPosition(head.sysFlag) + 4, head.bodyEnd)
    return message
  }

  private propertiesOf(properties: RecordTimerProperties, enqueueMs: string, isRoll: boolean): Buffer {
    const tail = this.marks(enqueueMs)
    if (!isRoll && !properties.isUsed) return this.joined(properties.all, tail)
    const rolls = properties.number('rollTimes') ?? 0
    let kept = properties.all
    if (properties.isUsed) for (const name of MARKS) kept = removeProperty(kept, name)
    const times = rolls + (isRoll ? 1 : 0)
    kept = appendProperties(kept, tail)
    return times === 0 ? kept : appendProperties(kept, encodeProperty(PropertyName.TIMER_ROLL_TIMES, String(times)))
  }

  /** The same for all messages of a slot that were sent in the same second. */
  private marks(enqueueMs: string): Buffer {
    const now = this.options.clock.now()
    if (now !== this.tailDequeueMs || enqueueMs !== this.tailEnqueueMs) {
      this.tailDequeueMs = now
      this.tailEnqueueMs = enqueueMs
      this.tail = Buffer.concat([
        encodeProperty(PropertyName.TIMER_ENQUEUE_MS, enqueueMs),
        encodeProperty(PropertyName.TIMER_DEQUEUE_MS, String(now)),
      ])
    }
    return this.tail
  }

  /** What `appendProperties` gives, in memory that the next message takes: the store copies it in this turn. */
  private joined(properties: Buffer, tail: Buffer): Buffer {
    const length = properties.length + tail.length
    // the separator that old writers omit makes it one longer
    if (length > SCRATCH_BYTES || !endsWithSeparator(properties)) return appendProperties(properties, tail)
    properties.copy(this.scratch)
    tail.copy(this.scratch, properties.length)
    return this.scratch.subarray(0, length)
  }
}

function isFitTopic(topic: string): boolean {
  return (
    !hasIllegalCharacters(topic) &&
    topic.length <= LONGEST_TOPIC &&
    topic !== SystemTopic.TIMER_WHEEL &&
    !notAllowedSendTopics.has(topic)
  )
}
