import { RequestCode, ResponseCode } from '../../common/index.js'
import { fail, ok, type Route, route, ViewMessageRequestHeader } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'

/** VIEW_MESSAGE_BY_ID (33): one record by its commit log offset, of whatever topic. */
export function viewMessageRoute(broker: Pick<BrokerContext, 'store'>): Route {
  return route({
    code: RequestCode.VIEW_MESSAGE_BY_ID,
    request: ViewMessageRequestHeader,
    lane: 'query',
    action: 'GET',
    async handle(header) {
      const record = await broker.store.queries.recordAt(header.offset)
      return record
        ? ok(record)
        : fail(ResponseCode.SYSTEM_ERROR, `can not find message by the offset, ${header.offset}`)
    },
  })
}
