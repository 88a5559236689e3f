import { RequestCode } from '../../common/index.js'
import { OffsetResponseHeader, okWith, type Route, route, SearchOffsetRequestHeader } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'

/** SEARCH_OFFSET_BY_TIMESTAMP (29): the first message at or after a time, or with UPPER the last one up to it. */
export function searchOffsetRoute(broker: Pick<BrokerContext, 'store'>): Route {
  return route({
    code: RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
    request: SearchOffsetRequestHeader,
    lane: 'admin',
    action: 'GET',
    async handle({ topic, queueId, timestamp, boundaryType }) {
      const boundary = boundaryType?.toUpperCase() === 'UPPER' ? 'UPPER' : 'LOWER'
      const offset = await broker.store.queries.offsetByTimestamp(topic, queueId, timestamp, boundary)
      return okWith(OffsetResponseHeader, { offset })
    },
  })
}
