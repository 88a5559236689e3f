import { RequestCode, ResponseCode, stringifyFastJson } from '../../../common/index.js'
import {
  fail,
  GetAllSubscriptionGroupRequestHeader,
  GetAllSubscriptionGroupResponseHeader,
  GroupRequestHeader,
  ok,
  okWith,
  type Route,
  route,
} from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody, tableJson } from './json-body.js'
import { pageOf } from './topic-configs.js'

/** GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201), with what groups may not read of the groups on the page. */
export function allGroupConfigRoute(broker: Pick<BrokerContext, 'groups' | 'settings'>): Route {
  return route({
    code: RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
    request: GetAllSubscriptionGroupRequestHeader,
    lane: 'admin',
    action: 'LIST',
    async handle(header) {
      const { groups, settings } = broker
      const version = { ...groups.dataVersion }
      const page = pageOf(
        groups.subscriptionGroupTable,
        { seq: header.groupSeq, maxNum: header.maxGroupNum, dataVersion: header.dataVersion },
        { version, splitSize: settings.enableSplitMetadata ? settings.splitMetadataSize : undefined },
      )
      const totalGroupNum = groups.subscriptionGroupTable.size
      const onPage = new Set(page.map(([group]) => group))
      const forbidden = [...groups.forbiddenTable].filter(([group]) => onPage.has(group))
      const body =
        `{"dataVersion":${stringifyFastJson(version)},"forbiddenTable":${await tableJson(forbidden)},` +
        `"subscriptionGroupTable":${await tableJson(page)}}`
      return okWith(GetAllSubscriptionGroupResponseHeader, { totalGroupNum }, Buffer.from(body))
    },
  })
}

/** GET_SUBSCRIPTIONGROUP_CONFIG (352). As in Java a group that use may create is created by being asked for. */
export function groupConfigRoute(broker: Pick<BrokerContext, 'groups'>): Route {
  return route({
    code: RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG,
    request: GroupRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle({ group }) {
      const config = broker.groups.findSubscriptionGroupConfig(group)
      if (config === undefined) return fail(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, 'No group in this broker')
      return ok(jsonBody(config))
    },
  })
}
