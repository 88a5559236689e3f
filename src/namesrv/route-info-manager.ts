import {
  type ClusterInfo,
  type DataVersion,
  PERM_READ_WRITE,
  Perm,
  type QueueData,
  sameDataVersion,
} from '../common/index.js'
import type { Clock } from '../util/index.js'
import { type BrokerRegistration, type RegistrationResult, registerBroker } from './register-broker.js'
import {
  clusterInfo,
  pickupTopicRoute,
  systemTopics,
  type TopicRoute,
  topicsOfCluster,
  type UnitKind,
  unitTopics,
} from './route-queries.js'
import { type BrokerChannel, type BrokerLiveInfo, RouteTables } from './route-tables.js'
import type { NamesrvValues } from './settings.js'
import { type Unregistration, type UnregistrationResult, unregisterBrokers } from './unregister-broker.js'

type RouteInfoValues = Pick<NamesrvValues, 'supportActingMaster' | 'deleteTopicWithBrokerRegistration'>

export interface RouteInfoOptions {
  readonly values: RouteInfoValues
  readonly clock: Clock
}

/** Which brokers there are and which topics they have. State and rules only: it sends nothing and closes nothing. */
export class RouteInfoManager {
  private readonly tables = new RouteTables()

  constructor(private readonly options: RouteInfoOptions) {}

  /** Another number after each change that a route could show. */
  get generation(): number {
    return this.tables.generation
  }

  /** Undefined: refused, see {@link registerBroker}. */
  register(registration: BrokerRegistration): RegistrationResult | undefined {
    return registerBroker(this.tables, registration, {
      now: this.options.clock.monotonic(),
      deleteMissingTopics: this.options.values.deleteTopicWithBrokerRegistration,
    })
  }

  unregister(batch: readonly Unregistration[]): UnregistrationResult {
    return unregisterBrokers(this.tables, batch)
  }

  /** The version of the topics a broker has registered. */
  dataVersion(clusterName: string, brokerAddr: string): DataVersion | undefined {
    return this.tables.live(clusterName, brokerAddr)?.dataVersion
  }

  /** Whether a broker has to register again. */
  isDataVersionChanged(clusterName: string, brokerAddr: string, version: DataVersion | undefined): boolean {
    const known = this.dataVersion(clusterName, brokerAddr)
    return known === undefined || version === undefined || !sameDataVersion(known, version)
  }

  /** A sign of life; false from a broker that is not registered. */
  heartbeat(clusterName: string, brokerAddr: string): boolean {
    const live = this.tables.live(clusterName, brokerAddr)
    if (live === undefined) return false
    live.lastUpdate = this.options.clock.monotonic()
    return true
  }

  /** Brokers that were silent for longer than they said they would be, or whose connection is closed. */
  lostBrokers(): BrokerLiveInfo[] {
    const now = this.options.clock.monotonic()
    return [...this.tables.brokerLiveTable.values()].filter(
      ({ channel, lastUpdate, heartbeatTimeoutMs }) => channel.isClosed || lastUpdate + heartbeatTimeoutMs < now,
    )
  }

  /** Brokers that registered through a connection. */
  brokersOf(channel: BrokerChannel): BrokerLiveInfo[] {
    return [...this.tables.brokerLiveTable.values()].filter(live => live.channel === channel)
  }

  topicRoute(topic: string): TopicRoute | undefined {
    return pickupTopicRoute(this.tables, topic, this.options.values)
  }

  clusterInfo(): ClusterInfo {
    return clusterInfo(this.tables)
  }

  /** Addresses of a broker name by id; empty for an unknown one. */
  memberAddrs(brokerName: string): ReadonlyMap<number, string> {
    return this.tables.brokerAddrTable.get(brokerName)?.brokerAddrs ?? new Map()
  }

  topics(): Set<string> {
    return new Set(this.tables.topicQueueTable.keys())
  }

  topicsOfCluster(cluster: string): Set<string> {
    return topicsOfCluster(this.tables, cluster)
  }

  unitTopics(kind: UnitKind): Set<string> {
    return unitTopics(this.tables, kind)
  }

  systemTopics(): { topicList: Set<string>; brokerAddr?: string } {
    return systemTopics(this.tables)
  }

  /** Sets the queues of a topic on some brokers. All or nothing: false, and no change, when a broker is unknown. */
  registerTopic(topic: string, queueDatas: readonly QueueData[]): boolean {
    if (!queueDatas.every(({ brokerName }) => this.tables.brokerAddrTable.has(brokerName))) return false
    for (const queueData of queueDatas) this.tables.putQueueData(topic, queueData)
    return true
  }

  /** Takes a topic from the brokers of a cluster, or from all. Returns how many had it. */
  deleteTopic(topic: string, cluster?: string): number {
    const names = cluster === undefined ? undefined : (this.tables.clusterAddrTable.get(cluster) ?? new Set<string>())
    const having = [...(this.tables.topicQueueTable.get(topic)?.keys() ?? [])]
    const affected = having.filter(brokerName => names === undefined || names.has(brokerName))
    for (const brokerName of affected) this.tables.removeQueueData(topic, brokerName)
    return affected.length
  }

  /** Takes the write permission from all topics of a broker. Returns how many topics it has. */
  wipeWritePerm(brokerName: string): number {
    return this.changePerms(brokerName, perm => perm & ~Perm.WRITE)
  }

  /** Makes all topics of a broker readable and writable, whatever they were before. Returns how many topics it has. */
  addWritePerm(brokerName: string): number {
    return this.changePerms(brokerName, () => PERM_READ_WRITE)
  }

  private changePerms(brokerName: string, change: (perm: number) => number): number {
    const queues = [...this.tables.queuesOf(brokerName)]
    for (const [, queueData] of queues) this.tables.setPerm(queueData, change(queueData.perm))
    return queues.length
  }
}
