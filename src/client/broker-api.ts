import {
  type MessageQueue,
  messageQueueFromJson,
  parseFastJson,
  RequestCode,
  ResponseCode,
  readArray,
  readObject,
  readStrings,
  type SubscriptionData,
  stringifyFastJson,
} from '../common/index.js'
import {
  ConsumerSendMsgBackRequestHeader,
  EndTransactionRequestHeader,
  GetConsumerListByGroupRequestHeader,
  GetEarliestMsgStoretimeRequestHeader,
  GetEarliestMsgStoretimeResponseHeader,
  GetMaxOffsetRequestHeader,
  GetMinOffsetRequestHeader,
  type HeaderValue,
  OffsetResponseHeader,
  QueryConsumerOffsetRequestHeader,
  RecallMessageRequestHeader,
  RecallMessageResponseHeader,
  SearchOffsetRequestHeader,
  UnregisterClientRequestHeader,
  UpdateConsumerOffsetRequestHeader,
} from '../remoting/index.js'
import type { BrokerConnection, BrokerTarget } from './broker-connection.js'
import { responseFailure } from './client-error.js'

const QUEUE_QUERY_TIMEOUT_MS = 6000
const OFFSET_TIMEOUT_MS = 5000
const LOCK_TIMEOUT_MS = 1000
const SEND_BACK_TIMEOUT_MS = 5000

export type BoundaryType = 'LOWER' | 'UPPER'

/** What lock and unlock requests say. */
export interface QueueLocks {
  consumerGroup: string
  clientId: string
  queues: readonly MessageQueue[]
}

/** Calls that consumers and producers make to brokers; each throws MQClientError. */
export class BrokerApi {
  constructor(
    readonly connection: BrokerConnection,
    private readonly timeoutMs: number,
  ) {}

  async maxOffset(target: BrokerTarget, queue: MessageQueue): Promise<number> {
    const extFields = GetMaxOffsetRequestHeader.encode({ ...queueFields(queue), committed: true })
    return this.offset(target, { code: RequestCode.GET_MAX_OFFSET, extFields })
  }

  async minOffset(target: BrokerTarget, queue: MessageQueue): Promise<number> {
    const extFields = GetMinOffsetRequestHeader.encode(queueFields(queue))
    return this.offset(target, { code: RequestCode.GET_MIN_OFFSET, extFields })
  }

  async searchOffset(
    target: BrokerTarget,
    queue: MessageQueue,
    timestamp: number,
    boundaryType: BoundaryType = 'LOWER',
  ): Promise<number> {
    const extFields = SearchOffsetRequestHeader.encode({ ...queueFields(queue), timestamp, boundaryType })
    return this.offset(target, { code: RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, extFields })
  }

  async earliestStoreTime(target: BrokerTarget, queue: MessageQueue): Promise<number> {
    const extFields = GetEarliestMsgStoretimeRequestHeader.encode(queueFields(queue))
    const request = { code: RequestCode.GET_EARLIEST_MSG_STORETIME, extFields }
    const response = await this.connection.requestOk(target, request, QUEUE_QUERY_TIMEOUT_MS)
    return GetEarliestMsgStoretimeResponseHeader.decode(response.extFields).timestamp
  }

  /** The stored offset of a group; undefined when there is none. */
  async consumerOffset(target: BrokerTarget, group: string, queue: MessageQueue): Promise<number | undefined> {
    const extFields = QueryConsumerOffsetRequestHeader.encode({ consumerGroup: group, ...queueFields(queue) })
    const request = { code: RequestCode.QUERY_CONSUMER_OFFSET, extFields }
    const response = await this.connection.request(target, request, OFFSET_TIMEOUT_MS)
    if (response.code === ResponseCode.QUERY_NOT_FOUND) return undefined
    if (response.code !== ResponseCode.SUCCESS) throw responseFailure(response, target.address, target.brokerName)
    return OffsetResponseHeader.decode(response.extFields).offset
  }

  /** Stores an offset; without `answered` it is sent and forgotten. */
  async updateConsumerOffset(
    target: BrokerTarget,
    update: { group: string; queue: MessageQueue; offset: number },
    answered = false,
  ): Promise<void> {
    const request = {
      code: RequestCode.UPDATE_CONSUMER_OFFSET,
      extFields: UpdateConsumerOffsetRequestHeader.encode({
        consumerGroup: update.group,
        ...queueFields(update.queue),
        commitOffset: update.offset,
      }),
    }
    if (answered) await this.connection.requestOk(target, request, OFFSET_TIMEOUT_MS)
    else await this.connection.oneway(target, request)
  }

  /** Client ids of the members of a group; undefined when the broker knows none. */
  async consumerIds(target: BrokerTarget, consumerGroup: string): Promise<string[] | undefined> {
    const extFields = GetConsumerListByGroupRequestHeader.encode({ consumerGroup })
    const request = { code: RequestCode.GET_CONSUMER_LIST_BY_GROUP, extFields }
    const response = await this.connection.request(target, request, this.timeoutMs)
    if (response.code !== ResponseCode.SUCCESS || response.body.length === 0) return undefined
    const ids = readStrings(readObject(parseFastJson(response.body)).consumerIdList)
    return ids.length === 0 ? undefined : ids
  }

  /** Locks queues for ordered consumption; resolves to those that are now ours. */
  async lockQueues(target: BrokerTarget, locks: QueueLocks): Promise<MessageQueue[]> {
    const request = { code: RequestCode.LOCK_BATCH_MQ, body: lockBody(locks) }
    const response = await this.connection.requestOk(target, request, LOCK_TIMEOUT_MS)
    return readArray(readObject(parseFastJson(response.body)).lockOKMQSet).map(messageQueueFromJson)
  }

  async unlockQueues(target: BrokerTarget, locks: QueueLocks, oneway: boolean): Promise<void> {
    const request = { code: RequestCode.UNLOCK_BATCH_MQ, body: lockBody(locks) }
    if (oneway) await this.connection.oneway(target, request)
    else await this.connection.requestOk(target, request, LOCK_TIMEOUT_MS)
  }

  /** Asks the broker to deliver a message again, or to put it among the dead letters. */
  async sendBack(target: BrokerTarget, header: HeaderValue<typeof ConsumerSendMsgBackRequestHeader>): Promise<void> {
    const extFields = ConsumerSendMsgBackRequestHeader.encode({ ...header, bname: target.brokerName })
    const request = { code: RequestCode.CONSUMER_SEND_MSG_BACK, extFields }
    await this.connection.requestOk(target, request, SEND_BACK_TIMEOUT_MS)
  }

  /** Has the broker check a subscription; a bad SQL text comes back as SUBSCRIPTION_PARSE_FAILED. */
  async checkSubscription(
    target: BrokerTarget,
    client: { clientId: string; group: string },
    subscriptionData: SubscriptionData,
  ): Promise<void> {
    const body = Buffer.from(stringifyFastJson({ ...client, subscriptionData }))
    await this.connection.requestOk(target, { code: RequestCode.CHECK_CLIENT_CONFIG, body }, this.timeoutMs)
  }

  async unregister(target: BrokerTarget, header: HeaderValue<typeof UnregisterClientRequestHeader>): Promise<void> {
    const request = { code: RequestCode.UNREGISTER_CLIENT, extFields: UnregisterClientRequestHeader.encode(header) }
    await this.connection.requestOk(target, request, this.timeoutMs)
  }

  /** Tells the fate of a half message; `remark` may say why it is unknown. */
  async endTransaction(
    target: BrokerTarget,
    header: HeaderValue<typeof EndTransactionRequestHeader>,
    remark?: string,
  ): Promise<void> {
    const extFields = EndTransactionRequestHeader.encode({ ...header, bname: target.brokerName })
    await this.connection.oneway(target, { code: RequestCode.END_TRANSACTION, extFields, remark })
  }

  async recall(
    target: BrokerTarget,
    header: HeaderValue<typeof RecallMessageRequestHeader>,
    timeoutMs: number,
  ): Promise<string> {
    const request = {
      code: RequestCode.RECALL_MESSAGE,
      extFields: RecallMessageRequestHeader.encode({ ...header, bname: target.brokerName }),
    }
    const response = await this.connection.requestOk(target, request, timeoutMs)
    return RecallMessageResponseHeader.decode(response.extFields).msgId
  }

  private async offset(
    target: BrokerTarget,
    request: { code: number; extFields: Record<string, string> },
  ): Promise<number> {
    const response = await this.connection.requestOk(target, request, QUEUE_QUERY_TIMEOUT_MS)
    return OffsetResponseHeader.decode(response.extFields).offset
  }
}

function queueFields(queue: MessageQueue): { topic: string; queueId: number; bname: string } {
  return { topic: queue.topic, queueId: queue.queueId, bname: queue.brokerName }
}

function lockBody(locks: QueueLocks): Buffer {
  const { consumerGroup, clientId, queues } = locks
  return Buffer.from(stringifyFastJson({ consumerGroup, clientId, mqSet: queues, onlyThisBroker: false }))
}
