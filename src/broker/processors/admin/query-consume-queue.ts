import { RequestCode, ResponseCode, type SubscriptionData, stringifyFastJson } from '../../../common/index.js'
import { fail, ok, QueryConsumeQueueRequestHeader, type Route, route } from '../../../remoting/index.js'
import { ExtUnitPosition, MISSING_EXT_UNIT, type QueueUnit } from '../../../store/index.js'
import type { BrokerContext } from '../../context.js'
import { messageFilter } from '../../pull/message-filters.js'
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
      const filter = filterOf(broker, topic, consumerGroup)
      const queueData = units.map(unit => ({
        ...extensionView(unit, filter),
        physicOffset: unit.physicalOffset,
        physicSize: unit.size,
        tagsCode: unit.tagsCode,
      }))
      return ok(jsonBody({ ...groupView(broker, topic, consumerGroup), maxQueueIndex, minQueueIndex, queueData }))
    },
  })
}

/** Says of a unit whether the group asked about may want it. */
type UnitFilter = (unit: QueueUnit) => boolean

function filterOf(
  { consumers, filters }: Pick<BrokerContext, 'consumers' | 'filters'>,
  topic: string,
  group: string | undefined,
): UnitFilter | undefined {
  const subscription = group === undefined ? undefined : consumers.findSubscriptionData(group, topic)
  if (group === undefined || subscription === undefined) return undefined
  const filter = messageFilter({ subscription, filterData: filters.get(topic, group) }, 0, filters.bloomFilter)
  return unit => filter?.matchesQueueUnit(unit.tagsCode, unit.extension, unit.physicalOffset) ?? true
}

/** What Java's tools show of an extension; as there only such units are judged. */
function extensionView(unit: QueueUnit, filter: UnitFilter | undefined): object {
  const { extension } = unit
  if (extension === undefined) return { eval: false }
  if (extension === MISSING_EXT_UNIT) return { eval: false, msg: 'Cq extend not exist!' }
  const { tagsCode, storeTimestamp: msgStoreTime, bitMap } = extension
  const size = ExtUnitPosition.BIT_MAP + (bitMap?.length ?? 0)
  const filterBitMap = bitMap?.toString('base64')
  return {
    ...(bitMap && { bitMap: bitsText(bitMap) }),
    eval: filter?.(unit) ?? false,
    extendDataJson: stringifyFastJson({ ...(filterBitMap && { filterBitMap }), msgStoreTime, size, tagsCode }),
  }
}

/** The last bit first, and a line for the eight bytes at the front. */
function bitsText(bits: Buffer): string {
  let text = ''
  for (let i = bits.length - 1; i >= 0; i--) {
    text += bits[i]!.toString(2).padStart(8, '0')
    if (i % 8 === 0) text += '\n'
  }
  return text
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
