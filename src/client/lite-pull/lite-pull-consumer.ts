import {
  buildSubscriptionData,
  type ConsumerData,
  isLmq,
  isRetryTopic,
  LMQ_PREFIX,
  LMQ_QUEUE_ID,
  MASTER_ID,
  type MessageExt,
  type MessageQueue,
  messageQueueKey,
  ObjectKeyMap,
  type SubscriptionData,
} from '../../common/index.js'
import { errorText } from '../../util/index.js'
import { badArgument, brokerMissing, MQClientError } from '../client-error.js'
import { ClientInstance } from '../client-instance.js'
import { ClientLife } from '../client-life.js'
import { assignQueues } from '../consumer/assignment.js'
import { consumerIdentity, newOffsetStore } from '../consumer/broadcasting.js'
import { firstOffset } from '../consumer/first-offset.js'
import type { OffsetStore } from '../consumer/offset-store.js'
import { type MessageSelector, Subscriptions } from '../consumer/subscriptions.js'
import type { ConsumerMember, QueueOffset } from '../members.js'
import { queueText } from '../pull-message.js'
import { type ConsumeTrace, newConsumeTrace } from '../trace/consume-trace.js'
import { type LitePullConsumerOptions, type LitePullSettings, litePullSettings } from './lite-pull-options.js'
import { LitePuller, type LitePullerHost } from './lite-puller.js'
import { LiteQueue, type PulledBatch } from './lite-queue.js'
import { ReadyBatches } from './ready-batches.js'

/**
 * Reads messages when the application asks for them: of topics whose queues the group shares (`subscribe`), or of
 * queues named one by one (`assign`). A message counts as consumed when it has been polled.
 */
export class LitePullConsumer implements ConsumerMember, LitePullerHost {
  readonly group: string
  readonly instance: ClientInstance
  readonly settings: LitePullSettings
  private readonly life = new ClientLife('LitePullConsumer')
  private readonly offsets: OffsetStore
  private readonly subscriptions: Subscriptions
  private readonly queues = new Map<string, LiteQueue>()
  private readonly ready: ReadyBatches
  private readonly puller: LitePuller
  private readonly trace: ConsumeTrace | undefined
  private mode: 'NONE' | 'SUBSCRIBE' | 'ASSIGN' = 'NONE'
  private assigned: readonly MessageQueue[] = []
  /** Topics whose brokers have the light queues that are read: those have no route of their own. */
  private readonly parentTopics = new Set<string>()
  private nextAutoCommit: number
  private turn: Promise<boolean> = Promise.resolve(true)

  /** @throws MQClientError ERR_CLIENT_ARGUMENT for settings that make no sense */
  constructor(options: LitePullConsumerOptions) {
    this.instance = options.instance ?? new ClientInstance({ ...consumerIdentity(options), stream: true })
    const { clock } = this.instance
    this.group = options.group
    this.settings = litePullSettings(options, clock.now())
    this.offsets = newOffsetStore(this.instance, options)
    this.subscriptions = new Subscriptions(clock)
    this.ready = new ReadyBatches(clock)
    this.puller = new LitePuller(this)
    this.trace = newConsumeTrace(this, options)
    this.nextAutoCommit = clock.monotonic() + this.settings.autoCommitIntervalMillis
  }

  /** Reads this member's share of a topic. @throws MQClientError after `assign` */
  async subscribe(topic: string, selector: string | MessageSelector = '*'): Promise<void> {
    this.setMode('SUBSCRIBE')
    this.subscriptions.add(topic, selector)
    if (!this.life.isRunning) return
    await this.instance.routes.refresh(topic)
    await this.instance.heartbeatAll()
    this.instance.wakeRebalance()
  }

  async unsubscribe(topic: string): Promise<void> {
    if (!this.subscriptions.delete(topic)) return
    for (const queue of this.of(topic)) await this.drop(queue)
    if (this.life.isRunning) await this.instance.heartbeatAll()
  }

  /**
   * Reads just these queues, whatever others do. Replaces what was assigned before.
   * @throws MQClientError after `subscribe`
   */
  async assign(queues: readonly MessageQueue[]): Promise<void> {
    this.setMode('ASSIGN')
    this.assigned = queues
    if (this.life.isRunning) await this.adoptAssigned()
  }

  /** @throws MQClientError when no NameServer answers */
  start(): Promise<void> {
    return this.life.start(
      async () => {
        this.instance.acquire()
        this.instance.registerConsumer(this)
        await this.trace?.start()
        await this.offsets.load()
        for (const topic of this.topics()) await this.instance.routes.refresh(topic)
        await this.instance.heartbeatAll()
        if (this.mode === 'ASSIGN') await this.adoptAssigned()
        this.instance.wakeRebalance()
      },
      () => this.shutDown(),
    )
  }

  /** Stores the polled positions (unless `autoCommit` is off) and signs off. A waiting poll returns nothing. */
  stop(): Promise<void> {
    return this.life.stop(() => this.shutDown())
  }

  /** The messages of one pull; none when none come in time. */
  async poll(timeoutMs = this.settings.pollTimeoutMillis): Promise<MessageExt[]> {
    this.life.assertRunning()
    await this.autoCommit()
    const messages = await this.ready.take(timeoutMs, () => !this.life.isRunning)
    this.trace?.begin(messages)({ success: true, code: 'SUCCESS' })
    return messages
  }

  /** Batches as they come, until the consumer is stopped. */
  async *[Symbol.asyncIterator](): AsyncGenerator<MessageExt[]> {
    while (this.life.isRunning) {
      const messages = await this.poll()
      if (messages.length > 0) yield messages
    }
  }

  /** Stores the polled position of every queue. */
  async commit(): Promise<void> {
    this.life.assertRunning()
    await this.commitPolled()
  }

  /** Stores these positions. @throws MQClientError for a queue that is not read here */
  async commitOffsets(offsets: readonly QueueOffset[]): Promise<void> {
    this.life.assertRunning()
    for (const { queue, offset } of offsets) {
      this.owned(queue)
      this.offsets.update(queue, offset, false)
    }
    await Promise.all(offsets.map(({ queue }) => this.offsets.persist(queue)))
  }

  /** The stored position of a queue; undefined when there is none. */
  async committed(queue: MessageQueue): Promise<number | undefined> {
    this.life.assertRunning()
    return this.offsets.inMemory(queue) ?? this.offsets.read(queue)
  }

  /**
   * Continues at another offset; what was pulled before is thrown away.
   * @throws MQClientError when it is out of range
   */
  async seek(queue: MessageQueue, offset: number): Promise<void> {
    const owned = this.owned(queue)
    const { brokers } = this.instance
    const target = this.master(queue)
    const [min, max] = await Promise.all([brokers.minOffset(target, queue), brokers.maxOffset(target, queue)])
    if (offset < min || offset > max) {
      throw badArgument(`Seek offset illegal, seek offset = ${offset}, min offset = ${min}, max offset = ${max}`)
    }
    owned.moveTo(offset)
    this.puller.start(owned)
  }

  async seekToBegin(queue: MessageQueue): Promise<void> {
    await this.seek(queue, await this.instance.brokers.minOffset(this.master(queue), queue))
  }

  async seekToEnd(queue: MessageQueue): Promise<void> {
    await this.seek(queue, await this.instance.brokers.maxOffset(this.master(queue), queue))
  }

  /** The first offset stored at or after a time (ms). */
  offsetForTimestamp(queue: MessageQueue, timestamp: number): Promise<number> {
    return this.instance.brokers.searchOffset(this.master(queue), queue, timestamp)
  }

  /** Stops pulling and handing out messages of these queues. */
  pause(queues: readonly MessageQueue[]): void {
    for (const queue of queues) this.owned(queue).paused = true
  }

  resume(queues: readonly MessageQueue[]): void {
    for (const queue of queues) this.owned(queue).paused = false
    this.ready.wakeAll()
  }

  /** The queues read now. */
  assignment(): MessageQueue[] {
    return [...this.queues.values()].map(owned => owned.queue)
  }

  /** All readable queues of a topic, for {@link assign}. @throws MQClientError when the topic is unknown */
  async fetchMessageQueues(topic: string): Promise<readonly MessageQueue[]> {
    this.life.assertRunning()
    await this.instance.routes.refresh(topic)
    const queues = this.instance.routes.subscribeQueues(topic)
    if (!queues || queues.length === 0) {
      throw new MQClientError(
        'ERR_CLIENT_NO_ROUTE',
        `Can not find Message Queue for this topic, ${topic}: create it first`,
      )
    }
    return queues
  }

  /**
   * A light queue, `%LMQ%...`, for {@link assign}: there is one on each broker of the topic whose messages name it.
   * @throws MQClientError when the topic is unknown
   */
  async fetchLightQueue(parentTopic: string, name: string): Promise<MessageQueue[]> {
    if (!isLmq(name)) throw badArgument(`The name of a light queue begins with ${LMQ_PREFIX}: ${name}`)
    const brokers = new Set((await this.fetchMessageQueues(parentTopic)).map(queue => queue.brokerName))
    this.parentTopics.add(parentTopic)
    return [...brokers].map(brokerName => ({ brokerName, queueId: LMQ_QUEUE_ID, topic: name }))
  }

  /** @internal */
  subscription(topic: string): SubscriptionData {
    return this.subscriptions.get(topic) ?? buildSubscriptionData({ topic, subVersion: 0 })
  }

  /** @internal */
  cachedCount(): number {
    let sum = 0
    for (const owned of this.queues.values()) sum += owned.cachedCount
    return sum
  }

  /** @internal */
  onBatch(batch: PulledBatch): void {
    this.ready.add(batch)
  }

  /** @internal */
  heartbeat(): ConsumerData {
    return {
      groupName: this.group,
      consumeType: 'CONSUME_ACTIVELY',
      messageModel: this.settings.messageModel,
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
      subscriptionDataSet: this.subscriptions.all(),
      unitMode: this.instance.settings.unitMode,
    }
  }

  /** @internal */
  topics(): Iterable<string> {
    const assigned = this.assigned.map(queue => queue.topic).filter(topic => !isLmq(topic))
    return [...new Set([...this.subscriptions.topics(), ...assigned, ...this.parentTopics])]
  }

  /** @internal */
  rebalance(): Promise<boolean> {
    if (this.mode === 'ASSIGN') return this.adoptAssigned()
    return this.inTurn(async () => {
      const results = await Promise.all(this.subscriptions.topics().map(topic => this.rebalanceTopic(topic)))
      return results.every(Boolean)
    })
  }

  /** @internal */
  persistOffsets(): Promise<void> {
    return this.offsets.persistAll(this.assignment())
  }

  /** @internal */
  offsetsOf(topic: string): QueueOffset[] {
    return this.offsets.offsetsOf(topic)
  }

  /** @internal */
  runningInfo(): object {
    const queues = [...this.queues.values()].map(owned => {
      const { queue, cachedCount, dropped, lastPullAt } = owned
      const status = {
        cachedMsgCount: cachedCount,
        commitOffset: this.offsets.inMemory(queue) ?? 0,
        droped: dropped,
        lastPullTimestamp: lastPullAt,
      }
      return [queue, status] as const
    })
    return {
      mqPopTable: {},
      mqTable: new ObjectKeyMap(queues),
      properties: {
        PROP_CONSUME_TYPE: 'CONSUME_ACTIVELY',
        PROP_NAMESERVER_ADDR: this.instance.nameServers.addresses.join(';'),
      },
      statusTable: {},
      subscriptionSet: this.subscriptions.all(),
      userConsumerInfo: {},
    }
  }

  private setMode(mode: 'SUBSCRIBE' | 'ASSIGN'): void {
    if (this.mode !== 'NONE' && this.mode !== mode) throw badArgument('Subscribe and assign are mutually exclusive.')
    this.mode = mode
  }

  private async rebalanceTopic(topic: string): Promise<boolean> {
    const { instance, group } = this
    const { messageModel, allocate } = this.settings
    try {
      const assignment = await assignQueues(topic, { instance, group, messageModel, allocate })
      if (assignment === 'failed') return false
      if (assignment === 'unknown') return true
      return await this.adopt(assignment.mine, this.of(topic))
    } catch (error) {
      instance.logger.warn(
        { event: 'rebalance-failed', group, topic, err: error },
        `rebalance of ${topic} failed: ${errorText(error)}`,
      )
      return isRetryTopic(topic)
    }
  }

  private adoptAssigned(): Promise<boolean> {
    return this.inTurn(async () => {
      for (const topic of this.topics()) if (!this.instance.routes.get(topic)) await this.instance.routes.refresh(topic)
      return this.adopt(this.assigned, [...this.queues.values()])
    })
  }

  /** One after the other: two that look at the same queues at once would take them twice. */
  private inTurn(run: () => Promise<boolean>): Promise<boolean> {
    const result = this.turn.then(run)
    this.turn = result.catch(() => false)
    return result
  }

  /** Drops those of `current` that are not wanted and takes the missing ones; resolves to whether all were taken. */
  private async adopt(wanted: readonly MessageQueue[], current: readonly LiteQueue[]): Promise<boolean> {
    const keys = new Set(wanted.map(messageQueueKey))
    for (const owned of current) if (!keys.has(messageQueueKey(owned.queue))) await this.drop(owned)
    const missing = wanted.filter(queue => !this.queues.has(messageQueueKey(queue)))
    const taken = await Promise.all(missing.map(queue => this.take(queue)))
    return taken.every(Boolean)
  }

  private async take(queue: MessageQueue): Promise<boolean> {
    const { instance, offsets } = this
    const { consumeFromWhere, consumeTimestamp } = this.settings
    try {
      const offset = await firstOffset(queue, { instance, offsets, consumeFromWhere, consumeTimestamp })
      // the consumer may have been stopped meanwhile
      if (!this.life.isRunning) return false
      const owned = new LiteQueue(queue, offset)
      this.queues.set(messageQueueKey(queue), owned)
      this.puller.start(owned)
      return true
    } catch (error) {
      instance.logger.warn(
        { event: 'queue-not-taken', group: this.group, queue, err: error },
        `${queueText(queue)} is taken in a later round: ${errorText(error)}`,
      )
      return false
    }
  }

  private async drop(owned: LiteQueue): Promise<void> {
    owned.dropped = true
    this.queues.delete(messageQueueKey(owned.queue))
    if (this.settings.autoCommit) this.rememberPolled(owned)
    await this.offsets.persist(owned.queue)
    this.offsets.forget(owned.queue)
  }

  private of(topic: string): LiteQueue[] {
    return [...this.queues.values()].filter(owned => owned.queue.topic === topic)
  }

  private owned(queue: MessageQueue): LiteQueue {
    this.life.assertRunning()
    const owned = this.queues.get(messageQueueKey(queue))
    if (!owned) throw badArgument(`The message queue is not in assigned list: ${queueText(queue)}`)
    return owned
  }

  private master(queue: MessageQueue): { address: string; brokerName: string } {
    const found = this.instance.routes.broker(queue.brokerName, MASTER_ID)
    if (!found) throw brokerMissing(queue.brokerName)
    return { address: found.address, brokerName: queue.brokerName }
  }

  private async autoCommit(): Promise<void> {
    const now = this.instance.clock.monotonic()
    if (!this.settings.autoCommit || now < this.nextAutoCommit) return
    this.nextAutoCommit = now + this.settings.autoCommitIntervalMillis
    await this.commitPolled()
  }

  private async commitPolled(): Promise<void> {
    for (const owned of this.queues.values()) this.rememberPolled(owned)
    await this.persistOffsets()
  }

  private rememberPolled({ queue, consumeOffset }: LiteQueue): void {
    if (consumeOffset !== undefined) this.offsets.update(queue, consumeOffset, false)
  }

  private async shutDown(): Promise<void> {
    this.ready.wakeAll()
    for (const owned of this.queues.values()) owned.dropped = true
    if (this.settings.autoCommit) await this.commitPolled()
    else await this.persistOffsets()
    await this.trace?.stop()
    await this.instance.unregisterConsumer(this)
    await this.instance.release()
  }
}
