import { type OutgoingMessage, queueText, type SendResult } from '../client/index.js'
import { type MessageExt, PropertyName, reservedPropertyNames } from '../common/index.js'

/** A stored message as one to send: what its sender said of it, and nothing the brokers and clients added. */
export function outgoingCopy(message: MessageExt): OutgoingMessage {
  const own = [...message.properties].filter(([name]) => !reservedPropertyNames.has(name))
  const tags = message.properties.get(PropertyName.TAGS)
  const keys = message.properties.get(PropertyName.KEYS)
  return {
    topic: message.topic,
    body: message.body,
    flag: message.flag,
    properties: Object.fromEntries(own),
    ...(tags === undefined ? {} : { tags }),
    ...(keys === undefined ? {} : { keys }),
  }
}

/** As Java prints a SendResult. */
export function sendResultText(result: SendResult): string {
  return (
    `SendResult [sendStatus=${result.status}, msgId=${result.msgId}, offsetMsgId=${result.offsetMsgId}, ` +
    `messageQueue=${queueText(result.queue)}, queueOffset=${result.queueOffset}, ` +
    `recallHandle=${result.recallHandle ?? null}]`
  )
}
