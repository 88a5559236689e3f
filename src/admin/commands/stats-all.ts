import type { AdminClient, BrokerStatsData } from '../../client/index.js'
import { isDlqTopic, isRetryTopic } from '../../common/index.js'
import { errorText } from '../../util/index.js'
import { routeAddresses } from '../brokers.js'
import { type CommandContext, defineCommand } from '../command.js'
import { front } from '../format.js'
import { groupConsumeStats } from '../group-state.js'
import { flag, optional } from '../option-spec.js'

const HEADING = '%-64s  %-64s %12s %11s %11s %14s %14s'
const ROW = '%-64s  %-64s %12d %11.2f %11.2f %14d %14d'
const ROW_WITHOUT_GROUP = '%-64s  %-64s %12d %11.2f %11s %14d %14s'

const statsOptions = {
  activeTopic: flag('a', 'only topics with messages today'),
  topic: optional('t', 'only this topic'),
} as const

type Context = CommandContext<typeof statsOptions>

interface Traffic {
  tps: number
  today: number
}

export const statsAll = defineCommand({
  name: 'statsAll',
  description: 'Show rates and backlogs of all topics and groups.',
  javaName: 'StatsAllSubCommand',
  options: statsOptions,
  async run(context) {
    const { options, admin, out } = context
    const titles = ['#Accumulation', '#InTPS', '#OutTPS', '#InMsg24Hour', '#OutMsg24Hour']
    out.row(HEADING, '#Topic', '#Consumer Group', ...titles)
    const rows: object[] = []
    for (const topic of await admin.topicList()) {
      if (isRetryTopic(topic) || isDlqTopic(topic)) continue
      if (options.topic !== undefined && topic !== options.topic) continue
      try {
        rows.push(...(await topicRows(context, topic)))
      } catch (error) {
        // as in Java, the others are shown
        out.problem(`topic ${topic}: ${errorText(error)}`)
      }
    }
    return rows
  },
})

async function topicRows({ options, admin, out }: Context, topic: string): Promise<object[]> {
  const addresses = routeAddresses(await admin.topicRoute(topic)).map(({ address }) => address)
  const groups = new Set<string>()
  for (const address of addresses) for (const group of await admin.consumersOfTopic(address, topic)) groups.add(group)
  const incoming = await traffic(admin, addresses, { name: 'TOPIC_PUT_NUMS', key: topic })
  if (groups.size === 0) {
    if (options.activeTopic && incoming.today === 0) return []
    out.row(ROW_WITHOUT_GROUP, front(topic, 64), '', 0, incoming.tps, '', incoming.today, 'NO_CONSUMER')
    return [{ topic, inTps: incoming.tps, inToday: incoming.today }]
  }
  const rows: object[] = []
  for (const group of groups) {
    const outgoing = await traffic(admin, addresses, { name: 'GROUP_GET_NUMS', key: `${topic}@${group}` })
    if (options.activeTopic && incoming.today === 0 && outgoing.today === 0) continue
    const accumulation = await backlog(admin, group, topic)
    const numbers = [accumulation, incoming.tps, outgoing.tps, incoming.today, outgoing.today]
    out.row(ROW, front(topic, 64), front(group, 64), ...numbers)
    const [inTps, outTps] = [incoming.tps, outgoing.tps]
    rows.push({ topic, group, accumulation, inTps, outTps, inToday: incoming.today, outToday: outgoing.today })
  }
  return rows
}

/** A broker that has not counted anything yet refuses; that is none. */
async function traffic(
  admin: AdminClient,
  addresses: readonly string[],
  { name, key }: { name: string; key: string },
): Promise<Traffic> {
  const sum: Traffic = { tps: 0, today: 0 }
  for (const address of addresses) {
    const stats = await admin.brokerStats(address, name, key).catch(() => undefined)
    if (stats === undefined) continue
    sum.tps += stats.statsMinute.tps
    sum.today += ofToday(stats)
  }
  return sum
}

/** The longest window that has been measured. */
function ofToday({ statsDay, statsHour, statsMinute }: BrokerStatsData): number {
  return statsDay.sum || statsHour.sum || statsMinute.sum
}

async function backlog(admin: AdminClient, group: string, topic: string): Promise<number> {
  const stats = await groupConsumeStats(admin, group, { topic }).catch(() => undefined)
  const diff = (stats?.queues ?? []).reduce((sum, queue) => sum + queue.brokerOffset - queue.consumerOffset, 0)
  return Math.max(0, diff)
}
