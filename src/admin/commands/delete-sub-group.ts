import { dlqTopic, retryTopic } from '../../common/index.js'
import { errorText } from '../../util/index.js'
import { clusterBrokers } from '../brokers.js'
import { type CommandContext, defineCommand, USAGE } from '../command.js'
import { needed, optional } from '../option-spec.js'
import { isTrue } from '../read-values.js'

const ORDER_NAMESPACE = 'ORDER_TOPIC_CONFIG'

const groupOptions = {
  brokerAddr: optional('b', 'broker the group is deleted from'),
  clusterName: optional('c', 'cluster the group and its retry and dead-letter topics are deleted from'),
  groupName: needed('g', 'name of the consumer group'),
  removeOffset: optional('r', 'whether its offsets are deleted too (false)'),
} as const

export const deleteSubGroup = defineCommand({
  name: 'deleteSubGroup',
  description: 'Delete a consumer group from brokers.',
  javaName: 'DeleteSubscriptionGroupCommand',
  refusals: 'client',
  options: groupOptions,
  async run(context) {
    const { options, admin, out } = context
    const { brokerAddr, clusterName, groupName } = options
    const cleanOffset = isTrue(options.removeOffset)
    const remove = async (address: string, where: string): Promise<void> => {
      if (out.tellsProblems && !(await admin.allGroups(address)).has(groupName)) {
        out.problem(`broker ${address} knows no group ${groupName}`)
      }
      await admin.deleteGroup(address, groupName, cleanOffset)
      out.line(`delete subscription group [${groupName}] from broker [${address}]${where} success.`)
    }
    if (brokerAddr !== undefined) {
      await remove(brokerAddr, '')
      return { groupName, brokers: [brokerAddr] }
    }
    if (clusterName === undefined) return USAGE
    const brokers = await clusterBrokers(context, clusterName)
    const masters = brokers.filter(({ brokerId }) => brokerId === 0).map(({ address }) => address)
    for (const address of masters) await remove(address, ` in cluster [${clusterName}]`)
    for (const topic of [retryTopic(groupName), dlqTopic(groupName)]) {
      await deleteTopic(
        context,
        topic,
        brokers.map(({ address }) => address),
      )
    }
    return { groupName, clusterName, brokers: masters }
  },
})

async function deleteTopic(
  { admin, out, namesrvAddr, options }: CommandContext<typeof groupOptions>,
  topic: string,
  addresses: readonly string[],
): Promise<void> {
  try {
    for (const address of addresses) await admin.deleteTopicInBroker(address, topic)
    for (const address of namesrvAddr) await admin.deleteTopicInNamesrv(address, topic, options.clusterName)
    await admin.deleteKv(ORDER_NAMESPACE, topic)
  } catch (error) {
    out.failure(`topic ${topic} is not deleted everywhere: ${errorText(error)}`)
  }
}
