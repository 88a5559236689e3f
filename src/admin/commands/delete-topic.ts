import { clusterMasters, findRoute } from '../brokers.js'
import { defineCommand } from '../command.js'
import { needed } from '../option-spec.js'

export const deleteTopic = defineCommand({
  name: 'deleteTopic',
  description: 'Delete a topic from the brokers of a cluster and from the NameServers.',
  javaName: 'DeleteTopicSubCommand',
  refusals: 'client',
  options: {
    topic: needed('t', 'name of the topic'),
    clusterName: needed('c', 'cluster it is deleted from'),
  },
  async run(context) {
    const { options, admin, out, namesrvAddr } = context
    const { topic, clusterName } = options
    if (out.tellsProblems && (await findRoute(admin, topic)) === undefined) {
      out.problem(`the NameServer knows no topic ${topic}`)
    }
    const masters = await clusterMasters(context, clusterName)
    for (const { address } of masters) await admin.deleteTopicInBroker(address, topic)
    out.line(`delete topic [${topic}] from cluster [${clusterName}] success.`)
    for (const address of namesrvAddr) await admin.deleteTopicInNamesrv(address, topic, clusterName)
    out.line(`delete topic [${topic}] from NameServer success.`)
    return { topic, clusterName, brokers: masters.map(({ address }) => address), nameServers: namesrvAddr }
  },
})
