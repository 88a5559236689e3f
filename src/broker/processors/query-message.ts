import { RequestCode, ResponseCode } from '../../common/index.js'
import {
  okWith,
  QueryMessageRequestHeader,
  QueryMessageResponseHeader,
  type Route,
  route,
} from '../../remoting/index.js'
import { inPieces } from '../../util/index.js'
import type { BrokerContext } from '../context.js'

/**
 * QUERY_MESSAGE (12): messages of a topic by key, newest index file first. Matches are by hash and second: the client
 * compares the keys (broker-behaviour 11).
 */
export function queryMessageRoute(broker: Pick<BrokerContext, 'store' | 'settings'>): Route {
  return route({
    code: RequestCode.QUERY_MESSAGE,
    request: QueryMessageRequestHeader,
    lane: 'query',
    action: 'GET',
    async handle(header) {
      const found = await broker.store.queries.queryMessage({
        topic: header.topic,
        key: header.key,
        maxNum: header.uniqueKeyQuery ? broker.settings.defaultQueryMaxNum : header.maxNum,
        begin: header.beginTimestamp,
        end: header.endTimestamp,
      })
      const reply = okWith(
        QueryMessageResponseHeader,
        {
          indexLastUpdateTimestamp: found.indexLastUpdateTimestamp,
          indexLastUpdatePhyoffset: found.indexLastUpdatePhyoffset,
        },
        inPieces(found.records),
      )
      if (found.records.length > 0) return reply
      reply.code = ResponseCode.QUERY_NOT_FOUND
      return reply.withRemark('can not find message, maybe time range not correct')
    },
  })
}
