import { hostAddressToString, type Message, type MessageExt, PropertyName } from '../common/index.js'
import { mapText } from './format.js'
import type { BodyDecoder } from './read-values.js'

/** The id clients know a message by: the unique key, or for want of one the offset id. */
export function messageId(message: MessageExt): string {
  return message.properties.get(PropertyName.UNIQ_KEY) ?? message.offsetMsgId
}

function plainMessageText(message: Message): string {
  const isPrepared = message.properties.get(PropertyName.TRANSACTION_PREPARED) === 'true'
  const transactionId = isPrepared ? message.properties.get(PropertyName.UNIQ_KEY) : null
  return (
    `Message{topic='${message.topic}', flag=${message.flag}, properties=${mapText(message.properties)}, ` +
    `body=[${Array.from(message.body, byte => (byte << 24) >> 24).join(', ')}], transactionId='${transactionId}'}`
  )
}

/** As Java prints a MessageExt. */
export function messageText(message: MessageExt): string {
  return (
    `MessageExt [brokerName=${message.brokerName ?? 'null'}, queueId=${message.queueId}, ` +
    `storeSize=${message.storeSize}, queueOffset=${message.queueOffset}, sysFlag=${message.sysFlag}, ` +
    `bornTimestamp=${message.bornTimestamp}, bornHost=/${hostAddressToString(message.bornHost)}, ` +
    `storeTimestamp=${message.storeTimestamp}, storeHost=/${hostAddressToString(message.storeHost)}, ` +
    `msgId=${message.offsetMsgId}, commitLogOffset=${message.commitLogOffset}, bodyCRC=${message.bodyCrc}, ` +
    `reconsumeTimes=${message.reconsumeTimes}, ` +
    `preparedTransactionOffset=${message.preparedTransactionOffset}, toString()=${plainMessageText(message)}]`
  )
}

/** A message for `--json`; the body as text where it is UTF-8, else as base64. */
export function messageData(message: MessageExt, decoder?: BodyDecoder): object {
  return {
    msgId: messageId(message),
    offsetMsgId: message.offsetMsgId,
    topic: message.topic,
    brokerName: message.brokerName,
    queueId: message.queueId,
    queueOffset: message.queueOffset,
    commitLogOffset: message.commitLogOffset,
    storeSize: message.storeSize,
    sysFlag: message.sysFlag,
    flag: message.flag,
    bornTimestamp: message.bornTimestamp,
    bornHost: hostAddressToString(message.bornHost),
    storeTimestamp: message.storeTimestamp,
    storeHost: hostAddressToString(message.storeHost),
    reconsumeTimes: message.reconsumeTimes,
    properties: message.properties,
    ...bodyData(message.body, decoder),
  }
}

function bodyData(body: Buffer, decoder: BodyDecoder | undefined): { body: string } | { bodyBase64: string } {
  try {
    return { body: decoder?.decode(body) ?? new TextDecoder('utf-8', { fatal: true }).decode(body) }
  } catch {
    return { bodyBase64: body.toString('base64') }
  }
}
