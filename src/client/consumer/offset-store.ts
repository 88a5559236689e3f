import type { MessageQueue } from '../../common/index.js'
import type { QueueOffset } from '../members.js'

/** Where a group has come to in each queue. What is in memory is stored now and then. */
export interface OffsetStore {
  /** Reads what was stored before, where that is done at once. */
  load(): Promise<void>
  /** Remembers an offset; with `increaseOnly` a smaller one is ignored. */
  update(queue: MessageQueue, offset: number, increaseOnly: boolean): void
  /** Remembers an offset that nothing changes until it is forgotten. */
  updateAndFreeze(queue: MessageQueue, offset: number): void
  /** The offset in memory. */
  inMemory(queue: MessageQueue): number | undefined
  /** The stored offset, which is then in memory; undefined when there is none. @throws when it cannot be read */
  read(queue: MessageQueue): Promise<number | undefined>
  /** Stores one queue's offset. Failures are logged. */
  persist(queue: MessageQueue): Promise<void>
  /** Stores the offsets of the queues owned. Failures are logged. */
  persistAll(owned: readonly MessageQueue[]): Promise<void>
  /** Forgets what is in memory. */
  forget(queue: MessageQueue): void
  /** What is in memory of a topic. */
  offsetsOf(topic: string): QueueOffset[]
}
