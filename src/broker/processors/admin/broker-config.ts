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
import { isHostAndPort, MQError, readProperties, splitAddresses } from '../../../util/index.js'
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
 * permission is registered before the answer, and other NameServers know the broker by then.
 */
export function updateBrokerConfigRoute(
  broker: Pick<BrokerContext, 'configuration' | 'registration' | 'namesrvs' | 'logger'>,
): Route {
  return route({
    code: RequestCode.UPDATE_BROKER_CONFIG,
    request: NoHeader,
    lane: 'admin',
    action: 'UPDATE',
    async handle(_header, command, connection) {
      const body = command.body?.toString() ?? ''
      try {
        const problem = namesrvProblem(body)
        if (problem !== undefined) return fail(ResponseCode.SYSTEM_ERROR, problem)
        const { text } = await broker.configuration.update(body)
        broker.logger.info({ event: 'config-updated', peer: connection.peer.text }, text)
      } catch (error) {
        if (!(error instanceof MQError)) throw error
        const code = error.code === 'ERR_SETTING_BLOCKED' ? ResponseCode.NO_PERMISSION : ResponseCode.SYSTEM_ERROR
        return fail(code, error.message)
      }
      const changed = readProperties(body)
      if (changed.has('brokerPermission')) await broker.registration.brokerPermissionChanged()
      if (changed.has('namesrvAddr')) await broker.namesrvs.refresh()
      return ok()
    },
  })
}

/** A broker that does not know its NameServers is lost to clients: addresses are checked as at the start. */
function namesrvProblem(changes: string): string | undefined {
  const namesrvAddr = readProperties(changes).get('namesrvAddr') ?? ''
  const wrong = splitAddresses(namesrvAddr).find(address => !isHostAndPort(address))
  if (wrong === undefined) return undefined
  return `namesrvAddr=${namesrvAddr}: ${wrong} is no address, write host:port;host:port`
}
