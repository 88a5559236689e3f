import type { AdminClient } from '../../client/index.js'
import {
  formatAttributes,
  newTopicConfig,
  parseAttributes,
  TopicSysFlag,
  topicConfigToString,
} from '../../common/index.js'
import { MQError } from '../../util/index.js'
import { clusterMasters } from '../brokers.js'
import { type CommandContext, defineCommand } from '../command.js'
import { needed, optional } from '../option-spec.js'
import { isTrue, wholeNumber } from '../read-values.js'

const ORDER_NAMESPACE = 'ORDER_TOPIC_CONFIG'

const updateTopicOptions = {
  brokerAddr: optional('b', 'broker that gets the topic', { group: 'target' }),
  clusterName: optional('c', 'cluster whose masters get the topic', { group: 'target' }),
  attributes: optional('a', 'changes of attributes: +a=b,+c=d,-e'),
  topic: needed('t', 'name of the topic'),
  readQueueNums: optional('r', 'number of queues to read from (8)'),
  writeQueueNums: optional('w', 'number of queues to write to (8)'),
  perm: optional('p', 'permission: 2 write, 4 read, 6 both (6)'),
  order: optional('o', 'whether queues keep their order across brokers (true|false)'),
  unit: optional('u', 'whether it is a unit topic (true|false)'),
  hasUnitSub: optional('s', 'whether units subscribe to it (true|false)'),
} as const

export const updateTopic = defineCommand({
  name: 'updateTopic',
  description: 'Create a topic, or change it.',
  javaName: 'UpdateTopicSubCommand',
  refusals: 'client',
  options: updateTopicOptions,
  async run(context) {
    const { options, admin, out } = context
    const config = topicConfigOf(options)
    const spec = { ...config, attributes: formatAttributes(config.attributes) }
    const addresses: string[] = []
    if (options.brokerAddr !== undefined) {
      await admin.createTopic(options.brokerAddr, spec)
      addresses.push(options.brokerAddr)
      if (config.order) await orderOnBroker(context, options.brokerAddr, config.writeQueueNums)
      out.line(`create topic to ${options.brokerAddr} success.`)
    } else {
      const masters = await clusterMasters(context, options.clusterName ?? '')
      for (const { address } of masters) {
        await admin.createTopic(address, spec)
        addresses.push(address)
        out.line(`create topic to ${address} success.`)
      }
      if (config.order) {
        const orderConf = masters.map(({ brokerName }) => `${brokerName}:${config.writeQueueNums}`).join(';')
        await admin.putKv(ORDER_NAMESPACE, config.topicName, orderConf)
        out.line(`set cluster orderConf. isOrder=true, orderConf=[${orderConf}]`)
      }
    }
    out.line(topicConfigToString(config))
    return { brokers: addresses, topicConfig: config }
  },
})

function topicConfigOf(options: CommandContext<typeof updateTopicOptions>['options']) {
  const topicSysFlag =
    (isTrue(options.unit) ? TopicSysFlag.UNIT : 0) | (isTrue(options.hasUnitSub) ? TopicSysFlag.UNIT_SUB : 0)
  return newTopicConfig(options.topic, {
    readQueueNums: wholeNumber(options.readQueueNums, 8),
    writeQueueNums: wholeNumber(options.writeQueueNums, 8),
    perm: wholeNumber(options.perm, 6),
    topicSysFlag,
    order: isTrue(options.order),
    attributes: parseAttributes(options.attributes ?? ''),
  })
}

/** Replaces the broker's entry in the topic's order configuration. */
async function orderOnBroker(
  { admin, out, options }: CommandContext<typeof updateTopicOptions>,
  address: string,
  queues: number,
): Promise<void> {
  const brokerName = await nameOfBroker(admin, address)
  const old = (await admin.kv(ORDER_NAMESPACE, options.topic)) ?? ''
  const entries = old.split(';').filter(entry => entry !== '' && !entry.startsWith(`${brokerName}:`))
  const orderConf = `${brokerName}:${queues}`
  await admin.putKv(ORDER_NAMESPACE, options.topic, [...entries, orderConf].join(';'))
  out.line(`set broker orderConf. isOrder=true, orderConf=[${orderConf}]`)
}

async function nameOfBroker(admin: AdminClient, address: string): Promise<string> {
  for (const broker of (await admin.clusterInfo()).brokerAddrTable.values()) {
    if ([...broker.brokerAddrs.values()].includes(address)) return broker.brokerName
  }
  throw new MQError('ERR_NO_BROKER', `the NameServer knows no broker at ${address}`)
}
