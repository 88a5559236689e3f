import { MASTER_ID, newTopicConfig, topicConfigToString } from '../../common/index.js'
import { clusterMasters } from '../brokers.js'
import { defineCommand, USAGE } from '../command.js'
import { needed, optional } from '../option-spec.js'
import { wholeNumber } from '../read-values.js'

export const updateTopicPerm = defineCommand({
  name: 'updateTopicPerm',
  description: 'Change the permission of a topic.',
  javaName: 'UpdateTopicPermSubCommand',
  refusals: 'client',
  options: {
    brokerAddr: optional('b', 'master the topic is changed on'),
    clusterName: optional('c', 'cluster whose masters the topic is changed on'),
    topic: needed('t', 'name of the topic'),
    perm: needed('p', 'permission: 2 write, 4 read, 6 both'),
  },
  async run(context) {
    const { options, admin, out } = context
    const { brokerAddr, clusterName, topic } = options
    const route = await admin.topicRoute(topic)
    const perm = wholeNumber(options.perm, 0)
    const change = async (address: string, brokerName: string): Promise<string> => {
      // what the route does not say is kept as it is on the broker
      const current = await admin.topicConfig(address, topic)
      const { perm: old } = route.queueDatas.find(data => data.brokerName === brokerName) ?? current
      const { attributes: _kept, ...rest } = current
      await admin.createTopic(address, { ...rest, perm })
      out.line(`update topic perm from ${old} to ${perm} in ${address} success.`)
      if (old === perm) out.problem(`the permission was ${perm} before on ${address}`)
      return topicConfigToString(newTopicConfig(topic, { ...current, perm }))
    }
    if (brokerAddr !== undefined) {
      const broker = route.brokerDatas.find(data => data.brokerAddrs.get(MASTER_ID) === brokerAddr)
      const data = route.queueDatas.find(queueData => queueData.brokerName === broker?.brokerName)
      if (broker === undefined || data === undefined) {
        out.line('updateTopicPerm error broker not exit or broker is not master!.')
        out.problem(`${brokerAddr} is no master that has topic ${topic}`)
        return undefined
      }
      if (data.perm === perm) {
        out.line('new perm equals to the old one!')
        out.problem(`the permission is ${perm} already`)
        return undefined
      }
      out.line(`${await change(brokerAddr, broker.brokerName)}.`)
      return { topic, perm, brokers: [brokerAddr] }
    }
    if (clusterName === undefined) return USAGE
    const masters = await clusterMasters(context, clusterName)
    for (const { address, brokerName } of masters) await change(address, brokerName)
    return { topic, perm, brokers: masters.map(({ address }) => address) }
  },
})
