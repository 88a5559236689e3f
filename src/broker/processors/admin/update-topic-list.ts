import {
  formatAttributes,
  RequestCode,
  ResponseCode,
  ResponseError,
  readArray,
  systemTopicConflict,
  type TopicConfig,
  topicConfigFromJson,
  topicNameProblem,
} from '../../../common/index.js'
import { NoHeader, ok, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { readJsonBody } from './read-body.js'

/**
 * UPDATE_AND_CREATE_TOPIC_LIST (18). Names are checked before anything is changed. Java leaves all of them alone when
 * one is as it is already; here the others are applied (namesrv-and-admin 3.1 calls it a quirk).
 */
export function updateTopicListRoute(broker: Pick<BrokerContext, 'topics' | 'registration' | 'settings'>): Route {
  return route({
    code: RequestCode.UPDATE_AND_CREATE_TOPIC_LIST,
    request: NoHeader,
    lane: 'admin',
    action: 'CREATE',
    async handle(_header, command) {
      const configs = readArray(readJsonBody(command).topicConfigList).map(topicConfigFromJson)
      for (const { topicName } of configs) {
        const isConflict = broker.settings.validateSystemTopicWhenUpdateTopic && broker.topics.isSystemTopic(topicName)
        const problem = topicNameProblem(topicName) ?? (isConflict ? systemTopicConflict(topicName) : undefined)
        if (problem !== undefined) throw new ResponseError(ResponseCode.INVALID_PARAMETER, problem)
      }
      for (const config of configs) broker.topics.createOrUpdateTopic(asDefinition(config))
      await Promise.all([broker.topics.persist(), broker.registration.whenSettled()])
      return ok()
    },
  })
}

function asDefinition(config: TopicConfig): Parameters<BrokerContext['topics']['createOrUpdateTopic']>[0] {
  const { topicName, attributes, ...rest } = config
  return { ...rest, topic: topicName, attributes: formatAttributes(attributes) }
}
