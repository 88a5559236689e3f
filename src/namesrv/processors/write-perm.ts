import { RequestCode } from '../../common/index.js'
import {
  AddWritePermOfBrokerResponseHeader,
  BrokerNameRequestHeader,
  okWith,
  type Route,
  route,
  WipeWritePermOfBrokerResponseHeader,
} from '../../remoting/index.js'
import type { NamesrvContext } from '../context.js'
import { orNoFields } from '../request-body.js'

type Context = Pick<NamesrvContext, 'routeInfo' | 'logger'>

/** Code 205: no more messages for a broker, until its topics change or 327. An unknown broker has 0 topics. */
export const wipeWritePermOfBroker = (namesrv: Context): Route =>
  route({
    code: RequestCode.WIPE_WRITE_PERM_OF_BROKER,
    request: orNoFields(BrokerNameRequestHeader),
    lane: 'admin',
    action: 'UPDATE',
    handle(header, _command, connection) {
      const wipeTopicCount = header === undefined ? 0 : namesrv.routeInfo.wipeWritePerm(header.brokerName)
      const fields = { event: 'write-perm-wiped', brokerName: header?.brokerName, remote: connection.peer.text }
      namesrv.logger.info(fields, `write permission of ${header?.brokerName} is gone in ${wipeTopicCount} topics`)
      return okWith(WipeWritePermOfBrokerResponseHeader, { wipeTopicCount })
    },
  })

/** Code 327: a broker's topics become readable and writable. */
export const addWritePermOfBroker = (namesrv: Context): Route =>
  route({
    code: RequestCode.ADD_WRITE_PERM_OF_BROKER,
    request: orNoFields(BrokerNameRequestHeader),
    lane: 'admin',
    action: 'UPDATE',
    handle(header, _command, connection) {
      const addTopicCount = header === undefined ? 0 : namesrv.routeInfo.addWritePerm(header.brokerName)
      const fields = { event: 'write-perm-added', brokerName: header?.brokerName, remote: connection.peer.text }
      namesrv.logger.info(fields, `${header?.brokerName} may be written in ${addTopicCount} topics`)
      return okWith(AddWritePermOfBrokerResponseHeader, { addTopicCount })
    },
  })
