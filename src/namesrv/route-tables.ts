import type { BrokerData, DataVersion, QueueData } from '../common/index.js'
import type { TopicQueueMappingInfo } from './topic-queue-mapping-info.js'

/** The connection a broker registered through. */
export interface BrokerChannel {
  readonly isClosed: boolean
  close(reason: string): void
}

/** A broker that is there, and until when that is believed. */
export interface BrokerLiveInfo {
  readonly clusterName: string
  readonly brokerAddr: string
  /** Monotonic ms of the last sign of life: a wall clock that jumps must not expire every broker. */
  lastUpdate: number
  readonly heartbeatTimeoutMs: number
  readonly dataVersion: DataVersion
  readonly channel: BrokerChannel
  readonly haServerAddr: string
}

/** What a NameServer knows (namesrv-and-admin 2.3). Plain state; {@link touch} follows whatever routes depend on. */
export class RouteTables {
  /** Topic, then broker name. */
  readonly topicQueueTable = new Map<string, Map<string, QueueData>>()
  readonly brokerAddrTable = new Map<string, BrokerData>()
  /** Cluster to its broker names. */
  readonly clusterAddrTable = new Map<string, Set<string>>()
  /** By {@link liveKey}. */
  readonly brokerLiveTable = new Map<string, BrokerLiveInfo>()
  /** Addresses of filter servers, by {@link liveKey}. */
  readonly filterServerTable = new Map<string, string[]>()
  /** Static topics: topic, then broker name. Kept when a broker goes, as in Java. */
  readonly topicQueueMappingInfoTable = new Map<string, Map<string, TopicQueueMappingInfo>>()
  private changes = 0

  /** Another number after each change that a route could show. */
  get generation(): number {
    return this.changes
  }

  touch(): void {
    this.changes++
  }

  live(clusterName: string, brokerAddr: string): BrokerLiveInfo | undefined {
    return this.brokerLiveTable.get(liveKey(clusterName, brokerAddr))
  }

  /** Sets or replaces the queues of a topic on a broker; false when they were these already. */
  putQueueData(topic: string, queueData: QueueData): boolean {
    let byBroker = this.topicQueueTable.get(topic)
    if (byBroker === undefined) {
      byBroker = new Map()
      this.topicQueueTable.set(topic, byBroker)
    }
    const known = byBroker.get(queueData.brokerName)
    if (known !== undefined && sameQueueData(known, queueData)) return false
    byBroker.set(queueData.brokerName, queueData)
    this.touch()
    return true
  }

  /** Takes a topic from a broker; the topic goes with its last broker. */
  removeQueueData(topic: string, brokerName: string): void {
    const byBroker = this.topicQueueTable.get(topic)
    if (!byBroker?.delete(brokerName)) return
    if (byBroker.size === 0) this.topicQueueTable.delete(topic)
    this.touch()
  }

  /** The queues a broker has, by topic. */
  *queuesOf(brokerName: string): Iterable<[topic: string, queueData: QueueData]> {
    for (const [topic, byBroker] of this.topicQueueTable) {
      const queueData = byBroker.get(brokerName)
      if (queueData !== undefined) yield [topic, queueData]
    }
  }

  setPerm(queueData: QueueData, perm: number): void {
    if (queueData.perm === perm) return
    queueData.perm = perm
    this.touch()
  }
}

export function liveKey(clusterName: string, brokerAddr: string): string {
  return `${clusterName}\u0000${brokerAddr}`
}

/** The lowest id of a broker's addresses; undefined without any. */
export function minBrokerId(brokerAddrs: ReadonlyMap<number, string>): number | undefined {
  return brokerAddrs.size === 0 ? undefined : Math.min(...brokerAddrs.keys())
}

function sameQueueData(a: QueueData, b: QueueData): boolean {
  return (
    a.brokerName === b.brokerName &&
    a.perm === b.perm &&
    a.readQueueNums === b.readQueueNums &&
    a.writeQueueNums === b.writeQueueNums &&
    a.topicSysFlag === b.topicSysFlag
  )
}
