import { isTagType, RequestCode, ResponseCode, subscriptionDataFromJson } from '../../common/index.js'
import { fail, NoHeader, ok, type Route, route } from '../../remoting/index.js'
import { errorText } from '../../util/index.js'
import type { BrokerContext } from '../context.js'
import { NO_CLASS_FILTERS } from '../pull/pull-admission.js'
import { readJsonBody } from './admin/read-body.js'

/** CHECK_CLIENT_CONFIG (46): whether this broker can filter as a consumer is about to ask (broker-behaviour 8.3). */
export function checkClientConfigRoute(broker: Pick<BrokerContext, 'settings' | 'filters'>): Route {
  return route({
    code: RequestCode.CHECK_CLIENT_CONFIG,
    request: NoHeader,
    lane: 'client',
    action: 'ANY',
    borrowsBody: true,
    handle(_header, command) {
      const { subscriptionData } = readJsonBody(command)
      if (subscriptionData === undefined || subscriptionData === null) return ok()
      const { expressionType, subString, classFilterMode } = subscriptionDataFromJson(subscriptionData)
      if (classFilterMode) return fail(ResponseCode.SUBSCRIPTION_PARSE_FAILED, NO_CLASS_FILTERS)
      if (isTagType(expressionType)) return ok()
      if (!broker.settings.enablePropertyFilter) {
        const remark = `The broker does not support consumer to filter message by ${expressionType}`
        return fail(ResponseCode.SYSTEM_ERROR, remark)
      }
      try {
        broker.filters.compile(expressionType, subString)
        return ok()
      } catch (error) {
        return fail(ResponseCode.SUBSCRIPTION_PARSE_FAILED, errorText(error))
      }
    },
  })
}
