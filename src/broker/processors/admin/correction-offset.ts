import { RequestCode } from '../../../common/index.js'
import { ok, QueryCorrectionOffsetRequestHeader, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody } from './json-body.js'

/** Java's Long.MAX_VALUE: the compared group is behind the others in this queue. */
const AHEAD = 0x7fff_ffff_ffff_ffffn

/** QUERY_CORRECTION_OFFSET (308): per queue the least offset of all groups, against that of one group. */
export function correctionOffsetRoute(broker: Pick<BrokerContext, 'offsets' | 'store'>): Route {
  return route({
    code: RequestCode.QUERY_CORRECTION_OFFSET,
    request: QueryCorrectionOffsetRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle({ topic, compareGroup, filterGroups }) {
      const { offsets, store } = broker
      const filtered = (filterGroups ?? '').split(',').filter(group => group !== '')
      const minOffset = (queueId: number): number => store.minOffset(topic, queueId)
      const correctionOffsets = new Map<number, number | bigint>(
        offsets.queryMinOffsetInAllGroup(topic, filtered, minOffset),
      )
      for (const [queueId, offset] of offsets.queryOffsets(compareGroup, topic) ?? []) {
        const least = correctionOffsets.get(queueId)
        if (least !== undefined && least > offset) correctionOffsets.set(queueId, AHEAD)
      }
      return ok(jsonBody({ correctionOffsets }))
    },
  })
}
