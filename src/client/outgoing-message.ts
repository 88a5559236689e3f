import {
  hasIllegalCharacters,
  isLmq,
  KEY_SEPARATOR,
  LMQ_PREFIX,
  type Message,
  MULTI_DISPATCH_SEPARATOR,
  notAllowedSendTopics,
  PropertyName,
  reservedPropertyNames,
  sendForbidden,
} from '../common/index.js'
import { badArgument, illegalMessage } from './client-error.js'

/** What an application sends. */
export interface OutgoingMessage {
  topic: string
  /** A text is sent as UTF-8. */
  body: Buffer | Uint8Array | string
  /** What subscriptions by tag choose by. */
  tags?: string
  /** What messages are looked up by; several are joined by blanks. */
  keys?: string | readonly string[]
  /** Properties of the application; names with a meaning to RocketMQ are refused. */
  properties?: Readonly<Record<string, string>>
  /** A number of the application's own, stored as it is. */
  flag?: number
  /** Delivery by delay level, 1 (1 s) to 18 (2 h) unless the broker is set otherwise. */
  delayLevel?: number
  /** Delivery so many ms from now. */
  delayMs?: number
  /** Delivery at this time (ms since the epoch). */
  deliverAt?: number
  /** False: the broker answers before the message is flushed or replicated. Default true. */
  waitStoreOk?: boolean
  /** Key of ordered messages, for the trace and proxies; queues are chosen by the send's `queueKey`. */
  shardingKey?: string
  /** Light queues, `%LMQ%...`, that the message is in beside its own queue; see docs/guides/light-queues.md. */
  lightQueues?: readonly string[]
  /** Seconds in which an undecided half message is not asked about. */
  transactionCheckImmunitySeconds?: number
}

const TOPIC_MAX_LENGTH = 127
const GROUP_MAX_LENGTH = 255
const ALLOWED = '^[%|a-zA-Z0-9_-]+$'

/** @throws MQClientError ERR_CLIENT_ARGUMENT in Java's words */
export function checkTopic(topic: string): void {
  if (!/\S/.test(topic)) throw badArgument('The specified topic is blank')
  if (topic.length > TOPIC_MAX_LENGTH) {
    throw badArgument(`The specified topic is longer than topic max length ${TOPIC_MAX_LENGTH}.`)
  }
  if (hasIllegalCharacters(topic)) {
    throw badArgument(`The specified topic[${topic}] contains illegal characters, allowing only ${ALLOWED}`)
  }
}

/** @throws MQClientError ERR_CLIENT_ARGUMENT in Java's words */
export function checkGroup(group: string): void {
  if (!/\S/.test(group)) throw badArgument('the specified group is blank')
  if (group.length > GROUP_MAX_LENGTH) {
    throw badArgument(`the specified group[${group}] is longer than group max length: ${GROUP_MAX_LENGTH}.`)
  }
  if (hasIllegalCharacters(group)) {
    throw badArgument(`the specified group[${group}] contains illegal characters, allowing only ${ALLOWED}`)
  }
}

/** Checks what is sent before any request, as Java does. @throws MQClientError ERR_CLIENT_ARGUMENT */
export function checkMessage(message: Message, maxBytes: number): void {
  checkTopic(message.topic)
  if (notAllowedSendTopics.has(message.topic)) throw badArgument(sendForbidden(message.topic))
  if (message.body.length === 0) throw illegalMessage('the message body length is zero')
  if (message.body.length > maxBytes) throw illegalMessage(`the message body size over max value, MAX: ${maxBytes}`)
  const dispatch = message.properties.get(PropertyName.INNER_MULTI_DISPATCH)
  if (dispatch?.split(MULTI_DISPATCH_SEPARATOR).some(queue => queue.includes('/'))) {
    throw illegalMessage(`INNER_MULTI_DISPATCH ${dispatch} can not contains / character`)
  }
}

/** The message with its properties in place, checked. @throws MQClientError ERR_CLIENT_ARGUMENT */
export function toMessage(outgoing: OutgoingMessage, maxBytes: number): Message {
  const message: Message = {
    topic: outgoing.topic,
    flag: outgoing.flag ?? 0,
    body: bodyOf(outgoing),
    properties: propertiesOf(outgoing),
  }
  checkMessage(message, maxBytes)
  return message
}

function bodyOf({ body }: OutgoingMessage): Buffer {
  if (typeof body === 'string') return Buffer.from(body)
  if (Buffer.isBuffer(body)) return body
  // callers without types may pass nothing at all
  if (!(body instanceof Uint8Array)) throw illegalMessage('the message body is null')
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}

function propertiesOf(outgoing: OutgoingMessage): Map<string, string> {
  const properties = new Map<string, string>()
  for (const [name, value] of Object.entries(outgoing.properties ?? {})) {
    checkProperty(name, value)
    properties.set(name, value)
  }
  const { keys } = outgoing
  const known: [PropertyName, string | number | undefined][] = [
    [PropertyName.TAGS, outgoing.tags],
    [PropertyName.KEYS, typeof keys === 'string' ? keys : keys?.join(KEY_SEPARATOR)],
    [PropertyName.DELAY, outgoing.delayLevel],
    [PropertyName.TIMER_DELAY_MS, outgoing.delayMs],
    [PropertyName.TIMER_DELIVER_MS, outgoing.deliverAt],
    [PropertyName.SHARDING_KEY, outgoing.shardingKey],
    [PropertyName.INNER_MULTI_DISPATCH, outgoing.lightQueues && lightQueueList(outgoing.lightQueues)],
    [PropertyName.CHECK_IMMUNITY_TIME_IN_SECONDS, outgoing.transactionCheckImmunitySeconds],
    [PropertyName.WAIT, String(outgoing.waitStoreOk ?? true)],
  ]
  for (const [name, value] of known)
    if (value !== undefined && value !== '') properties.set(name, checkText(name, String(value)))
  return properties
}

function lightQueueList(names: readonly string[]): string {
  for (const name of names) {
    if (!isLmq(name) || name === LMQ_PREFIX || name.includes(MULTI_DISPATCH_SEPARATOR)) {
      const rules = `begin with ${LMQ_PREFIX} and contain no ${MULTI_DISPATCH_SEPARATOR}`
      throw badArgument(`the light queue [${name}] is misnamed: its name must ${rules}`)
    }
  }
  return names.join(MULTI_DISPATCH_SEPARATOR)
}

function checkProperty(name: string, value: string): void {
  if (reservedPropertyNames.has(name)) {
    throw badArgument(`The Property<${name}> is used by system, input another please`)
  }
  if (name.trim() === '' || typeof value !== 'string' || value.trim() === '') {
    throw badArgument('The name or value of property can not be null or blank string!')
  }
  checkText(name, value)
  checkText('a property name', name)
}

/** Separators inside a value would cut it in two on the way. */
function checkText(name: string, value: string): string {
  if (/[\u0001\u0002]/.test(value))
    throw badArgument(`the value of ${name} contains the characters U+0001 or U+0002, which separate properties`)
  return value
}
