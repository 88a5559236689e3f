import { SystemTopic } from '../../common/index.js'
import { noRoute } from '../client-error.js'
import type { PublishInfo, TopicRoutes } from '../topic-routes.js'

export interface PublishQueueOptions {
  createTopicKey?: string | undefined
  defaultTopicQueueNums?: number | undefined
}

/**
 * Where a topic may be sent to. A topic without a route gets the queues that the broker will give it when it creates
 * it, taken from the route of the topic for that (TBW102).
 * @throws MQClientError ERR_CLIENT_NO_ROUTE, or when no NameServer answers
 */
export async function publishQueues(
  routes: TopicRoutes,
  topic: string,
  options: PublishQueueOptions = {},
): Promise<PublishInfo> {
  const known = routes.publishInfo(topic)
  if (known && known.queues.length > 0) return known
  await routes.refresh(topic)
  let info = routes.publishInfo(topic)
  // a topic that has a route exists: without a writable queue it is not to be sent to, rather than to be created
  if (!info) {
    const key = options.createTopicKey ?? SystemTopic.AUTO_CREATE_TOPIC_KEY
    await routes.refreshFromDefault(topic, key, options.defaultTopicQueueNums ?? 4)
    info = routes.publishInfo(topic)
  }
  if (!info || info.queues.length === 0) throw noRoute(topic)
  return info
}
