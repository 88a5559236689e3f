import {
  decodeMessage,
  dlqTopic,
  FAQ_HINT,
  isWriteable,
  type MessageExt,
  MessageSysFlag,
  PERM_READ_WRITE,
  PropertyName,
  ResponseCode,
  ResponseError,
  retryTopic,
  type SubscriptionGroupConfig,
  SystemTopic,
  TopicSysFlag,
  transactionType,
} from '../../common/index.js'
import {
  type ConsumerSendMsgBackRequestHeader,
  type HeaderValue,
  ok,
  type RemotingCommand,
  type Reply,
} from '../../remoting/index.js'
import type { MessageToStore } from '../../store/index.js'
import type { BrokerContext } from '../context.js'
import { PUT_STATUS_REPLIES } from '../put/put-reply.js'
import { delayByLevel } from '../schedule/delay-level-rule.js'
import { maxReconsumeTimes } from './max-reconsume-times.js'
import { retryCopy } from './retry-copy.js'

export type SendBackHeader = HeaderValue<typeof ConsumerSendMsgBackRequestHeader>

type Broker = Pick<
  BrokerContext,
  'settings' | 'topics' | 'groups' | 'store' | 'puts' | 'stats' | 'registration' | 'logger'
>

/** Where a message goes that was given back. */
interface Destination {
  topic: string
  queueId: number
  delayLevel: number
  isDeadLetter: boolean
}

/** First retry after 10 s, as delay level 3 has it; each further one a level later. */
const FIRST_RETRY_LEVEL = 3
const DLQ_QUEUES = 1
/** Field in which Java's commercial clients name themselves; a part of a counter's key. */
const COMMERCIAL_OWNER = 'Owner'

/**
 * Messages that consumers could not handle: back to their group's retry topic by way of a delay, or to its dead letters
 * when they have had all their retries (broker-behaviour 5.1, whose steps are done here in order).
 */
export class SendBackService {
  constructor(private readonly broker: Broker) {}

  /** @throws ResponseError with Java's code and remark: the client then sends the message itself. */
  async sendBack(header: SendBackHeader, command: RemotingCommand): Promise<Reply> {
    const group = this.groupFor(header)
    if (group.retryQueueNums <= 0) return ok()
    const { dataVersion } = this.broker.topics
    const topicChanges = dataVersion.counter
    const queueId = this.retryQueue(group, header)
    const message = await this.messageAt(header.offset)
    const destination = this.destinationOf(message, { group, header, version: command.version, queueId })
    const hasNewTopic = dataVersion.counter !== topicChanges
    const copy = retryCopy(message, { ...destination, reason: header.reason })
    const bytes = await this.put(copy)
    this.count(message, {
      header,
      destination,
      bytes,
      queueId: copy.queueId,
      owner: command.extFields?.[COMMERCIAL_OWNER],
    })
    if (hasNewTopic) await this.topicsAreKnown()
    return ok()
  }

  private groupFor({ group }: SendBackHeader): SubscriptionGroupConfig {
    const { settings, groups } = this.broker
    if (settings.brokerRole === 'SLAVE')
      throw new ResponseError(ResponseCode.SYSTEM_ERROR, `no master available along with ${settings.brokerIP1}`)
    const config = groups.findSubscriptionGroupConfig(group)
    if (!config)
      throw new ResponseError(
        ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
        `subscription group not exist, ${group} ${FAQ_HINT}`,
      )
    if (!isWriteable(settings.brokerPermission))
      throw new ResponseError(
        ResponseCode.NO_PERMISSION,
        `the broker[${settings.brokerIP1}] sending message is forbidden`,
      )
    return config
  }

  /** A queue of the retry topic, which is made when it is not there. */
  private retryQueue({ groupName, retryQueueNums }: SubscriptionGroupConfig, { unitMode }: SendBackHeader): number {
    const name = retryTopic(groupName)
    const topic = this.broker.topics.createTopicInSendMessageBack(name, retryQueueNums, PERM_READ_WRITE, {
      topicSysFlag: unitMode ? TopicSysFlag.UNIT_SUB : 0,
    })
    if (!isWriteable(topic.perm))
      throw new ResponseError(ResponseCode.NO_PERMISSION, `the topic[${name}] sending message is forbidden`)
    // the group may have been given more queues than its topic has: nobody would read those
    return Math.floor(Math.random() * Math.max(1, Math.min(retryQueueNums, topic.writeQueueNums)))
  }

  private async messageAt(offset: number): Promise<MessageExt> {
    const record = await this.broker.store.queries.recordAt(offset)
    const message = record === undefined ? undefined : decodeMessage(record)
    if (message === undefined || isUndecided(message))
      throw new ResponseError(ResponseCode.SYSTEM_ERROR, `look message by offset failed, ${offset}`)
    return message
  }

  private destinationOf(
    { reconsumeTimes }: MessageExt,
    state: { group: SubscriptionGroupConfig; header: SendBackHeader; version: number; queueId: number },
  ): Destination {
    const { group, header, version, queueId } = state
    const { groupName } = group
    const { delayLevel } = header
    if (delayLevel < 0 || reconsumeTimes >= maxReconsumeTimes(group, header, version)) {
      const topic = dlqTopic(groupName)
      this.broker.topics.createTopicInSendMessageBack(topic, DLQ_QUEUES, PERM_READ_WRITE)
      return { topic, queueId: 0, delayLevel: 0, isDeadLetter: true }
    }
    const level = delayLevel === 0 ? FIRST_RETRY_LEVEL + reconsumeTimes : delayLevel
    return { topic: retryTopic(groupName), queueId, delayLevel: level, isDeadLetter: false }
  }

  /** Waits for what the flush mode promises: the consumer forgets the message when it is told that it was taken. */
  private async put(copy: MessageToStore): Promise<number> {
    const { puts, store } = this.broker
    delayByLevel(copy, store.delayLevels)
    const { status, endOffset, wroteBytes } = puts.put(copy, false)
    const isWaiting = status === 'PUT_OK' && !store.isDurable(endOffset)
    const outcome = isWaiting ? await store.whenDurable(endOffset) : status
    if (!PUT_STATUS_REPLIES[outcome].stored) throw new ResponseError(ResponseCode.SYSTEM_ERROR, outcome)
    return wroteBytes
  }

  /** As with the first send to a topic: answered when the topic is on the disk and the NameServers know it. */
  private async topicsAreKnown(): Promise<void> {
    await this.broker.topics.persist()
    await this.broker.registration.whenSettled()
  }

  private count(
    message: MessageExt,
    outcome: {
      header: SendBackHeader
      destination: Destination
      bytes: number
      queueId: number
      owner: string | undefined
    },
  ): void {
    const { stats, logger } = this.broker
    const { header, destination, bytes, queueId, owner = 'null' } = outcome
    const { group, originTopic } = header
    const topic = message.properties.get(PropertyName.RETRY_TOPIC) ?? message.topic
    if (!destination.isDeadLetter) stats.incTopicPut(SystemTopic.SCHEDULE, 1, bytes, queueId)
    stats.incSendBack(group, topic)
    if (!destination.isDeadLetter) return
    stats.incDlqPut(group, topic)
    stats.inc('SNDBCK2DLQ_TIMES', `${owner}@${originTopic ?? topic}@${group}@SEND_BACK_TO_DLQ`)
    const uniqKey = message.properties.get(PropertyName.UNIQ_KEY)
    const { reconsumeTimes, offsetMsgId } = message
    logger.info(
      { event: 'dead-letter', topic, group, uniqKey, offsetMsgId, reconsumeTimes },
      `a message of ${topic} is a dead letter of ${group} now, after ${reconsumeTimes} retries`,
    )
  }
}

/** A message that no consumer can have seen. */
function isUndecided({ sysFlag }: MessageExt): boolean {
  const type = transactionType(sysFlag)
  return type === MessageSysFlag.TRANSACTION_PREPARED_TYPE || type === MessageSysFlag.TRANSACTION_ROLLBACK_TYPE
}
