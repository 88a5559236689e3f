import { RequestCode } from '../../common/index.js'
import { GetMinOffsetRequestHeader, OffsetResponseHeader, okWith, type Route, route } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'

/** GET_MIN_OFFSET (31); of a queue that is not there 0, as in Java. */
export function minOffsetRoute(broker: Pick<BrokerContext, 'store'>): Route {
  return route({
    code: RequestCode.GET_MIN_OFFSET,
    request: GetMinOffsetRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle: ({ topic, queueId }) => okWith(OffsetResponseHeader, { offset: broker.store.minOffset(topic, queueId) }),
  })
}
