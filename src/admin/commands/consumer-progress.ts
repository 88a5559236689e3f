import type { AdminClient, ConsumeStats } from '../../client/index.js'
import { groupOfDerivedTopic, isRetryTopic, messageQueueKey, versionName } from '../../common/index.js'
import { type CommandContext, defineCommand } from '../command.js'
import { front, secondsText } from '../format.js'
import { clientIpByQueue, groupConnection, groupConsumeStats } from '../group-state.js'
import { optional } from '../option-spec.js'
import type { Output } from '../output.js'
import { isTrue } from '../read-values.js'

const HEADING = '%-64s  %-32s  %-4s  %-20s  %-20s  %-20s %-20s%s'
const ROW = '%-64s  %-32s  %-4d  %-20d  %-20d  %-20d %-20d %s'
const IP_HEADING = '%-64s  %-32s  %-4s  %-20s  %-20s  %-20s %-20s %-20s%s'
const IP_ROW = '%-64s  %-32s  %-4d  %-20d  %-20d  %-20s %-20d %-20d %s'
const GROUP_HEADING = '%-64s  %-6s  %-24s %-5s  %-14s  %-7s  %s'
const GROUP_ROW = '%-64s  %-6d  %-24s %-5s  %-14s  %-7d  %d'

const progressOptions = {
  groupName: optional('g', 'name of the consumer group; without it all groups are listed'),
  topicName: optional('t', 'only this topic'),
  showClientIP: optional('s', 'whether the member that has each queue is shown (true|false)'),
  cluster: optional('c', 'cluster name or parent of an LMQ, whose route is used when there is no other'),
} as const

export const consumerProgress = defineCommand({
  name: 'consumerProgress',
  description: 'Show how far consumer groups are, and how fast.',
  javaName: 'ConsumerProgressSubCommand',
  options: progressOptions,
  run: context =>
    context.options.groupName === undefined ? listGroups(context) : showGroup(context, context.options.groupName),
})

async function showGroup({ options, admin, out }: CommandContext<typeof progressOptions>, group: string) {
  const stats = await groupConsumeStats(admin, group, { topic: options.topicName, cluster: options.cluster })
  const ips = isTrue(options.showClientIP) ? await clientIpByQueue(admin, group) : undefined
  const tail = ['#Diff', '#Inflight', '#LastTime']
  const head = ['#Topic', '#Broker Name', '#QID', '#Broker Offset', '#Consumer Offset']
  if (ips) out.row(IP_HEADING, ...head, '#Client IP', ...tail)
  else out.row(HEADING, ...head, ...tail)
  const queues = stats.queues.map(progress => {
    const { queue, brokerOffset, consumerOffset, pullOffset } = progress
    const clientIp = ips?.get(messageQueueKey(queue))
    return { ...progress, clientIp, diff: brokerOffset - consumerOffset, inflight: pullOffset - consumerOffset }
  })
  for (const { queue, brokerOffset, consumerOffset, diff, inflight, lastTimestamp, clientIp } of queues) {
    const place = [front(queue.topic, 64), front(queue.brokerName, 32), queue.queueId, brokerOffset, consumerOffset]
    const lastTime = lastTimestamp === 0 ? 'N/A' : secondsText(lastTimestamp)
    if (ips) out.row(IP_ROW, ...place, clientIp ?? 'N/A', diff, inflight, lastTime)
    else out.row(ROW, ...place, diff, inflight, lastTime)
  }
  const diffTotal = totalOf(queues, 'diff')
  const inflightTotal = totalOf(queues, 'inflight')
  out.line()
  out.row('Consume TPS: %.2f', stats.consumeTps)
  out.row('Consume Diff Total: %d', diffTotal)
  out.row('Consume Inflight Total: %d', inflightTotal)
  return { group, consumeTps: stats.consumeTps, diffTotal, inflightTotal, queues }
}

function totalOf(queues: readonly { diff: number; inflight: number }[], field: 'diff' | 'inflight'): number {
  return queues.reduce((sum, queue) => sum + queue[field], 0)
}

async function listGroups({ admin, out }: CommandContext<typeof progressOptions>) {
  out.row(GROUP_HEADING, '#Group', '#Count', '#Version', '#Type', '#Model', '#TPS', '#Diff Total')
  const result: object[] = []
  for (const topic of await admin.topicList()) {
    if (isRetryTopic(topic)) result.push(await listGroup(admin, out, groupOfDerivedTopic(topic) ?? ''))
  }
  return result
}

async function listGroup(admin: AdminClient, out: Output, group: string): Promise<object> {
  // a group without offsets or members is listed all the same
  const stats = await groupConsumeStats(admin, group).catch((): ConsumeStats => ({ consumeTps: 0, queues: [] }))
  const members = await groupConnection(admin, group).catch(() => undefined)
  const count = members?.connections.length ?? 0
  const diffTotal = stats.queues.reduce((sum, queue) => sum + queue.brokerOffset - queue.consumerOffset, 0)
  const version = members === undefined ? 'OFFLINE' : versionName(Math.min(...members.connections.map(c => c.version)))
  const isPull = members?.consumeType === 'CONSUME_ACTIVELY'
  out.row(
    GROUP_ROW,
    front(group, 64),
    count,
    version,
    members === undefined ? '' : isPull ? 'PULL' : 'PUSH',
    members?.consumeType === 'CONSUME_PASSIVELY' ? members.messageModel : '',
    Math.trunc(stats.consumeTps),
    diffTotal,
  )
  const { consumeType, messageModel } = members ?? {}
  return { group, count, version, consumeType, messageModel, consumeTps: stats.consumeTps, diffTotal }
}
