import { encodeHostAddress, encodeProperties, type MessageExt, PropertyName } from '../../common/index.js'
import type { MessageToStore } from '../../store/index.js'

export interface RetryCopyOptions {
  topic: string
  queueId: number
  /** 0 for dead letters, which do not wait. */
  delayLevel: number
  isDeadLetter: boolean
  /** What the consumer said of its failure. */
  reason: string | undefined
}

/** Longer reasons are cut: stack traces belong into the consumer's log. */
const LONGEST_REASON = 1024

/** A message that was given back, as it is stored anew: step 8 and 12 of broker-behaviour 5.1. */
export function retryCopy(message: MessageExt, options: RetryCopyOptions): MessageToStore {
  const { topic, queueId, delayLevel, isDeadLetter, reason } = options
  const properties = new Map(message.properties)
  if (!properties.has(PropertyName.RETRY_TOPIC)) properties.set(PropertyName.RETRY_TOPIC, message.topic)
  if (!/\S/.test(properties.get(PropertyName.ORIGIN_MESSAGE_ID) ?? ''))
    properties.set(PropertyName.ORIGIN_MESSAGE_ID, message.offsetMsgId)
  properties.set(PropertyName.WAIT, 'false')
  properties.set(PropertyName.DELAY, String(delayLevel))
  const text = isDeadLetter ? reasonText(reason) : ''
  // a dead letter that was sent again may die of something else
  properties.delete(PropertyName.DLQ_REASON)
  if (text !== '') properties.set(PropertyName.DLQ_REASON, text)
  return {
    topic,
    queueId,
    sysFlag: message.sysFlag,
    flag: message.flag,
    bornTimestamp: message.bornTimestamp,
    bornHost: encodeHostAddress(message.bornHost),
    reconsumeTimes: message.reconsumeTimes + 1,
    preparedTransactionOffset: 0,
    body: message.body,
    properties: encodeProperties(properties),
  }
}

function reasonText(reason = ''): string {
  // characters that separate properties would end the reason and begin another property
  return reason
    .replace(/[\u0001\u0002]/g, ' ')
    .trim()
    .slice(0, LONGEST_REASON)
}
