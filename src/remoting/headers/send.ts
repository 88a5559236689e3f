import { defineHeader, opt, req, rpcFields, t, topicRpcFields } from '../header.js'

/** Codes 10 and 324 (wire-protocol 6.1). */
export const SendMessageRequestHeader = defineHeader('SendMessageRequestHeader', {
  producerGroup: req(t.string),
  topic: req(t.string, { resource: 'TOPIC' }),
  defaultTopic: req(t.string),
  defaultTopicQueueNums: req(t.int),
  queueId: req(t.int),
  sysFlag: req(t.int),
  bornTimestamp: req(t.long),
  flag: req(t.int),
  properties: opt(t.string),
  reconsumeTimes: opt(t.int),
  unitMode: opt(t.bool),
  maxReconsumeTimes: opt(t.int),
  batch: opt(t.bool),
  bname: opt(t.string),
})

/** Codes 310, 320 and 325: the same fields under one-letter keys. */
export const SendMessageRequestHeaderV2 = defineHeader('SendMessageRequestHeaderV2', {
  producerGroup: req(t.string, { key: 'a' }),
  topic: req(t.string, { key: 'b', resource: 'TOPIC' }),
  defaultTopic: req(t.string, { key: 'c' }),
  defaultTopicQueueNums: req(t.int, { key: 'd' }),
  queueId: req(t.int, { key: 'e' }),
  sysFlag: req(t.int, { key: 'f' }),
  bornTimestamp: req(t.long, { key: 'g' }),
  flag: req(t.int, { key: 'h' }),
  properties: opt(t.string, { key: 'i' }),
  reconsumeTimes: opt(t.int, { key: 'j' }),
  unitMode: opt(t.bool, { key: 'k' }),
  maxReconsumeTimes: opt(t.int, { key: 'l' }),
  batch: opt(t.bool, { key: 'm' }),
  bname: opt(t.string, { key: 'n' }),
})

/** Answer to 10, 310, 320, 324, 325. MSG_REGION and TRACE_ON are there on errors too. */
export const SendMessageResponseHeader = defineHeader('SendMessageResponseHeader', {
  msgId: opt(t.token),
  queueId: opt(t.int),
  queueOffset: opt(t.long),
  transactionId: opt(t.string),
  batchUniqId: opt(t.string),
  recallHandle: opt(t.string),
  MSG_REGION: opt(t.string),
  TRACE_ON: opt(t.bool),
})

/** Code 36. `offset` is the commit log offset of the message. */
export const ConsumerSendMsgBackRequestHeader = defineHeader('ConsumerSendMsgBackRequestHeader', {
  offset: req(t.long),
  group: req(t.string, { resource: 'GROUP' }),
  delayLevel: req(t.int),
  originMsgId: opt(t.string),
  originTopic: opt(t.string, { resource: 'TOPIC' }),
  unitMode: opt(t.bool),
  maxReconsumeTimes: opt(t.int),
  /** Ours: why the consumer could not handle it; Java's brokers pass over it. */
  reason: opt(t.string),
  ...rpcFields,
})

/** Code 37 (wire-protocol 6.8). */
export const EndTransactionRequestHeader = defineHeader('EndTransactionRequestHeader', {
  topic: opt(t.string, { resource: 'TOPIC' }),
  producerGroup: req(t.string),
  tranStateTableOffset: req(t.long),
  commitLogOffset: req(t.long),
  commitOrRollback: req(t.int),
  fromTransactionCheck: opt(t.bool),
  msgId: req(t.string),
  transactionId: opt(t.string),
  ...rpcFields,
})

/** Code 39, broker to producer; the body is the half message with its real topic. */
export const CheckTransactionStateRequestHeader = defineHeader('CheckTransactionStateRequestHeader', {
  topic: opt(t.string),
  tranStateTableOffset: req(t.long),
  commitLogOffset: req(t.long),
  msgId: opt(t.string),
  transactionId: opt(t.string),
  offsetMsgId: opt(t.string),
  ...rpcFields,
})

/** Code 326, broker to producer: a reply on its way back. */
export const ReplyMessageRequestHeader = defineHeader('ReplyMessageRequestHeader', {
  producerGroup: req(t.string),
  topic: req(t.string),
  defaultTopic: req(t.string),
  defaultTopicQueueNums: req(t.int),
  queueId: req(t.int),
  sysFlag: req(t.int),
  bornTimestamp: req(t.long),
  flag: req(t.int),
  properties: opt(t.string),
  reconsumeTimes: opt(t.int),
  unitMode: opt(t.bool),
  bornHost: req(t.string),
  storeHost: req(t.string),
  storeTimestamp: req(t.long),
  ...topicRpcFields,
})

/** Code 370. */
export const RecallMessageRequestHeader = defineHeader('RecallMessageRequestHeader', {
  producerGroup: opt(t.string),
  topic: req(t.string, { resource: 'TOPIC' }),
  recallHandle: req(t.string),
  ...topicRpcFields,
})

export const RecallMessageResponseHeader = defineHeader('RecallMessageResponseHeader', { msgId: req(t.string) })
