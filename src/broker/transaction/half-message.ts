import {
  encodeHostAddress,
  encodeProperties,
  type MessageExt,
  MessageSysFlag,
  PropertyName,
  SystemTopic,
  withTransactionType,
} from '../../common/index.js'
import type { MessageToStore } from '../../store/index.js'

export const HALF_TOPIC = SystemTopic.TRANS_HALF
export const OP_TOPIC = SystemTopic.TRANS_OP_HALF
/** Every half message is in it, as in Java. */
export const HALF_QUEUE_ID = 0

/**
 * Ours: commit log offset of a transaction's first half message, in each copy that was put back. Java keeps a property
 * it does not know. TRAN_PREPARED_QUEUE_OFFSET cannot serve: to Java an op mark of that offset decides the copy too.
 */
export const FIRST_HALF_OFFSET = 'COMET_FIRST_HALF_OFFSET'

/** Ours: in a message without a body that follows a given-up one and tells what became of it. */
export const OUTCOME = 'COMET_OUTCOME'
export type Outcome = 'ROLLBACK' | 'RESUMED'

/** What identifies a transaction across its copies: the commit log offset of its first half message. */
export function firstHalfOffset(half: MessageExt): number {
  const first = Number(half.properties.get(FIRST_HALF_OFFSET) ?? Number.NaN)
  return Number.isSafeInteger(first) ? first : half.commitLogOffset
}

/** Where a half message goes when it is committed; undefined when it does not say. */
export function realTarget(half: MessageExt): { topic: string; queueId: number } | undefined {
  const topic = half.properties.get(PropertyName.REAL_TOPIC)
  const queueId = half.properties.get(PropertyName.REAL_QUEUE_ID)
  if (topic === undefined || queueId === undefined || !/^\d{1,9}$/.test(queueId)) return undefined
  return { topic, queueId: Number(queueId) }
}

/** UNIQ_KEY, which clients call transaction id. */
export function transactionIdOf(half: MessageExt): string {
  return half.properties.get(PropertyName.UNIQ_KEY) ?? half.offsetMsgId
}

/** How often it was checked; 0 when the property is none of ours, as in Java. */
export function checkTimesOf(half: MessageExt): number {
  const text = half.properties.get(PropertyName.TRANSACTION_CHECK_TIMES)
  return text !== undefined && /^[+-]?\d{1,9}$/.test(text) ? Math.max(0, Number(text)) : 0
}

/**
 * CHECK_IMMUNITY_TIME_IN_SECONDS in ms: how long after its birth nobody is asked. Undefined without the property;
 * `fallback` when it is -1 or no number.
 */
export function immunityOf(half: MessageExt, fallback: number): number | undefined {
  const text = half.properties.get(PropertyName.CHECK_IMMUNITY_TIME_IN_SECONDS)
  if (text === undefined) return undefined
  const seconds = /^[+-]?\d{1,12}$/.test(text) ? Number(text) : -1
  return seconds === -1 ? fallback : seconds * 1000
}

/** The message that consumers get (store-format 12.3). */
export function committedMessage(half: MessageExt, target: { topic: string; queueId: number }): MessageToStore {
  const message = copyOf(half, target.topic, without(half, FIRST_HALF_OFFSET))
  message.queueId = target.queueId
  message.sysFlag = withTransactionType(half.sysFlag, MessageSysFlag.TRANSACTION_COMMIT_TYPE)
  message.preparedTransactionOffset = half.commitLogOffset
  return message
}

/** The half message once more, for its next check. `checkTimes` counts the one that is about to be made. */
export function halfMessageAgain(half: MessageExt, checkTimes: number): MessageToStore {
  return copyOf(half, HALF_TOPIC, traced(half).set(PropertyName.TRANSACTION_CHECK_TIMES, String(checkTimes)))
}

/** The half message as it is kept when nobody will be asked any more. */
export function givenUpMessage(half: MessageExt): MessageToStore {
  return copyOf(half, SystemTopic.TRANS_CHECK_MAX_TIME, traced(half))
}

/** Stored behind a given-up message: nothing else would tell, after a restart, that it is done with. */
export function outcomeNote(half: MessageExt, outcome: Outcome): MessageToStore {
  const note = copyOf(half, SystemTopic.TRANS_CHECK_MAX_TIME, traced(half).set(OUTCOME, outcome))
  return { ...note, body: Buffer.alloc(0) }
}

function traced(half: MessageExt): Map<string, string> {
  return new Map(half.properties).set(FIRST_HALF_OFFSET, String(firstHalfOffset(half)))
}

function without(half: MessageExt, name: string): ReadonlyMap<string, string> {
  if (!half.properties.has(name)) return half.properties
  const properties = new Map(half.properties)
  properties.delete(name)
  return properties
}

/** The body is borrowed from the record. */
function copyOf(half: MessageExt, topic: string, properties: ReadonlyMap<string, string>): MessageToStore {
  return {
    topic,
    queueId: HALF_QUEUE_ID,
    sysFlag: half.sysFlag,
    flag: half.flag,
    bornTimestamp: half.bornTimestamp,
    bornHost: encodeHostAddress(half.bornHost),
    reconsumeTimes: half.reconsumeTimes,
    preparedTransactionOffset: 0,
    body: half.body,
    properties: encodeProperties(properties),
  }
}
