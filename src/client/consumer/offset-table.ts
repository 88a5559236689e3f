import { type MessageQueue, messageQueueKey } from '../../common/index.js'
import type { QueueOffset } from '../members.js'

interface Entry extends QueueOffset {
  frozen: boolean
}

/** Offsets in memory, by queue. */
export class OffsetTable {
  private readonly entries = new Map<string, Entry>()
  /** Counts changes, so that what is stored already need not be stored again. */
  version = 0

  get(queue: MessageQueue): number | undefined {
    return this.entries.get(messageQueueKey(queue))?.offset
  }

  update(queue: MessageQueue, offset: number, increaseOnly: boolean): void {
    const key = messageQueueKey(queue)
    const entry = this.entries.get(key)
    if (!entry) this.entries.set(key, { queue, offset, frozen: false })
    else if (!entry.frozen && (!increaseOnly || offset > entry.offset)) entry.offset = offset
    else return
    this.version++
  }

  updateAndFreeze(queue: MessageQueue, offset: number): void {
    this.entries.set(messageQueueKey(queue), { queue, offset, frozen: true })
    this.version++
  }

  delete(queue: MessageQueue): void {
    if (this.entries.delete(messageQueueKey(queue))) this.version++
  }

  all(): QueueOffset[] {
    return [...this.entries.values()].map(({ queue, offset }) => ({ queue, offset }))
  }

  of(topic: string): QueueOffset[] {
    return this.all().filter(entry => entry.queue.topic === topic)
  }
}
