import { isRetryTopic, type MessageQueue, messageQueueKey } from '../../common/index.js'
import { errorText, sleep } from '../../util/index.js'
import { queueText } from '../pull-message.js'
import { assignQueues } from './assignment.js'
import type { ConsumptionContext } from './consumption.js'
import { firstOffset } from './first-offset.js'
import { ProcessQueue } from './process-queue.js'

/** Lets the member that had a queue before store its offset. */
const FIRST_PULL_DELAY_MS = 500
const LOCK_FAILED_REBALANCE_MS = 500
const UNLOCK_WAIT_MS = 500
const FORCED_UNLOCK_MS = 20_000
/** Rounds in which the retry topic, which the broker makes at the first heartbeat, is looked for eagerly. */
const RETRY_TOPIC_ROUNDS = 10

export interface OwnedQueuesHost {
  readonly context: ConsumptionContext
  /** A queue is ours: begin to pull it. */
  onAdded(processQueue: ProcessQueue, delayMs: number): void
  /** The queues of a topic changed. */
  onChanged(topic: string, mine: readonly MessageQueue[]): Promise<void>
}

/** The queues a push consumer owns, and how they come and go (client-behaviour 8.1). */
export class OwnedQueues {
  private readonly table = new Map<string, ProcessQueue>()
  private retryTopicRounds = 0
  private closed = false

  constructor(private readonly host: OwnedQueuesHost) {}

  all(): ProcessQueue[] {
    return [...this.table.values()]
  }

  of(topic: string): ProcessQueue[] {
    return this.all().filter(processQueue => processQueue.queue.topic === topic)
  }

  get(queue: MessageQueue): ProcessQueue | undefined {
    return this.table.get(messageQueueKey(queue))
  }

  /** Takes and gives up queues of a topic; resolves to whether those owned are those that should be. */
  async rebalance(topic: string): Promise<boolean> {
    const { instance, group, settings } = this.host.context
    const { messageModel, allocate } = settings
    try {
      const assignment = await assignQueues(topic, { instance, group, messageModel, allocate })
      if (assignment === 'failed') return false
      if (assignment === 'unknown') return !isRetryTopic(topic) || ++this.retryTopicRounds > RETRY_TOPIC_ROUNDS
      const { changed, added } = await this.adopt(topic, assignment.mine)
      if (changed) {
        instance.logger.info(
          { event: 'queues-changed', group, topic, queues: assignment.mine.length, all: assignment.all.length },
          `${group} now reads ${assignment.mine.length} of ${assignment.all.length} queues of ${topic} here`,
        )
        await this.host.onChanged(topic, assignment.mine)
      }
      // only now: a pull that overtakes the heartbeat of the change would be refused
      for (const processQueue of added) this.host.onAdded(processQueue, assignment.alone ? 0 : FIRST_PULL_DELAY_MS)
      return this.ownsJust(topic, assignment.mine)
    } catch (error) {
      if (isRetryTopic(topic)) return true
      instance.logger.warn(
        { event: 'rebalance-failed', group, topic, err: error },
        `rebalance of ${topic} failed: ${errorText(error)}`,
      )
      return false
    }
  }

  /** Gives up the queues of topics that are not subscribed any more. */
  async keepOnly(isSubscribed: (topic: string) => boolean): Promise<void> {
    for (const processQueue of this.all()) {
      if (!isSubscribed(processQueue.queue.topic)) await this.giveUp(processQueue)
    }
  }

  /** Drops a queue and stores its offset; the next rebalance takes it anew. */
  async giveUp(processQueue: ProcessQueue): Promise<boolean> {
    processQueue.drop()
    const { offsets, settings } = this.host.context
    await offsets.persist(processQueue.queue)
    if (settings.ordered && settings.messageModel === 'CLUSTERING' && !(await this.unlock(processQueue))) return false
    offsets.forget(processQueue.queue)
    this.table.delete(messageQueueKey(processQueue.queue))
    return true
  }

  /** Drops every queue where it is and takes no more: nothing is pulled or handled from now on. */
  close(): void {
    this.closed = true
    for (const processQueue of this.all()) processQueue.drop()
  }

  private async adopt(
    topic: string,
    mine: readonly MessageQueue[],
  ): Promise<{ changed: boolean; added: ProcessQueue[] }> {
    const wanted = new Set(mine.map(messageQueueKey))
    let changed = false
    for (const processQueue of this.of(topic)) {
      const keep =
        wanted.has(messageQueueKey(processQueue.queue)) && !processQueue.dropped && !processQueue.isPullExpired
      if (!keep && (await this.giveUp(processQueue))) changed = true
    }
    const missing = mine.filter(queue => !this.table.has(messageQueueKey(queue)))
    const results = await Promise.all(missing.map(queue => this.add(queue)))
    if (results.includes('locked by another')) this.host.context.instance.wakeRebalance(LOCK_FAILED_REBALANCE_MS)
    const added = results.filter(result => result instanceof ProcessQueue)
    return { changed: changed || added.length > 0, added }
  }

  private async add(queue: MessageQueue): Promise<ProcessQueue | 'locked by another' | 'failed'> {
    const { instance, group, offsets, settings, locks } = this.host.context
    const { consumeFromWhere, consumeTimestamp } = settings
    const needsLock = settings.ordered && settings.messageModel === 'CLUSTERING'
    if (needsLock && !(await locks.lock(queue))) return 'locked by another'
    offsets.forget(queue)
    try {
      const offset = await firstOffset(queue, { instance, offsets, consumeFromWhere, consumeTimestamp })
      // the consumer may have been stopped meanwhile
      if (this.closed) return 'failed'
      const processQueue = new ProcessQueue(queue, offset, instance.clock)
      processQueue.locked = needsLock
      this.table.set(messageQueueKey(queue), processQueue)
      return processQueue
    } catch (error) {
      instance.logger.warn(
        { event: 'queue-not-taken', group, queue, err: error },
        `${queueText(queue)} is taken in a later round: ${errorText(error)}`,
      )
      return 'failed'
    }
  }

  /** Gives the lock back once the listener is done with what it has; false to try again in the next round. */
  private async unlock(processQueue: ProcessQueue): Promise<boolean> {
    const { instance, locks, offsets } = this.host.context
    const { clock } = instance
    if (processQueue.isListening) {
      await Promise.race([processQueue.listenerRunning, sleep(clock, UNLOCK_WAIT_MS)])
      const forced = clock.monotonic() - processQueue.lastLockAt > FORCED_UNLOCK_MS
      if (processQueue.isListening && !forced) {
        processQueue.tryUnlockTimes++
        return false
      }
      await offsets.persist(processQueue.queue)
    }
    await locks.unlock(processQueue.queue)
    return true
  }

  private ownsJust(topic: string, mine: readonly MessageQueue[]): boolean {
    const owned = this.of(topic).filter(processQueue => !processQueue.dropped)
    const wanted = new Set(mine.map(messageQueueKey))
    return owned.length === wanted.size && owned.every(processQueue => wanted.has(messageQueueKey(processQueue.queue)))
  }
}
