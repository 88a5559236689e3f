import type { AdminClient, ConsumerRunningInfo } from '../../client/index.js'
import { groupOfDerivedTopic, isRetryTopic } from '../../common/index.js'
import { errorText, sleep } from '../../util/index.js'
import { routeAddresses } from '../brokers.js'
import { defineCommand } from '../command.js'
import { secondsText } from '../format.js'
import { groupConnection, groupConsumeStats } from '../group-state.js'
import type { Output } from '../output.js'
import { haveSameSubscription, stuckQueues } from '../running-info-text.js'

const ROUND_MS = 60_000

/**
 * Looks at all groups once a minute. Java writes what it finds to a log file; here it is printed, a line each, so that
 * it can be read and piped. One round with `--json`, for jobs that run it themselves.
 */
export const startMonitoring = defineCommand({
  name: 'startMonitoring',
  description: 'Watch all consumer groups for backlogs, failures and members that are stuck.',
  javaName: 'StartMonitoringSubCommand',
  options: {},
  async run({ admin, out, clock }) {
    for (;;) {
      const found: Finding[] = []
      for (const topic of await admin.topicList()) {
        const group = isRetryTopic(topic) ? groupOfDerivedTopic(topic) : undefined
        if (group !== undefined) found.push(...(await look(admin, group, clock.now())))
      }
      print(out, found, clock.now())
      if (out.isJson) return found
      await sleep(clock, ROUND_MS)
    }
  },
})

interface Finding {
  group: string
  kind: 'UNDONE_MESSAGES' | 'FAILED_MESSAGES' | 'DIFFERENT_SUBSCRIPTIONS' | 'STUCK_QUEUE' | 'NOT_CHECKED'
  text: string
}

function print(out: Output, found: readonly Finding[], now: number): void {
  for (const { group, kind, text } of found) out.line(`${secondsText(now)} [MONITOR] [${kind}] ${group}: ${text}`)
}

async function look(admin: AdminClient, group: string, now: number): Promise<Finding[]> {
  try {
    const found = await undone(admin, group, now)
    const members = await groupConnection(admin, group).catch(() => undefined)
    if (members === undefined) return found
    const infos = await infosOf(
      admin,
      group,
      members.connections.map(({ clientId }) => clientId),
    )
    if (!haveSameSubscription(infos, now)) {
      found.push({ group, kind: 'DIFFERENT_SUBSCRIPTIONS', text: 'its members subscribe to different things' })
    }
    for (const [clientId, info] of infos) {
      for (const text of stuckQueues(clientId, info, now)) found.push({ group, kind: 'STUCK_QUEUE', text })
      found.push(...failures(group, clientId, info))
    }
    return found
  } catch (error) {
    return [{ group, kind: 'NOT_CHECKED', text: errorText(error) }]
  }
}

/** Per topic what the group has not consumed, and how old the next message is at most. */
async function undone(admin: AdminClient, group: string, now: number): Promise<Finding[]> {
  const stats = await groupConsumeStats(admin, group).catch(() => undefined)
  const byTopic = new Map<string, { count: number; delayMs: number }>()
  for (const { queue, brokerOffset, consumerOffset, lastTimestamp } of stats?.queues ?? []) {
    if (brokerOffset <= consumerOffset) continue
    const sum = byTopic.get(queue.topic) ?? { count: 0, delayMs: 0 }
    sum.count += brokerOffset - consumerOffset
    if (lastTimestamp > 0) sum.delayMs = Math.max(sum.delayMs, now - lastTimestamp)
    byTopic.set(queue.topic, sum)
  }
  return Array.from(byTopic, ([topic, { count, delayMs }]) => {
    const age = delayMs === 0 ? '' : `, the last one consumed was stored ${delayMs}ms ago`
    return { group, kind: 'UNDONE_MESSAGES', text: `${count} messages of ${topic} wait${age}` }
  })
}

async function infosOf(
  admin: AdminClient,
  group: string,
  clientIds: readonly string[],
): Promise<Map<string, ConsumerRunningInfo>> {
  const infos = new Map<string, ConsumerRunningInfo>()
  const addresses = routeAddresses(await admin.topicRoute(`%RETRY%${group}`)).map(({ address }) => address)
  for (const clientId of clientIds) {
    for (const address of addresses) {
      const info = await admin.consumerRunningInfo(address, group, clientId).catch(() => undefined)
      if (info === undefined) continue
      infos.set(clientId, info)
      break
    }
  }
  return infos
}

function failures(group: string, clientId: string, { statusTable }: ConsumerRunningInfo): Finding[] {
  return [...statusTable].flatMap(([topic, { consumeFailedMsgs }]) => {
    const count = Number(consumeFailedMsgs ?? 0)
    if (!(count > 0)) return []
    return [
      { group, kind: 'FAILED_MESSAGES', text: `${clientId} failed ${count} messages of ${topic} in the last hour` },
    ]
  })
}
