import { popRetryTopic, RequestCode, ResponseCode, systemTopicConflict } from '../../../common/index.js'
import { fail, ok, type Route, route, TopicRequestHeader } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'

/** DELETE_TOPIC_IN_BROKER (215): a topic with its offsets, queues and POP retry topics. An unknown one is no error. */
export function deleteTopicRoute(
  broker: Pick<BrokerContext, 'topics' | 'offsets' | 'offsetResets' | 'store' | 'stats' | 'settings' | 'registration'>,
): Route {
  return route({
    code: RequestCode.DELETE_TOPIC_IN_BROKER,
    request: TopicRequestHeader,
    lane: 'admin',
    action: 'DELETE',
    async handle({ topic }) {
      if (topic.trim() === '') return fail(ResponseCode.INVALID_PARAMETER, 'The specified topic is blank.')
      const { settings, topics, offsets, stats } = broker
      if (settings.validateSystemTopicWhenUpdateTopic && topics.isSystemTopic(topic)) {
        return fail(ResponseCode.INVALID_PARAMETER, systemTopicConflict(topic))
      }
      const doomed = [topic, ...(settings.clearRetryTopicWhenDeleteTopic ? popRetryTopicsOf(broker, topic) : [])]
      for (const name of doomed) {
        topics.deleteTopicConfig(name)
        offsets.cleanOffsetByTopic(name)
        if (settings.autoDeleteUnusedStats) stats.topicDeleted(name)
        await broker.store.deleteTopic(name)
      }
      await broker.offsetResets.forgetTopic(topic)
      await Promise.all([topics.persist(), offsets.persist(), broker.registration.whenSettled()])
      return ok()
    },
  })
}

function popRetryTopicsOf({ offsets, topics }: Pick<BrokerContext, 'topics' | 'offsets'>, topic: string): string[] {
  return [...offsets.whichGroupByTopic(topic)]
    .flatMap(group => [popRetryTopic(topic, group, true), popRetryTopic(topic, group)])
    .filter(name => topics.containsTopic(name))
}
