import {
  decodeProperties,
  encodeProperties,
  MessageSysFlag,
  NAME_VALUE_SEPARATOR,
  PropertyName,
  ResponseCode,
  ResponseError,
  SystemTopic,
  transactionType,
} from '../../common/index.js'
import type { DelayLevels, MessageToStore } from '../../store/index.js'
import type { SpecialMessageRule } from '../put/special-messages.js'

const DELAY = `${PropertyName.DELAY}${NAME_VALUE_SEPARATOR}`

/** Queue of a delay level (1, 2, ...) in the schedule topic. */
export function queueIdOfLevel(level: number): number {
  return level - 1
}

/** What keeps a message until its time has come; a delay level wins over all of them. */
const timerProperties = [
  PropertyName.TIMER_DELIVER_MS,
  PropertyName.TIMER_DELAY_SEC,
  PropertyName.TIMER_DELAY_MS,
] as const

/** Sends messages with property DELAY into the schedule topic, where they wait (broker-behaviour 6.1). */
export function delayLevelRule(levels: DelayLevels): SpecialMessageRule {
  return message => {
    delayByLevel(message, levels)
    return undefined
  }
}

/**
 * Rewrites a message that carries DELAY > 0 so that it waits in the schedule topic; leaves any other as it is. Half
 * messages are not delayed: they would never become a transaction.
 * @throws ResponseError MESSAGE_ILLEGAL when DELAY is no number.
 */
export function delayByLevel(message: MessageToStore, levels: DelayLevels): void {
  if (message.topic === SystemTopic.SCHEDULE || message.topic === SystemTopic.TRANS_HALF) return
  if (!message.properties.includes(DELAY)) return
  const properties = decodeProperties(message.properties.toString())
  if (isUndecided(message, properties)) return
  const wanted = delayLevelOf(properties)
  if (wanted <= 0) return
  const level = Math.min(wanted, levels.maxLevel)
  for (const name of timerProperties) properties.delete(name)
  properties.set(PropertyName.DELAY, String(level))
  properties.set(PropertyName.REAL_TOPIC, message.topic)
  properties.set(PropertyName.REAL_QUEUE_ID, String(message.queueId))
  message.properties = encodeProperties(properties)
  message.topic = SystemTopic.SCHEDULE
  message.queueId = queueIdOfLevel(level)
}

/** A transaction nobody has decided yet, or one that was rolled back. A retry is never one, whatever it carries. */
export function isUndecided(message: MessageToStore, properties: ReadonlyMap<string, string>): boolean {
  const type = transactionType(message.sysFlag)
  if (type === MessageSysFlag.TRANSACTION_COMMIT_TYPE) return false
  if (type !== MessageSysFlag.TRANSACTION_NOT_TYPE) return true
  return properties.get(PropertyName.TRANSACTION_PREPARED) === 'true' && message.reconsumeTimes === 0
}

function delayLevelOf(properties: ReadonlyMap<string, string>): number {
  const text = properties.get(PropertyName.DELAY)
  if (text === undefined) return 0
  const level = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(level))
    throw new ResponseError(
      ResponseCode.MESSAGE_ILLEGAL,
      `property DELAY is "${text.slice(0, 32)}": give the number of a delay level, 1 for the first of them`,
    )
  return level
}
