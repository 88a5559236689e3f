import { RequestCode, ResponseCode } from '../../common/index.js'
import { fail, ok, type Route, route, UpdateConsumerOffsetRequestHeader } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'

/** UPDATE_CONSUMER_OFFSET (15): a consumer says how far it is (broker-behaviour 3.7). */
export function updateConsumerOffsetRoute(
  broker: Pick<BrokerContext, 'settings' | 'topics' | 'groups' | 'offsets'>,
): Route {
  return route({
    code: RequestCode.UPDATE_CONSUMER_OFFSET,
    request: UpdateConsumerOffsetRequestHeader,
    lane: 'consumer',
    action: 'SUB',
    handle({ consumerGroup: group, topic, queueId, commitOffset }) {
      if (!broker.groups.containsSubscriptionGroup(group)) {
        return fail(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `Group ${group} not exist!`)
      }
      if (!broker.topics.containsTopic(topic)) {
        return fail(ResponseCode.TOPIC_NOT_EXIST, `Topic ${topic} not exist!`)
      }
      if (queueId === undefined) return fail(ResponseCode.INVALID_PARAMETER, `QueueId is null, topic is ${topic}`)
      if (commitOffset === undefined) return fail(ResponseCode.INVALID_PARAMETER, `Offset is null, topic is ${topic}`)
      if (broker.settings.useServerSideResetOffset && broker.offsets.hasOffsetReset(topic, group, queueId)) {
        return ok().withRemark('Offset has been previously reset')
      }
      broker.offsets.commitOffset(group, topic, queueId, commitOffset)
      return ok()
    },
  })
}
