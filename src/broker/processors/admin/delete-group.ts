import { RequestCode } from '../../../common/index.js'
import { DeleteSubscriptionGroupRequestHeader, ok, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'

/** DELETE_SUBSCRIPTIONGROUP (207), with its offsets when asked to. An unknown group is no error. */
export function deleteGroupRoute(
  broker: Pick<BrokerContext, 'groups' | 'offsets' | 'offsetResets' | 'stats' | 'settings'>,
): Route {
  return route({
    code: RequestCode.DELETE_SUBSCRIPTIONGROUP,
    request: DeleteSubscriptionGroupRequestHeader,
    lane: 'admin',
    action: 'DELETE',
    async handle({ groupName, cleanOffset }) {
      const { groups, offsets, offsetResets, stats, settings } = broker
      groups.deleteSubscriptionGroupConfig(groupName)
      if (cleanOffset) offsets.removeOffset(groupName)
      if (settings.autoDeleteUnusedStats) stats.groupDeleted(groupName)
      await offsetResets.forgetGroup(groupName)
      await Promise.all([groups.persist(), cleanOffset ? offsets.persist() : undefined])
      return ok()
    },
  })
}
