import { dataVersionFromJson, RequestCode } from '../../common/index.js'
import {
  BrokerHeartbeatRequestHeader,
  GetBrokerMemberGroupRequestHeader,
  ok,
  okWith,
  QueryDataVersionRequestHeader,
  QueryDataVersionResponseHeader,
  type Route,
  route,
} from '../../remoting/index.js'
import type { NamesrvContext } from '../context.js'
import { jsonBody, orNoFields, toJsonBody } from '../request-body.js'

type Context = Pick<NamesrvContext, 'routeInfo'>

/** Code 322: whether a broker has to register again. A sign of life as well. */
export const queryDataVersion = (namesrv: Context): Route =>
  route({
    code: RequestCode.QUERY_DATA_VERSION,
    request: QueryDataVersionRequestHeader,
    lane: 'heartbeat',
    action: 'GET',
    handle({ clusterName, brokerAddr }, command) {
      const { routeInfo } = namesrv
      const json = jsonBody(command)
      const version = json === null ? undefined : dataVersionFromJson(json)
      const changed = routeInfo.isDataVersionChanged(clusterName, brokerAddr, version)
      routeInfo.heartbeat(clusterName, brokerAddr)
      const known = routeInfo.dataVersion(clusterName, brokerAddr)
      return okWith(QueryDataVersionResponseHeader, { changed }, known && toJsonBody(known))
    },
  })

/** Code 904: a sign of life. What it says beside that is for controllers. */
export const brokerHeartbeat = (namesrv: Context): Route =>
  route({
    code: RequestCode.BROKER_HEARTBEAT,
    request: BrokerHeartbeatRequestHeader,
    lane: 'heartbeat',
    action: 'UPDATE',
    handle({ clusterName, brokerAddr }) {
      namesrv.routeInfo.heartbeat(clusterName, brokerAddr)
      return ok()
    },
  })

/** Code 901: the addresses of a broker name; none for an unknown one. */
export const getBrokerMemberGroup = (namesrv: Context): Route =>
  route({
    code: RequestCode.GET_BROKER_MEMBER_GROUP,
    request: orNoFields(GetBrokerMemberGroupRequestHeader),
    lane: 'admin',
    action: 'GET',
    handle(header) {
      const brokerAddrs = header === undefined ? new Map() : namesrv.routeInfo.memberAddrs(header.brokerName)
      const brokerMemberGroup = { brokerAddrs, brokerName: header?.brokerName, cluster: header?.clusterName }
      return ok(toJsonBody({ brokerMemberGroup }))
    },
  })
