import { decodeProperties, encodeProperties, PropertyName, SystemTopic } from '../../common/index.js'
import type { MessageToStore, PutStatus } from '../../store/index.js'
import type { Clock } from '../../util/index.js'
import type { SpecialMessageRule } from '../put/special-messages.js'
import { isUndecided } from '../schedule/delay-level-rule.js'
import type { TimerSettings } from './timer-settings.js'

export interface TimerRuleOptions {
  settings: Pick<
    TimerSettings,
    'timerWheelEnable' | 'timerMaxDelaySec' | 'timerPrecisionMs' | 'timerCongestNumEachSlot'
  >
  clock: Clock
  /** The wheel as far as the rule needs it; undefined while the timer is off. */
  wheel: { readonly precisionMs: number; numAt(time: number): number } | undefined
  /** 0..1; injected for tests. */
  random?: () => number
}

type Properties = Map<string, string>

/**
 * What a timer message becomes on its way into the store (broker-behaviour 6.1): it goes to the timer topic, and its
 * properties say where and when it is to be delivered.
 */
export function timerRule(options: TimerRuleOptions): SpecialMessageRule {
  return message => {
    if (!mayBeTimer(message)) return undefined
    const text = typeof message.properties === 'string' ? message.properties : message.properties.toString()
    const properties = decodeProperties(text)
    // a half message is decided first: taken here it would never be one (Java takes it)
    if (isUndecided(message, properties) || !isTimer(properties)) return undefined
    return transform(options, message, properties)
  }
}

function mayBeTimer({ topic }: MessageToStore): boolean {
  return (
    topic !== SystemTopic.TIMER_WHEEL &&
    topic !== SystemTopic.SCHEDULE &&
    topic !== SystemTopic.TRANS_HALF &&
    topic !== SystemTopic.TRANS_OP_HALF
  )
}

function isTimer(properties: Properties): boolean {
  // a delay level wins; TIMER_OUT_MS: it has been through the timer
  if (Number(properties.get(PropertyName.DELAY) ?? 0) > 0 || properties.has(PropertyName.TIMER_OUT_MS)) return false
  return (
    properties.has(PropertyName.TIMER_DELAY_SEC) ||
    properties.has(PropertyName.TIMER_DELAY_MS) ||
    properties.has(PropertyName.TIMER_DELIVER_MS)
  )
}

function transform(options: TimerRuleOptions, message: MessageToStore, properties: Properties): PutStatus | undefined {
  const { settings, wheel, clock } = options
  if (!settings.timerWheelEnable || wheel === undefined) return 'WHEEL_TIMER_NOT_ENABLE'
  const now = clock.now()
  const deliverTime = deliverTimeOf(properties, now)
  if (deliverTime === undefined) return 'WHEEL_TIMER_MSG_ILLEGAL'
  if (deliverTime <= now) {
    return properties.has(PropertyName.TIMER_DEL_UNIQKEY) ? 'WHEEL_TIMER_MSG_ILLEGAL' : undefined
  }
  if (deliverTime - now > settings.timerMaxDelaySec * 1000) return 'WHEEL_TIMER_MSG_ILLEGAL'
  const slotTime = timerSlotTime(deliverTime, wheel.precisionMs)
  if (isCongested(options, wheel.numAt(slotTime))) return 'WHEEL_TIMER_FLOW_CONTROL'
  toTimerTopic(message, properties, slotTime)
  return undefined
}

/** The slot of a deliver time, whose end no message of it precedes: an exact multiple goes one slot earlier. */
export function timerSlotTime(deliverTime: number, precisionMs: number): number {
  return (Math.ceil(deliverTime / precisionMs) - 1) * precisionMs
}

/** Rewrites a message so that the timer delivers it when the slot of `slotTime` ends. */
export function toTimerTopic(message: MessageToStore, properties: Properties, slotTime: number): void {
  properties.set(PropertyName.TIMER_OUT_MS, String(slotTime))
  properties.set(PropertyName.REAL_TOPIC, message.topic)
  properties.set(PropertyName.REAL_QUEUE_ID, String(message.queueId))
  message.properties = encodeProperties(properties)
  message.topic = SystemTopic.TIMER_WHEEL
  message.queueId = 0
}

/** Undefined when the property that counts is no integer. */
function deliverTimeOf(properties: Properties, now: number): number | undefined {
  const seconds = properties.get(PropertyName.TIMER_DELAY_SEC)
  if (seconds !== undefined) return plus(now, seconds, 1000)
  const ms = properties.get(PropertyName.TIMER_DELAY_MS)
  if (ms !== undefined) return plus(now, ms, 1)
  return plus(0, properties.get(PropertyName.TIMER_DELIVER_MS) ?? '', 1)
}

function plus(base: number, text: string, unitMs: number): number | undefined {
  return /^[+-]?\d{1,19}$/.test(text) ? base + Number(text) * unitMs : undefined
}

/** Up to the limit all pass, from twice the limit on none, in between the fewer the fuller (Java's formula). */
function isCongested({ settings, random = Math.random }: TimerRuleOptions, num: number): boolean {
  const limit = settings.timerCongestNumEachSlot
  if (num <= limit) return false
  if (num >= limit * 2) return true
  return Math.floor(random() * 1000) > (1000 * (num - limit)) / (limit + 0.1)
}
