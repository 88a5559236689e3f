import { RequestCode, ResponseCode } from '../../common/index.js'
import { fail, NoHeader, ok, type Route, route } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'

/** GET_TIMER_CHECK_POINT (60) and GET_TIMER_METRICS (61): what another broker of the group keeps up with. */
export function timerStateRoutes({ timer }: Pick<BrokerContext, 'timer'>): Route[] {
  return [
    route({
      code: RequestCode.GET_TIMER_CHECK_POINT,
      request: NoHeader,
      lane: 'admin',
      action: 'GET',
      handle: () =>
        timer === undefined
          ? fail(ResponseCode.SYSTEM_ERROR, 'The checkpoint is null')
          : ok(timer.timer.checkpoint.encode()),
    }),
    route({
      code: RequestCode.GET_TIMER_METRICS,
      request: NoHeader,
      lane: 'admin',
      action: 'GET',
      handle: () =>
        timer === undefined
          ? fail(ResponseCode.SYSTEM_ERROR, 'The timerMessageStore is null')
          : ok(Buffer.from(timer.metrics.toJson())),
    }),
  ]
}
