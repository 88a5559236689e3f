import { randomUUID } from 'node:crypto'
import {
  type CompressionType,
  encodeBatch,
  isRetriable,
  isRetryTopic,
  type Message,
  type MessageExt,
  type MessageQueue,
  PropertyName,
  SystemGroup,
} from '../../common/index.js'
import { badArgument, illegalMessage, isTransportFailure, MQClientError } from '../client-error.js'
import { ClientInstance } from '../client-instance.js'
import { ClientLife } from '../client-life.js'
import type { ClientOptions } from '../client-options.js'
import type { ProducerMember } from '../members.js'
import { checkGroup, checkMessage, type OutgoingMessage, toMessage } from '../outgoing-message.js'
import { SendTrace } from '../trace/send-trace.js'
import { clientIpOf, newTraceDispatcher, type TraceOptions } from '../trace/trace-options.js'
import { LatencyFaults } from './latency-faults.js'
import { MessageSender, type PreparedSend } from './message-sender.js'
import { publishQueues } from './publish-queues.js'
import { QueueRotation } from './queue-rotation.js'
import { type QueueSelector, selectByHash } from './queue-selector.js'
import { decodeRecallHandle } from './recall-handle.js'
import { createReplyMessage } from './reply-message.js'
import type { SendResult } from './send-result.js'

export interface ProducerOptions extends ClientOptions, TraceOptions {
  /** Producers that stand in for each other share a group. */
  group: string
  /** Time for one send with all its retries. Default 3000. */
  sendTimeoutMs?: number
  /** Bound on one attempt. Default: the whole time. */
  sendMaxTimeoutPerRequestMs?: number
  /** Further attempts after a failed send. Default 2. */
  retryTimesWhenSendFailed?: number
  /** Try another broker when a message is stored but not flushed or replicated in time. Default false. */
  retryAnotherBrokerWhenNotStoreOK?: boolean
  /** Leave slow and failing brokers out for a while. Default false. */
  sendLatencyFaultEnable?: boolean
  /** Largest body. Default 4 MiB; brokers have a limit of their own. */
  maxMessageSize?: number
  /** Bodies of so many bytes or more are compressed. Default 4096. */
  compressBodyOver?: number
  /** Default ZLIB. */
  compressType?: CompressionType
  /** Default 5. */
  compressLevel?: number
  /** The topic whose queues a new topic gets. Default TBW102. */
  createTopicKey?: string
  /** Queues of a topic that the broker creates for this producer. Default 4. */
  defaultTopicQueueNums?: number
}

export interface SendOptions {
  /** Overrides `sendTimeoutMs`. */
  timeoutMs?: number
  /** Send to this queue and no other; not retried. */
  queue?: MessageQueue
  /** Equal keys go to one queue, in order; not retried. */
  queueKey?: string
  /** Choose the queue; not retried. */
  selector?: QueueSelector
}

/** With less time left no attempt is worth it; timers may fire a little early. */
const LEAST_ATTEMPT_MS = 2

/** Sends messages. Start it once and share it: sends may run side by side. */
export class Producer implements ProducerMember {
  readonly group: string
  readonly instance: ClientInstance
  protected readonly options: ProducerOptions
  protected readonly life = new ClientLife('producer')
  protected readonly trace: SendTrace | undefined
  private readonly sender: MessageSender
  private readonly faults: LatencyFaults | undefined
  private readonly rotation: QueueRotation
  private readonly topics = new Set<string>()

  constructor(options: ProducerOptions) {
    checkGroup(options.group)
    if (options.group === SystemGroup.DEFAULT_PRODUCER) {
      throw badArgument('producerGroup can not equal DEFAULT_PRODUCER, please specify another one.')
    }
    this.group = options.group
    this.options = options
    this.instance = options.instance ?? new ClientInstance(options)
    this.sender = new MessageSender(this.instance, options)
    this.faults = options.sendLatencyFaultEnable ? new LatencyFaults(this.instance.clock) : undefined
    this.rotation = new QueueRotation(this.faults)
    this.trace = this.newTrace()
  }

  /** Starts the timers; brokers are contacted with the first send. */
  start(): Promise<void> {
    return this.life.start(
      async () => {
        this.instance.registerProducer(this)
        this.instance.acquire()
        await this.trace?.start()
      },
      () => {},
    )
  }

  /** Signs off at the brokers and closes connections. Sends under way should be awaited before. */
  stop(): Promise<void> {
    return this.life.stop(async () => {
      await this.trace?.stop()
      await this.instance.unregisterProducer(this)
      this.instance.requests.failAll(new MQClientError('ERR_CLIENT_STATE', 'the producer was stopped'))
      await this.instance.release()
    })
  }

  /**
   * Sends a message and waits until a broker has stored it. Failures are retried on another broker, so a message may
   * be stored twice with the same `msgId`.
   * @throws MQClientError what the last attempt failed of; ERR_CLIENT_ARGUMENT before anything was sent
   */
  async send(message: OutgoingMessage, options: SendOptions = {}): Promise<SendResult> {
    this.life.assertRunning()
    return this.sendMessage(toMessage(message, this.maxMessageSize), options)
  }

  /** Sends without waiting for the broker; resolves when the message is written to the connection. */
  async sendOneway(message: OutgoingMessage, options: Omit<SendOptions, 'timeoutMs'> = {}): Promise<void> {
    this.life.assertRunning()
    const ready = toMessage(message, this.maxMessageSize)
    const prepared = await this.sender.prepare(ready)
    const queues = await this.queuesOf(ready.topic)
    await this.sender.sendOneway(prepared, this.fixedQueue(queues, ready, options) ?? this.rotation.next(queues))
  }

  /**
   * Sends messages of one topic as one request: all of them are stored, next to each other, or none.
   * @throws MQClientError ERR_CLIENT_ARGUMENT for different topics, delays, retry topics, or too many bytes
   */
  async sendBatch(messages: readonly OutgoingMessage[], options: SendOptions = {}): Promise<SendResult> {
    this.life.assertRunning()
    const ready = messages.map(message => toMessage(message, this.maxMessageSize))
    const batch = this.toBatch(ready)
    checkMessage(batch, this.maxMessageSize)
    const prepared = await this.sender.prepare(batch, true)
    const msgId = ready.map(message => message.properties.get(PropertyName.UNIQ_KEY)).join(',')
    return this.sendPrepared({ ...prepared, msgId }, options)
  }

  /**
   * Sends a message and waits for the reply message of whoever consumes it.
   * @throws MQClientError ERR_CLIENT_TIMEOUT (10006) when no reply comes in `timeoutMs`
   */
  async request(message: OutgoingMessage, timeoutMs: number, options: SendOptions = {}): Promise<MessageExt> {
    this.life.assertRunning()
    const ready = toMessage(message, this.maxMessageSize)
    const correlationId = randomUUID()
    ready.properties.set(PropertyName.CORRELATION_ID, correlationId)
    ready.properties.set(PropertyName.REPLY_TO_CLIENT, this.instance.clientId)
    ready.properties.set(PropertyName.TTL, String(timeoutMs))
    // every broker must know this client before the reply comes: it may reach any of them
    if (!this.topics.has(ready.topic)) {
      await this.queuesOf(ready.topic)
      await this.instance.heartbeatAll()
    }
    const reply = this.instance.requests.wait(correlationId, timeoutMs)
    this.sendMessage(ready, { timeoutMs, ...options }).catch((error: unknown) =>
      this.instance.requests.fail(correlationId, error instanceof Error ? error : new Error(String(error))),
    )
    return reply
  }

  /** Replies to a message that was sent by {@link request}. */
  async reply(request: MessageExt, body: Buffer | Uint8Array | string): Promise<SendResult> {
    this.life.assertRunning()
    const reply = createReplyMessage(request, body)
    checkMessage(reply, this.maxMessageSize)
    return this.sendMessage(reply, {})
  }

  /**
   * Calls back a timer message that is not due yet. Resolves to its `msgId`.
   * @throws MQClientError when the handle is bad, the message is due, or the broker does not allow it
   */
  async recall(topic: string, recallHandle: string | undefined): Promise<string> {
    this.life.assertRunning()
    if (!recallHandle) throw badArgument('there is no recall handle: only timer messages that wait can be called back')
    const handle = decodeRecallHandle(recallHandle)
    const queues = await this.queuesOf(topic)
    const { routes, brokers } = this.instance
    const brokerName = routes.master(handle.brokerName) === undefined ? queues[0]!.brokerName : handle.brokerName
    const address = routes.master(brokerName)!
    const header = { producerGroup: this.group, topic, recallHandle }
    const msgId = await brokers.recall({ address, brokerName }, header, this.sendTimeoutMs)
    this.trace?.recalled(topic, msgId, true)
    return msgId
  }

  /** The queues of a topic that may be sent to, in Java's order. */
  async publishQueues(topic: string): Promise<readonly MessageQueue[]> {
    this.life.assertRunning()
    return this.queuesOf(topic)
  }

  /** @internal */
  publishTopics(): Iterable<string> {
    return this.topics
  }

  protected get maxMessageSize(): number {
    return this.options.maxMessageSize ?? 4 * 1024 * 1024
  }

  private get sendTimeoutMs(): number {
    return this.options.sendTimeoutMs ?? 3000
  }

  /** Sends what is checked already. */
  protected async sendMessage(message: Message, options: SendOptions): Promise<SendResult> {
    return this.sendPrepared(await this.sender.prepare(message), options)
  }

  private async sendPrepared(prepared: PreparedSend, options: SendOptions): Promise<SendResult> {
    const { clock } = this.instance
    const timeoutMs = options.timeoutMs ?? this.sendTimeoutMs
    const deadline = clock.monotonic() + timeoutMs
    const queues = await this.queuesOf(prepared.message.topic)
    const fixed = this.fixedQueue(queues, prepared.message, options)
    if (fixed) return this.attempt(prepared, fixed, deadline)
    const attempts = 1 + (this.options.retryTimesWhenSendFailed ?? 2)
    let lastBrokerName: string | undefined
    let failure: unknown
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const queue = this.rotation.next(queues, lastBrokerName)
      lastBrokerName = queue.brokerName
      try {
        const result = await this.attempt(prepared, queue, deadline)
        const settled = result.status === 'SEND_OK' || !this.options.retryAnotherBrokerWhenNotStoreOK
        if (settled || attempt === attempts) return result
      } catch (error) {
        failure = error
        if (!mayRetry(error) || deadline - clock.monotonic() < LEAST_ATTEMPT_MS) break
      }
    }
    throw failure
  }

  private async attempt(prepared: PreparedSend, queue: MessageQueue, deadline: number): Promise<SendResult> {
    const { clock } = this.instance
    const start = clock.monotonic()
    const startedAt = clock.now()
    const left = deadline - start
    if (left < LEAST_ATTEMPT_MS)
      throw new MQClientError(
        'ERR_CLIENT_TIMEOUT',
        'sendDefaultImpl call timeout: raise sendTimeoutMs, or look at the broker',
      )
    try {
      const perRequest = this.options.sendMaxTimeoutPerRequestMs ?? -1
      const result = await this.sender.send(prepared, queue, perRequest > 0 ? Math.min(perRequest, left) : left)
      this.faults?.record(queue.brokerName, clock.monotonic() - start, false)
      this.trace?.sent(prepared.message, result, { startedAt, bodyLength: prepared.body.length })
      return result
    } catch (error) {
      this.faults?.record(queue.brokerName, clock.monotonic() - start, mayRetry(error))
      throw error
    }
  }

  private newTrace(): SendTrace | undefined {
    const { instance, group } = this
    const dispatcher = newTraceDispatcher(this.options, {
      group,
      kind: 'PRODUCE',
      instance,
      newSender: name => new Producer({ group: name, instance }),
    })
    if (dispatcher === undefined) return undefined
    const { clock, routes } = instance
    const master = (brokerName: string): string | undefined => routes.master(brokerName)
    return new SendTrace({ dispatcher, group, clientIp: clientIpOf(instance), clock, master })
  }

  private async queuesOf(topic: string): Promise<readonly MessageQueue[]> {
    const { queues } = await publishQueues(this.instance.routes, topic, this.options)
    this.topics.add(topic)
    return queues
  }

  private fixedQueue(
    queues: readonly MessageQueue[],
    message: Message,
    options: SendOptions,
  ): MessageQueue | undefined {
    if (options.queue) {
      if (options.queue.topic !== message.topic) throw badArgument("message's topic not equal mq's topic")
      return options.queue
    }
    const selector = options.selector ?? (options.queueKey === undefined ? undefined : selectByHash(options.queueKey))
    if (!selector) return undefined
    const queue = selector(queues, message)
    if (!queue) throw badArgument('select message queue return null.')
    return queue
  }

  private toBatch(messages: readonly Message[]): Message {
    const first = messages[0]
    if (!first) throw illegalMessage('messages can not be empty')
    for (const message of messages) {
      if (message.topic !== first.topic) throw badArgument('The topic of the messages in one batch should be the same')
      if (isDelayed(message)) throw badArgument('TimeDelayLevel is not supported for batching')
      if (isRetryTopic(message.topic)) throw badArgument('Retry Group is not supported for batching')
      if (message.properties.has(PropertyName.INNER_MULTI_DISPATCH)) {
        throw badArgument('Light queues are not supported for batching: send these messages one by one')
      }
      if (message.properties.get(PropertyName.WAIT) !== first.properties.get(PropertyName.WAIT)) {
        throw badArgument('The waitStoreMsgOK of the messages in one batch should the same')
      }
      message.properties.set(PropertyName.UNIQ_KEY, this.instance.uniqIds.next())
    }
    const properties = new Map([[PropertyName.WAIT as string, first.properties.get(PropertyName.WAIT)!]])
    return { topic: first.topic, flag: 0, body: encodeBatch(messages), properties }
  }
}

const delayProperties = [
  PropertyName.DELAY,
  PropertyName.TIMER_DELAY_MS,
  PropertyName.TIMER_DELAY_SEC,
  PropertyName.TIMER_DELIVER_MS,
] as const

function isDelayed(message: Message): boolean {
  return delayProperties.some(name => message.properties.has(name))
}

/** Java's rule: what may be the broker's fault is tried on another one, what is the message's fault is not. */
function mayRetry(error: unknown): boolean {
  if (isTransportFailure(error)) return true
  if (!(error instanceof MQClientError)) return false
  return error.code === 'ERR_CLIENT_BROKER' || (error.code === 'ERR_CLIENT_RESPONSE' && isRetriable(error.responseCode))
}
