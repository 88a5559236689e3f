import { isUtf8 } from 'node:buffer'
import {
  decodeMessage,
  hostAddressToString,
  MESSAGE_MAGIC_V2,
  type MessageExt,
  openMessages,
  PropertyName,
} from '../common/index.js'
import { errorText } from '../util/index.js'
import type { LogRecord } from './log-record.js'

/** A record for people and scripts: the fields by their usual names. */
export interface RecordJson {
  readonly physicalOffset: number
  readonly size: number
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: number
  readonly storeTimestamp: number
  readonly [field: string]: unknown
}

/** What a record says, without its body. The record may be damaged, as long as its parts add up. */
export function describeRecord(record: LogRecord): RecordJson {
  const message = decodeMessage(record.bytes, 0)
  const problem = record.problem
  return {
    ...describeMessage(message),
    physicalOffset: record.position,
    version: record.reader.magic === MESSAGE_MAGIC_V2 ? 2 : 1,
    bodyCrc: message.bodyCrc,
    storedBodyLength: message.body.length,
    ...(problem === undefined ? {} : { problem }),
  }
}

function describeMessage(message: MessageExt): RecordJson {
  const { properties } = message
  return {
    physicalOffset: message.commitLogOffset,
    size: message.storeSize,
    topic: message.topic,
    queueId: message.queueId,
    queueOffset: message.queueOffset,
    sysFlag: message.sysFlag,
    flag: message.flag,
    bornTimestamp: message.bornTimestamp,
    bornHost: hostAddressToString(message.bornHost),
    storeTimestamp: message.storeTimestamp,
    storeHost: hostAddressToString(message.storeHost),
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: message.preparedTransactionOffset,
    offsetMsgId: message.offsetMsgId,
    uniqueKey: properties.get(PropertyName.UNIQ_KEY),
    keys: properties.get(PropertyName.KEYS),
    tags: properties.get(PropertyName.TAGS),
    properties,
  }
}

/**
 * The messages in a record with their bodies as the application sent them: unpacked, and those of an inner batch one by
 * one. A body that is text is in `body`, another one in `bodyBase64`; `bodyProblem` says why one is as it was stored.
 */
export async function messagesOf(record: LogRecord): Promise<RecordJson[]> {
  const described = describeRecord(record)
  const stored = decodeMessage(record.bytes, 0)
  let messages: MessageExt[] = [stored]
  let problem: { bodyProblem?: string } = {}
  try {
    messages = await openMessages([{ ...stored }])
  } catch (error) {
    problem = { bodyProblem: errorText(error) }
  }
  return messages.map(message => ({
    ...described,
    queueOffset: message.queueOffset,
    flag: message.flag,
    uniqueKey: message.properties.get(PropertyName.UNIQ_KEY),
    keys: message.properties.get(PropertyName.KEYS),
    tags: message.properties.get(PropertyName.TAGS),
    properties: message.properties,
    ...bodyOf(message.body),
    ...problem,
  }))
}

function bodyOf(body: Buffer): { body: string } | { bodyBase64: string } {
  return isUtf8(body) ? { body: body.toString('utf8') } : { bodyBase64: body.toString('base64') }
}
