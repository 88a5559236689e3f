import {
  type AdminClient,
  MQClientError,
  type OffsetResetEffect,
  type OffsetResetWish,
  type QueueOffset,
} from '../client/index.js'
import { compareMessageQueues, type MessageQueue, ResponseCode, type TopicRouteData } from '../common/index.js'
import { routeAddresses } from './brokers.js'
import { front } from './format.js'
import type { Output } from './output.js'

/** Which group is moved to where; the route is that of the topic, or of a cluster or LMQ parent. */
export interface GroupReset {
  topic: string
  group: string
  /** Ms; -1 is the end of each queue. */
  timestamp: number
  isForce: boolean
  routeTopic: string
}

/** A queue as the old way moves it. */
export interface RollbackStats {
  queue: MessageQueue
  brokerOffset: number
  consumerOffset: number
  timestampOffset: number
  rollbackOffset: number
}

/**
 * Has every broker of the topic move the group. Undefined when one wants the consumers online and they are not: then
 * the old way is left. @throws MQClientError
 */
export async function resetOnBrokers(admin: AdminClient, reset: GroupReset): Promise<QueueOffset[] | undefined> {
  const { topic, group, timestamp, isForce } = reset
  const moved: QueueOffset[] = []
  try {
    for (const { address } of routeAddresses(await admin.topicRoute(reset.routeTopic))) {
      moved.push(...(await admin.resetOffset(address, { topic, group, timestamp, isForce })))
    }
  } catch (error) {
    const isOffline = error instanceof MQClientError && error.responseCode === ResponseCode.CONSUMER_NOT_ONLINE
    if (isOffline) return undefined
    throw error
  }
  return moved.sort((a, b) => compareMessageQueues(a.queue, b.queue))
}

/** Stores the offsets of the group itself, which members that run overwrite with theirs. @throws MQClientError */
export async function resetTheOldWay(admin: AdminClient, reset: GroupReset): Promise<RollbackStats[]> {
  const route = await admin.topicRoute(reset.routeTopic)
  const result: RollbackStats[] = []
  for (const broker of routeAddresses(route)) {
    for (const progress of await progressOf(admin, reset, { ...broker, route })) {
      result.push(await rollBack(admin, reset, { ...progress, address: broker.address }))
    }
  }
  return result
}

interface Progress {
  queue: MessageQueue
  brokerOffset: number
  consumerOffset: number
}

/** Where the group is; one that has never been here is at the start of each queue. */
async function progressOf(
  admin: AdminClient,
  { topic, group }: GroupReset,
  { address, brokerName, route }: { address: string; brokerName: string; route: TopicRouteData },
): Promise<Progress[]> {
  const { queues } = await admin.consumeStats(address, group)
  const known = queues.filter(({ queue }) => queue.topic === topic)
  if (known.length > 0) return known
  const readable = route.queueDatas.find(data => data.brokerName === brokerName)?.readQueueNums ?? 0
  const stats = await admin.topicStats(address, topic)
  return stats.queues
    .filter(({ queue }) => queue.queueId < readable)
    .map(({ queue, minOffset, maxOffset }) => ({ queue, brokerOffset: maxOffset, consumerOffset: minOffset }))
}

async function rollBack(
  admin: AdminClient,
  { group, timestamp, isForce }: GroupReset,
  { queue, brokerOffset, consumerOffset, address }: Progress & { address: string },
): Promise<RollbackStats> {
  const timestampOffset = timestamp === -1 ? await admin.maxOffset(queue) : await admin.searchOffset(queue, timestamp)
  const moves = isForce || timestampOffset <= consumerOffset
  if (moves) await admin.updateConsumerOffset(address, group, queue, timestampOffset)
  const rollbackOffset = moves ? timestampOffset : consumerOffset
  return { queue, brokerOffset, consumerOffset, timestampOffset, rollbackOffset }
}

export function printOffsets(out: Output, offsets: readonly QueueOffset[]): void {
  out.row('%-40s  %-40s  %-40s', '#brokerName', '#queueId', '#offset')
  for (const { queue, offset } of offsets) {
    out.row('%-40s  %-40d  %-40d', front(queue.brokerName, 32), queue.queueId, offset)
  }
}

/** @param lastTitle Java's commands do not agree on it. */
export function printRollback(out: Output, rollback: readonly RollbackStats[], lastTitle: string): void {
  const titles = ['#brokerName', '#queueId', '#brokerOffset', '#consumerOffset', '#timestampOffset', lastTitle]
  out.row('%-20s  %-20s  %-20s  %-20s  %-20s  %-20s', ...titles)
  for (const { queue, brokerOffset, consumerOffset, timestampOffset, rollbackOffset } of rollback) {
    const offsets = [brokerOffset, consumerOffset, timestampOffset, rollbackOffset]
    out.row('%-20s  %-20d  %-20d  %-20d  %-20d  %-20d', front(queue.brokerName, 32), queue.queueId, ...offsets)
  }
}

/** What a reset would do on the brokers given; nothing changes. @throws MQClientError */
export async function previewOnBrokers(
  admin: AdminClient,
  addresses: readonly string[],
  wish: OffsetResetWish,
): Promise<OffsetResetEffect[]> {
  const effects: OffsetResetEffect[] = []
  for (const address of addresses) effects.push(...(await admin.previewResetOffset(address, wish)))
  return effects.sort((a, b) => compareMessageQueues(a.queue, b.queue))
}

const EFFECT_ROW = '%-32s  %-6s  %-14s  %-14s  %-14s  %-14s  %-10s  %s'

/** Offsets a group has none of are shown as `-`. */
export function printEffects(out: Output, effects: readonly OffsetResetEffect[]): void {
  const titles = ['#brokerName', '#QID', '#minOffset', '#maxOffset', '#before', '#after', '#reread', '#skipped']
  out.row(EFFECT_ROW, ...titles)
  const text = (offset: number): string => (offset < 0 ? '-' : String(offset))
  for (const { queue, minOffset, maxOffset, before, after, reread, skipped } of effects) {
    const places = [front(queue.brokerName, 32), queue.queueId, minOffset, maxOffset, text(before), text(after)]
    out.row(EFFECT_ROW, ...places, reread, skipped)
  }
  const total = (field: 'reread' | 'skipped'): number => effects.reduce((sum, effect) => sum + effect[field], 0)
  out.row('Total: %d messages delivered again, %d skipped', total('reread'), total('skipped'))
}
