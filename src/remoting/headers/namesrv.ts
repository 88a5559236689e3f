import { defineHeader, opt, req, t, topicRpcFields } from '../header.js'

const brokerIdentity = {
  brokerName: req(t.string),
  brokerAddr: req(t.string),
  clusterName: req(t.string),
  brokerId: req(t.long),
}

/** Code 100. */
export const PutKVConfigRequestHeader = defineHeader('PutKVConfigRequestHeader', {
  namespace: req(t.string),
  key: req(t.string),
  value: req(t.string),
})

/** Code 101. */
export const GetKVConfigRequestHeader = defineHeader('GetKVConfigRequestHeader', {
  namespace: req(t.string),
  key: req(t.string),
})

export const GetKVConfigResponseHeader = defineHeader('GetKVConfigResponseHeader', { value: opt(t.string) })

/** Code 102. */
export const DeleteKVConfigRequestHeader = defineHeader('DeleteKVConfigRequestHeader', {
  namespace: req(t.string),
  key: req(t.string),
})

/** Code 103 (namesrv-and-admin 2.5). */
export const RegisterBrokerRequestHeader = defineHeader('RegisterBrokerRequestHeader', {
  ...brokerIdentity,
  haServerAddr: req(t.string),
  heartbeatTimeoutMillis: opt(t.long),
  enableActingMaster: opt(t.bool),
  compressed: opt(t.bool),
  bodyCrc32: opt(t.long),
  zoneName: opt(t.string, { key: '__ZONE_NAME' }),
})

export const RegisterBrokerResponseHeader = defineHeader('RegisterBrokerResponseHeader', {
  haServerAddr: opt(t.string),
  masterAddr: opt(t.string),
})

/** Code 104. */
export const UnRegisterBrokerRequestHeader = defineHeader('UnRegisterBrokerRequestHeader', brokerIdentity)

/** Code 105. */
export const GetRouteInfoRequestHeader = defineHeader('GetRouteInfoRequestHeader', {
  topic: req(t.string, { resource: 'TOPIC' }),
  acceptStandardJsonOnly: opt(t.bool),
  zoneMode: opt(t.bool, { key: '__ZONE_MODE' }),
  zoneName: opt(t.string, { key: '__ZONE_NAME' }),
  ...topicRpcFields,
})

/** Codes 205 and 327. */
export const BrokerNameRequestHeader = defineHeader('WipeWritePermOfBrokerRequestHeader', { brokerName: req(t.string) })

export const WipeWritePermOfBrokerResponseHeader = defineHeader('WipeWritePermOfBrokerResponseHeader', {
  wipeTopicCount: req(t.int),
})

export const AddWritePermOfBrokerResponseHeader = defineHeader('AddWritePermOfBrokerResponseHeader', {
  addTopicCount: req(t.int),
})

/** Code 216. */
export const DeleteTopicFromNamesrvRequestHeader = defineHeader('DeleteTopicFromNamesrvRequestHeader', {
  topic: req(t.string, { resource: 'TOPIC' }),
  clusterName: opt(t.string),
  ...topicRpcFields,
})

/** Code 217. */
export const RegisterTopicRequestHeader = defineHeader('RegisterTopicRequestHeader', {
  topic: req(t.string, { resource: 'TOPIC' }),
  ...topicRpcFields,
})

/** Code 219. */
export const GetKVListByNamespaceRequestHeader = defineHeader('GetKVListByNamespaceRequestHeader', {
  namespace: req(t.string),
})

/** Code 224. */
export const GetTopicsByClusterRequestHeader = defineHeader('GetTopicsByClusterRequestHeader', {
  cluster: req(t.string),
})

/** Code 322. */
export const QueryDataVersionRequestHeader = defineHeader('QueryDataVersionRequestHeader', brokerIdentity)

export const QueryDataVersionResponseHeader = defineHeader('QueryDataVersionResponseHeader', { changed: req(t.bool) })

/** Code 901. */
export const GetBrokerMemberGroupRequestHeader = defineHeader('GetBrokerMemberGroupRequestHeader', {
  clusterName: req(t.string),
  brokerName: req(t.string),
})

/** Code 904. */
export const BrokerHeartbeatRequestHeader = defineHeader('BrokerHeartbeatRequestHeader', {
  clusterName: req(t.string),
  brokerAddr: req(t.string),
  brokerName: req(t.string),
  brokerId: opt(t.long),
  epoch: opt(t.int),
  maxOffset: opt(t.long),
  confirmOffset: opt(t.long),
  heartbeatTimeoutMills: opt(t.long),
  electionPriority: opt(t.int),
})

/** Code 905, NameServer to broker. */
export const NotifyMinBrokerIdChangeRequestHeader = defineHeader('NotifyMinBrokerIdChangeRequestHeader', {
  minBrokerId: opt(t.long),
  brokerName: opt(t.string),
  minBrokerAddr: opt(t.string),
  offlineBrokerAddr: opt(t.string),
  haBrokerAddr: opt(t.string),
})
