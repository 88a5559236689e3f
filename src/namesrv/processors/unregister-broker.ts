import { RequestCode, ResponseCode } from '../../common/index.js'
import { fail, ok, type Route, route, UnRegisterBrokerRequestHeader } from '../../remoting/index.js'
import type { NamesrvContext } from '../context.js'
import { orNoFields } from '../request-body.js'

/** Code 104: a broker signs off. Answered when queued; many at once are taken out together. */
export const unregisterBroker = (namesrv: Pick<NamesrvContext, 'unregistrations'>): Route =>
  route({
    code: RequestCode.UNREGISTER_BROKER,
    request: orNoFields(UnRegisterBrokerRequestHeader),
    lane: 'heartbeat',
    action: 'UPDATE',
    handle(header) {
      if (header === undefined || namesrv.unregistrations.submit(header)) return ok()
      return fail(ResponseCode.SYSTEM_ERROR, 'too many brokers wait to be unregistered; try again')
    },
  })
