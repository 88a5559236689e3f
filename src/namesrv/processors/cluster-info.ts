import { RequestCode } from '../../common/index.js'
import { NoHeader, ok, type Route, route } from '../../remoting/index.js'
import type { NamesrvContext } from '../context.js'
import { toJsonBody } from '../request-body.js'

/** Code 106: all clusters and brokers. */
export const getBrokerClusterInfo = (namesrv: Pick<NamesrvContext, 'routeInfo'>): Route =>
  route({
    code: RequestCode.GET_BROKER_CLUSTER_INFO,
    request: NoHeader,
    lane: 'admin',
    action: 'LIST',
    handle: () => ok(toJsonBody(namesrv.routeInfo.clusterInfo())),
  })
