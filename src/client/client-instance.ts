import { randomInt } from 'node:crypto'
import { LanguageCode, UniqIdGenerator } from '../common/index.js'
import { RemotingClient } from '../remoting/index.js'
import {
  askAddressServer,
  type Clock,
  errorText,
  httpGet,
  type Logger,
  PeriodicTask,
  splitAddresses,
} from '../util/index.js'
import { BrokerApi } from './broker-api.js'
import { BrokerConnection } from './broker-connection.js'
import { badArgument } from './client-error.js'
import { buildClientId, localAddress, uniqueInstanceName } from './client-identity.js'
import { type ClientOptions, type ClientSettings, clientSettings } from './client-options.js'
import { Heartbeats } from './heartbeats.js'
import type { ConsumerMember, ProducerMember } from './members.js'
import { NameServers } from './name-servers.js'
import { RebalanceLoop } from './rebalance-loop.js'
import { RequestTable } from './request-table.js'
import { clientRoutes } from './server-requests.js'
import { TopicRoutes } from './topic-routes.js'

const FIRST_ROUTE_REFRESH_MS = 10
const FIRST_HEARTBEAT_MS = 1000
const FIRST_PERSIST_MS = 10_000
const FIRST_ADDRESSES_MS = 10_000
const ADDRESSES_PERIOD_MS = 120_000
const KEEP_ALIVE_MS = 2 ** 31 - 1

export type ClientInstanceOptions = Omit<ClientOptions, 'instance'> & {
  /** Pull clients: the id ends with `@STREAM`. */
  stream?: boolean
}

/**
 * One identity towards NameServers and brokers: connections, routes, heartbeats and timers, for the producers and
 * consumers that use it. It runs while at least one of them does.
 */
export class ClientInstance {
  readonly clientId: string
  readonly settings: ClientSettings
  readonly clock: Clock
  readonly logger: Logger
  readonly remoting: RemotingClient
  readonly nameServers: NameServers
  readonly routes: TopicRoutes
  readonly brokers: BrokerApi
  readonly requests: RequestTable
  readonly uniqIds: UniqIdGenerator
  private readonly heartbeats: Heartbeats
  private readonly producers = new Map<string, ProducerMember>()
  private readonly consumers = new Map<string, ConsumerMember>()
  private readonly rebalancing: RebalanceLoop
  private readonly tasks: PeriodicTask[]
  private users = 0
  private keepAlive: NodeJS.Timeout | undefined

  constructor(options: ClientInstanceOptions) {
    const settings = clientSettings(options)
    this.settings = settings
    this.clock = settings.clock
    this.logger = settings.logger.child('RocketmqClient')
    const ip = settings.clientIp ?? localAddress()
    const instanceName = options.instanceName ?? uniqueInstanceName()
    this.clientId = buildClientId({ ip, instanceName, unitName: options.unitName, stream: options.stream })
    this.uniqIds = new UniqIdGenerator({ clock: this.clock, ip, pid: process.pid, salt: randomInt(0, 2 ** 31) })
    this.requests = new RequestTable(this.clock)
    this.remoting = new RemotingClient({
      clock: this.clock,
      logger: this.logger,
      // NODE_JS exists in the newest sources only; older Java peers read an unknown name as null and stumble over it
      language: LanguageCode.OTHER,
      routes: clientRoutes({
        clock: this.clock,
        logger: this.logger,
        requests: this.requests,
        consumer: group => this.consumers.get(group),
        producer: group => this.producers.get(group),
        wakeRebalance: () => this.wakeRebalance(),
      }),
    })
    const { timeoutMs, addressServer } = settings
    this.nameServers = new NameServers({
      addresses: settings.namesrvAddresses,
      find: addressServer && (async () => splitAddresses(await askAddressServer(addressServer, httpGet))),
      remoting: this.remoting,
      logger: this.logger,
      timeoutMs,
    })
    this.routes = new TopicRoutes(this.nameServers, this.logger)
    this.heartbeats = new Heartbeats({
      clientId: this.clientId,
      remoting: this.remoting,
      clock: this.clock,
      logger: this.logger,
      timeoutMs,
      producers: () => [...this.producers.keys()].sort().map(groupName => ({ groupName })),
      consumers: () => [...this.consumers.values()].map(consumer => consumer.heartbeat()),
      onIntroduced: () => this.wakeRebalance(),
    })
    const connection = new BrokerConnection({
      remoting: this.remoting,
      clock: this.clock,
      greet: address => this.heartbeats.greet(address),
    })
    this.brokers = new BrokerApi(connection, timeoutMs)
    this.rebalancing = new RebalanceLoop({ clock: this.clock, logger: this.logger, run: () => this.rebalanceAll() })
    this.tasks = this.periodicTasks()
  }

  /** Called by each client that starts to use it. */
  acquire(): void {
    this.users++
    if (this.users > 1) return
    // timers of the clock and idle sockets alone would let a process end that waits for its broker to come back
    this.keepAlive = setInterval(() => {}, KEEP_ALIVE_MS)
    const [routes, heartbeat, persist, addresses] = this.tasks
    routes!.start(FIRST_ROUTE_REFRESH_MS)
    heartbeat!.start(FIRST_HEARTBEAT_MS)
    persist!.start(FIRST_PERSIST_MS)
    addresses?.start(FIRST_ADDRESSES_MS)
    this.rebalancing.start()
  }

  /** Called by each client that stops; with the last one connections close. It cannot be used again afterwards. */
  async release(): Promise<void> {
    this.users--
    if (this.users > 0) return
    await this.rebalancing.stop()
    await Promise.all(this.tasks.map(task => task.stop()))
    this.remoting.stop()
    clearInterval(this.keepAlive)
  }

  /** @throws MQClientError when the group is there already */
  registerProducer(member: ProducerMember): void {
    if (this.producers.has(member.group)) throw duplicateGroup('producer', member.group)
    this.producers.set(member.group, member)
  }

  /** @throws MQClientError when the group is there already */
  registerConsumer(member: ConsumerMember): void {
    if (this.consumers.has(member.group)) throw duplicateGroup('consumer', member.group)
    this.consumers.set(member.group, member)
  }

  /** Takes the producer off this client and every broker. */
  async unregisterProducer(member: ProducerMember): Promise<void> {
    if (this.producers.get(member.group) !== member) return
    this.producers.delete(member.group)
    await this.unregister({ producerGroup: member.group })
  }

  /** Takes the consumer off this client and every broker, which tell the rest of the group. */
  async unregisterConsumer(member: ConsumerMember): Promise<void> {
    if (this.consumers.get(member.group) !== member) return
    this.consumers.delete(member.group)
    await this.unregister({ consumerGroup: member.group })
  }

  /** Tells every known broker (masters only while there is no consumer) who is here. */
  heartbeatAll(): Promise<void> {
    return this.heartbeats.sendTo(this.routes.addresses(this.consumers.size === 0))
  }

  heartbeatTo(address: string): Promise<boolean> {
    return this.heartbeats.send(address)
  }

  /** Has the consumers look at their queues soon (at most once a second). */
  wakeRebalance(delayMs = 0): void {
    this.rebalancing.wake(delayMs)
  }

  private async rebalanceAll(): Promise<boolean> {
    const results = await Promise.all([...this.consumers.values()].map(consumer => consumer.rebalance()))
    return results.every(Boolean)
  }

  private async unregister(groups: { producerGroup?: string; consumerGroup?: string }): Promise<void> {
    const open = this.routes.addresses().filter(address => this.remoting.isOpen(address))
    await Promise.all(
      open.map(async address => {
        try {
          await this.brokers.unregister({ address }, { clientID: this.clientId, ...groups })
        } catch (error) {
          this.logger.warn(
            { event: 'unregister-failed', remote: address },
            `could not sign off at ${address}: ${errorText(error)}`,
          )
        }
      }),
    )
  }

  private topicsInUse(): string[] {
    const published = [...this.producers.values()].flatMap(producer => [...producer.publishTopics()])
    const subscribed = [...this.consumers.values()].flatMap(consumer => [...consumer.topics()])
    return [...published, ...subscribed]
  }

  private periodicTasks(): PeriodicTask[] {
    const { clock, logger, settings } = this
    return [
      new PeriodicTask({
        name: 'route refresh',
        periodMs: settings.pollNameServerIntervalMs,
        clock,
        logger,
        run: () => this.routes.refreshAll(this.topicsInUse()),
      }),
      new PeriodicTask({
        name: 'heartbeat',
        periodMs: settings.heartbeatBrokerIntervalMs,
        clock,
        logger,
        run: () => {
          this.routes.cleanOffline()
          return this.heartbeatAll()
        },
      }),
      new PeriodicTask({
        name: 'persist offsets',
        periodMs: settings.persistConsumerOffsetIntervalMs,
        clock,
        logger,
        run: async () => {
          await Promise.all([...this.consumers.values()].map(consumer => consumer.persistOffsets()))
        },
      }),
      ...(settings.addressServer ? [this.addressTask()] : []),
    ]
  }

  private addressTask(): PeriodicTask {
    const { clock, logger, nameServers } = this
    const run = (): Promise<void> => nameServers.refresh()
    return new PeriodicTask({ name: 'lookup of NameServers', periodMs: ADDRESSES_PERIOD_MS, clock, logger, run })
  }
}

function duplicateGroup(kind: 'producer' | 'consumer', group: string): Error {
  return badArgument(`The ${kind} group[${group}] has been created before, specify another name please.`)
}
