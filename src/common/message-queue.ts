import { type JsonValue, readNumber, readObject, readString } from './json/index.js'

/** One queue of a topic on one broker. Property order is that of its JSON. */
export interface MessageQueue {
  readonly brokerName: string
  readonly queueId: number
  readonly topic: string
}

/** A text that is equal for equal queues; for keys of a Map. */
export function messageQueueKey(queue: MessageQueue): string {
  return `${queue.topic}\u0000${queue.brokerName}\u0000${queue.queueId}`
}

/** Java's order: topic, broker name, queue id. Allocation strategies depend on it. */
export function compareMessageQueues(a: MessageQueue, b: MessageQueue): number {
  return compareText(a.topic, b.topic) || compareText(a.brokerName, b.brokerName) || a.queueId - b.queueId
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export function messageQueueFromJson(json: JsonValue | undefined): MessageQueue {
  const object = readObject(json)
  return {
    brokerName: readString(object.brokerName, ''),
    queueId: readNumber(object.queueId, 0),
    topic: readString(object.topic, ''),
  }
}
