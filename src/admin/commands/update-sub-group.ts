import {
  type GroupRetryPolicy,
  JsonSyntaxError,
  newSubscriptionGroupConfig,
  parseAttributes,
  parseFastJson,
  type SubscriptionGroupConfig,
  subscriptionGroupConfigFromJson,
} from '../../common/index.js'
import { targets } from '../brokers.js'
import { type CommandContext, defineCommand, USAGE } from '../command.js'
import { groupText } from '../group-text.js'
import { needed, optional } from '../option-spec.js'
import { UsageError } from '../parse-options.js'
import { isTrue, wholeNumber } from '../read-values.js'

const groupOptions = {
  brokerAddr: optional('b', 'broker that gets the group'),
  clusterName: optional('c', 'cluster whose masters get the group'),
  groupName: needed('g', 'name of the consumer group'),
  consumeEnable: optional('s', 'whether it may consume (true)'),
  consumeFromMinEnable: optional('m', 'whether new members may begin at the start of a queue (false)'),
  consumeBroadcastEnable: optional('d', 'whether it may consume as broadcast (false)'),
  consumeMessageOrderly: optional('o', 'whether it consumes in order (false)'),
  retryQueueNums: optional('q', 'queues of its retry topic (1)'),
  retryMaxTimes: optional('r', 'retries before a message is a dead letter (16)'),
  groupRetryPolicy: optional(
    'p',
    'delays between retries as JSON: {"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":5000,' +
      '"max":7200000,"multiplier":2}} or {"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[1000,5000,10000]}}',
  ),
  brokerId: optional('i', 'id of the broker to consume from (0)'),
  whichBrokerWhenConsumeSlowly: optional('w', 'id of the broker for a group that lags behind (1)'),
  notifyConsumerIdsChanged: optional('a', 'whether members are told when others come and go (true)'),
  attributes: optional(undefined, 'changes of attributes: +a=b,+c=d,-e'),
} as const

export const updateSubGroup = defineCommand({
  name: 'updateSubGroup',
  description: 'Create a consumer group, or change it.',
  javaName: 'UpdateSubGroupSubCommand',
  refusals: 'client',
  options: groupOptions,
  async run(context) {
    const { options, admin, out } = context
    const config = groupConfigOf(options)
    const addresses = await targets(context, options)
    if (addresses === undefined) return USAGE
    for (const address of addresses) {
      await admin.createGroup(address, config)
      out.line(`create subscription group to ${address} success.`)
    }
    out.text(groupText(config))
    return { brokers: addresses, groupConfig: config }
  },
})

function groupConfigOf(options: CommandContext<typeof groupOptions>['options']): SubscriptionGroupConfig {
  return newSubscriptionGroupConfig(options.groupName, {
    consumeEnable: isTrue(options.consumeEnable, true),
    consumeFromMinEnable: isTrue(options.consumeFromMinEnable),
    consumeBroadcastEnable: isTrue(options.consumeBroadcastEnable),
    consumeMessageOrderly: isTrue(options.consumeMessageOrderly),
    retryQueueNums: wholeNumber(options.retryQueueNums, 1),
    retryMaxTimes: wholeNumber(options.retryMaxTimes, 16),
    groupRetryPolicy: retryPolicyOf(options.groupRetryPolicy),
    brokerId: wholeNumber(options.brokerId, 0),
    whichBrokerWhenConsumeSlowly: wholeNumber(options.whichBrokerWhenConsumeSlowly, 1),
    notifyConsumerIdsChangedEnable: isTrue(options.notifyConsumerIdsChanged, true),
    attributes: parseAttributes(options.attributes ?? ''),
  })
}

function retryPolicyOf(text: string | undefined): GroupRetryPolicy {
  if (text === undefined) return { type: 'CUSTOMIZED' }
  try {
    return subscriptionGroupConfigFromJson({ groupRetryPolicy: parseFastJson(text) }).groupRetryPolicy
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    throw new UsageError(`the retry policy is not JSON: ${error.message}`)
  }
}
