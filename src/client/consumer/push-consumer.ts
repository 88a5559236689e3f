import {
  type ConsumerData,
  isTagType,
  type MessageExt,
  type MessageQueue,
  messageQueueKey,
  retryTopic,
  type SubscriptionData,
} from '../../common/index.js'
import { sleep } from '../../util/index.js'
import { badArgument } from '../client-error.js'
import { ClientInstance } from '../client-instance.js'
import { ClientLife } from '../client-life.js'
import type { ConsumerMember, DirectConsumption, QueueOffset } from '../members.js'
import { type ConsumeTrace, newConsumeTrace } from '../trace/consume-trace.js'
import { consumerIdentity, newOffsetStore } from './broadcasting.js'
import { ConcurrentConsumption } from './concurrent-consumption.js'
import { ConsumeStats } from './consume-stats.js'
import type { Consumption } from './consumption.js'
import type { OffsetStore } from './offset-store.js'
import { OrderedConsumption } from './ordered-consumption.js'
import { OwnedQueues } from './owned-queues.js'
import type { ProcessQueue } from './process-queue.js'
import { Puller, type PullerHost } from './puller.js'
import { type PushConsumerOptions, type PushConsumerSettings, pushConsumerSettings } from './push-consumer-options.js'
import { QueueLocks } from './queue-locks.js'
import { runningInfo } from './running-info.js'
import { SendBack } from './send-back.js'
import { type MessageSelector, Subscriptions } from './subscriptions.js'

/** In-flight messages of a group that is moved to other offsets are given this long. */
const RESET_WAIT_MS = 10_000

/**
 * Receives the messages of its subscriptions as they come: finds its share of the queues, keeps pulls waiting at the
 * brokers, calls the listener, stores how far it got, and has failed messages delivered again.
 */
export class PushConsumer implements ConsumerMember, PullerHost {
  readonly group: string
  readonly instance: ClientInstance
  readonly settings: PushConsumerSettings
  readonly offsets: OffsetStore
  readonly stats: ConsumeStats
  readonly sendBack: SendBack
  readonly locks: QueueLocks
  readonly trace: ConsumeTrace | undefined
  private readonly life = new ClientLife('PushConsumer')
  private readonly subscriptions: Subscriptions
  private readonly queues: OwnedQueues
  private readonly puller: Puller
  private readonly consumption: Consumption
  private limits: { count: number; mib: number }
  private suspended = false
  private startedAt = 0

  /** @throws MQClientError ERR_CLIENT_ARGUMENT for settings that make no sense */
  constructor(options: PushConsumerOptions) {
    this.instance = options.instance ?? new ClientInstance(consumerIdentity(options))
    const { clock } = this.instance
    this.group = options.group
    this.settings = pushConsumerSettings(options, clock.now())
    this.limits = { count: this.settings.pullThresholdForQueue, mib: this.settings.pullThresholdSizeForQueue }
    this.offsets = newOffsetStore(this.instance, options)
    this.stats = new ConsumeStats(clock)
    this.locks = new QueueLocks(this.instance, this.group)
    this.sendBack = new SendBack(this.instance, this.group, this.settings.maxDeliveries)
    this.trace = newConsumeTrace(this, options)
    this.subscriptions = new Subscriptions(clock)
    this.puller = new Puller(this)
    this.queues = new OwnedQueues({
      context: this,
      onAdded: (processQueue, delayMs) => this.puller.start(processQueue, delayMs),
      onChanged: (topic, mine) => this.onQueuesChanged(topic, mine),
    })
    this.consumption = newConsumption(this, options)
  }

  /**
   * Adds a topic: `*`, tags as `TagA || TagB`, or a selector. Also while running.
   * @throws MQClientError or MQError for a name or expression that cannot be right
   */
  async subscribe(topic: string, selector: string | MessageSelector = '*'): Promise<void> {
    this.subscriptions.add(topic, selector)
    if (!this.life.isRunning) return
    await this.instance.routes.refresh(topic)
    await this.checkSubscription(this.subscriptions.get(topic)!)
    await this.instance.heartbeatAll()
    this.instance.wakeRebalance()
  }

  /** Takes a topic off; its queues are given up. */
  async unsubscribe(topic: string): Promise<void> {
    if (!this.subscriptions.delete(topic) || !this.life.isRunning) return
    await this.queues.keepOnly(name => this.subscriptions.has(name))
    await this.instance.heartbeatAll()
  }

  /**
   * Begins to consume. Topics may come into being later.
   * @throws MQClientError when no NameServer answers, a broker refuses a SQL expression, or the group is taken
   */
  start(): Promise<void> {
    return this.life.start(
      async () => {
        this.instance.acquire()
        this.instance.registerConsumer(this)
        await this.trace?.start()
        if (this.settings.messageModel === 'CLUSTERING') this.subscriptions.addInternal(retryTopic(this.group))
        await this.offsets.load()
        this.startedAt = this.instance.clock.now()
        for (const topic of this.subscriptions.topics()) await this.instance.routes.refresh(topic)
        for (const subscription of this.subscriptions.all()) await this.checkSubscription(subscription)
        this.consumption.start()
        await this.instance.heartbeatAll()
        this.instance.wakeRebalance()
      },
      () => this.shutDown(),
    )
  }

  /** Lets running listeners end, stores offsets, and signs off, so that others take over at once. */
  stop(): Promise<void> {
    return this.life.stop(() => this.shutDown())
  }

  /** Stops pulling; what is here is still handed to the listener. */
  suspend(): void {
    this.suspended = true
  }

  resume(): void {
    this.suspended = false
    this.instance.wakeRebalance()
  }

  /**
   * Has a message delivered again: `delayLevel` 0 lets the broker choose, -1 makes it a dead letter, with which
   * `reason` is kept.
   */
  async sendMessageBack(message: MessageExt, delayLevel: number, reason?: string): Promise<void> {
    this.life.assertRunning()
    if (!(await this.sendBack.send(message, { delayLevel, reason }))) {
      throw badArgument(`could not send ${message.offsetMsgId} back; see the log for the reason, and try again`)
    }
  }

  /** The queues this consumer reads now. */
  assignedQueues(): MessageQueue[] {
    return this.queues
      .all()
      .filter(processQueue => !processQueue.dropped)
      .map(processQueue => processQueue.queue)
  }

  /** @internal */
  get paused(): boolean {
    return this.suspended
  }

  /** @internal */
  owned(): ProcessQueue[] {
    return this.queues.all()
  }

  /** @internal */
  subscription(topic: string): SubscriptionData | undefined {
    return this.subscriptions.get(topic)
  }

  /** @internal */
  onMessages(messages: readonly MessageExt[], processQueue: ProcessQueue): void {
    this.consumption.submit(messages, processQueue)
  }

  /** @internal */
  queueLimits(): { count: number; mib: number } {
    return this.limits
  }

  /** @internal The broker moved the group, or what we asked for is gone. */
  async onOffsetMoved(processQueue: ProcessQueue, offset: number): Promise<void> {
    processQueue.drop()
    this.offsets.updateAndFreeze(processQueue.queue, offset)
    await this.queues.giveUp(processQueue)
    this.instance.wakeRebalance()
  }

  /** @internal */
  heartbeat(): ConsumerData {
    return {
      groupName: this.group,
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: this.settings.messageModel,
      consumeFromWhere: this.settings.consumeFromWhere,
      subscriptionDataSet: this.subscriptions.all(),
      unitMode: this.instance.settings.unitMode,
    }
  }

  /** @internal */
  topics(): Iterable<string> {
    return this.subscriptions.topics()
  }

  /** @internal */
  async rebalance(): Promise<boolean> {
    if (this.suspended) return true
    const results = await Promise.all(this.subscriptions.topics().map(topic => this.queues.rebalance(topic)))
    await this.queues.keepOnly(topic => this.subscriptions.has(topic))
    return results.every(Boolean)
  }

  /** @internal */
  persistOffsets(): Promise<void> {
    return this.offsets.persistAll(this.assignedQueues())
  }

  /** @internal */
  offsetsOf(topic: string): QueueOffset[] {
    return this.offsets.offsetsOf(topic)
  }

  /** @internal */
  runningInfo(): object {
    return runningInfo(this, { startedAt: this.startedAt, subscriptions: this.subscriptions.all() })
  }

  /** @internal */
  async resetOffsets(topic: string, offsets: readonly QueueOffset[]): Promise<void> {
    const moved = new Map(offsets.map(({ queue, offset }) => [messageQueueKey(queue), offset]))
    const affected = this.queues.of(topic).filter(processQueue => moved.has(messageQueueKey(processQueue.queue)))
    this.suspend()
    try {
      for (const processQueue of affected) processQueue.drop()
      await sleep(this.instance.clock, RESET_WAIT_MS)
      for (const processQueue of affected) {
        this.offsets.update(processQueue.queue, moved.get(messageQueueKey(processQueue.queue))!, false)
        await this.queues.giveUp(processQueue)
      }
    } finally {
      this.resume()
    }
  }

  /** @internal */
  consumeDirectly(message: MessageExt, brokerName: string): Promise<DirectConsumption> {
    return this.consumption.consumeDirectly(message, brokerName)
  }

  private async onQueuesChanged(topic: string, mine: readonly MessageQueue[]): Promise<void> {
    const { pullThresholdForTopic, pullThresholdSizeForTopic, pullThresholdForQueue, pullThresholdSizeForQueue } =
      this.settings
    const queues = Math.max(1, this.queues.all().length)
    const share = (ofTopic: number, ofQueue: number): number =>
      ofTopic === -1 ? ofQueue : Math.max(1, Math.floor(ofTopic / queues))
    this.limits = {
      count: share(pullThresholdForTopic, pullThresholdForQueue),
      mib: share(pullThresholdSizeForTopic, pullThresholdSizeForQueue),
    }
    this.subscriptions.renew(topic)
    if (mine.length > 0 || this.life.isRunning) await this.instance.heartbeatAll()
  }

  /** Expressions other than tags are compiled by the broker: a bad one should fail here and now. */
  private async checkSubscription(subscription: SubscriptionData): Promise<void> {
    if (isTagType(subscription.expressionType)) return
    const address = this.instance.routes.anyBrokerOf(subscription.topic)
    if (address === undefined) return
    const { clientId, brokers } = this.instance
    await brokers.checkSubscription({ address }, { clientId, group: this.group }, subscription)
  }

  private async shutDown(): Promise<void> {
    // no new pulls, but offsets of what listeners finish now still count
    this.suspended = true
    await this.consumption.stop()
    await this.trace?.stop()
    await this.persistOffsets()
    this.queues.close()
    await this.instance.unregisterConsumer(this)
    await this.instance.release()
  }
}

function newConsumption(consumer: PushConsumer, options: PushConsumerOptions): Consumption {
  if (options.onOrderedMessages) return new OrderedConsumption(consumer, options.onOrderedMessages)
  if (options.onMessages) return new ConcurrentConsumption(consumer, options.onMessages)
  throw badArgument('messageListener is null: give onMessages or onOrderedMessages')
}
