import { type AdminClient, type ConsumerConnection, type ConsumeStats, MQClientError } from '../client/index.js'
import {
  compareMessageQueues,
  isLmq,
  messageQueueKey,
  popRetryTopic,
  ResponseCode,
  retryTopic,
  type TopicRouteData,
} from '../common/index.js'
import { findRoute, routeAddresses } from './brokers.js'

const NO_STATS =
  'Not found the consumer group consume stats, because return offset table is empty, ' + 'maybe the consumer not online'
const NO_CONNECTION = 'Not found the consumer group connection'

/** The error of a group that is not there, as Java's client makes it. */
function notOnline(text: string): MQClientError {
  const responseCode = ResponseCode.CONSUMER_NOT_ONLINE
  return new MQClientError('ERR_CLIENT_RESPONSE', text, { responseCode, remark: text })
}

/**
 * How far a group is on all brokers that have its retry topic, or the topic asked about.
 * @throws MQClientError 17, 206
 */
export async function groupConsumeStats(
  admin: AdminClient,
  group: string,
  wish: { topic?: string | undefined; cluster?: string | undefined } = {},
): Promise<ConsumeStats> {
  const route = await groupRoute(admin, group, wish)
  const perBroker: ConsumeStats[] = []
  for (const { address } of routeAddresses(route)) perBroker.push(await admin.consumeStats(address, group, wish.topic))
  const queues = perBroker.flatMap(stats => stats.queues).sort((a, b) => compareMessageQueues(a.queue, b.queue))
  if (queues.length === 0) throw notOnline(NO_STATS)
  return { consumeTps: perBroker.reduce((sum, stats) => sum + stats.consumeTps, 0), queues }
}

/** The route of the retry topic; when a topic is named, for want of it that of the topic or its POP retry topics. */
async function groupRoute(
  admin: AdminClient,
  group: string,
  { topic, cluster }: { topic?: string | undefined; cluster?: string | undefined },
): Promise<TopicRouteData> {
  const candidates = [retryTopic(group)]
  if (topic !== undefined && !isLmq(topic)) {
    candidates.push(topic, popRetryTopic(topic, group, true), popRetryTopic(topic, group))
  }
  if (cluster !== undefined) candidates.push(cluster)
  for (const candidate of candidates.slice(0, -1)) {
    const route = await findRoute(admin, candidate)
    if (route !== undefined) return route
  }
  return admin.topicRoute(candidates.at(-1)!)
}

/** The members of a group: every one of them is known to every broker, so the first that has any tells. */
export async function groupConnection(admin: AdminClient, group: string): Promise<ConsumerConnection> {
  const addresses = routeAddresses(await admin.topicRoute(retryTopic(group)))
  let failure: unknown = notOnline(NO_CONNECTION)
  for (const { address } of addresses) {
    try {
      const connection = await admin.consumerConnection(address, group)
      if (connection.connections.length > 0) return connection
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** IP of the member that has each queue, by {@link messageQueueKey}, as the members say it themselves. */
export async function clientIpByQueue(admin: AdminClient, group: string): Promise<Map<string, string>> {
  const result = new Map<string, string>()
  const addresses = routeAddresses(await admin.topicRoute(retryTopic(group)))
  const { connections } = await groupConnection(admin, group)
  for (const { clientId } of connections) {
    for (const { address } of addresses) {
      const info = await admin.consumerRunningInfo(address, group, clientId).catch(() => undefined)
      if (info === undefined) continue
      for (const { queue } of info.queues) result.set(messageQueueKey(queue), clientId.split('@')[0]!)
      break
    }
  }
  return result
}
