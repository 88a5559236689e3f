import { RequestCode, ResponseCode, stringifyFastJson } from '../../common/index.js'
import { fail, GetConsumerListByGroupRequestHeader, ok, type Route, route } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'

/** GET_CONSUMER_LIST_BY_GROUP (38): what consumers divide the queues by. */
export function consumerListRoute(broker: Pick<BrokerContext, 'consumers'>): Route {
  return route({
    code: RequestCode.GET_CONSUMER_LIST_BY_GROUP,
    request: GetConsumerListByGroupRequestHeader,
    lane: 'consumer',
    action: 'GET',
    handle({ consumerGroup }) {
      const consumerIdList = broker.consumers.getConsumerGroupInfo(consumerGroup)?.clientIds() ?? []
      if (consumerIdList.length === 0) {
        return fail(ResponseCode.SYSTEM_ERROR, `no consumer for this group, ${consumerGroup}`)
      }
      return ok(Buffer.from(stringifyFastJson({ consumerIdList })))
    },
  })
}
