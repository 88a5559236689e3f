import {
  compareMessageQueues,
  isReadable,
  isWriteable,
  MASTER_ID,
  type MessageQueue,
  SystemTopic,
  stringifyFastJson,
  type TopicRouteData,
} from '../common/index.js'
import { errorText, type Logger } from '../util/index.js'
import type { NameServers } from './name-servers.js'

/** Where messages of a topic may be sent. */
export interface PublishInfo {
  readonly queues: readonly MessageQueue[]
  /** The topic has a fixed order of queues. */
  readonly ordered: boolean
}

interface KnownRoute {
  readonly data: TopicRouteData
  readonly text: string
  readonly publish: PublishInfo
  readonly subscribe: readonly MessageQueue[]
}

/** The routes a client has asked for, and the broker addresses they name. A route that vanishes is kept, as in Java. */
export class TopicRoutes {
  private readonly routes = new Map<string, KnownRoute>()
  private readonly brokers = new Map<string, Map<number, string>>()
  private readonly underWay = new Map<string, Promise<boolean>>()

  constructor(
    private readonly nameServers: NameServers,
    private readonly logger: Logger,
  ) {}

  get(topic: string): TopicRouteData | undefined {
    return this.routes.get(topic)?.data
  }

  publishInfo(topic: string): PublishInfo | undefined {
    return this.routes.get(topic)?.publish
  }

  /** Readable queues in Java's order; undefined while no route is known. */
  subscribeQueues(topic: string): readonly MessageQueue[] | undefined {
    return this.routes.get(topic)?.subscribe
  }

  topics(): string[] {
    return [...this.routes.keys()]
  }

  /**
   * Asks for a topic's route. Resolves to whether one is known afterwards.
   * @throws MQClientError when no NameServer answers.
   */
  refresh(topic: string): Promise<boolean> {
    return this.once(topic, async () => {
      const data = await this.nameServers.topicRoute(topic)
      if (data) this.put(topic, data)
      return this.routes.has(topic)
    })
  }

  /** Takes the queues of the topic that new topics are made from: what a send to an unknown topic uses. */
  refreshFromDefault(
    topic: string,
    createTopicKey: string = SystemTopic.AUTO_CREATE_TOPIC_KEY,
    queueNums = 4,
  ): Promise<boolean> {
    return this.once(`${topic}\u0000default`, async () => {
      const data = await this.nameServers.topicRoute(createTopicKey)
      if (data) {
        for (const queue of data.queueDatas) {
          const nums = Math.min(queueNums, queue.readQueueNums)
          queue.readQueueNums = nums
          queue.writeQueueNums = nums
        }
        this.put(topic, data)
      }
      return this.routes.has(topic)
    })
  }

  /** The master's address, or undefined. */
  master(brokerName: string): string | undefined {
    return this.brokers.get(brokerName)?.get(MASTER_ID)
  }

  /** The address of one broker id; failing that the next id, then, unless `strict`, any. */
  broker(brokerName: string, brokerId: number, strict = false): { address: string; slave: boolean } | undefined {
    const addresses = this.brokers.get(brokerName)
    if (!addresses) return undefined
    const candidates = [
      brokerId,
      ...(brokerId === MASTER_ID ? [] : [brokerId + 1]),
      ...(strict ? [] : addresses.keys()),
    ]
    for (const id of candidates) {
      const address = addresses.get(id)
      if (address !== undefined) return { address, slave: id !== MASTER_ID }
    }
    return undefined
  }

  /** A random broker of the topic for questions about groups: its master, else any of it. */
  anyBrokerOf(topic: string): string | undefined {
    const brokers = this.routes.get(topic)?.data.brokerDatas ?? []
    if (brokers.length === 0) return undefined
    const addresses = brokers[Math.floor(Math.random() * brokers.length)]!.brokerAddrs
    return addresses.get(MASTER_ID) ?? [...addresses.values()][0]
  }

  /** Every address known; only those of masters when asked so. */
  addresses(mastersOnly = false): string[] {
    const all = [...this.brokers.values()].flatMap(ids => (mastersOnly ? [ids.get(MASTER_ID)] : [...ids.values()]))
    return [...new Set(all.filter(address => address !== undefined))]
  }

  /** Forgets addresses that no route names any more. */
  cleanOffline(): void {
    const named = new Set(
      [...this.routes.values()].flatMap(route => route.data.brokerDatas.flatMap(b => [...b.brokerAddrs.values()])),
    )
    for (const [name, ids] of this.brokers) {
      for (const [id, address] of ids) if (!named.has(address)) ids.delete(id)
      if (ids.size === 0) this.brokers.delete(name)
    }
  }

  private put(topic: string, data: TopicRouteData): void {
    const text = stringifyFastJson(data)
    if (this.routes.get(topic)?.text === text) return
    for (const broker of data.brokerDatas) this.brokers.set(broker.brokerName, new Map(broker.brokerAddrs))
    this.routes.set(topic, {
      data,
      text,
      publish: publishInfoOf(topic, data),
      subscribe: subscribeQueuesOf(topic, data),
    })
    this.logger.info({ event: 'route-changed', topic }, `the route of ${topic} changed`)
  }

  private once(key: string, ask: () => Promise<boolean>): Promise<boolean> {
    let running = this.underWay.get(key)
    if (!running) {
      running = ask().finally(() => this.underWay.delete(key))
      this.underWay.set(key, running)
    }
    return running
  }

  /** Asks again for each of `topics`; failures are logged. */
  async refreshAll(topics: Iterable<string>): Promise<void> {
    for (const topic of new Set(topics)) {
      try {
        await this.refresh(topic)
      } catch (error) {
        this.logger.warn(
          { event: 'route-refresh-failed', topic },
          `could not refresh the route of ${topic}: ${errorText(error)}`,
        )
      }
    }
  }
}

function publishInfoOf(topic: string, data: TopicRouteData): PublishInfo {
  if (data.orderTopicConf) {
    const queues = data.orderTopicConf.split(';').flatMap(part => {
      const [brokerName = '', nums = '0'] = part.split(':')
      return queuesOf(topic, brokerName, Number(nums))
    })
    return { queues, ordered: true }
  }
  const withMaster = new Set(data.brokerDatas.filter(b => b.brokerAddrs.has(MASTER_ID)).map(b => b.brokerName))
  const queues = data.queueDatas
    .filter(queue => isWriteable(queue.perm) && withMaster.has(queue.brokerName))
    .flatMap(queue => queuesOf(topic, queue.brokerName, queue.writeQueueNums))
  return { queues: queues.sort(compareMessageQueues), ordered: false }
}

function subscribeQueuesOf(topic: string, data: TopicRouteData): MessageQueue[] {
  return data.queueDatas
    .filter(queue => isReadable(queue.perm))
    .flatMap(queue => queuesOf(topic, queue.brokerName, queue.readQueueNums))
    .sort(compareMessageQueues)
}

function queuesOf(topic: string, brokerName: string, nums: number): MessageQueue[] {
  return Array.from({ length: nums }, (_, queueId) => ({ brokerName, queueId, topic }))
}
