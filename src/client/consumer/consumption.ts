import { type MessageExt, PropertyName, retryTopic } from '../../common/index.js'
import type { ClientInstance } from '../client-instance.js'
import type { DirectConsumption } from '../members.js'
import type { ConsumeTrace } from '../trace/consume-trace.js'
import type { ConsumeStats } from './consume-stats.js'
import type { OffsetStore } from './offset-store.js'
import type { ProcessQueue } from './process-queue.js'
import type { PushConsumerSettings } from './push-consumer-options.js'
import type { QueueLocks } from './queue-locks.js'
import type { SendBack } from './send-back.js'

/** What the two ways of calling listeners share. */
export interface ConsumptionContext {
  readonly instance: ClientInstance
  readonly group: string
  readonly settings: PushConsumerSettings
  readonly offsets: OffsetStore
  readonly stats: ConsumeStats
  readonly sendBack: SendBack
  readonly locks: QueueLocks
  readonly trace: ConsumeTrace | undefined
  /** Queues owned now. */
  owned(): ProcessQueue[]
}

/** Hands pulled messages to the listener and sees to their outcome. */
export interface Consumption {
  start(): void
  /** `messages` have just been put into the queue. */
  submit(messages: readonly MessageExt[], processQueue: ProcessQueue): void
  /** No listener is called any more; resolves when those that run have ended, or after a while. */
  stop(): Promise<void>
  /** Calls the listener with a message an operator chose; nothing but the report follows from it. */
  consumeDirectly(message: MessageExt, brokerName: string): Promise<DirectConsumption>
}

/** Messages that came back show the topic they were sent to. */
export function restoreTopics(messages: readonly MessageExt[], group: string): void {
  const retry = retryTopic(group)
  for (const message of messages) {
    const origin = message.properties.get(PropertyName.RETRY_TOPIC)
    if (origin !== undefined && message.topic === retry) message.topic = origin
  }
}
