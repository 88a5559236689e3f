import {
  type ConsumeFromWhere,
  type MessageExt,
  type MessageModel,
  type MessageQueue,
  SystemGroup,
} from '../../common/index.js'
import { badArgument } from '../client-error.js'
import { type ClientOptions, checkRange } from '../client-options.js'
import { checkGroup } from '../outgoing-message.js'
import type { TraceOptions } from '../trace/trace-options.js'
import { type AllocateStrategy, allocateAveragely } from './allocate.js'

// biome-ignore lint/suspicious/noConfusingVoidType: an async listener without a return statement is of this type
export type ListenerReturn<R> = R | undefined | void | Promise<R | undefined | void>

/** RECONSUME_LATER brings the messages back after a delay, to any member of the group. */
export type ConsumeResult = 'CONSUME_SUCCESS' | 'RECONSUME_LATER'

export interface ConsumeContext {
  readonly queue: MessageQueue
  /** For messages that come back: 0 lets the broker choose, -1 makes them dead letters, else a delay level. */
  delayLevelWhenNextConsume: number
  /** With CONSUME_SUCCESS: messages after this index of the batch come back. Default: none. */
  ackIndex: number
  /**
   * Why messages come back; a dead letter keeps it, and `mqadmin dlq` shows it. Default: the text of what was thrown.
   * At most 1024 characters.
   */
  reason?: string
}

/**
 * Handles messages in any order, several calls side by side. Returning nothing is success; throwing is
 * RECONSUME_LATER.
 */
export type MessageListener = (
  messages: readonly MessageExt[],
  context: ConsumeContext,
) => ListenerReturn<ConsumeResult>

/** SUSPEND_CURRENT_QUEUE_A_MOMENT offers the same messages again soon, and nothing behind them until then. */
export type OrderedConsumeResult = 'SUCCESS' | 'SUSPEND_CURRENT_QUEUE_A_MOMENT' | 'COMMIT' | 'ROLLBACK'

export interface OrderedConsumeContext {
  readonly queue: MessageQueue
  /** False: SUCCESS commits nothing; the listener says COMMIT or ROLLBACK when it is ready to. Default true. */
  autoCommit: boolean
  /** How long a suspended queue waits; 10 to 30 000 ms. Default: the consumer's. */
  suspendCurrentQueueTimeMillis: number
  /** Why messages failed; kept with one that becomes a dead letter. Default: the text of what was thrown. */
  reason?: string
}

/**
 * Handles the messages of a queue one after the other. Returning nothing is SUCCESS; throwing is
 * SUSPEND_CURRENT_QUEUE_A_MOMENT.
 */
export type OrderedMessageListener = (
  messages: readonly MessageExt[],
  context: OrderedConsumeContext,
) => ListenerReturn<OrderedConsumeResult>

export interface PushConsumerOptions extends ClientOptions, TraceOptions {
  /** Members of a group share its messages (CLUSTERING), or each get all (BROADCASTING). */
  group: string
  /** Exactly one of `onMessages` and `onOrderedMessages`. */
  onMessages?: MessageListener
  onOrderedMessages?: OrderedMessageListener
  /** Default CLUSTERING. */
  messageModel?: MessageModel
  /** Where a new group begins. Default CONSUME_FROM_LAST_OFFSET. */
  consumeFromWhere?: ConsumeFromWhere
  /** For CONSUME_FROM_TIMESTAMP: a time, or Java's text `yyyyMMddHHmmss` in local time. Default half an hour ago. */
  consumeTimestamp?: Date | number | string
  /** How queues are shared; the same in all members. Default {@link allocateAveragely}. */
  allocate?: AllocateStrategy
  /** Calls of the listener side by side. Default 20. */
  consumeThreads?: number
  /** Messages per call of the listener. Default 1. */
  consumeMessageBatchMaxSize?: number
  /** Distance between the first message not done with and the last one pulled of a queue. Default 2000. */
  consumeConcurrentlyMaxSpan?: number
  /** Messages of a queue kept here. Default 1000. */
  pullThresholdForQueue?: number
  /** MiB of a queue kept here. Default 100. */
  pullThresholdSizeForQueue?: number
  /** Messages of a topic kept here, shared by its queues; -1 is no limit. Default -1. */
  pullThresholdForTopic?: number
  /** MiB of a topic kept here; -1 is no limit. Default -1. */
  pullThresholdSizeForTopic?: number
  /** Ms between a pull that found something and the next. Default 0. */
  pullInterval?: number
  /** Messages per pull. Default 32. */
  pullBatchSize?: number
  /** Bytes per pull. Default 256 KiB. */
  pullBatchSizeInBytes?: number
  /** Send the subscription with each pull. Default false: brokers know it from heartbeats. */
  postSubscriptionWhenPull?: boolean
  /** Deliveries after which a message becomes a dead letter. Default 16, or without end when ordered. */
  maxReconsumeTimes?: number
  /** How long a suspended queue waits. Default 1000. */
  suspendCurrentQueueTimeMillis?: number
  /** Minutes after which a message whose listener has not returned is given to somebody else. Default 15. */
  consumeTimeout?: number
  /** How long `stop` waits for listeners that run. Default 5000. */
  awaitTerminationMillisWhenShutdown?: number
  /** Folder of the offset files of broadcasting consumers. Default `~/.rocketmq_offsets`. */
  offsetStoreDirectory?: string
}

type Filled = Required<
  Omit<
    PushConsumerOptions,
    | keyof ClientOptions
    | keyof TraceOptions
    | 'onMessages'
    | 'onOrderedMessages'
    | 'consumeTimestamp'
    | 'offsetStoreDirectory'
  >
>

/** {@link PushConsumerOptions} checked, with the defaults filled in. */
export type PushConsumerSettings = Filled & { consumeTimestamp: number; ordered: boolean; maxDeliveries: number }

const HALF_AN_HOUR_MS = 30 * 60 * 1000

const defaults = {
  messageModel: 'CLUSTERING',
  consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
  allocate: allocateAveragely,
  consumeThreads: 20,
  consumeMessageBatchMaxSize: 1,
  consumeConcurrentlyMaxSpan: 2000,
  pullThresholdForQueue: 1000,
  pullThresholdSizeForQueue: 100,
  pullThresholdForTopic: -1,
  pullThresholdSizeForTopic: -1,
  pullInterval: 0,
  pullBatchSize: 32,
  pullBatchSizeInBytes: 256 * 1024,
  postSubscriptionWhenPull: false,
  maxReconsumeTimes: -1,
  suspendCurrentQueueTimeMillis: 1000,
  consumeTimeout: 15,
  awaitTerminationMillisWhenShutdown: 5000,
} as const

const ranges = {
  consumeThreads: [1, 1000],
  consumeConcurrentlyMaxSpan: [1, 65_535],
  pullThresholdForQueue: [1, 65_535],
  pullThresholdSizeForQueue: [1, 1024],
  pullInterval: [0, 65_535],
  consumeMessageBatchMaxSize: [1, 1024],
  pullBatchSize: [1, 1024],
} as const

const MAX_INT = 2 ** 31 - 1

/** @throws MQClientError ERR_CLIENT_ARGUMENT in Java's words */
export function pushConsumerSettings(options: PushConsumerOptions, now: number): PushConsumerSettings {
  checkGroup(options.group)
  if (options.group === SystemGroup.DEFAULT_CONSUMER) {
    throw badArgument('consumerGroup can not equal DEFAULT_CONSUMER, please specify another one.')
  }
  const ordered = options.onOrderedMessages !== undefined
  if (!ordered && options.onMessages === undefined)
    throw badArgument('messageListener is null: give onMessages or onOrderedMessages')
  if (ordered && options.onMessages !== undefined) throw badArgument('give onMessages or onOrderedMessages, not both')
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const settings = { ...defaults, ...(given as PushConsumerOptions) }
  for (const [name, [min, max]] of Object.entries(ranges))
    checkRange(name, settings[name as keyof typeof ranges], min, max)
  if (settings.pullThresholdForTopic !== -1)
    checkRange('pullThresholdForTopic', settings.pullThresholdForTopic, 1, 6_553_500)
  if (settings.pullThresholdSizeForTopic !== -1) {
    checkRange('pullThresholdSizeForTopic', settings.pullThresholdSizeForTopic, 1, 102_400)
  }
  const endless = settings.maxReconsumeTimes === -1
  return {
    ...settings,
    ordered,
    consumeTimestamp: timestampOf(options.consumeTimestamp ?? now - HALF_AN_HOUR_MS),
    maxDeliveries: endless ? (ordered ? MAX_INT : 16) : settings.maxReconsumeTimes,
  }
}

/** Ms since the epoch of a time given in one of three ways. @throws MQClientError ERR_CLIENT_ARGUMENT */
export function timestampOf(time: Date | number | string): number {
  if (typeof time === 'number') return time
  if (time instanceof Date) return time.getTime()
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(time)
  if (!match) throw badArgument(`consumeTimestamp is invalid, the valid format is yyyyMMddHHmmss,but received ${time}`)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  return new Date(year, month - 1, day, hour, minute, second).getTime()
}
