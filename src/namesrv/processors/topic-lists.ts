import { RequestCode, ResponseCode, ResponseError } from '../../common/index.js'
import { GetTopicsByClusterRequestHeader, NoHeader, ok, type Route, route } from '../../remoting/index.js'
import type { NamesrvContext } from '../context.js'
import { orNoFields, toJsonBody } from '../request-body.js'
import type { UnitKind } from '../route-queries.js'

type Context = Pick<NamesrvContext, 'routeInfo' | 'settings'>
type Switch = 'enableAllTopicList' | 'enableTopicList'

/** @throws ResponseError `disable`, Java's text, when the list is switched off. */
function checkEnabled({ settings }: Context, key: Switch): void {
  if (!settings.values[key]) throw new ResponseError(ResponseCode.SYSTEM_ERROR, 'disable')
}

/** Code 206. */
export const getAllTopicListFromNameServer = (namesrv: Context): Route =>
  route({
    code: RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
    request: NoHeader,
    lane: 'admin',
    action: 'LIST',
    handle() {
      checkEnabled(namesrv, 'enableAllTopicList')
      return ok(toJsonBody({ topicList: namesrv.routeInfo.topics() }))
    },
  })

/** Code 224: an unknown cluster has no topics. */
export const getTopicsByCluster = (namesrv: Context): Route =>
  route({
    code: RequestCode.GET_TOPICS_BY_CLUSTER,
    request: orNoFields(GetTopicsByClusterRequestHeader),
    lane: 'admin',
    action: 'LIST',
    handle(header) {
      checkEnabled(namesrv, 'enableTopicList')
      const topicList = header === undefined ? [] : namesrv.routeInfo.topicsOfCluster(header.cluster)
      return ok(toJsonBody({ topicList }))
    },
  })

/** Code 304: the names of clusters and brokers, which are topics as well, and a broker to ask for more. */
export const getSystemTopicListFromNs = (namesrv: Context): Route =>
  route({
    code: RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS,
    request: NoHeader,
    lane: 'admin',
    action: 'LIST',
    handle: () => ok(toJsonBody(namesrv.routeInfo.systemTopics())),
  })

const unitList = (namesrv: Context, code: number, kind: UnitKind): Route =>
  route({
    code,
    request: NoHeader,
    lane: 'admin',
    action: 'LIST',
    handle() {
      checkEnabled(namesrv, 'enableTopicList')
      return ok(toJsonBody({ topicList: namesrv.routeInfo.unitTopics(kind) }))
    },
  })

/** Code 311. */
export const getUnitTopicList = (namesrv: Context): Route => unitList(namesrv, RequestCode.GET_UNIT_TOPIC_LIST, 'unit')

/** Code 312. */
export const getHasUnitSubTopicList = (namesrv: Context): Route =>
  unitList(namesrv, RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST, 'unitSub')

/** Code 313. */
export const getHasUnitSubUnUnitTopicList = (namesrv: Context): Route =>
  unitList(namesrv, RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST, 'unitSubButNotUnit')
