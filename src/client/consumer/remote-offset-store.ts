import { MASTER_ID, type MessageQueue, messageQueueKey } from '../../common/index.js'
import { errorText } from '../../util/index.js'
import type { BrokerTarget } from '../broker-connection.js'
import { brokerMissing } from '../client-error.js'
import type { ClientInstance } from '../client-instance.js'
import type { QueueOffset } from '../members.js'
import type { OffsetStore } from './offset-store.js'
import { OffsetTable } from './offset-table.js'

/** Offsets of a group whose members share the queues: kept by the broker of each queue. */
export class RemoteOffsetStore implements OffsetStore {
  private readonly table = new OffsetTable()

  constructor(
    private readonly instance: ClientInstance,
    private readonly group: string,
  ) {}

  async load(): Promise<void> {}

  update(queue: MessageQueue, offset: number, increaseOnly: boolean): void {
    this.table.update(queue, offset, increaseOnly)
  }

  updateAndFreeze(queue: MessageQueue, offset: number): void {
    this.table.updateAndFreeze(queue, offset)
  }

  inMemory(queue: MessageQueue): number | undefined {
    return this.table.get(queue)
  }

  async read(queue: MessageQueue): Promise<number | undefined> {
    const offset = await this.instance.brokers.consumerOffset(await this.target(queue), this.group, queue)
    if (offset !== undefined) this.table.update(queue, offset, false)
    return offset
  }

  async persist(queue: MessageQueue): Promise<void> {
    const offset = this.table.get(queue)
    if (offset === undefined) return
    try {
      await this.instance.brokers.updateConsumerOffset(await this.target(queue), { group: this.group, queue, offset })
    } catch (error) {
      this.instance.logger.warn(
        { event: 'persist-offset-failed', group: this.group, topic: queue.topic, queueId: queue.queueId },
        `could not store the offset of ${this.group} at ${queue.brokerName}; it is tried again: ${errorText(error)}`,
      )
    }
  }

  async persistAll(owned: readonly MessageQueue[]): Promise<void> {
    const keys = new Set(owned.map(messageQueueKey))
    for (const { queue } of this.table.all()) if (!keys.has(messageQueueKey(queue))) this.table.delete(queue)
    await Promise.all(owned.map(queue => this.persist(queue)))
  }

  forget(queue: MessageQueue): void {
    this.table.delete(queue)
  }

  offsetsOf(topic: string): QueueOffset[] {
    return this.table.of(topic)
  }

  /** The master; failing that any broker of the name. */
  private async target(queue: MessageQueue): Promise<BrokerTarget> {
    const { routes } = this.instance
    let found = routes.broker(queue.brokerName, MASTER_ID)
    if (!found) {
      await routes.refresh(queue.topic)
      found = routes.broker(queue.brokerName, MASTER_ID)
    }
    if (!found) throw brokerMissing(queue.brokerName)
    return { address: found.address, brokerName: queue.brokerName }
  }
}
