import {
  type BrokerData,
  type ClusterInfo,
  hasFlag,
  isWriteable,
  MASTER_ID,
  type QueueData,
  syncBrokerMemberTopic,
  TopicSysFlag,
} from '../common/index.js'
import { liveKey, minBrokerId, type RouteTables } from './route-tables.js'
import type { TopicQueueMappingInfo } from './topic-queue-mapping-info.js'

/** The answer to GET_ROUTEINFO_BY_TOPIC. Its JSON has these names. */
export interface TopicRoute {
  brokerDatas: BrokerData[]
  filterServerTable: Map<string, string[]>
  orderTopicConf?: string
  queueDatas: QueueData[]
  topicQueueMappingByBroker?: ReadonlyMap<string, TopicQueueMappingInfo>
}

/** The topic by which old NameServers serve the members of a broker name; no master is made up in its route. */
const SYNC_BROKER_MEMBER_PREFIX = syncBrokerMemberTopic('')

/** The route of a topic (namesrv-and-admin 2.6), or undefined without a broker for it. The caller may change it. */
export function pickupTopicRoute(
  tables: RouteTables,
  topic: string,
  options: { supportActingMaster: boolean },
): TopicRoute | undefined {
  const byBroker = tables.topicQueueTable.get(topic)
  if (byBroker === undefined) return undefined
  const queueDatas = [...byBroker.values()].sort(byBrokerName)
  const brokerDatas = queueDatas.flatMap(({ brokerName }) => {
    const broker = tables.brokerAddrTable.get(brokerName)
    return broker === undefined ? [] : { ...broker, brokerAddrs: new Map(broker.brokerAddrs) }
  })
  if (brokerDatas.length === 0) return undefined
  const filterServerTable = filterServersOf(tables, brokerDatas)
  if (options.supportActingMaster && !topic.startsWith(SYNC_BROKER_MEMBER_PREFIX)) {
    for (const broker of brokerDatas) showActingMaster(broker, byBroker.get(broker.brokerName))
  }
  const mappings = tables.topicQueueMappingInfoTable.get(topic)
  return {
    brokerDatas,
    filterServerTable,
    queueDatas,
    ...(mappings !== undefined && { topicQueueMappingByBroker: mappings }),
  }
}

function byBrokerName(a: QueueData, b: QueueData): number {
  return a.brokerName < b.brokerName ? -1 : a.brokerName > b.brokerName ? 1 : 0
}

function filterServersOf(tables: RouteTables, brokerDatas: readonly BrokerData[]): Map<string, string[]> {
  const filterServers = new Map<string, string[]>()
  if (tables.filterServerTable.size === 0) return filterServers
  for (const { cluster, brokerAddrs } of brokerDatas) {
    for (const addr of brokerAddrs.values()) {
      const servers = tables.filterServerTable.get(liveKey(cluster, addr))
      if (servers !== undefined) filterServers.set(addr, servers)
    }
  }
  return filterServers
}

/** Gives the slave with the lowest id the master's id, where the master is gone and nothing can be written. */
function showActingMaster(broker: BrokerData, queueData: QueueData | undefined): void {
  const { brokerAddrs } = broker
  const min = minBrokerId(brokerAddrs)
  if (min === undefined || brokerAddrs.has(MASTER_ID) || !broker.enableActingMaster) return
  if (queueData === undefined || isWriteable(queueData.perm)) return
  const addr = brokerAddrs.get(min)!
  brokerAddrs.delete(min)
  brokerAddrs.set(MASTER_ID, addr)
}

/**
 * The brokers of one zone, and those without a master: better another zone than none. The route is changed in place.
 */
export function filterByZone(route: TopicRoute, zoneName: string): TopicRoute {
  const zone = zoneName.toLowerCase()
  const isKept = ({ brokerAddrs, zoneName: its }: BrokerData): boolean =>
    !brokerAddrs.has(MASTER_ID) || its?.toLowerCase() === zone
  const removed = route.brokerDatas.filter(broker => !isKept(broker))
  const removedNames = new Set(removed.map(broker => broker.brokerName))
  route.brokerDatas = route.brokerDatas.filter(isKept)
  route.queueDatas = route.queueDatas.filter(({ brokerName }) => !removedNames.has(brokerName))
  for (const { brokerAddrs } of removed) {
    for (const addr of brokerAddrs.values()) route.filterServerTable.delete(addr)
  }
  return route
}

export function clusterInfo(tables: RouteTables): ClusterInfo {
  const clusters = [...tables.clusterAddrTable].map(
    ([cluster, names]) => [cluster, new Set([...names].sort())] as const,
  )
  return { brokerAddrTable: tables.brokerAddrTable, clusterAddrTable: new Map(clusters) }
}

/** The topics of a cluster's brokers; none for an unknown cluster. */
export function topicsOfCluster(tables: RouteTables, cluster: string): Set<string> {
  const names = tables.clusterAddrTable.get(cluster) ?? new Set<string>()
  const topics = [...tables.topicQueueTable].filter(([, byBroker]) =>
    [...byBroker.keys()].some(name => names.has(name)),
  )
  return new Set(topics.map(([topic]) => topic))
}

/** Topics whose system flag passes. As in Java the first broker of a topic speaks for all. */
function topicsByFlag(tables: RouteTables, passes: (topicSysFlag: number) => boolean): Set<string> {
  const topics = [...tables.topicQueueTable].filter(([, byBroker]) => {
    const [first] = byBroker.values()
    return first !== undefined && passes(first.topicSysFlag)
  })
  return new Set(topics.map(([topic]) => topic))
}

export type UnitKind = 'unit' | 'unitSub' | 'unitSubButNotUnit'

const unitRules: Readonly<Record<UnitKind, (flag: number) => boolean>> = {
  unit: flag => hasFlag(flag, TopicSysFlag.UNIT),
  unitSub: flag => hasFlag(flag, TopicSysFlag.UNIT_SUB),
  unitSubButNotUnit: flag => hasFlag(flag, TopicSysFlag.UNIT_SUB) && !hasFlag(flag, TopicSysFlag.UNIT),
}

export function unitTopics(tables: RouteTables, kind: UnitKind): Set<string> {
  return topicsByFlag(tables, unitRules[kind])
}

/** Names that are topics by being clusters and brokers, and the address of some broker. */
export function systemTopics(tables: RouteTables): { topicList: Set<string>; brokerAddr?: string } {
  const topicList = new Set<string>()
  for (const [cluster, names] of tables.clusterAddrTable) {
    topicList.add(cluster)
    for (const name of names) topicList.add(name)
  }
  for (const { brokerAddrs } of tables.brokerAddrTable.values()) {
    const min = minBrokerId(brokerAddrs)
    if (min !== undefined) return { topicList, brokerAddr: brokerAddrs.get(min)! }
  }
  return { topicList }
}
