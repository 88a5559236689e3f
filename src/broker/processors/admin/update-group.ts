import {
  groupNameProblem,
  RequestCode,
  ResponseCode,
  ResponseError,
  readArray,
  subscriptionGroupConfigFromJson,
} from '../../../common/index.js'
import { NoHeader, ok, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { readJsonBody } from './read-body.js'

/** UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200). */
export function updateGroupRoute(broker: Pick<BrokerContext, 'groups'>): Route {
  return route({
    code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
    request: NoHeader,
    lane: 'admin',
    action: 'CREATE',
    async handle(_header, command) {
      broker.groups.updateSubscriptionGroupConfig(subscriptionGroupConfigFromJson(readJsonBody(command)))
      await broker.groups.persist()
      return ok()
    },
  })
}

/** UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST (225): all names are checked before anything is changed. */
export function updateGroupListRoute(broker: Pick<BrokerContext, 'groups'>): Route {
  return route({
    code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
    request: NoHeader,
    lane: 'admin',
    action: 'CREATE',
    async handle(_header, command) {
      const configs = readArray(readJsonBody(command).groupConfigList).map(subscriptionGroupConfigFromJson)
      for (const { groupName } of configs) {
        const problem = groupNameProblem(groupName)
        if (problem !== undefined) throw new ResponseError(ResponseCode.INVALID_PARAMETER, problem)
      }
      for (const config of configs) broker.groups.updateSubscriptionGroupConfig(config)
      await broker.groups.persist()
      return ok()
    },
  })
}
