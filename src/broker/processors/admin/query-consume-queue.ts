import { RequestCode, ResponseCode, type SubscriptionData, stringifyFastJson } from '../../../common/index.js'
import { fail, ok, QueryConsumeQueueRequestHeader, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody } from './json-body.js'

/** More units than this are not given at once. */
const MAX_UNITS = 4096

/** QUERY_CONSUME_QUEUE (321): units of a queue as they are on disk. */
export function queryConsumeQueueRoute(broker: Pick<BrokerContext, 'store' | 'consumers' | 'filters'>): Route {
  return route({
    code: RequestCode.QUERY_CONSUME_QUEUE,
    request: QueryConsumeQueueRequestHeader,
    lane: 'admin',
    action: 'GET',
    async handle({ topic, queueId, index, count, consumerGroup }) {
      const { store } = broker
      if (store.queues.find(topic, queueId) === undefined) {
        return fail(ResponseCode.SYSTEM_ERROR, `${queueId}@${topic} is not exist!`)
      }
      const minQueueIndex = store.minOffset(topic, queueId)
      const maxQueueIndex = store.maxOffset(topic, queueId)
      // as in Java: a success without a body
      if (index < minQueueIndex || index >= maxQueueIndex) {
        return ok().withRemark(`Index ${index} of ${queueId}@${topic} is not exist!`)
      }
      const units = await store.queries.units(topic, queueId, index, Math.min(count, MAX_UNITS))
      const queueData = units.map(unit => ({
        eval: false,
        physicOffset: unit.physicalOffset,
        physicSize: unit.size,
        tagsCode: unit.tagsCode,
      }))
      return ok(jsonBody({ ...groupView(broker, topic, consumerGroup), maxQueueIndex, minQueueIndex, queueData }))
    },
  })
}

/** What the group asked about subscribes to, and the filter the broker keeps for it. */
function groupView(
  { consumers, filters }: Pick<BrokerContext, 'consumers' | 'filters'>,
  topic: string,
  group: string | undefined,
): { filterData?: string; subscriptionData?: SubscriptionData } {
  if (group === undefined) return {}
  const subscriptionData = consumers.findSubscriptionData(group, topic)
  if (subscriptionData === undefined) return { filterData: `${group}@${topic} is not online!` }
  const filter = filters.get(topic, group)
  if (filter === undefined) return { filterData: 'null', subscriptionData }
  const { compiledExpression: _compiled, bloomFilterData: _bits, ...plain } = filter
  return { filterData: stringifyFastJson(plain, { pretty: true }), subscriptionData }
}
