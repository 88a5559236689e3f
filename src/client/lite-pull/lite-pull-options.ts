import { type ConsumeFromWhere, type MessageModel, SystemGroup } from '../../common/index.js'
import { badArgument } from '../client-error.js'
import type { ClientOptions } from '../client-options.js'
import { type AllocateStrategy, allocateAveragely } from '../consumer/allocate.js'
import { timestampOf } from '../consumer/push-consumer-options.js'
import { checkGroup } from '../outgoing-message.js'
import type { TraceOptions } from '../trace/trace-options.js'

/** With `enableTrace` each message is traced as it is polled, and counts as handled then. */
export interface LitePullConsumerOptions extends ClientOptions, TraceOptions {
  group: string
  /** Default CLUSTERING. */
  messageModel?: MessageModel
  /** Where a new group begins. Default CONSUME_FROM_LAST_OFFSET. */
  consumeFromWhere?: ConsumeFromWhere
  /** For CONSUME_FROM_TIMESTAMP. Default half an hour ago. */
  consumeTimestamp?: Date | number | string
  allocate?: AllocateStrategy
  /** Store the polled position now and then, at the beginning of a poll. Default true. */
  autoCommit?: boolean
  /** Default 5000; at least 1000. */
  autoCommitIntervalMillis?: number
  /** How long a poll waits. Default 5000. */
  pollTimeoutMillis?: number
  /** Messages per pull, and so per poll. Default 10. */
  pullBatchSize?: number
  /** Messages kept here in all. Default 10 000. */
  pullThresholdForAll?: number
  /** Messages of a queue kept here. Default 1000. */
  pullThresholdForQueue?: number
  /** MiB of a queue kept here. Default 100. */
  pullThresholdSizeForQueue?: number
  /** Distance between the polled position and the last message pulled of a queue. Default 2000. */
  consumeMaxSpan?: number
  /** How long the broker holds a pull that finds nothing. Default 20 000. */
  brokerSuspendMaxTimeMillis?: number
  /** How long such a pull may take in all. Default 30 000. */
  consumerTimeoutMillisWhenSuspend?: number
  /** Folder of the offset files of broadcasting consumers. Default `~/.rocketmq_offsets`. */
  offsetStoreDirectory?: string
}

const defaults = {
  messageModel: 'CLUSTERING',
  consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
  allocate: allocateAveragely,
  autoCommit: true,
  autoCommitIntervalMillis: 5000,
  pollTimeoutMillis: 5000,
  pullBatchSize: 10,
  pullThresholdForAll: 10_000,
  pullThresholdForQueue: 1000,
  pullThresholdSizeForQueue: 100,
  consumeMaxSpan: 2000,
  brokerSuspendMaxTimeMillis: 20_000,
  consumerTimeoutMillisWhenSuspend: 30_000,
} as const

const HALF_AN_HOUR_MS = 30 * 60 * 1000
const MIN_AUTO_COMMIT_MS = 1000

type Filled = Required<
  Omit<LitePullConsumerOptions, keyof ClientOptions | keyof TraceOptions | 'consumeTimestamp' | 'offsetStoreDirectory'>
>

/** {@link LitePullConsumerOptions} checked, with the defaults filled in. */
export type LitePullSettings = Filled & { consumeTimestamp: number }

/** @throws MQClientError ERR_CLIENT_ARGUMENT */
export function litePullSettings(options: LitePullConsumerOptions, now: number): LitePullSettings {
  checkGroup(options.group)
  if (options.group === SystemGroup.DEFAULT_CONSUMER) {
    throw badArgument('consumerGroup can not equal DEFAULT_CONSUMER, please specify another one.')
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const settings = { ...defaults, ...(given as LitePullConsumerOptions) }
  if (settings.consumerTimeoutMillisWhenSuspend < settings.brokerSuspendMaxTimeMillis) {
    throw badArgument(
      'Long polling mode, the consumer consumerTimeoutMillisWhenSuspend must greater than brokerSuspendMaxTimeMillis',
    )
  }
  return {
    ...settings,
    autoCommitIntervalMillis: Math.max(settings.autoCommitIntervalMillis, MIN_AUTO_COMMIT_MS),
    consumeTimestamp: timestampOf(options.consumeTimestamp ?? now - HALF_AN_HOUR_MS),
  }
}
