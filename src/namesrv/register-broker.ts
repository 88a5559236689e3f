import {
  type BrokerData,
  type DataVersion,
  MASTER_ID,
  Perm,
  type QueueData,
  sameDataVersion,
  type TopicConfig,
} from '../common/index.js'
import { changeByJoining, type MinBrokerIdChange } from './min-broker-id-change.js'
import { type BrokerChannel, liveKey, minBrokerId, type RouteTables } from './route-tables.js'
import type { TopicQueueMappingInfo } from './topic-queue-mapping-info.js'

/** The topics of a broker as it registers them. */
export interface RegisteredTopics {
  readonly dataVersion: DataVersion
  readonly topicConfigTable: ReadonlyMap<string, TopicConfig>
  readonly topicQueueMappingInfoMap: ReadonlyMap<string, TopicQueueMappingInfo>
}

export interface BrokerRegistration {
  readonly clusterName: string
  readonly brokerName: string
  readonly brokerAddr: string
  readonly brokerId: number
  readonly haServerAddr: string
  readonly zoneName: string | undefined
  readonly heartbeatTimeoutMs: number | undefined
  /** Undefined: a broker of before acting masters. */
  readonly enableActingMaster: boolean | undefined
  readonly topics: RegisteredTopics
  /** Undefined leaves what is known. */
  readonly filterServerList: readonly string[] | undefined
  readonly channel: BrokerChannel
}

export interface RegistrationOptions {
  /** Monotonic ms. */
  readonly now: number
  readonly deleteMissingTopics: boolean
}

export interface RegistrationResult {
  /** The master's, for a slave whose master is there. */
  readonly haServerAddr?: string
  readonly masterAddr?: string
  readonly minBrokerIdChange?: MinBrokerIdChange
  /** It was not there before. */
  readonly isNew: boolean
  /** An older state of a broker id that another address holds: left aside. */
  readonly ignored: boolean
}

const DEFAULT_HEARTBEAT_TIMEOUT_MS = 120_000

/**
 * Takes a registration (namesrv-and-admin 2.5) over into the tables. Undefined when it is refused: a single topic of a
 * broker that has not registered all of its topics yet. Such a refusal changes nothing.
 */
export function registerBroker(
  tables: RouteTables,
  registration: BrokerRegistration,
  options: RegistrationOptions,
): RegistrationResult | undefined {
  const { clusterName, brokerName, brokerAddr, brokerId, topics } = registration
  const isKnownId = tables.brokerAddrTable.get(brokerName)?.brokerAddrs.has(brokerId) === true
  if (!isKnownId && topics.topicConfigTable.size === 1) return undefined

  const broker = brokerDataFor(tables, registration)
  const previousMin = minBrokerId(broker.brokerAddrs) ?? 0
  removeOtherIdsOf(tables, broker, registration)
  if (isOlderThanHolder(tables, broker, registration)) {
    tables.brokerLiveTable.delete(liveKey(clusterName, brokerAddr))
    return { isNew: false, ignored: true }
  }
  const previousAddr = broker.brokerAddrs.get(brokerId)
  if (previousAddr !== brokerAddr) {
    broker.brokerAddrs.set(brokerId, brokerAddr)
    tables.touch()
  }
  takeTopics(tables, broker, registration, { ...options, isFirst: !previousAddr })
  const isNew = putLiveInfo(tables, registration, options.now)
  putFilterServers(tables, registration)
  return {
    ...masterOf(tables, broker, registration),
    ...(brokerId < previousMin && {
      minBrokerIdChange: changeByJoining(brokerName, broker.brokerAddrs, registration.haServerAddr),
    }),
    isNew,
    ignored: false,
  }
}

function brokerDataFor(tables: RouteTables, registration: BrokerRegistration): BrokerData {
  const { clusterName, brokerName, zoneName } = registration
  const enableActingMaster = registration.enableActingMaster === true
  let names = tables.clusterAddrTable.get(clusterName)
  if (names === undefined) tables.clusterAddrTable.set(clusterName, (names = new Set()))
  names.add(brokerName)
  let broker = tables.brokerAddrTable.get(brokerName)
  if (broker === undefined) {
    broker = { brokerAddrs: new Map(), brokerName, cluster: clusterName, enableActingMaster }
    tables.brokerAddrTable.set(brokerName, broker)
  }
  if (broker.enableActingMaster !== enableActingMaster || broker.zoneName !== zoneName) tables.touch()
  broker.enableActingMaster = enableActingMaster
  if (zoneName === undefined) delete broker.zoneName
  else broker.zoneName = zoneName
  return broker
}

/** A broker that has changed its role keeps one id: an address stands once in a broker's table. */
function removeOtherIdsOf(tables: RouteTables, broker: BrokerData, registration: BrokerRegistration): void {
  for (const [id, addr] of broker.brokerAddrs) {
    if (addr !== registration.brokerAddr || id === registration.brokerId) continue
    broker.brokerAddrs.delete(id)
    tables.touch()
  }
}

/** Whether the id belongs to another address whose state is of a later controller epoch. */
function isOlderThanHolder(tables: RouteTables, broker: BrokerData, registration: BrokerRegistration): boolean {
  const holderAddr = broker.brokerAddrs.get(registration.brokerId)
  if (holderAddr === undefined || holderAddr === registration.brokerAddr) return false
  const holder = tables.live(registration.clusterName, holderAddr)
  return holder !== undefined && holder.dataVersion.stateVersion > registration.topics.dataVersion.stateVersion
}

interface TopicOptions extends RegistrationOptions {
  /** Nobody had this broker id before. */
  readonly isFirst: boolean
}

/** Topics count when they come from the master, or from the slave that acts for it. */
function takeTopics(
  tables: RouteTables,
  broker: BrokerData,
  registration: BrokerRegistration,
  options: TopicOptions,
): void {
  const { brokerName, brokerId, topics } = registration
  const isMaster = brokerId === MASTER_ID
  const isPrimeSlave =
    registration.enableActingMaster !== undefined && !isMaster && brokerId === minBrokerId(broker.brokerAddrs)
  if (!isMaster && !isPrimeSlave) return

  if (options.deleteMissingTopics && topics.topicQueueMappingInfoMap.size === 0) {
    const registered = new Set([...topics.topicConfigTable.values()].map(config => config.topicName))
    const missing = [...tables.queuesOf(brokerName)].filter(([topic]) => !registered.has(topic))
    for (const [topic] of missing) tables.removeQueueData(topic, brokerName)
  }
  const known = tables.live(registration.clusterName, registration.brokerAddr)
  const isChanged = options.isFirst || known === undefined || !sameDataVersion(known.dataVersion, topics.dataVersion)
  const readOnly = isPrimeSlave && broker.enableActingMaster
  for (const config of topics.topicConfigTable.values()) {
    // unchanged tables leave alone what wipeWritePerm has done since
    if (!isChanged && tables.topicQueueTable.get(config.topicName)?.has(brokerName)) continue
    tables.putQueueData(config.topicName, queueDataOf(brokerName, config, readOnly))
  }
  if (!isChanged) return
  for (const [topic, info] of topics.topicQueueMappingInfoMap) {
    let byBroker = tables.topicQueueMappingInfoTable.get(topic)
    if (byBroker === undefined) tables.topicQueueMappingInfoTable.set(topic, (byBroker = new Map()))
    byBroker.set(info.bname, info)
    tables.touch()
  }
}

function queueDataOf(brokerName: string, config: TopicConfig, readOnly: boolean): QueueData {
  return {
    brokerName,
    perm: readOnly ? config.perm & ~Perm.WRITE : config.perm,
    readQueueNums: config.readQueueNums,
    topicSysFlag: config.topicSysFlag,
    writeQueueNums: config.writeQueueNums,
  }
}

function putLiveInfo(tables: RouteTables, registration: BrokerRegistration, now: number): boolean {
  const { clusterName, brokerAddr, haServerAddr, channel, topics } = registration
  const key = liveKey(clusterName, brokerAddr)
  const isNew = !tables.brokerLiveTable.has(key)
  tables.brokerLiveTable.set(key, {
    clusterName,
    brokerAddr,
    lastUpdate: now,
    heartbeatTimeoutMs: registration.heartbeatTimeoutMs ?? DEFAULT_HEARTBEAT_TIMEOUT_MS,
    dataVersion: topics.dataVersion,
    channel,
    haServerAddr,
  })
  return isNew
}

function putFilterServers(tables: RouteTables, registration: BrokerRegistration): void {
  const { clusterName, brokerAddr, filterServerList } = registration
  if (filterServerList === undefined) return
  const key = liveKey(clusterName, brokerAddr)
  if (filterServerList.length > 0) tables.filterServerTable.set(key, [...filterServerList])
  else if (!tables.filterServerTable.delete(key)) return
  tables.touch()
}

function masterOf(
  tables: RouteTables,
  broker: BrokerData,
  { clusterName, brokerId }: BrokerRegistration,
): { haServerAddr?: string; masterAddr?: string } {
  if (brokerId === MASTER_ID) return {}
  const masterAddr = broker.brokerAddrs.get(MASTER_ID)
  const master = masterAddr === undefined ? undefined : tables.live(clusterName, masterAddr)
  if (masterAddr === undefined || master === undefined) return {}
  return { haServerAddr: master.haServerAddr, masterAddr }
}
