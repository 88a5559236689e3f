export { AdminClient, type AdminClientOptions, type AdminRequest, type TopicSpec } from './admin/admin-client.js'
export type { AdminPull, MessageQuery, OffsetReset, OffsetResetWish } from './admin/admin-queries.js'
export type {
  BrokerStatsData,
  ClientConnection,
  ConsumeMessageDirectlyResult,
  ConsumerConnection,
  ConsumerRunningInfo,
  ConsumeStats,
  OffsetResetEffect,
  QueueConsumption,
  QueueStats,
  StatsValues,
  TopicStats,
} from './admin/bodies.js'
export type { BoundaryType } from './broker-api.js'
export { ClientErrorCode, MQClientError, type MQClientErrorDetails } from './client-error.js'
export { ClientInstance, type ClientInstanceOptions } from './client-instance.js'
export { type ClientOptions, parseNamesrvAddresses } from './client-options.js'
export * from './consumer/allocate.js'
export { PushConsumer } from './consumer/push-consumer.js'
export type {
  ConsumeContext,
  ConsumeResult,
  MessageListener,
  OrderedConsumeContext,
  OrderedConsumeResult,
  OrderedMessageListener,
  PushConsumerOptions,
} from './consumer/push-consumer-options.js'
export { bySql, byTag, type MessageSelector } from './consumer/subscriptions.js'
export { LitePullConsumer } from './lite-pull/lite-pull-consumer.js'
export type { LitePullConsumerOptions } from './lite-pull/lite-pull-options.js'
export type { QueueOffset } from './members.js'
export type { OutgoingMessage } from './outgoing-message.js'
export { Producer, type ProducerOptions, type SendOptions } from './producer/producer.js'
export { type QueueSelector, selectByHash, selectRandomly } from './producer/queue-selector.js'
export type { SendResult, SendStatus } from './producer/send-result.js'
export {
  type HalfMessage,
  TransactionProducer,
  type TransactionProducerOptions,
  type TransactionSendResult,
  type TransactionState,
} from './producer/transaction-producer.js'
export { type PullResult, type PullStatus, queueText } from './pull-message.js'
