import { type AdminClient, MQClientError } from '../client/index.js'
import { type MessageExt, ResponseCode } from '../common/index.js'

const NO_MESSAGE = 'query message by key finished, but no message.'
/** Java's limit for lookups by unique key. */
const MAX_BY_UNIQUE_KEY = 32

/** Messages with a unique key, the oldest first. @throws MQClientError 208 when there are none */
export async function findByUniqueKey(admin: AdminClient, topic: string, key: string): Promise<MessageExt[]> {
  return findByKey(admin, {
    topic,
    key,
    maxNum: MAX_BY_UNIQUE_KEY,
    beginTimestamp: 0,
    endTimestamp: Number.MAX_SAFE_INTEGER,
    uniqueKey: true,
  })
}

/** @throws MQClientError 208 when there are none, 17 for a topic nobody knows */
export async function findByKey(
  admin: AdminClient,
  query: Parameters<AdminClient['queryMessages']>[0],
): Promise<MessageExt[]> {
  const messages = await admin.queryMessages(query).catch((error: unknown) => {
    if (!(error instanceof MQClientError) || error.code !== 'ERR_CLIENT_NO_ROUTE') throw error
    throw refusal(ResponseCode.TOPIC_NOT_EXIST, `The topic[${query.topic}] not matched route info`)
  })
  if (messages.length === 0) throw refusal(ResponseCode.NO_MESSAGE, NO_MESSAGE)
  return messages
}

/** An error as Java's client makes it, without asking a server. */
function refusal(responseCode: number, remark: string): MQClientError {
  return new MQClientError('ERR_CLIENT_RESPONSE', remark, { responseCode, remark })
}

/** By offset id; what is none, or leads nowhere, is tried as a unique key. @throws MQClientError 208 */
export async function findMessage(admin: AdminClient, topic: string, id: string): Promise<MessageExt> {
  try {
    return await admin.viewMessage(id, topic)
  } catch {
    return (await findByUniqueKey(admin, topic, id))[0]!
  }
}
