import { isRetryTopic, type MessageModel, type MessageQueue } from '../../common/index.js'
import { errorText } from '../../util/index.js'
import type { ClientInstance } from '../client-instance.js'
import type { AllocateStrategy } from './allocate.js'

export interface AssignmentOptions {
  instance: ClientInstance
  group: string
  messageModel: MessageModel
  allocate: AllocateStrategy
}

export interface Assignment {
  /** All readable queues of the topic. */
  all: readonly MessageQueue[]
  /** Those that are ours. */
  mine: readonly MessageQueue[]
  /** Nobody else reads them. */
  alone: boolean
}

/** `unknown`: nothing changes this time. `failed`: nothing changes and it should be tried again soon. */
export type AssignmentResult = Assignment | 'unknown' | 'failed'

/** Finds out which queues of a topic a member of a group should read (client-behaviour 8.1). */
export async function assignQueues(topic: string, options: AssignmentOptions): Promise<AssignmentResult> {
  const { instance, group, messageModel, allocate } = options
  const all = await readableQueues(topic, instance)
  if (!all) return 'unknown'
  if (messageModel === 'BROADCASTING') return { all, mine: all, alone: true }
  const clientIds = await memberIds(topic, options)
  if (!clientIds) return 'unknown'
  try {
    const mine = allocate.allocate({ group, clientId: instance.clientId, queues: all, clientIds })
    return { all, mine, alone: clientIds.length === 1 && clientIds[0] === instance.clientId }
  } catch (error) {
    instance.logger.error(
      { event: 'allocate-failed', group, topic, strategy: allocate.name, err: error },
      `the strategy ${allocate.name} failed for ${topic}: ${errorText(error)}`,
    )
    return 'failed'
  }
}

async function readableQueues(topic: string, instance: ClientInstance): Promise<readonly MessageQueue[] | undefined> {
  let queues = instance.routes.subscribeQueues(topic)
  if (!queues) {
    await instance.routes.refresh(topic)
    queues = instance.routes.subscribeQueues(topic)
  }
  if (!queues && !isRetryTopic(topic)) {
    instance.logger.warn({ event: 'no-route', topic }, `the topic ${topic} is not known to the NameServer yet`)
  }
  return queues
}

/** Sorted ids of the members; undefined when no broker tells. */
async function memberIds(topic: string, { instance, group }: AssignmentOptions): Promise<string[] | undefined> {
  for (let tries = 0; ; tries++) {
    const address = instance.routes.anyBrokerOf(topic)
    if (address === undefined) return undefined
    const ids = await instance.brokers.consumerIds({ address }, group)
    if (!ids) return undefined
    // a broker that has just started may not have heard of us: giving up all queues would be wrong
    if (ids.includes(instance.clientId) || tries > 0) return [...new Set(ids)].sort()
    await instance.heartbeatTo(address)
  }
}
