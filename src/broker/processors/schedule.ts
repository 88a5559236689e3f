import { CometRequestCode, ResponseCode, ResponseError, stringifyFastJson } from '../../common/index.js'
import {
  CancelScheduledRequestHeader,
  ListScheduledRequestHeader,
  ok,
  RetimeScheduledRequestHeader,
  type Route,
  route,
} from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'
import { ScheduledMessages } from '../timer/scheduled-messages.js'

type Parts = Pick<BrokerContext, 'store' | 'puts' | 'schedule' | 'timer' | 'clock' | 'settings' | 'identity'>

const DEFAULT_MAX_NUM = 100
const MOST_MAX_NUM = 10_000

/** LIST_, CANCEL_ and RETIME_SCHEDULED, which RocketMQ does not have: messages that wait for their time. */
export function scheduleRoutes(broker: Parts): Route[] {
  const scheduled = new ScheduledMessages(broker)
  const answer = (body: object) =>
    ok(Buffer.from(stringifyFastJson({ brokerName: broker.identity.brokerName, ...body })))
  return [
    route({
      code: CometRequestCode.LIST_SCHEDULED,
      request: ListScheduledRequestHeader,
      lane: 'admin',
      action: 'LIST',
      async handle({ maxNum = DEFAULT_MAX_NUM, ...query }) {
        refuseOnSlave(broker)
        return answer(await scheduled.list(query, Math.max(1, Math.min(maxNum, MOST_MAX_NUM))))
      },
    }),
    route({
      code: CometRequestCode.CANCEL_SCHEDULED,
      request: CancelScheduledRequestHeader,
      lane: 'admin',
      action: 'UPDATE',
      async handle({ id, topic }) {
        refuseOnSlave(broker)
        return answer({ message: await scheduled.cancel(id, topic) })
      },
    }),
    route({
      code: CometRequestCode.RETIME_SCHEDULED,
      request: RetimeScheduledRequestHeader,
      lane: 'admin',
      action: 'UPDATE',
      async handle({ id, topic, deliverTime }) {
        refuseOnSlave(broker)
        return answer({ message: await scheduled.retime(id, topic, deliverTime) })
      },
    }),
  ]
}

function refuseOnSlave({ settings }: Parts): void {
  if (settings.brokerRole === 'SLAVE') {
    throw new ResponseError(ResponseCode.SLAVE_NOT_AVAILABLE, 'this broker is a slave: ask its master')
  }
}
