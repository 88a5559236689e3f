import type { Message, MessageQueue } from '../../common/index.js'
import { javaHash } from '../../util/index.js'

/** Chooses the queue of a message among those of its topic, in Java's order. Undefined is an error. */
export type QueueSelector = (queues: readonly MessageQueue[], message: Message) => MessageQueue | undefined

/** Equal keys go to the same queue while the number of queues stays, as with Java's SelectMessageQueueByHash. */
export function selectByHash(key: string): QueueSelector {
  return queues => queues[Math.abs(javaHash(key) % queues.length)]
}

export const selectRandomly: QueueSelector = queues => queues[Math.floor(Math.random() * queues.length)]
