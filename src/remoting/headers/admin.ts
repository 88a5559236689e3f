import { defineHeader, opt, req, rpcFields, t, topicRpcFields } from '../header.js'

const topicFields = { topic: req(t.string, { resource: 'TOPIC' }), ...topicRpcFields }
const consumerGroupFields = { consumerGroup: req(t.string, { resource: 'GROUP' }), ...rpcFields }
const groupFields = { group: req(t.string, { resource: 'GROUP' }), ...rpcFields }

/** Codes 17 and 513. */
export const CreateTopicRequestHeader = defineHeader('CreateTopicRequestHeader', {
  topic: req(t.string, { resource: 'TOPIC' }),
  defaultTopic: req(t.string),
  readQueueNums: req(t.int),
  writeQueueNums: req(t.int),
  perm: req(t.int),
  topicFilterType: req(t.string),
  topicSysFlag: opt(t.int),
  order: opt(t.bool),
  attributes: opt(t.string),
  force: opt(t.bool),
  ...topicRpcFields,
})

/** Code 21. */
export const GetAllTopicConfigRequestHeader = defineHeader('GetAllTopicConfigRequestHeader', {
  topicSeq: opt(t.int),
  dataVersion: opt(t.string),
  maxTopicNum: opt(t.int),
})

export const GetAllTopicConfigResponseHeader = defineHeader('GetAllTopicConfigResponseHeader', {
  totalTopicNum: opt(t.int),
})

/** Code 26. */
export const GetBrokerConfigResponseHeader = defineHeader('GetBrokerConfigResponseHeader', { version: req(t.string) })

/** Code 201. */
export const GetAllSubscriptionGroupRequestHeader = defineHeader('GetAllSubscriptionGroupRequestHeader', {
  groupSeq: opt(t.int),
  dataVersion: opt(t.string),
  maxGroupNum: opt(t.int),
})

export const GetAllSubscriptionGroupResponseHeader = defineHeader('GetAllSubscriptionGroupResponseHeader', {
  totalGroupNum: opt(t.int),
})

/** Codes 202, 215, 300, 351: a topic and nothing else. */
export const TopicRequestHeader = defineHeader('TopicRequestHeader', topicFields)

/** Of ours: PURGE_TOPIC. `before` in ms; absent: as the topic's `reserve.time` says. */
export const PurgeTopicRequestHeader = defineHeader('PurgeTopicRequestHeader', {
  topic: req(t.string, { resource: 'TOPIC' }),
  before: opt(t.long),
  preview: opt(t.bool),
  force: opt(t.bool),
  ...topicRpcFields,
})

/** Codes 203 and 343-like requests by `consumerGroup`. */
export const GetConsumerConnectionListRequestHeader = defineHeader(
  'GetConsumerConnectionListRequestHeader',
  consumerGroupFields,
)

/** Code 204. */
export const GetProducerConnectionListRequestHeader = defineHeader('GetProducerConnectionListRequestHeader', {
  producerGroup: req(t.string),
  ...rpcFields,
})

/** Code 207. */
export const DeleteSubscriptionGroupRequestHeader = defineHeader('DeleteSubscriptionGroupRequestHeader', {
  groupName: req(t.string, { resource: 'GROUP' }),
  cleanOffset: opt(t.bool),
  ...rpcFields,
})

/** Code 208. */
export const GetConsumeStatsRequestHeader = defineHeader('GetConsumeStatsRequestHeader', {
  consumerGroup: req(t.string, { resource: 'GROUP' }),
  topic: opt(t.string, { resource: 'TOPIC' }),
  topicList: opt(t.string),
  ...topicRpcFields,
})

/** Code 303. */
export const QueryConsumeTimeSpanRequestHeader = defineHeader('QueryConsumeTimeSpanRequestHeader', {
  ...topicFields,
  group: req(t.string, { resource: 'GROUP' }),
})

/** Code 308. */
export const QueryCorrectionOffsetRequestHeader = defineHeader('QueryCorrectionOffsetRequestHeader', {
  filterGroups: opt(t.string),
  compareGroup: req(t.string),
  ...topicFields,
})

/** Code 314. */
export const CloneGroupOffsetRequestHeader = defineHeader('CloneGroupOffsetRequestHeader', {
  srcGroup: req(t.string, { resource: 'GROUP' }),
  destGroup: req(t.string, { resource: 'GROUP' }),
  topic: opt(t.string, { resource: 'TOPIC' }),
  offline: opt(t.bool),
  ...rpcFields,
})

/** Code 315. */
export const ViewBrokerStatsDataRequestHeader = defineHeader('ViewBrokerStatsDataRequestHeader', {
  statsName: req(t.string),
  statsKey: req(t.string),
})

/** Code 317. */
export const GetConsumeStatsInBrokerHeader = defineHeader('GetConsumeStatsInBrokerHeader', { isOrder: opt(t.bool) })

/** Code 321. */
export const QueryConsumeQueueRequestHeader = defineHeader('QueryConsumeQueueRequestHeader', {
  ...topicFields,
  queueId: req(t.int),
  index: req(t.long),
  count: req(t.int),
  consumerGroup: opt(t.string),
})

/** Code 323. */
export const ResumeCheckHalfMessageRequestHeader = defineHeader('ResumeCheckHalfMessageRequestHeader', {
  topic: opt(t.string, { resource: 'TOPIC' }),
  msgId: opt(t.string),
  ...topicRpcFields,
})

/** Codes 343 and 352. */
export const GroupRequestHeader = defineHeader('GroupRequestHeader', groupFields)

/** Code 345. */
export const QuerySubscriptionByConsumerRequestHeader = defineHeader('QuerySubscriptionByConsumerRequestHeader', {
  ...groupFields,
  topic: opt(t.string, { resource: 'TOPIC' }),
})

/** Code 353. */
export const UpdateGroupForbiddenRequestHeader = defineHeader('UpdateGroupForbiddenRequestHeader', {
  ...groupFields,
  topic: req(t.string, { resource: 'TOPIC' }),
  readable: opt(t.bool),
})
