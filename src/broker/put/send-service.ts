import {
  BadBatchError,
  countBatch,
  isRetryTopic,
  MessageSysFlag,
  newTopicConfig,
  PropertyName,
  ResponseCode,
  ResponseError,
  UniqIdGenerator,
} from '../../common/index.js'
import {
  type Connection,
  type EncodedFields,
  okWith,
  type RemotingCommand,
  Reply,
  SendMessageResponseHeader,
} from '../../remoting/index.js'
import type { AppendResult, MessageToStore, PutStatus } from '../../store/index.js'
import type { BrokerContext } from '../context.js'
import { storeHostOf } from '../identity.js'
import { recallHandleOf } from '../timer/recall-handle.js'
import { OffsetMessageIds } from './message-id.js'
import { PUT_STATUS_REPLIES } from './put-reply.js'
import { deadLetterProperties, SendAdmission, type SendHeader } from './send-admission.js'
import { encodeProperty, SendProperties } from './send-properties.js'
import { type SendTopic, SendTopics, sendTopicOf } from './send-topics.js'

/** What an answer needs of an append once its durability is known. */
interface Stored {
  msgId: string
  queueId: number
  queueOffset: number
  transactionId: string | undefined
  /** Of a timer message: what takes it back. */
  recallHandle: string | undefined
  /** Of a batch that was kept undivided: its unique key. */
  batchUniqId: string | undefined
}

const EMPTY_MESSAGE: MessageToStore = {
  topic: '',
  queueId: 0,
  sysFlag: 0,
  flag: 0,
  bornTimestamp: 0,
  bornHost: Buffer.alloc(8),
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: Buffer.alloc(0),
  properties: '',
}

/** One send in so many is timed for the latencies of the runtime info; a power of two. */
const SENDS_PER_SAMPLE = 32

/**
 * Sends: from a checked header to a record in the log and its answer (broker-behaviour 2). One turn of the event loop,
 * no waiting, unless the flush mode or a replica has to be waited for.
 */
export class SendService {
  private readonly admission: SendAdmission
  private readonly topics: SendTopics
  private readonly properties = new SendProperties()
  /** Filled anew for each message: the store is done with it when `append` returns. */
  private readonly message: MessageToStore = { ...EMPTY_MESSAGE }
  private readonly uniqIds: UniqIdGenerator
  private readonly ids: OffsetMessageIds
  private readonly newUniqKey = (): string => this.uniqIds.next()
  /** Where the client sent it: rules for special messages rewrite topic and queue. */
  private sentTopic = sendTopicOf(newTopicConfig(''))
  private sentQueueId = 0
  private sends = 0
  private added = ''
  private region: EncodedFields = { json: '', binary: '' }
  private encodedRegionId: string | undefined
  private encodedTraceOn: boolean | undefined

  constructor(
    private readonly broker: Pick<
      BrokerContext,
      'settings' | 'identity' | 'topics' | 'groups' | 'locks' | 'clock' | 'store' | 'puts' | 'stats' | 'registration'
    >,
  ) {
    this.admission = new SendAdmission(broker)
    this.topics = new SendTopics(broker)
    this.uniqIds = new UniqIdGenerator({
      clock: broker.clock,
      ip: broker.settings.brokerIP1,
      pid: process.pid,
      salt: broker.clock.now() | 0,
    })
    this.ids = new OffsetMessageIds(storeHostOf(broker.identity))
  }

  /** Stores what a send request carries. Errors carry MSG_REGION and TRACE_ON too, as Java's do. */
  send(header: SendHeader, command: RemotingCommand, connection: Connection): Reply | Promise<Reply> {
    try {
      const found = this.topics.find(header.topic)
      const isKnown = found !== undefined || this.broker.topics.containsTopic(header.topic)
      const config = this.admission.topicFor(header, connection, found)
      const topic = found ?? sendTopicOf(config)
      const isSample = (this.sends++ & (SENDS_PER_SAMPLE - 1)) === 0
      const start = isSample ? this.broker.clock.monotonic() : 0
      const reply = header.batch
        ? this.sendBatch(header, topic, command, connection)
        : this.sendOne(header, topic, command, connection)
      if (isSample) this.countLatency(start, reply)
      return isKnown ? reply : this.whenTopicIsKnown(reply)
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error
      return this.refusal(error.code, error.remark)
    }
  }

  /** Until the message is as safe as the flush mode promises. */
  private countLatency(start: number, reply: Reply | Promise<Reply>): void {
    const { stats, clock } = this.broker
    const count = (): void => stats.incPutLatency(clock.monotonic() - start)
    if (reply instanceof Promise) void reply.then(count)
    else count()
  }

  /** The first send to a topic is answered when the topic is on the disk and known to the NameServers, as in Java. */
  private async whenTopicIsKnown(reply: Reply | Promise<Reply>): Promise<Reply> {
    await this.broker.topics.persist()
    await this.broker.registration.whenSettled()
    return reply
  }

  private sendOne(
    header: SendHeader,
    topic: SendTopic,
    command: RemotingCommand,
    connection: Connection,
  ): Reply | Promise<Reply> {
    const dead = this.admission.deadLetter(header, command.version)
    this.encodeSettings()
    const properties = this.properties
    properties.read(header.properties, this.added, this.newUniqKey)
    const target = dead ? sendTopicOf(dead) : topic
    if (target.isCompacted && (properties.keys ?? '').trim() === '')
      return this.refusal(ResponseCode.MESSAGE_ILLEGAL, 'Required message key is missing')
    const message = this.fill(header, target, command, connection)
    message.properties = dead ? deadLetterProperties(properties.text) : properties.text
    if (dead) message.queueId = this.sentQueueId = 0
    const appended = this.broker.puts.put(message, properties.special && !dead, target.queues)
    return this.finish(appended, properties.uniqKey)
  }

  private sendBatch(
    header: SendHeader,
    topic: SendTopic,
    command: RemotingCommand,
    connection: Connection,
  ): Reply | Promise<Reply> {
    if (isRetryTopic(header.topic))
      return this.refusal(ResponseCode.MESSAGE_ILLEGAL, `batch request does not support retry group ${header.topic}`)
    this.encodeSettings()
    const properties = this.properties
    properties.read(header.properties, this.added, this.newUniqKey)
    if (properties.special) return this.refusedBy('MESSAGE_ILLEGAL')
    const message = this.fill(header, topic, command, connection)
    // the batch's own properties, so its unique key too, stand behind those of each message (5.3.3)
    message.properties = properties.text
    if (topic.keepsBatches) return this.sendUndivided(message)
    return this.finish(this.broker.puts.putBatch(message), properties.uniqKey)
  }

  /** A batch that stays one record, which consumers take apart. */
  private sendUndivided(message: MessageToStore): Reply | Promise<Reply> {
    const { text, uniqKey } = this.properties
    try {
      const innerNum = encodeProperty(PropertyName.INNER_NUM, String(countBatch(message.body)))
      message.properties = `${text}${innerNum}`
    } catch (error) {
      if (!(error instanceof BadBatchError)) throw error
      return this.refusedBy('MESSAGE_ILLEGAL')
    }
    message.sysFlag |= MessageSysFlag.NEED_UNWRAP | MessageSysFlag.INNER_BATCH
    return this.finish(this.broker.puts.put(message, false), uniqKey, uniqKey)
  }

  private fill(header: SendHeader, topic: SendTopic, command: RemotingCommand, connection: Connection): MessageToStore {
    const message = this.message
    this.sentTopic = topic
    message.topic = topic.topicName
    message.queueId = header.queueId < 0 ? Math.floor(Math.random() * topic.writeQueueNums) : header.queueId
    message.sysFlag =
      topic.topicFilterType === 'MULTI_TAG' ? header.sysFlag | MessageSysFlag.MULTI_TAGS : header.sysFlag
    message.flag = header.flag
    message.bornTimestamp = header.bornTimestamp
    message.bornHost = connection.peer.bytes
    this.sentQueueId = message.queueId
    message.reconsumeTimes = header.reconsumeTimes ?? 0
    message.preparedTransactionOffset = 0
    message.body = command.body
    return message
  }

  /** Answers now, or when the flush mode's promise is kept. */
  private finish(
    appended: AppendResult,
    transactionId: string | undefined,
    batchUniqId?: string,
  ): Reply | Promise<Reply> {
    const status = appended.status
    const { stats, store } = this.broker
    if (!PUT_STATUS_REPLIES[status].stored) {
      stats.incPutFailed()
      return this.refusedBy(status)
    }
    this.countPut(appended)
    stats.incBrokerPut(appended.messageCount)
    const stored: Stored = {
      msgId:
        appended.messageCount === 1 || batchUniqId !== undefined
          ? this.ids.of(appended.physicalOffset)
          : this.ids.ofAll(appended.physicalOffsets, appended.messageCount),
      queueId: this.sentQueueId,
      queueOffset: appended.queueOffset,
      transactionId,
      recallHandle: recallHandleOf(this.message, this.broker.identity.brokerName),
      batchUniqId,
    }
    if (!this.properties.waitStoreMsgOk || store.isDurable(appended.endOffset)) return this.accepted(status, stored)
    return store.whenDurable(appended.endOffset).then(later => this.acceptedOrRefused(later, stored))
  }

  /** A delayed message counts for the topic it waits in now, and for its own when it is due. */
  private countPut({ messageCount, wroteBytes }: AppendResult): void {
    const { stats } = this.broker
    const { topic, queueId } = this.message
    const { topicName, puts } = this.sentTopic
    if (puts !== undefined && topic === topicName) stats.incPuts(puts, messageCount, wroteBytes, queueId)
    else stats.incTopicPut(topic, messageCount, wroteBytes, queueId)
  }

  private acceptedOrRefused(status: PutStatus, stored: Stored): Reply {
    return PUT_STATUS_REPLIES[status].stored ? this.accepted(status, stored) : this.refusedBy(status)
  }

  private accepted(status: PutStatus, stored: Stored): Reply {
    this.encodeSettings()
    const reply = okWith(SendMessageResponseHeader, stored)
    reply.constant = this.region
    reply.code = PUT_STATUS_REPLIES[status].code
    return reply
  }

  private refusedBy(status: PutStatus): Reply {
    const { settings, store } = this.broker
    const row = PUT_STATUS_REPLIES[status]
    const diskReport = (): string => store.flags.whyNotWritable || store.retention.outlook()
    return this.refusal(row.code, row.remark({ ...settings, diskReport }) ?? status)
  }

  private refusal(code: number, remark: string): Reply {
    this.encodeSettings()
    const reply = new Reply(code)
    reply.constant = this.region
    return reply.withRemark(remark)
  }

  /** What the broker writes into every message and answer; encoded again only when a setting it holds has changed. */
  private encodeSettings(): void {
    const { regionId, traceOn } = this.broker.settings
    if (this.encodedRegionId === regionId && this.encodedTraceOn === traceOn) return
    this.encodedRegionId = regionId
    this.encodedTraceOn = traceOn
    this.added =
      encodeProperty(PropertyName.MSG_REGION, regionId) +
      encodeProperty(PropertyName.TRACE_ON, String(traceOn)) +
      encodeProperty(PropertyName.CLUSTER, this.broker.identity.clusterName)
    this.region = SendMessageResponseHeader.encoded({ MSG_REGION: regionId, TRACE_ON: traceOn })
  }
}
