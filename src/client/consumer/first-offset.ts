import { type ConsumeFromWhere, isRetryTopic, MASTER_ID, type MessageQueue } from '../../common/index.js'
import { brokerMissing } from '../client-error.js'
import type { ClientInstance } from '../client-instance.js'
import type { OffsetStore } from './offset-store.js'

export interface FirstOffsetOptions {
  instance: ClientInstance
  offsets: OffsetStore
  consumeFromWhere: ConsumeFromWhere
  /** Ms; for CONSUME_FROM_TIMESTAMP. */
  consumeTimestamp: number
}

/**
 * Where a queue that has become ours is read from: the stored offset, or for a new group what `consumeFromWhere` says.
 * @throws MQClientError when the stored offset cannot be read: starting elsewhere would lose or repeat messages
 */
export async function firstOffset(queue: MessageQueue, options: FirstOffsetOptions): Promise<number> {
  const stored = await options.offsets.read(queue)
  if (stored !== undefined && stored >= 0) return stored
  const { brokers, routes } = options.instance
  const master = (): { address: string; brokerName: string } => {
    const found = routes.broker(queue.brokerName, MASTER_ID)
    if (!found) throw brokerMissing(queue.brokerName)
    return { address: found.address, brokerName: queue.brokerName }
  }
  const retry = isRetryTopic(queue.topic)
  switch (options.consumeFromWhere) {
    case 'CONSUME_FROM_FIRST_OFFSET':
      return 0
    case 'CONSUME_FROM_TIMESTAMP':
      return retry
        ? brokers.maxOffset(master(), queue)
        : brokers.searchOffset(master(), queue, options.consumeTimestamp)
    case 'CONSUME_FROM_LAST_OFFSET':
    case 'CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST':
    case 'CONSUME_FROM_MIN_OFFSET':
    case 'CONSUME_FROM_MAX_OFFSET':
      return retry ? 0 : brokers.maxOffset(master(), queue)
  }
}
