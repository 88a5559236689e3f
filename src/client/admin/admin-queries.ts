import {
  buildSubscriptionData,
  CometRequestCode,
  decodeMessages,
  decodeOffsetMessageId,
  hostAddressToString,
  MASTER_ID,
  type MessageExt,
  type MessageQueue,
  openMessages,
  PropertyName,
  PullSysFlag,
  RequestCode,
  ResponseCode,
  readObject,
  SystemGroup,
} from '../../common/index.js'
import {
  CloneGroupOffsetRequestHeader,
  ConsumeMessageDirectlyResultRequestHeader,
  GetConsumerRunningInfoRequestHeader,
  GetConsumerStatusRequestHeader,
  OffsetResetPreviewRequestHeader,
  QueryMessageRequestHeader,
  ResetOffsetRequestHeader,
  UndoOffsetResetRequestHeader,
  ViewMessageRequestHeader,
} from '../../remoting/index.js'
import type { BoundaryType } from '../broker-api.js'
import type { BrokerTarget } from '../broker-connection.js'
import { badArgument, brokerMissing, isResponse, noRoute } from '../client-error.js'
import type { QueueOffset } from '../members.js'
import { type PullResult, pullMessage } from '../pull-message.js'
import { AdminChannel } from './admin-channel.js'
import {
  type ConsumeMessageDirectlyResult,
  type ConsumerRunningInfo,
  consumerRunningInfoFromJson,
  directResultFromJson,
  type OffsetResetEffect,
  queueOffsetsFromJson,
  resetEffectsFromJson,
} from './bodies.js'

export interface MessageQuery {
  topic: string
  /** The topic whose route leads to the brokers, where `topic` has none. Default `topic`. */
  routeTopic?: string
  /** One of the keys of the message, or its UNIQ_KEY. */
  key: string
  maxNum: number
  /** Ms of the store time, inclusive. */
  beginTimestamp: number
  endTimestamp: number
  /** `key` is a UNIQ_KEY. */
  uniqueKey?: boolean
}

export interface AdminPull {
  queue: MessageQueue
  offset: number
  maxNums: number
  /** Tags. Default `*`. */
  subscription?: string
  /** Default TOOLS_CONSUMER. */
  group?: string
  timeoutMs?: number
}

export interface OffsetReset {
  topic: string
  group: string
  /** Ms; -1 is the end of each queue. */
  timestamp: number
  isForce: boolean
  /** With `offset`: only this queue. */
  queueId?: number
  offset?: number
}

export interface OffsetResetWish extends Pick<OffsetReset, 'topic' | 'group' | 'timestamp' | 'queueId' | 'offset'> {
  undo?: boolean
}

const PULL_TIMEOUT_MS = 10_000
const QUERY_TIMEOUT_MS = 18_000
/** Brokers give a client 10 s to answer what they relay. */
const RELAY_TIMEOUT_MS = 12_000

/** The part of {@link AdminClient} about messages, offsets and running clients. */
export class AdminQueries extends AdminChannel {
  async maxOffset(queue: MessageQueue): Promise<number> {
    return this.instance.brokers.maxOffset(await this.master(queue), queue)
  }

  async minOffset(queue: MessageQueue): Promise<number> {
    return this.instance.brokers.minOffset(await this.master(queue), queue)
  }

  /** LOWER: the first message stored at or after `timestamp`; UPPER: the last one at or before it. */
  async searchOffset(queue: MessageQueue, timestamp: number, boundary: BoundaryType = 'LOWER'): Promise<number> {
    return this.instance.brokers.searchOffset(await this.master(queue), queue, timestamp, boundary)
  }

  /** Ms; -1 when the queue is empty. */
  async earliestStoreTime(queue: MessageQueue): Promise<number> {
    return this.instance.brokers.earliestStoreTime(await this.master(queue), queue)
  }

  /** The message an offset message id points at, from the broker named in it. */
  async viewMessage(offsetMsgId: string, topic?: string): Promise<MessageExt> {
    const { storeHost, commitLogOffset } = decodeOffsetMessageId(offsetMsgId)
    const header = ViewMessageRequestHeader.encode({ offset: commitLogOffset, topic })
    const response = await this.invokeBroker(hostAddressToString(storeHost), RequestCode.VIEW_MESSAGE_BY_ID, { header })
    const [message] = await openMessages(decodeMessages(response.body))
    if (!message) throw badArgument(`the broker answered without a message for ${offsetMsgId}`)
    return message
  }

  /**
   * Looks a key up on all brokers of the topic. Messages whose key only has the same hash are left out.
   * @throws MQClientError when no broker of the topic can be asked
   */
  async queryMessages(query: MessageQuery): Promise<MessageExt[]> {
    const { routes } = this.instance
    const { routeTopic = query.topic } = query
    if (!(await routes.refresh(routeTopic))) throw noRoute(routeTopic)
    const names = routes.get(routeTopic)!.brokerDatas.map(broker => broker.brokerName)
    const found = await Promise.all(names.map(name => this.queryBroker(name, query)))
    const messages = found.flat().filter(message => hasKey(message, query))
    return messages.sort((a, b) => a.storeTimestamp - b.storeTimestamp).slice(0, query.maxNum)
  }

  /** One pull that does not wait for messages. */
  async pull(pull: AdminPull): Promise<PullResult> {
    const { queue } = pull
    const subscription = buildSubscriptionData({ topic: queue.topic, expression: pull.subscription, subVersion: 0 })
    return pullMessage(this.instance.brokers.connection, await this.master(queue), {
      timeoutMs: pull.timeoutMs ?? PULL_TIMEOUT_MS,
      tags: subscription.tagsSet,
      header: {
        consumerGroup: pull.group ?? SystemGroup.TOOLS_CONSUMER,
        topic: queue.topic,
        queueId: queue.queueId,
        queueOffset: pull.offset,
        maxMsgNums: pull.maxNums,
        sysFlag: PullSysFlag.SUBSCRIPTION,
        commitOffset: 0,
        suspendTimeoutMillis: 0,
        subscription: subscription.subString,
        subVersion: 0,
        expressionType: subscription.expressionType,
      },
    })
  }

  /** The stored offset of a group; undefined when there is none. */
  consumerOffset(address: string, group: string, queue: MessageQueue): Promise<number | undefined> {
    return this.instance.brokers.consumerOffset({ address }, group, queue)
  }

  updateConsumerOffset(address: string, group: string, queue: MessageQueue, offset: number): Promise<void> {
    return this.instance.brokers.updateConsumerOffset({ address }, { group, queue, offset }, true)
  }

  /** Moves a group on one broker; resolves to where it is now. */
  async resetOffset(address: string, reset: OffsetReset): Promise<QueueOffset[]> {
    const header = ResetOffsetRequestHeader.encode({
      ...reset,
      queueId: reset.queueId ?? -1,
      offset: reset.offset ?? -1,
    })
    const body = readObject(await this.brokerJson(address, RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, { header }))
    return queueOffsetsFromJson(body.offsetTable)
  }

  /** CometMQ only: what a reset, or with `undo` taking the last one back, would do. Nothing changes. */
  async previewResetOffset(address: string, wish: OffsetResetWish): Promise<OffsetResetEffect[]> {
    const header = OffsetResetPreviewRequestHeader.encode(wish)
    return resetEffectsFromJson(await this.brokerJson(address, CometRequestCode.PREVIEW_OFFSET_RESET, { header }))
  }

  /** CometMQ only: takes the last reset of the group back; resolves to what that did. */
  async undoResetOffset(address: string, topic: string, group: string): Promise<OffsetResetEffect[]> {
    const header = UndoOffsetResetRequestHeader.encode({ topic, group })
    return resetEffectsFromJson(await this.brokerJson(address, CometRequestCode.UNDO_OFFSET_RESET, { header }))
  }

  async cloneGroupOffset(
    address: string,
    clone: { srcGroup: string; destGroup: string; topic: string; offline?: boolean },
  ): Promise<void> {
    await this.invokeBroker(address, RequestCode.CLONE_GROUP_OFFSET, {
      header: CloneGroupOffsetRequestHeader.encode(clone),
    })
  }

  /** What a consumer tells about itself, through its broker. */
  async consumerRunningInfo(
    address: string,
    group: string,
    clientId: string,
    jstack = false,
  ): Promise<ConsumerRunningInfo> {
    const header = GetConsumerRunningInfoRequestHeader.encode({ consumerGroup: group, clientId, jstackEnable: jstack })
    const request = { header, timeoutMs: RELAY_TIMEOUT_MS }
    return consumerRunningInfoFromJson(await this.brokerJson(address, RequestCode.GET_CONSUMER_RUNNING_INFO, request))
  }

  /** Offsets in the memory of the group's members, by client id. */
  async consumerStatus(
    address: string,
    topic: string,
    group: string,
    clientAddr?: string,
  ): Promise<Map<string, QueueOffset[]>> {
    const header = GetConsumerStatusRequestHeader.encode({ topic, group, clientAddr })
    const request = { header, timeoutMs: RELAY_TIMEOUT_MS }
    const body = readObject(await this.brokerJson(address, RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, request))
    const clients = Object.entries(readObject(body.consumerTable))
    return new Map(clients.map(([clientId, offsets]) => [clientId, queueOffsetsFromJson(offsets)]))
  }

  /** Has one member of the group handle a message now; offsets stay as they are. */
  async consumeMessageDirectly(
    address: string,
    call: { group: string; clientId: string; topic: string; msgId: string },
  ): Promise<ConsumeMessageDirectlyResult> {
    const { group, clientId, topic, msgId } = call
    const header = ConsumeMessageDirectlyResultRequestHeader.encode({ consumerGroup: group, clientId, topic, msgId })
    const request = { header, timeoutMs: RELAY_TIMEOUT_MS }
    return directResultFromJson(await this.brokerJson(address, RequestCode.CONSUME_MESSAGE_DIRECTLY, request))
  }

  private async queryBroker(brokerName: string, query: MessageQuery): Promise<MessageExt[]> {
    const found = this.instance.routes.broker(brokerName, MASTER_ID)
    if (!found) throw brokerMissing(brokerName)
    const { topic, key, maxNum, beginTimestamp, endTimestamp } = query
    const header = QueryMessageRequestHeader.encode({
      topic,
      key,
      maxNum,
      beginTimestamp,
      endTimestamp,
      uniqueKeyQuery: query.uniqueKey ? true : undefined,
    })
    try {
      const request = { header, timeoutMs: QUERY_TIMEOUT_MS }
      const response = await this.invokeBroker(found.address, RequestCode.QUERY_MESSAGE, request)
      const messages = await openMessages(decodeMessages(response.body))
      for (const message of messages) message.brokerName = brokerName
      return messages
    } catch (error) {
      if (isResponse(error, ResponseCode.QUERY_NOT_FOUND)) return []
      throw error
    }
  }

  private async master(queue: MessageQueue): Promise<BrokerTarget> {
    const { routes } = this.instance
    const { brokerName, topic } = queue
    if (!routes.broker(brokerName, MASTER_ID)) await routes.refresh(topic)
    const found = routes.broker(brokerName, MASTER_ID)
    if (!found) throw brokerMissing(brokerName)
    return { address: found.address, brokerName }
  }
}

function hasKey(message: MessageExt, query: MessageQuery): boolean {
  if (query.uniqueKey) return message.properties.get(PropertyName.UNIQ_KEY) === query.key
  return (message.properties.get(PropertyName.KEYS) ?? '').split(' ').includes(query.key)
}
