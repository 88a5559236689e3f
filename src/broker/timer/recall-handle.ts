import {
  decodeProperties,
  isRetryTopic,
  PropertyName,
  ResponseCode,
  ResponseError,
  SystemTopic,
} from '../../common/index.js'
import type { MessageToStore } from '../../store/index.js'

/** What a producer needs to take a timer message back (broker-behaviour 6.4). */
export interface RecallHandle {
  readonly topic: string
  readonly brokerName: string
  /** Ms: TIMER_OUT_MS + 1, which falls into the message's slot. Text, as Java answers for an unreadable one later. */
  readonly timestamp: string
  readonly uniqKey: string
}

const VERSION = 'v1'
const INVALID = 'recall handle is invalid'

/** base64url with padding of `v1 topic brokerName timestamp uniqKey`: Java's encoder pads. */
export function encodeRecallHandle({ topic, brokerName, timestamp, uniqKey }: RecallHandle): string {
  const text = `${VERSION} ${topic} ${brokerName} ${timestamp} ${uniqKey}`
  return Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

/** Reads a handle, padded or not. @throws ResponseError ILLEGAL_OPERATION with Java's remark */
export function decodeRecallHandle(handle: string): RecallHandle {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(handle)) throw new ResponseError(ResponseCode.ILLEGAL_OPERATION, INVALID)
  const [version, topic, brokerName, timestamp, uniqKey] = Buffer.from(handle, 'base64url').toString().split(' ')
  if (version !== VERSION || !topic || !brokerName || !timestamp || !uniqKey) {
    throw new ResponseError(ResponseCode.ILLEGAL_OPERATION, INVALID)
  }
  return { topic, brokerName, timestamp, uniqKey }
}

/** The handle of a message just stored; undefined unless it went to the timer. */
export function recallHandleOf({ topic, properties }: MessageToStore, brokerName: string): string | undefined {
  if (topic !== SystemTopic.TIMER_WHEEL) return undefined
  const map = decodeProperties(properties.toString())
  const outMs = Number(map.get(PropertyName.TIMER_OUT_MS))
  const realTopic = map.get(PropertyName.REAL_TOPIC)
  const uniqKey = map.get(PropertyName.UNIQ_KEY)
  if (!Number.isSafeInteger(outMs) || !realTopic || !uniqKey || isRetryTopic(realTopic)) return undefined
  // one ms into the slot: an exact multiple would count for the slot before
  return encodeRecallHandle({ topic: realTopic, brokerName, timestamp: String(outMs + 1), uniqKey })
}
