import { type AdminClient, MQClientError } from '../client/index.js'
import { isLmq, type MessageExt, ResponseCode, SystemTopic } from '../common/index.js'

const NO_MESSAGE = 'query message by key finished, but no message.'
/** Java's limit for lookups by unique key. */
const MAX_BY_UNIQUE_KEY = 32

/** Where messages are looked up: `topic` among their keys, `routeTopic` to find the brokers. */
export interface Lookup {
  topic: string
  routeTopic: string
}

/** What -t and -c mean together: only a topic without a route of its own is found by another's. */
export function lookupOf(topic: string, cluster: string | undefined): Lookup {
  const hasNoRoute = isLmq(topic) || topic === SystemTopic.TIMER_WHEEL
  return { topic, routeTopic: hasNoRoute && cluster !== undefined ? cluster : topic }
}

/** Messages with a unique key, the oldest first. @throws MQClientError 208 when there are none */
export async function findByUniqueKey(admin: AdminClient, lookup: Lookup, key: string): Promise<MessageExt[]> {
  return findByKey(admin, {
    ...lookup,
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
export async function findMessage(admin: AdminClient, lookup: Lookup, id: string): Promise<MessageExt> {
  try {
    return await admin.viewMessage(id, lookup.topic)
  } catch {
    return (await findByUniqueKey(admin, lookup, id))[0]!
  }
}
