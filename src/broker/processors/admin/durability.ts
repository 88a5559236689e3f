import { CometRequestCode } from '../../../common/index.js'
import { NoHeader, ok, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody } from './json-body.js'

/** DURABILITY (100050): what is acknowledged, written and flushed, and what a power cut at this moment would take. */
export function durabilityRoute({
  store,
  clock,
  identity,
}: Pick<BrokerContext, 'store' | 'clock' | 'identity'>): Route {
  return route({
    code: CometRequestCode.DURABILITY,
    request: NoHeader,
    lane: 'admin',
    action: 'GET',
    async handle() {
      const { brokerName, brokerId } = identity
      const { isWritable, whyNotWritable } = store.flags
      const status = await store.durabilityStatus()
      const state = isWritable ? { isWritable } : { isWritable, whyNotWritable }
      return ok(jsonBody({ brokerName, brokerId, timestamp: clock.now(), ...status, ...state }))
    },
  })
}
