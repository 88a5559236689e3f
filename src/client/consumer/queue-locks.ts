import { type MessageQueue, messageQueueKey } from '../../common/index.js'
import { errorText } from '../../util/index.js'
import type { ClientInstance } from '../client-instance.js'
import type { ProcessQueue } from './process-queue.js'

/** Locks at the brokers that keep a queue for one member of an ordered group. */
export class QueueLocks {
  constructor(
    private readonly instance: ClientInstance,
    private readonly group: string,
  ) {}

  /** Resolves to whether the queue is ours now; marks `processQueue` so. */
  async lock(queue: MessageQueue, processQueue?: ProcessQueue): Promise<boolean> {
    const locked = await this.lockAt(queue.brokerName, [queue])
    const ours = locked?.has(messageQueueKey(queue)) ?? false
    if (ours && processQueue) this.markLocked(processQueue)
    return ours
  }

  /** Renews all locks; queues that are not granted are lost. A broker that does not answer changes nothing. */
  async lockAll(processQueues: readonly ProcessQueue[]): Promise<void> {
    await this.eachBroker(processQueues, async (brokerName, ofBroker) => {
      const queues = ofBroker.map(processQueue => processQueue.queue)
      const locked = await this.lockAt(brokerName, queues)
      if (!locked) return
      for (const processQueue of ofBroker) {
        if (locked.has(messageQueueKey(processQueue.queue))) this.markLocked(processQueue)
        else {
          processQueue.locked = false
          this.instance.logger.warn(
            { event: 'lock-lost', group: this.group, queue: processQueue.queue },
            `the lock of queue ${processQueue.queue.queueId} of ${processQueue.queue.topic} is somebody else's`,
          )
        }
      }
    })
  }

  /** Sent and forgotten. */
  async unlock(queue: MessageQueue): Promise<void> {
    await this.unlockAt(queue.brokerName, [queue], true)
  }

  /** Gives everything back and waits until the brokers know. */
  async unlockAll(processQueues: readonly ProcessQueue[]): Promise<void> {
    await this.eachBroker(processQueues, async (brokerName, ofBroker) => {
      const queues = ofBroker.map(processQueue => processQueue.queue)
      await this.unlockAt(brokerName, queues, false)
      for (const processQueue of ofBroker) processQueue.locked = false
    })
  }

  private markLocked(processQueue: ProcessQueue): void {
    processQueue.locked = true
    processQueue.lastLockAt = this.instance.clock.monotonic()
  }

  private async eachBroker(
    processQueues: readonly ProcessQueue[],
    run: (brokerName: string, ofBroker: ProcessQueue[]) => Promise<void>,
  ): Promise<void> {
    const byBroker = new Map<string, ProcessQueue[]>()
    for (const processQueue of processQueues) {
      if (processQueue.dropped) continue
      const { brokerName } = processQueue.queue
      byBroker.set(brokerName, [...(byBroker.get(brokerName) ?? []), processQueue])
    }
    await Promise.all([...byBroker].map(([brokerName, ofBroker]) => run(brokerName, ofBroker)))
  }

  /** Keys of the queues that are ours; undefined when the broker did not answer. */
  private async lockAt(brokerName: string, queues: readonly MessageQueue[]): Promise<Set<string> | undefined> {
    const address = this.instance.routes.master(brokerName)
    if (address === undefined) return undefined
    const { clientId, brokers, logger } = this.instance
    try {
      const locked = await brokers.lockQueues({ address, brokerName }, { consumerGroup: this.group, clientId, queues })
      return new Set(locked.map(messageQueueKey))
    } catch (error) {
      logger.warn(
        { event: 'lock-failed', group: this.group, brokerName },
        `could not lock queues of ${brokerName}: ${errorText(error)}`,
      )
      return undefined
    }
  }

  private async unlockAt(brokerName: string, queues: readonly MessageQueue[], oneway: boolean): Promise<void> {
    const address = this.instance.routes.master(brokerName)
    if (address === undefined) return
    const { clientId, brokers, logger } = this.instance
    try {
      await brokers.unlockQueues({ address, brokerName }, { consumerGroup: this.group, clientId, queues }, oneway)
    } catch (error) {
      logger.warn(
        { event: 'unlock-failed', group: this.group, brokerName },
        `could not unlock queues of ${brokerName}: ${errorText(error)}`,
      )
    }
  }
}
