import type { AdminClient } from '../../client/index.js'
import { type ClusterInfo, isDlqTopic, isRetryTopic } from '../../common/index.js'
import { routeAddresses } from '../brokers.js'
import { defineCommand } from '../command.js'
import { front } from '../format.js'
import { flag } from '../option-spec.js'

const HEADING = '%-20s  %-48s  %-48s'
/** Wider than the heading, as in Java. */
const ROW = '%-20s  %-64s  %-64s'

export const topicList = defineCommand({
  name: 'topicList',
  description: 'List the topics the NameServer knows.',
  javaName: 'TopicListSubCommand',
  options: { clusterModel: flag('c', 'with the cluster and the consumer groups of each') },
  async run({ options, admin, out }) {
    if (!options.clusterModel) {
      const topics = await admin.topicList()
      for (const topic of topics) out.line(topic)
      return topics
    }
    const clusters = await admin.clusterInfo()
    out.row(HEADING, '#Cluster Name', '#Topic', '#Consumer Group')
    const result: { cluster: string; topic: string; consumerGroups: string[] }[] = []
    for (const topic of await admin.topicList()) {
      if (isRetryTopic(topic) || isDlqTopic(topic)) continue
      const entry = { topic, ...(await clusterAndGroups(admin, clusters, topic)) }
      for (const group of entry.consumerGroups.length > 0 ? entry.consumerGroups : ['']) {
        out.row(ROW, front(entry.cluster, 20), front(topic, 64), front(group, 64))
      }
      result.push(entry)
    }
    return result
  },
})

/** A topic that cannot be asked about is listed with what is known of it. */
async function clusterAndGroups(
  admin: AdminClient,
  clusters: ClusterInfo,
  topic: string,
): Promise<{ cluster: string; consumerGroups: string[] }> {
  const result = { cluster: '', consumerGroups: [] as string[] }
  try {
    const route = await admin.topicRoute(topic)
    const brokerName = route.brokerDatas[0]?.brokerName ?? ''
    for (const [cluster, names] of clusters.clusterAddrTable) {
      if ([...names].includes(brokerName)) result.cluster = cluster
    }
    for (const { address } of routeAddresses(route)) {
      const groups = await admin.consumersOfTopic(address, topic)
      result.consumerGroups = [...new Set([...result.consumerGroups, ...groups])]
    }
  } catch {
    // as in Java: an unreachable broker must not hide the other topics
  }
  return result
}
