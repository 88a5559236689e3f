import { RequestCode } from '../../../common/index.js'
import { NoHeader, ok, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody } from './json-body.js'

/** GET_SYSTEM_TOPIC_LIST_FROM_BROKER (305). */
export function systemTopicsRoute(broker: Pick<BrokerContext, 'topics'>): Route {
  return route({
    code: RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER,
    request: NoHeader,
    lane: 'admin',
    action: 'LIST',
    handle: () => ok(jsonBody({ topicList: broker.topics.systemTopics })),
  })
}
