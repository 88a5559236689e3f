import { defineHeader, opt, req, rpcFields, t, topicRpcFields } from '../header.js'

/** Answer to a heartbeat (34). */
export const HeartbeatResponseHeader = defineHeader('HeartbeatResponseHeader', {
  IS_SUPPORT_HEART_BEAT_V2: opt(t.bool),
  IS_SUB_CHANGE: opt(t.bool),
})

/** Code 35. */
export const UnregisterClientRequestHeader = defineHeader('UnregisterClientRequestHeader', {
  clientID: req(t.string),
  producerGroup: opt(t.string),
  consumerGroup: opt(t.string, { resource: 'GROUP' }),
  ...rpcFields,
})

/** Code 38. */
export const GetConsumerListByGroupRequestHeader = defineHeader('GetConsumerListByGroupRequestHeader', {
  consumerGroup: req(t.string, { resource: 'GROUP' }),
  ...rpcFields,
})

/** Code 40, broker to consumer. */
export const NotifyConsumerIdsChangedRequestHeader = defineHeader('NotifyConsumerIdsChangedRequestHeader', {
  consumerGroup: req(t.string),
  ...rpcFields,
})

/** Codes 222 (admin to broker) and 220 (broker to consumer). */
export const ResetOffsetRequestHeader = defineHeader('ResetOffsetRequestHeader', {
  topic: req(t.string, { resource: 'TOPIC' }),
  group: req(t.string, { resource: 'GROUP' }),
  queueId: opt(t.int),
  offset: opt(t.long),
  timestamp: req(t.long),
  isForce: opt(t.bool),
  ...topicRpcFields,
})

/** Of ours: what a reset, or with `undo` taking the last one back, would do. */
export const OffsetResetPreviewRequestHeader = defineHeader('OffsetResetPreviewRequestHeader', {
  topic: req(t.string, { resource: 'TOPIC' }),
  group: req(t.string, { resource: 'GROUP' }),
  queueId: opt(t.int),
  offset: opt(t.long),
  timestamp: req(t.long),
  undo: opt(t.bool),
  ...topicRpcFields,
})

/** Of ours: takes the last reset back. */
export const UndoOffsetResetRequestHeader = defineHeader('UndoOffsetResetRequestHeader', {
  topic: req(t.string, { resource: 'TOPIC' }),
  group: req(t.string, { resource: 'GROUP' }),
  ...topicRpcFields,
})

/** Codes 223 (admin to broker) and 221 (broker to consumer). */
export const GetConsumerStatusRequestHeader = defineHeader('GetConsumerStatusRequestHeader', {
  topic: req(t.string, { resource: 'TOPIC' }),
  group: req(t.string, { resource: 'GROUP' }),
  clientAddr: opt(t.string),
  ...topicRpcFields,
})

/** Code 307, relayed to the consumer. */
export const GetConsumerRunningInfoRequestHeader = defineHeader('GetConsumerRunningInfoRequestHeader', {
  consumerGroup: req(t.string, { resource: 'GROUP' }),
  clientId: req(t.string),
  jstackEnable: opt(t.bool),
  ...rpcFields,
})

/** Code 309, relayed to the consumer with the message as body. */
export const ConsumeMessageDirectlyResultRequestHeader = defineHeader('ConsumeMessageDirectlyResultRequestHeader', {
  consumerGroup: req(t.string, { resource: 'GROUP' }),
  clientId: opt(t.string),
  msgId: opt(t.string),
  brokerName: opt(t.string),
  topic: opt(t.string),
  topicSysFlag: opt(t.int),
  groupSysFlag: opt(t.int),
  ...topicRpcFields,
})
