import { type BrokerData, MASTER_ID, Perm } from '../common/index.js'
import { changeByLeaving, type MinBrokerIdChange } from './min-broker-id-change.js'
import { type BrokerChannel, liveKey, minBrokerId, type RouteTables } from './route-tables.js'

/** A broker signs off: code 104. */
export interface SignOff {
  readonly clusterName: string
  readonly brokerAddr: string
  readonly brokerName: string
  readonly brokerId: number
}

/** The connection a broker registered through is gone, or it was silent for too long. */
export interface Disappearance {
  readonly clusterName: string
  readonly brokerAddr: string
  readonly channel: BrokerChannel
}

export type Unregistration = SignOff | Disappearance

export interface UnregistrationResult {
  /** The brokers that were there and are not any more. */
  readonly removed: readonly SignOff[]
  /** Of broker names that have acting masters on. */
  readonly minBrokerIdChanges: readonly MinBrokerIdChange[]
}

/** Takes brokers out of the tables (namesrv-and-admin 2.8), many in one pass over the topics. */
export function unregisterBrokers(tables: RouteTables, batch: readonly Unregistration[]): UnregistrationResult {
  const removed: SignOff[] = []
  const leavers = new Map<string, string>()
  const goneNames = new Set<string>()
  const reducedNames = new Set<string>()
  for (const unregistration of batch) {
    const broker = 'channel' in unregistration ? identify(tables, unregistration) : unregistration
    if (broker === undefined) continue
    const wasLive = forgetLive(tables, broker.clusterName, broker.brokerAddr)
    const data = tables.brokerAddrTable.get(broker.brokerName)
    if (data === undefined) continue
    const wasMin = broker.brokerId === minBrokerId(data.brokerAddrs)
    const hadAddr = removeAddr(tables, data, broker.brokerAddr)
    if (wasLive || hadAddr) removed.push(broker)
    if (data.brokerAddrs.size === 0) {
      removeName(tables, broker.brokerName)
      goneNames.add(broker.brokerName)
      reducedNames.delete(broker.brokerName)
    } else {
      reducedNames.add(broker.brokerName)
      if (wasMin) leavers.set(broker.brokerName, broker.brokerAddr)
    }
  }
  purgeTopics(tables, goneNames)
  for (const name of reducedNames) withdrawWritePerm(tables, name)
  return { removed, minBrokerIdChanges: minChanges(tables, leavers) }
}

/** Which broker has disappeared; undefined when it is back already, or holds no id any more. */
function identify(tables: RouteTables, { clusterName, brokerAddr, channel }: Disappearance): SignOff | undefined {
  if (tables.live(clusterName, brokerAddr)?.channel !== channel) return undefined
  for (const { brokerName, cluster, brokerAddrs } of tables.brokerAddrTable.values()) {
    if (cluster !== clusterName) continue
    for (const [brokerId, addr] of brokerAddrs) {
      if (addr === brokerAddr) return { clusterName, brokerAddr, brokerName, brokerId }
    }
  }
  // another address has taken the id over: only the sign of life is left
  forgetLive(tables, clusterName, brokerAddr)
  return undefined
}

function forgetLive(tables: RouteTables, clusterName: string, brokerAddr: string): boolean {
  const key = liveKey(clusterName, brokerAddr)
  if (tables.filterServerTable.delete(key)) tables.touch()
  return tables.brokerLiveTable.delete(key)
}

function removeAddr(tables: RouteTables, data: BrokerData, brokerAddr: string): boolean {
  let found = false
  for (const [id, addr] of data.brokerAddrs) {
    if (addr !== brokerAddr) continue
    data.brokerAddrs.delete(id)
    found = true
  }
  if (found) tables.touch()
  return found
}

function removeName(tables: RouteTables, brokerName: string): void {
  tables.brokerAddrTable.delete(brokerName)
  for (const [cluster, names] of tables.clusterAddrTable) {
    if (names.delete(brokerName) && names.size === 0) tables.clusterAddrTable.delete(cluster)
  }
  tables.touch()
}

function purgeTopics(tables: RouteTables, brokerNames: ReadonlySet<string>): void {
  if (brokerNames.size === 0) return
  for (const [topic, byBroker] of tables.topicQueueTable) {
    for (const brokerName of brokerNames) byBroker.delete(brokerName)
    if (byBroker.size === 0) tables.topicQueueTable.delete(topic)
  }
  tables.touch()
}

/** With acting masters on, a name whose master has gone takes no more messages. */
function withdrawWritePerm(tables: RouteTables, brokerName: string): void {
  const data = tables.brokerAddrTable.get(brokerName)
  if (!data?.enableActingMaster || data.brokerAddrs.has(MASTER_ID)) return
  for (const [, queueData] of tables.queuesOf(brokerName)) tables.setPerm(queueData, queueData.perm & ~Perm.WRITE)
}

function minChanges(tables: RouteTables, leavers: ReadonlyMap<string, string>): MinBrokerIdChange[] {
  return [...leavers].flatMap(([brokerName, offlineAddr]) => {
    const data = tables.brokerAddrTable.get(brokerName)
    if (!data?.enableActingMaster) return []
    return changeByLeaving(brokerName, data.brokerAddrs, offlineAddr) ?? []
  })
}
