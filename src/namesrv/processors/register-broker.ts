import { crc32 } from 'node:zlib'
import { RequestCode, ResponseCode } from '../../common/index.js'
import {
  type Connection,
  fail,
  type HeaderValue,
  okWith,
  RegisterBrokerRequestHeader,
  RegisterBrokerResponseHeader,
  type RemotingCommand,
  type Reply,
  type Route,
  route,
} from '../../remoting/index.js'
import type { NamesrvContext } from '../context.js'
import { ORDER_TOPIC_NAMESPACE } from '../kv-config-manager.js'
import { decodeRegisterBrokerBody, type RegisterBrokerBody } from '../register-broker-body.js'
import { badBody, toJsonBody } from '../request-body.js'

type Context = Pick<
  NamesrvContext,
  'settings' | 'routeInfo' | 'kvConfig' | 'unregistrations' | 'liveness' | 'notifier' | 'logger'
>
type Header = HeaderValue<typeof RegisterBrokerRequestHeader>

/** Code 103: a broker and its topics, at its start, every 30 s and on each change (namesrv-and-admin 2.5). */
export const registerBroker = (namesrv: Context): Route =>
  route({
    code: RequestCode.REGISTER_BROKER,
    request: RegisterBrokerRequestHeader,
    lane: 'heartbeat',
    action: 'UPDATE',
    handle(header, command, connection) {
      if (!isIntact(command.body, header.bodyCrc32)) {
        namesrv.logger.warn(
          { event: 'bad-crc', remote: connection.peer.text },
          `crc32 of ${header.brokerAddr} does not match`,
        )
        return fail(ResponseCode.SYSTEM_ERROR, 'crc32 not match')
      }
      const call = { namesrv, header, connection }
      const body = decodeBody(command, header)
      return body instanceof Promise ? body.then(decoded => register(call, decoded)) : register(call, body)
    },
  })

interface Call {
  namesrv: Context
  header: Header
  connection: Connection
}

/** Without a sum nothing is checked. */
function isIntact(body: Buffer, bodyCrc32: number | undefined): boolean {
  return !bodyCrc32 || (crc32(body) & 0x7fffffff) === bodyCrc32
}

function decodeBody(command: RemotingCommand, header: Header): RegisterBrokerBody | Promise<RegisterBrokerBody> {
  try {
    const form = { version: command.version, compressed: header.compressed === true }
    const body = decodeRegisterBrokerBody(command.body, form)
    if (!(body instanceof Promise)) return body
    return body.catch((error: unknown) => Promise.reject(badBody(command, error)))
  } catch (error) {
    throw badBody(command, error)
  }
}

function register({ namesrv, header, connection }: Call, body: RegisterBrokerBody): Reply {
  const { clusterName, brokerName, brokerAddr, brokerId, haServerAddr, zoneName, enableActingMaster } = header
  // a broker that signs off and comes back must not be taken out by the sign-off
  namesrv.unregistrations.drain()
  const result = namesrv.routeInfo.register({
    clusterName,
    brokerName,
    brokerAddr,
    brokerId,
    haServerAddr,
    zoneName,
    enableActingMaster,
    heartbeatTimeoutMs: header.heartbeatTimeoutMillis,
    ...body,
    channel: connection,
  })
  const who = `broker ${brokerName} ${brokerId} (${brokerAddr}) of ${clusterName}`
  const fields = { clusterName, brokerName, brokerId, brokerAddr }
  if (result === undefined) {
    namesrv.logger.warn({ event: 'registration-refused', ...fields }, `${who} sent one topic before all of its topics`)
    return fail(ResponseCode.SYSTEM_ERROR, 'register broker failed')
  }
  namesrv.liveness.watch(connection)
  if (result.ignored) {
    const text = `${who} is left aside: that id belongs to a broker with a later state`
    namesrv.logger.warn({ event: 'registration-ignored', ...fields }, text)
    return okWith(RegisterBrokerResponseHeader, {})
  }
  if (result.isNew) {
    const topics = body.topics.topicConfigTable.size
    namesrv.logger.info({ event: 'broker-registered', ...fields, topics }, `${who} is registered with ${topics} topics`)
  }
  if (result.minBrokerIdChange && namesrv.settings.values.notifyMinBrokerIdChanged) {
    namesrv.notifier.notify(result.minBrokerIdChange)
  }
  const { masterAddr } = result
  return okWith(RegisterBrokerResponseHeader, { haServerAddr: result.haServerAddr, masterAddr }, orderTopics(namesrv))
}

function orderTopics(namesrv: Context): Buffer | undefined {
  if (!namesrv.settings.values.returnOrderTopicConfigToBroker) return undefined
  const table = namesrv.kvConfig.namespace(ORDER_TOPIC_NAMESPACE)
  return table && toJsonBody({ table })
}
