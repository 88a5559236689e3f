import { RequestCode } from '../../../common/index.js'
import { CreateTopicRequestHeader, ok, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'

/**
 * UPDATE_AND_CREATE_TOPIC (17). Answered when the topic is on disk and every NameServer that is up knows it, so that
 * who made it can use it at once.
 */
export function updateTopicRoute(broker: Pick<BrokerContext, 'topics' | 'registration'>): Route {
  return route({
    code: RequestCode.UPDATE_AND_CREATE_TOPIC,
    request: CreateTopicRequestHeader,
    lane: 'admin',
    action: 'CREATE',
    async handle(header) {
      broker.topics.createOrUpdateTopic(header)
      await Promise.all([broker.topics.persist(), broker.registration.whenSettled()])
      return ok()
    },
  })
}
