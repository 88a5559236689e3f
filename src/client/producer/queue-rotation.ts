import type { MessageQueue } from '../../common/index.js'
import type { LatencyFaults } from './latency-faults.js'

/** Takes the queues of a topic in turn, from a random start, and off a broker that just failed. */
export class QueueRotation {
  private index = Math.floor(Math.random() * 0x7fffffff)

  /** `faults` when slow brokers are to be avoided. `queues` is not empty. */
  constructor(private readonly faults?: LatencyFaults) {}

  next(queues: readonly MessageQueue[], lastBrokerName?: string): MessageQueue {
    const elsewhere = (queue: MessageQueue): boolean => queue.brokerName !== lastBrokerName
    const { faults } = this
    if (faults) {
      // after a failure start anywhere: the next in turn is likely to be on the same broker
      if (lastBrokerName !== undefined) this.index = Math.floor(Math.random() * 0x7fffffff)
      const available = this.find(queues, queue => elsewhere(queue) && faults.isAvailable(queue.brokerName))
      return available ?? this.step(queues)
    }
    return this.find(queues, elsewhere) ?? this.step(queues)
  }

  private find(queues: readonly MessageQueue[], fits: (queue: MessageQueue) => boolean): MessageQueue | undefined {
    for (let tries = 0; tries < queues.length; tries++) {
      const queue = this.step(queues)
      if (fits(queue)) return queue
    }
    return undefined
  }

  private step(queues: readonly MessageQueue[]): MessageQueue {
    this.index = (this.index + 1) & 0x7fffffff
    return queues[this.index % queues.length]!
  }
}
