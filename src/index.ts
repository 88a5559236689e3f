/** The public surface of the package: clients, and the whole system to embed. */
export * from './client/index.js'
export {
  type BrokerData,
  type ClusterInfo,
  type ConsumeFromWhere,
  type Message,
  type MessageExt,
  type MessageModel,
  type MessageQueue,
  newSubscriptionGroupConfig,
  newTopicConfig,
  PropertyName,
  type QueueData,
  RequestCode,
  ResponseCode,
  type SubscriptionGroupConfig,
  type TopicConfig,
  type TopicRouteData,
} from './common/index.js'
export { type CometMQ, type StartCometMQOptions, startCometMQ } from './embed.js'
export {
  type Clock,
  type LogFields,
  type Logger,
  MQError,
  silentLogger,
  systemClock,
  type Timer,
} from './util/index.js'
