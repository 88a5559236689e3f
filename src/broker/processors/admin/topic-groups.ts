import { RequestCode } from '../../../common/index.js'
import {
  GroupRequestHeader,
  ok,
  QuerySubscriptionByConsumerRequestHeader,
  type Route,
  route,
  TopicRequestHeader,
} from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody } from './json-body.js'

/** QUERY_TOPIC_CONSUME_BY_WHO (300): groups that subscribe a topic or have offsets in it. */
export function groupsOfTopicRoute(broker: Pick<BrokerContext, 'consumers' | 'offsets'>): Route {
  return route({
    code: RequestCode.QUERY_TOPIC_CONSUME_BY_WHO,
    request: TopicRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle({ topic }) {
      const online = broker.consumers.queryTopicConsumeByWho(topic)
      return ok(jsonBody({ groupList: new Set([...online, ...broker.offsets.whichGroupByTopic(topic)]) }))
    },
  })
}

/** QUERY_TOPICS_BY_CONSUMER (343): topics a group has offsets in. */
export function topicsOfGroupRoute(broker: Pick<BrokerContext, 'offsets' | 'identity'>): Route {
  return route({
    code: RequestCode.QUERY_TOPICS_BY_CONSUMER,
    request: GroupRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle({ group }) {
      const topicList = broker.offsets.whichTopicByConsumer(group)
      return ok(jsonBody({ brokerAddr: broker.identity.address, topicList }))
    },
  })
}

/** QUERY_SUBSCRIPTION_BY_CONSUMER (345). */
export function subscriptionOfGroupRoute(broker: Pick<BrokerContext, 'consumers'>): Route {
  return route({
    code: RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER,
    request: QuerySubscriptionByConsumerRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle({ group, topic }) {
      const subscriptionData = topic === undefined ? undefined : broker.consumers.findSubscriptionData(group, topic)
      return ok(jsonBody({ group, subscriptionData, topic }))
    },
  })
}
