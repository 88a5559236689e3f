import { RequestCode } from '../../../common/index.js'
import { CloneGroupOffsetRequestHeader, ok, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'

/**
 * CLONE_GROUP_OFFSET (314): a group gets the offsets of another. Without a topic all of the source's topics are cloned,
 * which is what Java's loop means to do (broker-behaviour 12.3). Always a success.
 */
export function cloneGroupOffsetRoute(broker: Pick<BrokerContext, 'topics' | 'offsets' | 'consumers'>): Route {
  return route({
    code: RequestCode.CLONE_GROUP_OFFSET,
    request: CloneGroupOffsetRequestHeader,
    lane: 'admin',
    action: 'UPDATE',
    async handle({ srcGroup, destGroup, topic, offline }) {
      const { topics, offsets, consumers } = broker
      const hasSubscriptions = (consumers.getConsumerGroupInfo(srcGroup)?.subscriptions.size ?? 0) > 0
      const candidates = topic?.trim() ? [topic] : [...offsets.whichTopicByConsumer(srcGroup)]
      for (const name of candidates) {
        if (!topics.containsTopic(name)) continue
        if (!offline && hasSubscriptions && consumers.findSubscriptionData(srcGroup, name) === undefined) continue
        offsets.cloneOffset(srcGroup, destGroup, name)
      }
      await offsets.persist()
      return ok()
    },
  })
}
