import type { GroupRetryPolicy, SubscriptionGroupConfig } from '../common/index.js'
import { mapText } from './format.js'

function retryPolicyText({ type, exponentialRetryPolicy, customizedRetryPolicy }: GroupRetryPolicy): string {
  const exponential =
    exponentialRetryPolicy === undefined
      ? 'null'
      : `ExponentialRetryPolicy${mapText(Object.entries(exponentialRetryPolicy))}`
  const customized =
    customizedRetryPolicy === undefined
      ? 'null'
      : `CustomizedRetryPolicy{next=[${customizedRetryPolicy.next.join(', ')}]}`
  return (
    `GroupRetryPolicy{type=${type}, exponentialRetryPolicy=${exponential}, ` + `customizedRetryPolicy=${customized}}`
  )
}

/** The fields of a group in Java's order, as Java prints them. */
export function groupFields(config: SubscriptionGroupConfig): [string, unknown][] {
  const subscriptions = config.subscriptionDataSet?.map(
    ({ topic, expressionType, expression, version }) =>
      `SimpleSubscriptionData{topic='${topic}', expressionType='${expressionType}', ` +
      `expression='${expression}', version=${version}}`,
  )
  return [
    ['groupName', config.groupName],
    ['consumeEnable', config.consumeEnable],
    ['consumeFromMinEnable', config.consumeFromMinEnable],
    ['consumeBroadcastEnable', config.consumeBroadcastEnable],
    ['consumeMessageOrderly', config.consumeMessageOrderly],
    ['retryQueueNums', config.retryQueueNums],
    ['retryMaxTimes', config.retryMaxTimes],
    ['groupRetryPolicy', retryPolicyText(config.groupRetryPolicy)],
    ['brokerId', config.brokerId],
    ['whichBrokerWhenConsumeSlowly', config.whichBrokerWhenConsumeSlowly],
    ['notifyConsumerIdsChangedEnable', config.notifyConsumerIdsChangedEnable],
    ['groupSysFlag', config.groupSysFlag],
    ['consumeTimeoutMinute', config.consumeTimeoutMinute],
    ['subscriptionDataSet', subscriptions === undefined ? 'null' : `[${subscriptions.join(', ')}]`],
    ['attributes', mapText(config.attributes)],
  ]
}

/** As Java prints a SubscriptionGroupConfig. */
export function groupText(config: SubscriptionGroupConfig): string {
  return `SubscriptionGroupConfig${mapText(groupFields(config))}`
}
