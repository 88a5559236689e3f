import { RequestCode } from '../../common/index.js'
import { GetMaxOffsetRequestHeader, OffsetResponseHeader, okWith, type Route, route } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'

/** GET_MAX_OFFSET (30): the offset the next message gets; of a queue that is not there 0, as in Java. */
export function maxOffsetRoute(broker: Pick<BrokerContext, 'store'>): Route {
  return route({
    code: RequestCode.GET_MAX_OFFSET,
    request: GetMaxOffsetRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle: ({ topic, queueId }) => okWith(OffsetResponseHeader, { offset: broker.store.maxOffset(topic, queueId) }),
  })
}
