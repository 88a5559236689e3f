import { RequestCode, ResponseCode } from '../../common/index.js'
import {
  fail,
  OffsetResponseHeader,
  okWith,
  QueryConsumerOffsetRequestHeader,
  type Route,
  route,
} from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'

/**
 * QUERY_CONSUMER_OFFSET (14): where a group goes on. One that is new to a queue whose first message is still at hand
 * starts with it, whatever the client would choose (broker-behaviour 3.6).
 */
export function queryConsumerOffsetRoute(broker: Pick<BrokerContext, 'offsets' | 'store'>): Route {
  return route({
    code: RequestCode.QUERY_CONSUMER_OFFSET,
    request: QueryConsumerOffsetRequestHeader,
    lane: 'consumer',
    action: 'SUB',
    async handle({ consumerGroup, topic, queueId, setZeroIfNotFound }) {
      const offset = broker.offsets.queryOffset(consumerGroup, topic, queueId)
      if (offset >= 0) return okWith(OffsetResponseHeader, { offset })
      if (setZeroIfNotFound === false) {
        const remark = 'Not found, do not set to zero, maybe this group boot first'
        return fail(ResponseCode.QUERY_NOT_FOUND, remark)
      }
      const { store } = broker
      if (store.minOffset(topic, queueId) <= 0 && (await store.queries.isFirstInMemory(topic, queueId))) {
        return okWith(OffsetResponseHeader, { offset: 0 })
      }
      const remark = 'Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first'
      return fail(ResponseCode.QUERY_NOT_FOUND, remark)
    },
  })
}
