import { RequestCode } from '../../../common/index.js'
import { ok, type Route, route, UpdateGroupForbiddenRequestHeader } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { ForbiddenBit } from '../../subscription/subscription-group-manager.js'
import { jsonBody } from './json-body.js'

/** UPDATE_AND_GET_GROUP_FORBIDDEN (353): whether a group may read a topic; without `readable` only tells. */
export function groupForbiddenRoute(broker: Pick<BrokerContext, 'groups'>): Route {
  return route({
    code: RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN,
    request: UpdateGroupForbiddenRequestHeader,
    lane: 'admin',
    action: 'UPDATE',
    async handle({ group, topic, readable }) {
      const { groups } = broker
      if (readable !== undefined) {
        groups.updateForbidden(group, topic, ForbiddenBit.READ, !readable)
        await groups.persist()
      }
      return ok(jsonBody({ group, readable: !groups.isForbidden(group, topic, ForbiddenBit.READ), topic }))
    },
  })
}
