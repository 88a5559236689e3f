import {
  decodeMessage,
  decodeProperties,
  encodeProperties,
  KEY_SEPARATOR,
  type MessageExt,
  PropertyName,
  ResponseCode,
  ResponseError,
  SystemTopic,
} from '../../common/index.js'
import type { MessageToStore } from '../../store/index.js'
import type { BrokerContext } from '../context.js'
import { PUT_STATUS_REPLIES } from '../put/put-reply.js'
import { queueIdOfLevel } from '../schedule/delay-level-rule.js'
import { dueMessage } from '../schedule/due-message.js'
import { deleteKeyOf } from './slot-delivery.js'
import { timerSlotTime, toTimerTopic } from './timer-rule.js'
import { nextTurn } from './work-slice.js'

/** A message that waits for its time. */
export interface ScheduledMessage {
  readonly kind: 'TIMER' | 'DELAY'
  /** Ms: when it is delivered. */
  readonly deliverTime: number
  readonly topic: string
  readonly queueId: number
  /** Where it waits now; a far timer message gets a new one at each roll. */
  readonly offsetMsgId: string
  readonly uniqKey: string | undefined
  readonly keys: string | undefined
  readonly tags: string | undefined
  readonly storeTimestamp: number
  readonly bornTimestamp: number
  /** Bytes, as stored. */
  readonly bodySize: number
  /** Of kind DELAY. */
  readonly delayLevel?: number
  /** Of kind TIMER: how often it was rolled. */
  readonly rollTimes?: number
}

export interface ScheduledQuery {
  topic?: string | undefined
  /** One of the KEYS. */
  key?: string | undefined
  /** Unique key or offset message id. */
  id?: string | undefined
  beginTime?: number | undefined
  endTime?: number | undefined
}

/** Where a message waits. */
type Place = { outTime: number } | { level: number; queueOffset: number }

interface Found {
  readonly shown: ScheduledMessage
  readonly place: Place
  readonly record: Buffer
}

type Parts = Pick<BrokerContext, 'store' | 'puts' | 'schedule' | 'timer' | 'clock' | 'settings'>

const UNITS_AT_ONCE = 256
/** What belongs to the way of a message so far, and not to its next one. */
const OLD_WAY = [
  PropertyName.DELAY,
  PropertyName.TIMER_DELAY_SEC,
  PropertyName.TIMER_DELAY_MS,
  PropertyName.TIMER_ENQUEUE_MS,
  PropertyName.TIMER_DEQUEUE_MS,
  PropertyName.TIMER_ROLL_TIMES,
]
const MARKER_BODY = Buffer.from('0')
const MARKER_TAG = '_RECALL_TAG_'

/** What operators may see and do of messages that wait: by timer, or by delay level. RocketMQ has nothing like it. */
export class ScheduledMessages {
  constructor(private readonly parts: Parts) {}

  /** Up to `maxNum` messages, timers first, each kind by slot or level; `hasMore` when there are others. */
  async list(query: ScheduledQuery, maxNum: number): Promise<{ messages: ScheduledMessage[]; hasMore: boolean }> {
    await this.parts.timer?.settle()
    const messages: ScheduledMessage[] = []
    for await (const { shown } of this.all(query)) {
      if (messages.length === maxNum) return { messages, hasMore: true }
      messages.push(shown)
    }
    return { messages, hasMore: false }
  }

  /** Takes a message back. @throws ResponseError when there is not exactly one such message, or it is due */
  async cancel(id: string, topic: string | undefined): Promise<ScheduledMessage> {
    const found = await this.theOne(id, topic)
    await this.takeBack(found, undefined)
    return found.shown
  }

  /** Gives a message another time; a past one delivers it at once. @throws ResponseError as {@link cancel} */
  async retime(id: string, topic: string | undefined, deliverTime: number): Promise<ScheduledMessage> {
    const { timer, clock, settings } = this.parts
    if (timer === undefined) {
      throw new ResponseError(ResponseCode.SYSTEM_ERROR, 'timerWheelEnable is off: a message cannot get another time')
    }
    const limitMs = settings.timerMaxDelaySec * 1000
    if (deliverTime - clock.now() > limitMs) {
      throw refuse(
        `the time is more than ${limitMs} ms ahead, which is what timerMaxDelaySec allows: choose an earlier one`,
      )
    }
    const found = await this.theOne(id, topic)
    const { place, shown } = found
    const outTime = timerSlotTime(deliverTime, timer.timer.precisionMs)
    const moved = { ...shown, kind: 'TIMER' as const, deliverTime: outTime + timer.timer.precisionMs }
    if ('outTime' in place && place.outTime === outTime) return moved
    if (shown.uniqKey !== undefined && (await timer.scan.isTakenBack(shown.topic, shown.uniqKey, outTime))) {
      throw refuse('the message waited for that second before and was taken from it: choose another second')
    }
    await this.takeBack(found, this.copyFor(found, deliverTime, outTime))
    return moved
  }

  /** Both in one turn, the copy first: nothing can fall between them but a power cut, and that leaves two, not none. */
  private async takeBack(found: Found, copy: MessageToStore | undefined): Promise<void> {
    const { place, shown } = found
    const isTimer = 'outTime' in place
    if (isTimer && shown.uniqKey === undefined) {
      throw refuse('the message has no unique key, by which the timer would know it: it cannot be taken back')
    }
    if (this.isDue(place)) {
      throw new ResponseError(ResponseCode.ILLEGAL_OPERATION, 'the message is due: it has been or is being delivered')
    }
    const puts: Promise<void>[] = []
    if (copy !== undefined) puts.push(this.put(copy))
    if (isTimer) puts.push(this.put(this.markerFor(shown, place.outTime)))
    else puts.push(this.parts.schedule.cancelled.add(place.level, place.queueOffset))
    await Promise.all(puts)
    await this.parts.timer?.settle()
  }

  private isDue(place: Place): boolean {
    const { timer, schedule } = this.parts
    if ('level' in place) return schedule.offsets.get(place.level) > place.queueOffset
    return timer === undefined || timer.isRead(place.outTime)
  }

  private async put(message: MessageToStore): Promise<void> {
    const { status } = await this.parts.puts.putAndWait(message)
    if (PUT_STATUS_REPLIES[status].stored) return
    throw new ResponseError(ResponseCode.SYSTEM_ERROR, `the store answers ${status}: try again, and look at the disk`)
  }

  private copyFor({ record }: Found, deliverTime: number, outTime: number): MessageToStore {
    // found, so it says where it belongs
    const message = dueMessage(record)!
    const properties = decodeProperties(message.properties.toString())
    for (const name of OLD_WAY) properties.delete(name)
    properties.set(PropertyName.TIMER_DELIVER_MS, String(deliverTime))
    toTimerTopic(message, properties, outTime)
    return message
  }

  /** As a recall by handle makes it (broker-behaviour 6.4). */
  private markerFor({ topic, uniqKey = '' }: ScheduledMessage, outTime: number): MessageToStore {
    const now = this.parts.clock.now()
    const properties = new Map<string, string>([
      [PropertyName.TAGS, MARKER_TAG],
      [PropertyName.TIMER_DEL_UNIQKEY, deleteKeyOf(topic, uniqKey)],
      [PropertyName.UNIQ_KEY, uniqKey],
      [PropertyName.TIMER_DELIVER_MS, String(outTime + 1)],
      [PropertyName.BORN_TIMESTAMP, String(now)],
    ])
    const marker: MessageToStore = {
      topic,
      queueId: 0,
      sysFlag: 0,
      flag: 0,
      bornTimestamp: now,
      bornHost: Buffer.alloc(8),
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: MARKER_BODY,
      properties: encodeProperties(properties),
    }
    toTimerTopic(marker, properties, outTime)
    return marker
  }

  private async theOne(id: string, topic: string | undefined): Promise<Found> {
    await this.parts.timer?.settle()
    const found: Found[] = []
    for await (const one of this.all({ id, topic })) found.push(one)
    const [first] = found
    if (first === undefined) {
      throw new ResponseError(
        ResponseCode.QUERY_NOT_FOUND,
        `no message with the id ${id} waits here: it is delivered, taken back, or of another broker`,
      )
    }
    if (found.length > 1) {
      const ids = found.map(({ shown }) => shown.offsetMsgId).join(' or ')
      throw refuse(`${found.length} messages with the id ${id} wait: name one by its message id, ${ids}`)
    }
    return first
  }

  private async *all(query: ScheduledQuery): AsyncIterable<Found> {
    yield* this.timers(query)
    const levels = this.parts.schedule.levels
    for (let level = 1; level <= levels; level++) yield* this.delayed(level, query)
  }

  private async *timers(query: ScheduledQuery): AsyncIterable<Found> {
    const { timer, store } = this.parts
    if (timer === undefined) return
    const { precisionMs } = timer.timer
    const from = query.beginTime === undefined ? undefined : query.beginTime - precisionMs
    const to = query.endTime === undefined ? undefined : query.endTime - precisionMs
    for await (const pending of timer.scan.pending({ topic: query.topic, from, to })) {
      if (timer.isRead(pending.outTime)) continue
      const record = await store.queries.recordAt(pending.physicalOffset)
      if (record === undefined) continue
      const message = decodeMessage(record, 0, { readBody: true })
      if (!matches(message, pending.topic, query)) continue
      const rollTimes = Number(message.properties.get(PropertyName.TIMER_ROLL_TIMES) ?? 0)
      const { topic, queueId, outTime } = pending
      const shown = {
        ...facts(message, topic, queueId),
        kind: 'TIMER' as const,
        deliverTime: outTime + precisionMs,
        rollTimes,
      }
      yield { shown, place: { outTime }, record }
    }
  }

  private async *delayed(level: number, query: ScheduledQuery): AsyncIterable<Found> {
    const { store, schedule } = this.parts
    const queueId = queueIdOfLevel(level)
    let from = Math.max(schedule.offsets.get(level), store.minOffset(SystemTopic.SCHEDULE, queueId))
    const end = store.maxOffset(SystemTopic.SCHEDULE, queueId)
    for (; from < end; from += UNITS_AT_ONCE) {
      await nextTurn()
      const count = Math.min(UNITS_AT_ONCE, end - from)
      for (const unit of await store.queries.units(SystemTopic.SCHEDULE, queueId, from, count)) {
        const { queueOffset, physicalOffset, tagsCode: deliverTime } = unit
        if (schedule.cancelled.has(level, queueOffset) || !isWithin(deliverTime, query)) continue
        const record = await store.queries.recordAt(physicalOffset)
        const due = record === undefined ? undefined : dueMessage(record)
        if (record === undefined || due === undefined) continue
        const message = decodeMessage(record)
        if (!matches(message, due.topic, query)) continue
        const shown = {
          ...facts(message, due.topic, due.queueId),
          kind: 'DELAY' as const,
          deliverTime,
          delayLevel: level,
        }
        yield { shown, place: { level, queueOffset }, record }
      }
    }
  }
}

function isWithin(deliverTime: number, { beginTime = 0, endTime = Number.POSITIVE_INFINITY }: ScheduledQuery): boolean {
  return deliverTime >= beginTime && deliverTime <= endTime
}

function matches({ properties, offsetMsgId }: MessageExt, topic: string, query: ScheduledQuery): boolean {
  const { id, key } = query
  if (query.topic !== undefined && query.topic !== topic) return false
  if (id !== undefined && id !== offsetMsgId && id !== properties.get(PropertyName.UNIQ_KEY)) return false
  return key === undefined || (properties.get(PropertyName.KEYS) ?? '').split(KEY_SEPARATOR).includes(key)
}

function facts(message: MessageExt, topic: string, queueId: number) {
  const { properties, offsetMsgId, storeTimestamp, bornTimestamp, body } = message
  return {
    topic,
    queueId,
    offsetMsgId,
    uniqKey: properties.get(PropertyName.UNIQ_KEY),
    keys: properties.get(PropertyName.KEYS),
    tags: properties.get(PropertyName.TAGS),
    storeTimestamp,
    bornTimestamp,
    bodySize: body.length,
  }
}

function refuse(remark: string): ResponseError {
  return new ResponseError(ResponseCode.INVALID_PARAMETER, remark)
}
