import {
  buildSubscriptionData,
  FAQ_HINT,
  hasFlag,
  isReadable,
  isTagType,
  PullSysFlag,
  RequestCode,
  ResponseCode,
  type SubscriptionData,
  type SubscriptionGroupConfig,
  type TopicConfig,
} from '../../common/index.js'
import type { Connection, HeaderValue, PullMessageRequestHeader } from '../../remoting/index.js'
import { errorText } from '../../util/index.js'
import type { ConsumerGroupInfo } from '../client/consumer-group-info.js'
import type { BrokerContext } from '../context.js'
import type { ConsumerFilterData } from '../offset/consumer-filter-manager.js'
import { ForbiddenBit } from '../subscription/subscription-group-manager.js'

export type PullHeader = HeaderValue<typeof PullMessageRequestHeader>

/** What a pull may read and how it is filtered. */
export interface AdmittedPull {
  group: SubscriptionGroupConfig
  topic: TopicConfig
  subscription: SubscriptionData
  filterData: ConsumerFilterData | undefined
}

/** A refused pull; `forbiddenType` says with code 16 who forbids it (wire-protocol 6.2). */
export class PullRefusal {
  constructor(
    readonly code: number,
    readonly remark: string,
    readonly forbiddenType?: number,
  ) {}
}

const Forbidden = { BROKER: 1, GROUP: 2, TOPIC: 3, BROADCAST: 4, SUBSCRIPTION: 5 } as const

export const NO_CLASS_FILTERS =
  'filter classes are not served: subscribe by tags, or by SQL92 with enablePropertyFilter=true'

/** Checks a pull in Java's order and words (broker-behaviour 3.1). */
export class PullAdmission {
  constructor(
    private readonly broker: Pick<BrokerContext, 'settings' | 'topics' | 'groups' | 'consumers' | 'filters'>,
  ) {}

  check(header: PullHeader, code: number, connection: Connection): AdmittedPull | PullRefusal {
    const refusal = this.checkBroker(code)
    if (refusal) return refusal
    const group = this.broker.groups.findSubscriptionGroupConfig(header.consumerGroup)
    if (!group)
      return new PullRefusal(
        ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
        `subscription group [${header.consumerGroup}] does not exist, ${FAQ_HINT}`,
      )
    if (!group.consumeEnable)
      return new PullRefusal(
        ResponseCode.NO_PERMISSION,
        `subscription group no permission, ${header.consumerGroup}`,
        Forbidden.GROUP,
      )
    const topic = this.checkTopic(header, connection)
    if (topic instanceof PullRefusal) return topic
    const subscribed = hasFlag(header.sysFlag, PullSysFlag.SUBSCRIPTION)
      ? this.subscriptionOfRequest(header)
      : this.subscriptionOfGroup(header, group)
    if (subscribed instanceof PullRefusal) return subscribed
    return (
      this.checkFilter(header, subscribed.subscription) ??
      this.checkPullConsumer(header, connection) ?? { group, topic, ...subscribed }
    )
  }

  private checkFilter(header: PullHeader, subscription: SubscriptionData): PullRefusal | undefined {
    if (!isTagType(subscription.expressionType) && !this.broker.settings.enablePropertyFilter)
      return new PullRefusal(
        ResponseCode.SYSTEM_ERROR,
        `The broker does not support consumer to filter message by ${subscription.expressionType}`,
      )
    // Java, too, has no filter servers any more, but delivers everything to a consumer that counts on one
    if (subscription.classFilterMode || hasFlag(header.sysFlag, PullSysFlag.CLASS_FILTER))
      return new PullRefusal(ResponseCode.SUBSCRIPTION_PARSE_FAILED, NO_CLASS_FILTERS)
    return undefined
  }

  private checkBroker(code: number): PullRefusal | undefined {
    const { settings } = this.broker
    if (!isReadable(settings.brokerPermission))
      return new PullRefusal(
        ResponseCode.NO_PERMISSION,
        `the broker[${settings.brokerIP1}] pulling message is forbidden`,
        Forbidden.BROKER,
      )
    if (code === RequestCode.LITE_PULL_MESSAGE && !settings.litePullMessageEnable)
      return new PullRefusal(
        ResponseCode.NO_PERMISSION,
        `the broker[${settings.brokerIP1}] for lite pull consumer is forbidden`,
        Forbidden.BROKER,
      )
    return undefined
  }

  private checkTopic(header: PullHeader, connection: Connection): TopicConfig | PullRefusal {
    const topic = this.broker.topics.selectTopicConfig(header.topic)
    if (!topic)
      return new PullRefusal(
        ResponseCode.TOPIC_NOT_EXIST,
        `topic[${header.topic}] not exist, apply first please! ${FAQ_HINT}`,
      )
    if (!isReadable(topic.perm))
      return new PullRefusal(
        ResponseCode.NO_PERMISSION,
        `the topic[${header.topic}] pulling message is forbidden`,
        Forbidden.TOPIC,
      )
    if (header.queueId < 0 || header.queueId >= topic.readQueueNums)
      return new PullRefusal(
        ResponseCode.INVALID_PARAMETER,
        `queueId[${header.queueId}] is illegal, topic:[${header.topic}] topicConfig.readQueueNums:` +
          `[${topic.readQueueNums}] consumer:[${connection.peer.text}]`,
      )
    return topic
  }

  /** The request carries its expression; it also stands for the group until a heartbeat says otherwise. */
  private subscriptionOfRequest(header: PullHeader): Pick<AdmittedPull, 'subscription' | 'filterData'> | PullRefusal {
    const { consumerGroup: group, topic, subscription: expression, expressionType, subVersion } = header
    try {
      const subscription = buildSubscriptionData({ topic, expression, expressionType, subVersion })
      this.broker.consumers.compensateSubscribeData(group, topic, subscription)
      const filterData = isTagType(expressionType)
        ? undefined
        : this.broker.filters.build({
            topic,
            group,
            expression: subscription.subString,
            type: subscription.expressionType,
            clientVersion: subVersion,
          })
      return { subscription, filterData }
    } catch (error) {
      return new PullRefusal(
        ResponseCode.SUBSCRIPTION_PARSE_FAILED,
        `parse the consumer's subscription failed: ${errorText(error)}`,
      )
    }
  }

  private subscriptionOfGroup(
    header: PullHeader,
    config: SubscriptionGroupConfig,
  ): Pick<AdmittedPull, 'subscription' | 'filterData'> | PullRefusal {
    const group = this.broker.consumers.getConsumerGroupInfo(header.consumerGroup)
    if (!group)
      return new PullRefusal(ResponseCode.SUBSCRIPTION_NOT_EXIST, `the consumer's group info not exist${FAQ_HINT}`)
    const forbidden = this.forbidden(header, config, group)
    if (forbidden) return forbidden
    const subscription = group.findSubscriptionData(header.topic)
    if (!subscription)
      return new PullRefusal(ResponseCode.SUBSCRIPTION_NOT_EXIST, `the consumer's subscription not exist${FAQ_HINT}`)
    if (subscription.subVersion < header.subVersion)
      return new PullRefusal(ResponseCode.SUBSCRIPTION_NOT_LATEST, "the consumer's subscription not latest")
    if (isTagType(subscription.expressionType)) return { subscription, filterData: undefined }
    const filterData = this.broker.filters.get(header.topic, header.consumerGroup)
    if (!filterData)
      return new PullRefusal(
        ResponseCode.FILTER_DATA_NOT_EXIST,
        "The broker's consumer filter data is not exist!Your expression may be wrong!",
      )
    if (filterData.clientVersion < header.subVersion)
      return new PullRefusal(ResponseCode.FILTER_DATA_NOT_LATEST, "the consumer's consumer filter data not latest")
    return { subscription, filterData }
  }

  private forbidden(
    header: PullHeader,
    config: SubscriptionGroupConfig,
    group: ConsumerGroupInfo,
  ): PullRefusal | undefined {
    if (!config.consumeBroadcastEnable && group.messageModel === 'BROADCASTING')
      return new PullRefusal(
        ResponseCode.NO_PERMISSION,
        `the consumer group[${header.consumerGroup}] can not consume by broadcast way`,
        Forbidden.BROADCAST,
      )
    if (this.broker.groups.isForbidden(header.consumerGroup, header.topic, ForbiddenBit.READ))
      return new PullRefusal(
        ResponseCode.NO_PERMISSION,
        `the consumer group[${header.consumerGroup}] is forbidden for topic[${header.topic}]`,
        Forbidden.SUBSCRIPTION,
      )
    return undefined
  }

  private checkPullConsumer(header: PullHeader, connection: Connection): PullRefusal | undefined {
    if (!this.broker.settings.rejectPullConsumerEnable) return undefined
    const group = this.broker.consumers.getConsumerGroupInfo(header.consumerGroup)
    const registered = this.broker.consumers.findChannelByConnection(header.consumerGroup, connection)
    if (group && (group.consumeType !== 'CONSUME_ACTIVELY' || registered)) return undefined
    return new PullRefusal(
      ResponseCode.SUBSCRIPTION_NOT_EXIST,
      `the consumer's group info not exist, or the pull consumer is rejected by server.${FAQ_HINT}`,
    )
  }
}
