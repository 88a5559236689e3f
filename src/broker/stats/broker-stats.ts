import { isSystemTopic } from '../../common/index.js'
import type { Clock, Timer } from '../../util/index.js'
import { DailyTotals } from './daily-totals.js'
import { type BrokerStatsData, ITEM_LIFETIME_SLOTS, SLOT_MS, type StatsColumn, StatsItem } from './stats-item.js'
import { StoreRates } from './store-rates.js'
import { TopicPuts, UNASSIGNED_ROW } from './topic-puts.js'

/** Above this many items new keys are not counted any more, so that hostile names cannot fill the memory. */
const MAX_ITEMS = 400_000
/** Every hour items without traffic for a day are dropped. */
const SLOTS_PER_SWEEP = 360

/** Counters with keys that are rarely touched: a table per name, a plain text as key. */
const plainNames = [
  'SNDBCK_PUT_NUMS',
  'DLQ_PUT_NUMS',
  'SNDBCK2DLQ_TIMES',
  'GROUP_ACK_NUMS',
  'GROUP_CK_NUMS',
  'TOPIC_PUT_LATENCY',
  'GROUP_GET_LATENCY',
  'BROKER_ACK_NUMS',
  'BROKER_CK_NUMS',
  'CONSUMER_REGISTER_TIME',
  'PRODUCER_REGISTER_TIME',
  'CHANNEL_ACTIVITY',
  'QUEUE_GET_NUMS',
  'QUEUE_GET_SIZE',
] as const
export type PlainStatsName = (typeof plainNames)[number]

/** The figures of a group's reads by the name they are asked for; their key is `topic@group`. */
const groupNames: Readonly<Record<string, readonly [table: 'groupGet' | 'groupDiskGet', column: StatsColumn]>> = {
  GROUP_GET_NUMS: ['groupGet', 'nums'],
  GROUP_GET_SIZE: ['groupGet', 'size'],
  GROUP_GET_FROM_DISK_NUMS: ['groupDiskGet', 'nums'],
  GROUP_GET_FROM_DISK_SIZE: ['groupDiskGet', 'size'],
}

type BrokerItem = 'brokerPut' | 'brokerGet' | 'brokerPutOfUsers' | 'brokerGetOfUsers' | 'brokerDiskGet'
const brokerNames: Readonly<Record<string, readonly [item: BrokerItem, column: StatsColumn]>> = {
  BROKER_PUT_NUMS: ['brokerPut', 'nums'],
  BROKER_GET_NUMS: ['brokerGet', 'nums'],
  BROKER_PUT_NUMS_WITHOUT_SYSTEM_TOPIC: ['brokerPutOfUsers', 'nums'],
  BROKER_GET_NUMS_WITHOUT_SYSTEM_TOPIC: ['brokerGetOfUsers', 'nums'],
  BROKER_GET_FROM_DISK_NUMS: ['brokerDiskGet', 'nums'],
  BROKER_GET_FROM_DISK_SIZE: ['brokerDiskGet', 'size'],
}

type ByGroup = Map<string, Map<string, StatsItem>>

export interface BrokerStatsOptions {
  clock: Clock
  /** Count per queue, too (`enableDetailStat`). Default true. */
  isDetailed?: boolean
}

/** A queue of a topic. */
export interface CountedQueue {
  readonly topic: string
  readonly queueId: number
}

/**
 * Counters of topics, groups and the broker (broker-behaviour 16.3). The `inc` methods are for the hot path: they look
 * up and add, and make nothing but the items of new names. Times of the windows come from one tick every 10 s.
 */
export class BrokerStats {
  /** Totals and rates of the store, for the runtime info. */
  readonly store: StoreRates
  /** Messages put and handed out until the last midnights. */
  readonly daily: DailyTotals

  private readonly clock: Clock
  private slot = 0
  private bootTime: number
  private items = 0
  private readonly isDetailed: boolean
  private timer: Timer | undefined

  private readonly topicPut = new Map<string, TopicPuts>()
  private readonly groupGet: ByGroup = new Map()
  private readonly groupDiskGet: ByGroup = new Map()
  private readonly brokerItems: Readonly<Record<BrokerItem, StatsItem>>
  private readonly plain = new Map<string, Map<string, StatsItem>>(plainNames.map(name => [name, new Map()]))

  constructor(options: BrokerStatsOptions) {
    this.clock = options.clock
    this.isDetailed = options.isDetailed ?? true
    this.bootTime = this.clock.now()
    this.store = new StoreRates(this.clock)
    this.daily = new DailyTotals(this.clock)
    this.brokerItems = {
      brokerPut: new StatsItem(0),
      brokerGet: new StatsItem(0),
      brokerPutOfUsers: new StatsItem(0),
      brokerGetOfUsers: new StatsItem(0),
      brokerDiskGet: new StatsItem(0),
    }
  }

  /** Ms. */
  get bootTimestamp(): number {
    return this.bootTime
  }

  start(): void {
    this.bootTime = this.clock.now()
    this.store.start()
    this.daily.start()
    this.timer = this.clock.every(SLOT_MS, () => this.nextSlot())
  }

  stop(): void {
    this.store.stop()
    this.daily.stop()
    this.timer?.cancel()
    this.timer = undefined
  }

  /** `count` messages were stored in a topic, `bytes` long together; by a client in the queue it has chosen. */
  incTopicPut(topic: string, count: number, bytes: number, queueId?: number): void {
    let item = this.topicPut.get(topic)
    if (item === undefined) {
      if (!this.mayAdd()) return
      item = new TopicPuts(topic, this.slot)
      this.topicPut.set(topic, item)
    }
    this.incPuts(item, count, bytes, queueId)
  }

  /** As {@link incTopicPut}, for who has the topic's counters at hand. */
  incPuts(item: TopicPuts, count: number, bytes: number, queueId?: number): void {
    const row = queueId !== undefined && this.isDetailed ? this.rowOf(item, queueId) : UNASSIGNED_ROW
    item.addTo(row, this.slot, count, bytes)
    this.store.addPut(count, bytes)
    if (!item.isSystem) this.brokerItems.brokerPutOfUsers.add(this.slot, count, bytes)
  }

  incBrokerPut(count: number): void {
    this.brokerItems.brokerPut.add(this.slot, count, 0)
    this.daily.put += count
  }

  /** A put took this long, in ms. */
  incPutLatency(elapsedMs: number): void {
    this.store.addPutLatency(elapsedMs)
  }

  incPutFailed(): void {
    this.store.putMessageFailedTimes++
  }

  /** A group was handed `count` messages of a topic, `bytes` long together. */
  incGroupGet(group: string, topic: string, count: number, bytes: number): void {
    this.groupItem(this.groupGet, group, topic)?.add(this.slot, count, bytes)
    this.store.addGet(count)
    if (!isSystemTopic(topic)) this.brokerItems.brokerGetOfUsers.add(this.slot, count, bytes)
  }

  /** A group was handed messages of one queue of a topic. */
  incQueueGet(group: string, { topic, queueId }: CountedQueue, count: number, bytes: number): void {
    if (!this.isDetailed) return
    const key = `${topic}@${queueId}@${group}`
    this.inc('QUEUE_GET_NUMS', key, count)
    this.inc('QUEUE_GET_SIZE', key, bytes)
  }

  incBrokerGet(count: number): void {
    this.brokerItems.brokerGet.add(this.slot, count, 0)
    this.daily.get += count
  }

  /** A pull that found nothing. */
  incGetMiss(): void {
    this.store.addGet(0)
  }

  /** Reading for a pull took this long, in ms. */
  incGetLatency(elapsedMs: number): void {
    this.store.addGetLatency(elapsedMs)
  }

  /** Messages older than what is taken to be in memory were handed to a group. */
  incDiskGet(group: string, topic: string, count: number, bytes: number): void {
    this.groupItem(this.groupDiskGet, group, topic)?.add(this.slot, count, bytes)
    this.brokerItems.brokerDiskGet.add(this.slot, count, bytes)
  }

  incSendBack(group: string, topic: string, count = 1): void {
    this.inc('SNDBCK_PUT_NUMS', `${topic}@${group}`, count)
  }

  incDlqPut(group: string, topic: string, count = 1): void {
    this.inc('DLQ_PUT_NUMS', `${topic}@${group}`, count)
  }

  /** Any of the rarer counters, under its Java name and key; broker-wide ones have the cluster's name as key. */
  inc(name: PlainStatsName, key: string, value = 1): void {
    const table = this.plain.get(name)!
    let item = table.get(key)
    if (item === undefined) {
      item = this.newItem()
      if (item === undefined) return
      table.set(key, item)
    }
    item.add(this.slot, value, 0)
  }

  /** The counters of a topic; undefined when nothing was put to it. */
  findPuts(topic: string): TopicPuts | undefined {
    return this.topicPut.get(topic)
  }

  /** Undefined when nothing was counted under this name and key. The key of the broker's own figures is its cluster. */
  view(statsName: string, statsKey: string, clusterName: string): BrokerStatsData | undefined {
    const ofBroker = brokerNames[statsName]
    if (ofBroker) {
      return statsKey === clusterName ? this.brokerItems[ofBroker[0]].data(this.slot, ofBroker[1]) : undefined
    }
    if (statsName === 'QUEUE_PUT_NUMS' || statsName === 'QUEUE_PUT_SIZE') {
      const [topic = '', queueId] = statsKey.split('@', 2)
      const column = statsName === 'QUEUE_PUT_NUMS' ? 'nums' : 'size'
      return this.topicPut.get(topic)?.queueData(Number(queueId), this.slot, column)
    }
    const [item, column] = this.find(statsName, statsKey)
    return item?.data(this.slot, column)
  }

  /** Messages per second that a group got of a topic, over the last minute. */
  groupGetTps(group: string, topic: string): number {
    return this.groupGet.get(group)?.get(topic)?.tps(this.slot, 'nums') ?? 0
  }

  /** Messages per second put to a topic, over the last minute. */
  topicPutTps(topic: string): number {
    return this.topicPut.get(topic)?.data(this.slot, 'nums').statsMinute.tps ?? 0
  }

  topicDeleted(topic: string): void {
    this.dropTopic(topic)
    for (const table of [this.groupGet, this.groupDiskGet]) {
      for (const topics of table.values()) this.dropItem(topics, topic)
    }
    this.dropPlain(key => key.startsWith(`${topic}@`) || key.endsWith(`@${topic}`))
  }

  groupDeleted(group: string): void {
    for (const table of [this.groupGet, this.groupDiskGet]) {
      this.items -= table.get(group)?.size ?? 0
      table.delete(group)
    }
    this.dropPlain(key => key.endsWith(`@${group}`))
  }

  private find(statsName: string, statsKey: string): [StatsItem | TopicPuts | undefined, StatsColumn] {
    if (statsName === 'TOPIC_PUT_NUMS') return [this.topicPut.get(statsKey), 'nums']
    if (statsName === 'TOPIC_PUT_SIZE') return [this.topicPut.get(statsKey), 'size']
    const ofGroup = groupNames[statsName]
    if (ofGroup) {
      // a topic has no `@`, a group may come from a client that checks nothing
      const at = statsKey.indexOf('@')
      return [this[ofGroup[0]].get(statsKey.slice(at + 1))?.get(statsKey.slice(0, at)), ofGroup[1]]
    }
    return [this.plain.get(statsName)?.get(statsKey), 'nums']
  }

  private groupItem(table: ByGroup, group: string, topic: string): StatsItem | undefined {
    let topics = table.get(group)
    if (topics === undefined) {
      topics = new Map()
      table.set(group, topics)
    }
    let item = topics.get(topic)
    if (item === undefined) {
      item = this.newItem()
      if (item !== undefined) topics.set(topic, item)
    }
    return item
  }

  private rowOf(item: TopicPuts, queueId: number): number {
    return item.rowOf(queueId) ?? (this.mayAdd() ? item.addQueue(queueId, this.slot) : UNASSIGNED_ROW)
  }

  private newItem(): StatsItem | undefined {
    return this.mayAdd() ? new StatsItem(this.slot) : undefined
  }

  private mayAdd(): boolean {
    if (this.items >= MAX_ITEMS) return false
    this.items++
    return true
  }

  private nextSlot(): void {
    this.slot++
    if (this.slot % SLOTS_PER_SWEEP === 0) this.sweep()
  }

  private sweep(): void {
    for (const [topic, item] of this.topicPut) {
      if (this.slot - item.lastSlot > ITEM_LIFETIME_SLOTS) this.dropTopic(topic)
    }
    const tables = [...this.groupGet.values(), ...this.groupDiskGet.values(), ...this.plain.values()]
    for (const table of tables) {
      for (const [key, item] of table) {
        if (this.slot - item.lastSlot > ITEM_LIFETIME_SLOTS) this.dropItem(table, key)
      }
    }
    for (const table of [this.groupGet, this.groupDiskGet]) {
      for (const [group, topics] of table) if (topics.size === 0) table.delete(group)
    }
  }

  /** With its queues: none of them was touched after it. */
  private dropTopic(topic: string): void {
    const item = this.topicPut.get(topic)
    if (item === undefined) return
    item.isDropped = true
    this.items -= item.rowCount
    this.topicPut.delete(topic)
  }

  private dropItem(table: Map<string, StatsItem>, key: string): void {
    if (table.delete(key)) this.items--
  }

  private dropPlain(matches: (key: string) => boolean): void {
    for (const table of this.plain.values()) {
      for (const key of table.keys()) if (matches(key)) this.dropItem(table, key)
    }
  }
}
