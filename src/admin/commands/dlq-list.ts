import type { AdminClient } from '../../client/index.js'
import { groupOfDerivedTopic, isDlqTopic } from '../../common/index.js'
import { errorText } from '../../util/index.js'
import { routeAddresses } from '../brokers.js'
import { front, secondsText } from '../format.js'
import type { Output } from '../output.js'

const ROW = '%-64s  %-10s  %-19s  %s'

/** A group that has dead letters. Times are ms. */
export interface DeadLetterGroup {
  group: string
  count: number
  oldest: number
  newest: number
}

/** Prints the groups that have dead letters, the one with most of them first. */
export async function listDeadLetters({ admin, out }: { admin: AdminClient; out: Output }): Promise<DeadLetterGroup[]> {
  const groups: DeadLetterGroup[] = []
  for (const topic of (await admin.topicList()).filter(isDlqTopic)) {
    try {
      const group = await groupOf(admin, topic)
      if (group.count > 0) groups.push(group)
    } catch (error) {
      out.failure(`${topic}: ${errorText(error)}`)
    }
  }
  groups.sort((a, b) => b.count - a.count || (a.group < b.group ? -1 : 1))
  out.row(ROW, '#Group', '#Count', '#Oldest', '#Newest')
  for (const { group, count, oldest, newest } of groups) {
    out.row(ROW, front(group, 64), count, timeText(oldest), timeText(newest))
  }
  if (groups.length === 0) out.line('No group has dead letters.')
  return groups
}

async function groupOf(admin: AdminClient, topic: string): Promise<DeadLetterGroup> {
  const route = await admin.topicRoute(topic)
  const group: DeadLetterGroup = { group: groupOfDerivedTopic(topic) ?? topic, count: 0, oldest: 0, newest: 0 }
  for (const { address } of routeAddresses(route)) {
    const { queues } = await admin.topicStats(address, topic)
    for (const { queue, minOffset, maxOffset, lastUpdateTimestamp } of queues) {
      if (maxOffset <= minOffset) continue
      group.count += maxOffset - minOffset
      group.newest = Math.max(group.newest, lastUpdateTimestamp)
      const oldest = await admin.earliestStoreTime(queue)
      if (oldest > 0 && (group.oldest === 0 || oldest < group.oldest)) group.oldest = oldest
    }
  }
  return group
}

function timeText(timestamp: number): string {
  return timestamp > 0 ? secondsText(timestamp) : '-'
}
