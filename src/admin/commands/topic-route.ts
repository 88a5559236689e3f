import { stringifyFastJson, type TopicRouteData } from '../../common/index.js'
import { defineCommand } from '../command.js'
import { format, mapText } from '../format.js'
import { flag, needed } from '../option-spec.js'

const ROW = '%-45s %-32s %-50s %-10s %-11s %-5s'
const RULE = '-'.repeat(158)

export const topicRoute = defineCommand({
  name: 'topicRoute',
  description: 'Show where a topic is.',
  javaName: 'TopicRouteSubCommand',
  options: {
    topic: needed('t', 'name of the topic'),
    list: flag('l', 'as a table'),
  },
  async run({ options, admin, out }) {
    const route = await admin.topicRoute(options.topic)
    if (options.list) for (const line of tableLines(route)) out.line(line)
    else out.line(bareNumberKeys(stringifyFastJson(route, { pretty: true })))
    return route
  },
})

function tableLines(route: TopicRouteData): string[] {
  const queues = new Map(route.queueDatas.map(data => [data.brokerName, data]))
  const brokers = [...route.brokerDatas].sort((a, b) => (a.brokerName < b.brokerName ? -1 : 1))
  const lines = [format(ROW, '#ClusterName', '#BrokerName', '#BrokerAddrs', '#ReadQueue', '#WriteQueue', '#Perm')]
  let reads = 0
  let writes = 0
  for (const { cluster, brokerName, brokerAddrs } of brokers) {
    const { readQueueNums = 0, writeQueueNums = 0, perm = 0 } = queues.get(brokerName) ?? {}
    reads += readQueueNums
    writes += writeQueueNums
    lines.push(format(ROW, cluster, brokerName, mapText(brokerAddrs), readQueueNums, writeQueueNums, perm))
  }
  return [...lines, RULE, format(ROW, 'Total:', queues.size, '', reads, writes, '')]
}

/** Java's tool writes maps keyed by numbers in its own way: bare keys, all on the line of the brace. */
function bareNumberKeys(json: string): string {
  return json.replace(/\{((?:\n\t+"\d+":[^\n]*)+)\n/g, (_all, members: string) => {
    return `{${members.replace(/\n\t+"(\d+)":/g, '$1:')}\n`
  })
}
