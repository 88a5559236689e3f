import { defineCommand } from '../command.js'
import { needed } from '../option-spec.js'

export const topicClusterList = defineCommand({
  name: 'topicClusterList',
  description: 'List the clusters that have a topic.',
  javaName: 'TopicClusterSubCommand',
  options: { topic: needed('t', 'name of the topic') },
  async run({ options, admin, out }) {
    const route = await admin.topicRoute(options.topic)
    const brokerName = route.brokerDatas[0]?.brokerName ?? ''
    const { clusterAddrTable } = await admin.clusterInfo()
    const clusters = [...clusterAddrTable].filter(([, names]) => [...names].includes(brokerName)).map(([name]) => name)
    for (const cluster of clusters) out.line(cluster)
    return clusters
  },
})
