import { SystemTopic } from '../common/index.js'
import { PollTurn, RemotingServer, RequestPipeline, RouteTable } from '../remoting/index.js'
import { MessageStore, type StoreSettings } from '../store/index.js'
import { type Clock, type Disk, httpGet, type Logger, lookUpHost, sleep, systemDisk } from '../util/index.js'
import { ClientHousekeeping } from './client/client-housekeeping.js'
import { ClientNotifier } from './client/client-notifier.js'
import { ConsumerManager } from './client/consumer-manager.js'
import { ProducerManager } from './client/producer-manager.js'
import { RebalanceLockManager } from './client/rebalance-lock-manager.js'
import { ColdDataCgCtrService } from './coldctr/cold-data-cg-ctr-service.js'
import { ColdDataPullRequestHoldService } from './coldctr/cold-data-pull-request-hold-service.js'
import type { BrokerConfiguration, BrokerContext } from './context.js'
import { type BrokerIdentity, storeHostOf } from './identity.js'
import { PullRequestHoldService } from './longpolling/pull-request-hold-service.js'
import { BroadcastOffsetManager } from './offset/broadcast-offset-manager.js'
import { ConsumerFilterManager } from './offset/consumer-filter-manager.js'
import { ConsumerOffsetManager } from './offset/consumer-offset-manager.js'
import { OffsetResetLog } from './offset/offset-reset-log.js'
import { BrokerOuterApi } from './out/broker-outer-api.js'
import { BrokerRegistration } from './out/broker-registration.js'
import { NamesrvAddresses } from './out/namesrv-addresses.js'
import { FastFailure } from './overload/fast-failure.js'
import { laneLimits } from './overload/lane-limits.js'
import { brokerRoutes } from './processors/index.js'
import { PullService } from './pull/pull-service.js'
import { MessagePutter } from './put/message-putter.js'
import { SendService } from './put/send-service.js'
import { SendBackService } from './retry/send-back-service.js'
import { ScheduleMessageService } from './schedule/schedule-message-service.js'
import type { BrokerSettings } from './settings.js'
import { BrokerStats } from './stats/broker-stats.js'
import { LightBrokerStats } from './stats/light-broker-stats.js'
import { SubscriptionGroupManager } from './subscription/subscription-group-manager.js'
import { timerRule } from './timer/timer-rule.js'
import { TimerService } from './timer/timer-service.js'
import { TopicConfigManager } from './topic/topic-config-manager.js'
import { topicStoreRules } from './topic/topic-store-rules.js'
import { halfMessageRule } from './transaction/half-message-rule.js'
import { TransactionalMessageService } from './transaction/transactional-message-service.js'

/** Keys only the composition root reads. */
export interface BrokerRootSettings extends BrokerSettings, StoreSettings {
  readonly brokerClusterName: string
  readonly brokerName: string
  readonly brokerId: number
  readonly brokerIP2: string
  readonly listenPort: number
  readonly bindAddress: string
  readonly haListenPort: number
  readonly serverChannelMaxIdleTimeSeconds: number
  readonly serverSocketBacklog: number
}

export interface BrokerControllerOptions {
  settings: BrokerRootSettings
  configuration: BrokerConfiguration
  clock: Clock
  logger: Logger
  disk?: Disk
  /** What an error calls the setting of the port. Default `listenPort`. */
  portSetting?: string
}

/** Clients with `vipChannelEnabled` use this port (wire-protocol 8.5). */
const FAST_PORT_DISTANCE = 2

/** A broker, put together: the only place that knows all its parts. */
export class BrokerController {
  readonly context: BrokerContext
  private readonly server: RemotingServer
  private readonly pipeline: RequestPipeline
  private readonly turn: PollTurn
  private readonly housekeeping: ClientHousekeeping
  private readonly transactions: TransactionalMessageService
  private readonly logger: Logger
  private stopping: Promise<void> | undefined

  constructor(private readonly options: BrokerControllerOptions) {
    const { settings, clock } = options
    this.logger = options.logger.child('RocketmqBroker')
    const identity = brokerIdentity(settings)
    this.context = this.assemble(identity)
    const { context } = this
    this.housekeeping = new ClientHousekeeping({
      producers: context.producers,
      consumers: context.consumers,
      locks: context.locks,
      clock,
      logger: this.logger,
    })
    this.transactions = new TransactionalMessageService(context)
    const services = {
      transactions: this.transactions,
      sends: new SendService(context),
      pulls: new PullService(context),
      sendBacks: new SendBackService(context),
    }
    this.turn = new PollTurn(clock)
    const fastFailure = new FastFailure({ settings, turn: this.turn, waiting: context.requestLoad.waiting })
    this.pipeline = new RequestPipeline({
      routes: new RouteTable(brokerRoutes(context, services)),
      clock,
      logger: options.logger.child('RocketmqRemoting'),
      laneLimits: laneLimits(settings),
      admit: fastFailure.admit,
    })
    this.server = this.listener(settings)
  }

  /** The port listened on. */
  get port(): number {
    return this.server.port
  }

  /**
   * Loads, recovers, listens, registers, in Java's order (broker-behaviour 1.2, 1.3).
   * @throws MQError with a text that names the file, port or process in the way.
   */
  async start(): Promise<void> {
    const { context } = this
    // the store's lock comes first: what another broker is writing is not to be read
    await context.store.start()
    try {
      context.offsets.load()
      context.offsetResets.load()
      context.groups.load()
      context.schedule.load()
      await this.transactions.load()
      await context.timer?.start()
      await this.server.start()
    } catch (error) {
      await context.timer?.stop()
      await context.store.shutdown()
      throw error
    }
    context.offsets.start()
    context.filters.start()
    context.broadcasts.start()
    context.holds.start()
    context.coldReads.start()
    context.notifier.start()
    context.stats.start()
    this.housekeeping.start()
    context.schedule.start()
    this.transactions.start()
    await context.namesrvs.start()
    await context.registration.start()
  }

  /**
   * Stops taking requests, answers the held ones, unregisters, writes everything down. With `enableShutdownGracefully`
   * clients that understand it are sent elsewhere for `shutdownWaitTimeSeconds` first, the others are served.
   */
  stop(): Promise<void> {
    this.stopping ??= this.stopOnce()
    return this.stopping
  }

  private async stopOnce(): Promise<void> {
    const { context } = this
    await context.namesrvs.stop()
    if (context.settings.enableShutdownGracefully) {
      await context.registration.stop()
      this.pipeline.goAway()
      await sleep(context.clock, context.settings.shutdownWaitTimeSeconds * 1000)
    }
    this.server.stopAccepting()
    this.pipeline.goAway()
    await context.registration.stop()
    await context.holds.stop()
    await context.coldHolds.stop()
    await context.coldReads.stop()
    await this.server.stop()
    await context.schedule.stop()
    await this.transactions.stop()
    await context.timer?.stop()
    await this.housekeeping.stop()
    await context.notifier.stop()
    await context.broadcasts.stop()
    context.stats.stop()
    await Promise.all([context.filters.stop(), context.topics.stop(), context.groups.stop(), context.offsets.stop()])
    await context.store.shutdown()
    context.out.stop()
  }

  private assemble(identity: BrokerIdentity): BrokerContext {
    const { settings, clock, configuration } = this.options
    const { logger } = this
    const parts = { settings, clock, logger }
    const producers = new ProducerManager(parts)
    const consumers = new ConsumerManager(parts)
    const filters = new ConsumerFilterManager({ ...parts, consumers, logEnd: (): number => store.log.maxOffset })
    const topics = new TopicConfigManager({ ...parts, identity })
    const store: MessageStore = this.createStore(identity, topics, filters)
    const holds = new PullRequestHoldService({
      clock,
      logger,
      maxOffset: (topic, queueId) => store.maxOffset(topic, queueId),
      recordAt: physicalOffset => store.queries.freshRecordAt(physicalOffset),
      wakeOnArrival: () => settings.longPollingEnable,
    })
    const stats = this.createStats()
    const puts = new MessagePutter(store)
    const schedule = new ScheduleMessageService({ ...parts, store, puts, stats })
    // half messages come first: those are not delayed before they are committed
    puts.addRule(halfMessageRule(settings))
    puts.addRule(schedule.rule)
    const timer = this.createTimer(store, stats, topic => topics.containsTopic(topic))
    puts.addRule(timerRule({ settings, clock, wheel: timer?.timer.wheel }))
    store.onArrival = arrival => {
      if (arrival.topic === SystemTopic.SCHEDULE) schedule.onArrival(arrival.queueId)
      holds.onArrival(arrival)
    }
    const offsets = new ConsumerOffsetManager(parts)
    const out = new BrokerOuterApi({ clock, logger, policy: settings })
    const registration = new BrokerRegistration({ ...parts, out, topics, identity })
    return {
      identity,
      settings,
      configuration,
      clock,
      logger,
      store,
      puts,
      schedule,
      timer,
      holds,
      coldReads: new ColdDataCgCtrService(parts),
      coldHolds: new ColdDataPullRequestHoldService(parts),
      producers,
      consumers,
      topics,
      groups: new SubscriptionGroupManager(parts),
      offsets,
      offsetResets: new OffsetResetLog(parts),
      filters,
      locks: new RebalanceLockManager(parts),
      broadcasts: new BroadcastOffsetManager({ ...parts, consumers, offsets, store }),
      notifier: new ClientNotifier({ ...parts, consumers, producers }),
      stats,
      requestLoad: { waiting: lane => this.pipeline.waiting(lane) },
      out,
      registration,
      namesrvs: this.createNamesrvs(registration),
    }
  }

  private createStore(
    identity: BrokerIdentity,
    topics: TopicConfigManager,
    filters: ConsumerFilterManager,
  ): MessageStore {
    const { settings, clock, logger, disk = systemDisk } = this.options
    return new MessageStore({
      settings,
      clock,
      logger: logger.child('RocketmqStore'),
      disk,
      storeHost: storeHostOf(identity),
      bitMapOf: record => filters.bitMapOf(record),
      // units that recovery makes get their bits too
      onLocked: () => [topics, filters].forEach(one => void one.load()),
      ...topicStoreRules(topic => topics.selectTopicConfig(topic)),
    })
  }

  private createStats(): BrokerStats {
    const { settings, clock } = this.options
    const counting = { clock, isDetailed: settings.enableDetailStat }
    return settings.enableLmq
      ? new LightBrokerStats({ ...counting, countsEach: () => settings.enableLmqStats })
      : new BrokerStats(counting)
  }

  private createNamesrvs(registration: BrokerRegistration): NamesrvAddresses {
    const { settings, clock } = this.options
    const onAddresses = (addresses: readonly string[]): Promise<void> => registration.updateNamesrvAddr(addresses)
    return new NamesrvAddresses({ settings, clock, logger: this.logger, lookUpHost, httpGet, onAddresses })
  }

  private createTimer(
    store: MessageStore,
    stats: BrokerStats,
    topicExists: (topic: string) => boolean,
  ): TimerService | undefined {
    const { settings, clock, disk = systemDisk } = this.options
    if (!settings.timerWheelEnable || settings.brokerRole === 'SLAVE') return undefined
    const logger = this.options.logger.child('RocketmqStore')
    return new TimerService({ settings, store, stats, clock, logger, disk, topicExists })
  }

  private listener(settings: BrokerRootSettings): RemotingServer {
    const fastPort = settings.listenPort - FAST_PORT_DISTANCE
    return new RemotingServer({
      host: settings.bindAddress,
      port: settings.listenPort,
      fastPort: fastPort > 0 ? fastPort : undefined,
      pipeline: this.pipeline,
      clock: this.options.clock,
      logger: this.options.logger.child('RocketmqRemoting'),
      portSetting: this.options.portSetting ?? 'listenPort',
      idleMs: settings.serverChannelMaxIdleTimeSeconds * 1000,
      backlog: settings.serverSocketBacklog,
      turn: this.turn,
    })
  }
}

function brokerIdentity(settings: BrokerRootSettings): BrokerIdentity {
  return {
    clusterName: settings.brokerClusterName,
    brokerName: settings.brokerName,
    brokerId: settings.brokerId,
    address: `${settings.brokerIP1}:${settings.listenPort}`,
    haAddress: `${settings.brokerIP2}:${settings.haListenPort}`,
  }
}
