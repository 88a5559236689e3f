import {
  type JsonValue,
  readArray,
  readBoolean,
  readNumber,
  readObject,
  readString,
  readStrings,
} from './json/index.js'
import { MASTER_ID } from './topic-rules.js'

/** The brokers of one name: a master and its slaves, by broker id. */
export interface BrokerData {
  brokerAddrs: Map<number, string>
  brokerName: string
  cluster: string
  enableActingMaster: boolean
  zoneName?: string
}

/** The queues a topic has on the brokers of one name. */
export interface QueueData {
  brokerName: string
  perm: number
  readQueueNums: number
  topicSysFlag: number
  writeQueueNums: number
}

/** The answer to GET_ROUTEINFO_BY_TOPIC. Its JSON has these names. */
export interface TopicRouteData {
  brokerDatas: BrokerData[]
  filterServerTable: Map<string, string[]>
  /** `brokerA:4;brokerB:4`, for topics with a fixed order of queues. */
  orderTopicConf?: string
  queueDatas: QueueData[]
  /** Static topics only; handed on as it is. */
  topicQueueMappingByBroker?: JsonValue
}

/** The answer to GET_BROKER_CLUSTER_INFO. Its JSON has these names. */
export interface ClusterInfo {
  brokerAddrTable: Map<string, BrokerData>
  clusterAddrTable: Map<string, Set<string>>
}

export function brokerDataFromJson(json: JsonValue | undefined): BrokerData {
  const object = readObject(json)
  const zoneName = readString(object.zoneName)
  return {
    brokerAddrs: brokerAddrsFromJson(object.brokerAddrs),
    brokerName: readString(object.brokerName, ''),
    cluster: readString(object.cluster, ''),
    enableActingMaster: readBoolean(object.enableActingMaster, false),
    ...(zoneName === undefined ? {} : { zoneName }),
  }
}

/** `{0:"10.0.0.9:10911"}` by broker id. */
export function brokerAddrsFromJson(json: JsonValue | undefined): Map<number, string> {
  const addrs = new Map<number, string>()
  for (const [id, addr] of Object.entries(readObject(json))) {
    if (typeof addr === 'string') addrs.set(Number(id), addr)
  }
  return addrs
}

export function queueDataFromJson(json: JsonValue | undefined): QueueData {
  const object = readObject(json)
  return {
    brokerName: readString(object.brokerName, ''),
    perm: readNumber(object.perm, 0),
    readQueueNums: readNumber(object.readQueueNums, 0),
    topicSysFlag: readNumber(object.topicSysFlag, 0),
    writeQueueNums: readNumber(object.writeQueueNums, 0),
  }
}

export function topicRouteDataFromJson(json: JsonValue | undefined): TopicRouteData {
  const object = readObject(json)
  const filterServers = Object.entries(readObject(object.filterServerTable))
  const orderTopicConf = readString(object.orderTopicConf)
  const mapping = object.topicQueueMappingByBroker
  return {
    brokerDatas: readArray(object.brokerDatas).map(brokerDataFromJson),
    filterServerTable: new Map(filterServers.map(([addr, servers]) => [addr, readStrings(servers)])),
    ...(orderTopicConf === undefined ? {} : { orderTopicConf }),
    queueDatas: readArray(object.queueDatas).map(queueDataFromJson),
    ...(mapping === undefined || mapping === null ? {} : { topicQueueMappingByBroker: mapping }),
  }
}

export function clusterInfoFromJson(json: JsonValue | undefined): ClusterInfo {
  const object = readObject(json)
  const brokers = Object.entries(readObject(object.brokerAddrTable))
  const clusters = Object.entries(readObject(object.clusterAddrTable))
  return {
    brokerAddrTable: new Map(brokers.map(([name, data]) => [name, brokerDataFromJson(data)])),
    clusterAddrTable: new Map(clusters.map(([name, brokerNames]) => [name, new Set(readStrings(brokerNames))])),
  }
}

/** The address to send to: the master's, or undefined without one. */
export function masterAddr(broker: BrokerData): string | undefined {
  return broker.brokerAddrs.get(MASTER_ID)
}
