import { type Message, type MessageExt, PropertyName, REPLY_MESSAGE_FLAG, replyTopic } from '../../common/index.js'
import { ClientErrorCode, MQClientError } from '../client-error.js'

/** The reply to a request message, addressed to whoever waits for it. @throws MQClientError 10007 */
export function createReplyMessage(request: MessageExt, body: Buffer | Uint8Array | string): Message {
  const cluster = request.properties.get(PropertyName.CLUSTER)
  if (cluster === undefined) {
    throw new MQClientError(
      'ERR_CLIENT_ARGUMENT',
      'create reply message fail, requestMessage error, property[CLUSTER] is null. ' +
        'Only a message that came from a broker can be replied to',
      { responseCode: ClientErrorCode.CREATE_REPLY_MESSAGE },
    )
  }
  const properties = new Map<string, string>([[PropertyName.MSG_TYPE, REPLY_MESSAGE_FLAG]])
  for (const name of [PropertyName.CORRELATION_ID, PropertyName.REPLY_TO_CLIENT, PropertyName.TTL]) {
    const value = request.properties.get(name)
    if (value !== undefined) properties.set(name, value)
  }
  properties.set(PropertyName.WAIT, 'true')
  return {
    topic: replyTopic(cluster),
    flag: 0,
    body: typeof body === 'string' ? Buffer.from(body) : Buffer.from(body),
    properties,
  }
}
