import { type MessageQueue, messageQueueKey } from '../../common/index.js'
import type { Clock, Logger } from '../../util/index.js'

export interface RebalanceLockManagerOptions {
  clock: Clock
  logger: Logger
}

/** Java: system property `rocketmq.broker.rebalance.lockMaxLiveTime`. */
const LOCK_LIFE_MS = 60_000

interface LockEntry {
  clientId: string
  /** Monotonic ms. */
  updatedAt: number
}

/** Which client of an orderly group may consume which queue (broker-behaviour 4.6). In memory only. */
export class RebalanceLockManager {
  private readonly table = new Map<string, Map<string, LockEntry>>()

  constructor(private readonly options: RebalanceLockManagerOptions) {}

  /** Whether no queue of the group is locked: its retries may then be kept apart by topic. */
  isLockAllExpired(group: string): boolean {
    for (const entry of this.table.get(group)?.values() ?? []) if (!this.isExpired(entry)) return false
    return true
  }

  /** Takes or renews what can be taken, and gives that. */
  tryLockBatch(group: string, queues: Iterable<MessageQueue>, clientId: string): MessageQueue[] {
    const granted = new Map<string, MessageQueue>()
    for (const queue of queues) {
      if (this.tryLock(group, queue, clientId)) granted.set(messageQueueKey(queue), queue)
    }
    return [...granted.values()]
  }

  tryLock(group: string, queue: MessageQueue, clientId: string): boolean {
    let locks = this.table.get(group)
    if (locks === undefined) this.table.set(group, (locks = new Map()))
    const key = messageQueueKey(queue)
    const old = locks.get(key)
    if (old !== undefined && old.clientId !== clientId && !this.isExpired(old)) return false
    if (old?.clientId !== clientId) this.logGrant(group, queue, { clientId, from: old?.clientId })
    locks.set(key, { clientId, updatedAt: this.options.clock.monotonic() })
    return true
  }

  /** Gives back what the client holds; locks of others stay. */
  unlockBatch(group: string, queues: Iterable<MessageQueue>, clientId: string): void {
    const locks = this.table.get(group)
    if (locks === undefined) return
    for (const queue of queues) {
      const key = messageQueueKey(queue)
      if (locks.get(key)?.clientId === clientId) locks.delete(key)
    }
    if (locks.size === 0) this.table.delete(group)
  }

  /** Forgets locks that nobody renewed; they count as free already. */
  removeExpired(): void {
    for (const [group, locks] of [...this.table]) {
      for (const [key, entry] of [...locks]) if (this.isExpired(entry)) locks.delete(key)
      if (locks.size === 0) this.table.delete(group)
    }
  }

  private isExpired(entry: LockEntry): boolean {
    return this.options.clock.monotonic() - entry.updatedAt > LOCK_LIFE_MS
  }

  private logGrant(
    group: string,
    queue: MessageQueue,
    { clientId, from }: { clientId: string; from?: string | undefined },
  ): void {
    const { topic, queueId } = queue
    const after = from === undefined ? '' : `, after ${from} let it expire`
    const text = `${clientId} locks queue ${queueId} of ${topic} for ${group}${after}`
    this.options.logger.info({ event: 'queue-locked', group, topic, queueId, clientId, from }, text)
  }
}
