import { defineHeader, opt, req, t, topicRpcFields } from '../header.js'

/** Codes 11 and 361 (wire-protocol 6.2). */
export const PullMessageRequestHeader = defineHeader('PullMessageRequestHeader', {
  consumerGroup: req(t.string, { resource: 'GROUP' }),
  topic: req(t.string, { resource: 'TOPIC' }),
  queueId: req(t.int),
  queueOffset: req(t.long),
  maxMsgNums: req(t.int),
  sysFlag: req(t.int),
  commitOffset: req(t.long),
  suspendTimeoutMillis: req(t.long),
  subscription: opt(t.string),
  subVersion: req(t.long),
  expressionType: opt(t.string),
  maxMsgBytes: opt(t.int),
  requestSource: opt(t.int),
  /** Java's spelling is on the wire. */
  proxyFrowardClientId: opt(t.string),
  ...topicRpcFields,
})

export const PullMessageResponseHeader = defineHeader('PullMessageResponseHeader', {
  suggestWhichBrokerId: req(t.long),
  nextBeginOffset: req(t.long),
  minOffset: req(t.long),
  maxOffset: req(t.long),
  offsetDelta: opt(t.long),
  topicSysFlag: opt(t.int),
  groupSysFlag: opt(t.int),
  /** With code 16: 1 broker, 2 group, 3 topic, 4 broadcast, 5 subscription. */
  forbiddenType: opt(t.int),
})

const queueFields = { topic: req(t.string, { resource: 'TOPIC' }), queueId: req(t.int), ...topicRpcFields }
const groupQueueFields = { consumerGroup: req(t.string, { resource: 'GROUP' }), ...queueFields }

/** Code 14. */
export const QueryConsumerOffsetRequestHeader = defineHeader('QueryConsumerOffsetRequestHeader', {
  ...groupQueueFields,
  setZeroIfNotFound: opt(t.bool),
})

/** Code 15. Java answers missing queueId and offset with texts of its own. */
export const UpdateConsumerOffsetRequestHeader = defineHeader('UpdateConsumerOffsetRequestHeader', {
  consumerGroup: req(t.string, { resource: 'GROUP' }),
  topic: req(t.string, { resource: 'TOPIC' }),
  queueId: opt(t.int),
  commitOffset: opt(t.long),
  ...topicRpcFields,
})

/** Answer to 14, 29, 30, 31. */
export const OffsetResponseHeader = defineHeader('OffsetResponseHeader', { offset: req(t.long) })

/** Code 29. */
export const SearchOffsetRequestHeader = defineHeader('SearchOffsetRequestHeader', {
  ...queueFields,
  timestamp: req(t.long),
  boundaryType: opt(t.string),
})

/** Code 30. */
export const GetMaxOffsetRequestHeader = defineHeader('GetMaxOffsetRequestHeader', {
  ...queueFields,
  committed: opt(t.bool),
})

/** Code 31. */
export const GetMinOffsetRequestHeader = defineHeader('GetMinOffsetRequestHeader', queueFields)

/** Code 32. */
export const GetEarliestMsgStoretimeRequestHeader = defineHeader('GetEarliestMsgStoretimeRequestHeader', queueFields)

export const GetEarliestMsgStoretimeResponseHeader = defineHeader('GetEarliestMsgStoretimeResponseHeader', {
  timestamp: req(t.long),
})

/** Code 12. The ext key of a lookup by unique key is not a Java field name. */
export const QueryMessageRequestHeader = defineHeader('QueryMessageRequestHeader', {
  topic: req(t.string, { resource: 'TOPIC' }),
  key: req(t.string),
  maxNum: req(t.int),
  beginTimestamp: req(t.long),
  endTimestamp: req(t.long),
  uniqueKeyQuery: opt(t.bool, { key: '_UNIQUE_KEY_QUERY' }),
  indexType: opt(t.string),
  lastKey: opt(t.string),
  ...topicRpcFields,
})

export const QueryMessageResponseHeader = defineHeader('QueryMessageResponseHeader', {
  indexLastUpdateTimestamp: req(t.long),
  indexLastUpdatePhyoffset: req(t.long),
})

/** Code 33: `offset` is a commit log offset. */
export const ViewMessageRequestHeader = defineHeader('ViewMessageRequestHeader', {
  offset: req(t.long),
  topic: opt(t.string),
  ...topicRpcFields,
})
