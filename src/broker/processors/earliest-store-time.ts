import { RequestCode } from '../../common/index.js'
import {
  GetEarliestMsgStoretimeRequestHeader,
  GetEarliestMsgStoretimeResponseHeader,
  okWith,
  type Route,
  route,
} from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'

/** GET_EARLIEST_MSG_STORETIME (32): store time of the oldest message of a queue, -1 when there is none. */
export function earliestStoreTimeRoute(broker: Pick<BrokerContext, 'store'>): Route {
  return route({
    code: RequestCode.GET_EARLIEST_MSG_STORETIME,
    request: GetEarliestMsgStoretimeRequestHeader,
    lane: 'admin',
    action: 'GET',
    async handle({ topic, queueId }) {
      const { store } = broker
      const timestamp = await store.queries.storeTimeAt(topic, queueId, store.minOffset(topic, queueId))
      return okWith(GetEarliestMsgStoretimeResponseHeader, { timestamp })
    },
  })
}
