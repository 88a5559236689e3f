import {
  decodeProperties,
  dlqTopic,
  encodeProperties,
  FAQ_HINT,
  groupOfDerivedTopic,
  isRetryTopic,
  isWriteable,
  notAllowedSendTopics,
  PERM_READ_WRITE,
  PropertyName,
  ResponseCode,
  ResponseError,
  sendForbidden,
  type TopicConfig,
  TopicSysFlag,
  topicConfigToString,
  topicNameProblem,
} from '../../common/index.js'
import type { Connection, HeaderValue, SendMessageRequestHeader } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'
import { maxReconsumeTimes } from '../retry/max-reconsume-times.js'

export type SendHeader = HeaderValue<typeof SendMessageRequestHeader>

/** Checks a send before the store sees it, in Java's order and words (broker-behaviour 2.2). */
export class SendAdmission {
  constructor(
    private readonly broker: Pick<BrokerContext, 'settings' | 'identity' | 'topics' | 'groups' | 'locks' | 'clock'>,
  ) {}

  /**
   * The topic a send goes to, created where that is allowed.
   * @param known the topic where the caller has looked it up.
   * @throws ResponseError with the code and remark of the answer.
   */
  topicFor(header: SendHeader, connection: Connection, known = this.lookUp(header.topic)): TopicConfig {
    const { settings } = this.broker
    if (settings.startAcceptSendRequestTimeStamp > 0) this.checkStarted()
    if (!isWriteable(settings.brokerPermission) && known?.order)
      throw new ResponseError(
        ResponseCode.NO_PERMISSION,
        `the broker[${settings.brokerIP1}] sending message is forbidden`,
      )
    if (!known) {
      const problem = topicNameProblem(header.topic)
      if (problem) throw new ResponseError(ResponseCode.INVALID_PARAMETER, problem)
    }
    if (notAllowedSendTopics.has(header.topic))
      throw new ResponseError(ResponseCode.NO_PERMISSION, sendForbidden(header.topic))
    const topic = known ?? this.create(header, connection)
    if (header.queueId >= Math.max(topic.writeQueueNums, topic.readQueueNums))
      throw new ResponseError(
        ResponseCode.INVALID_PARAMETER,
        `request queueId[${header.queueId}] is illegal, ${topicConfigToString(topic)} ` +
          `Producer: ${connection.peer.text}`,
      )
    return topic
  }

  /**
   * Sends to a retry topic: one that has had its retries goes to the dead letters (broker-behaviour 2.5).
   * @returns the topic to store under; undefined when nothing changes.
   */
  deadLetter(header: SendHeader, clientVersion: number): TopicConfig | undefined {
    const group = isRetryTopic(header.topic) ? groupOfRetryTopic(header.topic) : undefined
    if (group === undefined) return undefined
    const config = this.broker.groups.findSubscriptionGroupConfig(group)
    if (!config)
      throw new ResponseError(
        ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
        `subscription group not exist, ${group} ${FAQ_HINT}`,
      )
    const limit = maxReconsumeTimes(config, header, clientVersion)
    const owned = !this.broker.locks.isLockAllExpired(group)
    if ((header.reconsumeTimes ?? 0) <= limit && !owned) return undefined
    return this.broker.topics.createTopicInSendMessageBack(dlqTopic(group), 1, PERM_READ_WRITE)
  }

  private lookUp(topic: string): TopicConfig | undefined {
    return this.broker.topics.selectTopicConfig(topic)
  }

  private checkStarted(): void {
    const from = this.broker.settings.startAcceptSendRequestTimeStamp
    if (this.broker.clock.now() < from)
      throw new ResponseError(
        ResponseCode.SYSTEM_ERROR,
        `broker unable to service, until ${new Date(from).toISOString()}`,
      )
  }

  private create(header: SendHeader, connection: Connection): TopicConfig {
    const { topics } = this.broker
    const topicSysFlag = header.unitMode ? TopicSysFlag.UNIT : 0
    const created = topics.createTopicInSendMessage(header.topic, {
      defaultTopic: header.defaultTopic,
      defaultTopicQueueNums: header.defaultTopicQueueNums,
      topicSysFlag,
      producer: connection.peer.text,
    })
    if (created) return created
    if (isRetryTopic(header.topic)) {
      const retrySysFlag = header.unitMode ? TopicSysFlag.UNIT_SUB : 0
      return topics.createTopicInSendMessageBack(header.topic, 1, PERM_READ_WRITE, { topicSysFlag: retrySysFlag })
    }
    throw new ResponseError(
      ResponseCode.TOPIC_NOT_EXIST,
      `topic[${header.topic}] not exist, apply first please!${FAQ_HINT}`,
    )
  }
}

/** The properties of a message that goes to the dead letters: it waits no longer. */
export function deadLetterProperties(sent: string): string {
  return encodeProperties(decodeProperties(sent).set(PropertyName.DELAY, '-1'))
}

/** The retry topics of POP name the topic behind the group. */
function groupOfRetryTopic(topic: string): string | undefined {
  return groupOfDerivedTopic(topic)?.split('+', 1)[0]
}
