import { RequestCode, ResponseCode, stringifyFastJson } from '../../../common/index.js'
import {
  fail,
  GetBrokerConfigResponseHeader,
  NoHeader,
  ok,
  okWith,
  type Route,
  route,
} from '../../../remoting/index.js'
import { MQError, readProperties } from '../../../util/index.js'
import type { BrokerContext } from '../../context.js'

/** GET_BROKER_CONFIG (26). */
export function getBrokerConfigRoute({ configuration }: Pick<BrokerContext, 'configuration'>): Route {
  return route({
    code: RequestCode.GET_BROKER_CONFIG,
    request: NoHeader,
    lane: 'admin',
    action: 'GET',
    handle() {
      const version = stringifyFastJson(configuration.dataVersion())
      return okWith(GetBrokerConfigResponseHeader, { version }, Buffer.from(configuration.asProperties()))
    },
  })
}

/**
 * UPDATE_BROKER_CONFIG (25): all lines or none. Unknown keys are no error, as in Java. A change of the broker's
 * permission is registered before the answer.
 */
export function updateBrokerConfigRoute(
  broker: Pick<BrokerContext, 'configuration' | 'registration' | 'logger'>,
): Route {
  return route({
    code: RequestCode.UPDATE_BROKER_CONFIG,
    request: NoHeader,
    lane: 'admin',
    action: 'UPDATE',
    async handle(_header, command, connection) {
      const body = command.body?.toString() ?? ''
      try {
        const { text } = await broker.configuration.update(body)
        broker.logger.info({ event: 'config-updated', peer: connection.peer.text }, text)
      } catch (error) {
        if (!(error instanceof MQError)) throw error
        const code = error.code === 'ERR_SETTING_BLOCKED' ? ResponseCode.NO_PERMISSION : ResponseCode.SYSTEM_ERROR
        return fail(code, error.message)
      }
      if (readProperties(body).has('brokerPermission')) {
        await broker.registration.brokerPermissionChanged()
      }
      return ok()
    },
  })
}
