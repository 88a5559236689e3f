import { compareMessageQueues } from '../../common/index.js'
import { routeAddresses } from '../brokers.js'
import { defineCommand } from '../command.js'
import { doubleText, front, millisText } from '../format.js'
import { needed, optional } from '../option-spec.js'

const HEADING = '%-32s  %-4s  %-20s  %-20s    %s'
const ROW = '%-32s  %-4d  %-20d  %-20d    %s'

export const topicStatus = defineCommand({
  name: 'topicStatus',
  description: 'Show where the queues of a topic begin and end.',
  javaName: 'TopicStatusSubCommand',
  options: {
    topic: needed('t', 'name of the topic'),
    cluster: optional('c', 'topic whose route leads to the brokers: a cluster name, or the parent of an LMQ'),
  },
  async run({ options, admin, out }) {
    const route = await admin.topicRoute(options.cluster ?? options.topic)
    const perBroker = []
    for (const { address } of routeAddresses(route)) perBroker.push(await admin.topicStats(address, options.topic))
    const queues = perBroker.flatMap(stats => stats.queues).sort((a, b) => compareMessageQueues(a.queue, b.queue))
    const topicPutTps = perBroker.reduce((sum, stats) => sum + stats.topicPutTps, 0)
    out.row(HEADING, '#Broker Name', '#QID', '#Min Offset', '#Max Offset', '#Last Updated')
    for (const { queue, minOffset, maxOffset, lastUpdateTimestamp } of queues) {
      const updated = lastUpdateTimestamp > 0 ? millisText(lastUpdateTimestamp) : ''
      out.row(ROW, front(queue.brokerName, 32), queue.queueId, minOffset, maxOffset, updated)
    }
    out.line()
    out.line(`Topic Put TPS: ${doubleText(topicPutTps)}`)
    return { topicPutTps, queues }
  },
})
