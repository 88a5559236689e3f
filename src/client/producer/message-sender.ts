import {
  type CompressionType,
  compressBody,
  encodeProperties,
  isRetryTopic,
  type Message,
  type MessageQueue,
  MessageSysFlag,
  PropertyName,
  REPLY_MESSAGE_FLAG,
  RequestCode,
  SystemTopic,
  withCompression,
} from '../../common/index.js'
import { type OutgoingRequest, SendMessageRequestHeaderV2 } from '../../remoting/index.js'
import type { BrokerTarget } from '../broker-connection.js'
import { brokerMissing } from '../client-error.js'
import type { ClientInstance } from '../client-instance.js'
import { readSendResult, type SendResult } from './send-result.js'

export interface MessageSenderOptions {
  group: string
  createTopicKey?: string
  defaultTopicQueueNums?: number
  compressBodyOver?: number
  compressType?: CompressionType
  compressLevel?: number
}

/** A message made ready: what stays the same when it is sent again. */
export interface PreparedSend {
  message: Message
  /** The body as it goes over the wire. */
  body: Buffer
  sysFlag: number
  isBatch: boolean
  msgId: string
}

/** Turns messages into requests to one broker; the choice of queues and the retries are the producer's. */
export class MessageSender {
  constructor(
    private readonly instance: ClientInstance,
    private readonly options: MessageSenderOptions,
  ) {}

  /** Gives the message its id and packs a long body. The id stays when it is prepared again. */
  async prepare(message: Message, isBatch = false): Promise<PreparedSend> {
    const { properties } = message
    if (!properties.has(PropertyName.UNIQ_KEY)) properties.set(PropertyName.UNIQ_KEY, this.instance.uniqIds.next())
    const msgId = properties.get(PropertyName.UNIQ_KEY)!
    let sysFlag =
      properties.get(PropertyName.TRANSACTION_PREPARED) === 'true' ? MessageSysFlag.TRANSACTION_PREPARED_TYPE : 0
    let { body } = message
    if (!isBatch && body.length >= (this.options.compressBodyOver ?? 4096)) {
      const type = this.options.compressType ?? 'ZLIB'
      const packed = await this.pack(body, type)
      if (packed) {
        body = packed
        sysFlag = withCompression(sysFlag, type)
      }
    }
    return { message, body, sysFlag, isBatch, msgId }
  }

  /** One attempt. @throws MQClientError */
  async send(prepared: PreparedSend, queue: MessageQueue, timeoutMs: number): Promise<SendResult> {
    const target = await this.target(queue)
    const response = await this.instance.brokers.connection.request(target, this.request(prepared, queue), timeoutMs)
    return readSendResult(response, { target, queue, msgId: prepared.msgId, isBatch: prepared.isBatch })
  }

  /** One attempt without an answer. @throws MQClientError when there is no connection */
  async sendOneway(prepared: PreparedSend, queue: MessageQueue): Promise<void> {
    await this.instance.brokers.connection.oneway(await this.target(queue), this.request(prepared, queue))
  }

  private async target(queue: MessageQueue): Promise<BrokerTarget> {
    const { routes } = this.instance
    let address = routes.master(queue.brokerName)
    if (address === undefined) {
      await routes.refresh(queue.topic)
      address = routes.master(queue.brokerName)
    }
    if (address === undefined) throw brokerMissing(queue.brokerName)
    return { address, brokerName: queue.brokerName }
  }

  /** Undefined when it cannot be packed: the message goes as it is. */
  private async pack(body: Buffer, type: CompressionType): Promise<Buffer | undefined> {
    try {
      return await compressBody(body, type, this.options.compressLevel ?? 5)
    } catch (error) {
      this.instance.logger.warn(
        { event: 'compress-failed', err: error },
        'could not compress a body; it is sent as it is',
      )
      return undefined
    }
  }

  private request(prepared: PreparedSend, queue: MessageQueue): OutgoingRequest {
    const { message, isBatch, sysFlag, body } = prepared
    const { properties, reconsumeTimes, maxReconsumeTimes } = retryFields(message)
    const extFields = SendMessageRequestHeaderV2.encode({
      producerGroup: this.options.group,
      topic: message.topic,
      defaultTopic: this.options.createTopicKey ?? SystemTopic.AUTO_CREATE_TOPIC_KEY,
      defaultTopicQueueNums: this.options.defaultTopicQueueNums ?? 4,
      queueId: queue.queueId,
      sysFlag,
      bornTimestamp: this.instance.clock.now(),
      flag: message.flag,
      properties: encodeProperties(properties),
      reconsumeTimes,
      unitMode: this.instance.settings.unitMode,
      maxReconsumeTimes,
      batch: isBatch,
      bname: queue.brokerName,
    })
    return { code: codeOf(prepared), extFields, body }
  }
}

function codeOf({ message, isBatch }: PreparedSend): number {
  if (isBatch) return RequestCode.SEND_BATCH_MESSAGE
  const isReply = message.properties.get(PropertyName.MSG_TYPE) === REPLY_MESSAGE_FLAG
  return isReply ? RequestCode.SEND_REPLY_MESSAGE_V2 : RequestCode.SEND_MESSAGE_V2
}

interface RetryFields {
  properties: ReadonlyMap<string, string>
  reconsumeTimes: number
  maxReconsumeTimes?: number
}

/** On the way to a retry topic two properties become fields of the header. */
function retryFields(message: Message): RetryFields {
  if (!isRetryTopic(message.topic)) return { properties: message.properties, reconsumeTimes: 0 }
  const properties = new Map(message.properties)
  const times = properties.get(PropertyName.RECONSUME_TIME)
  const max = properties.get(PropertyName.MAX_RECONSUME_TIMES)
  if (times !== undefined) properties.delete(PropertyName.RECONSUME_TIME)
  if (max !== undefined) properties.delete(PropertyName.MAX_RECONSUME_TIMES)
  return {
    properties,
    reconsumeTimes: Number(times ?? 0),
    ...(max === undefined ? {} : { maxReconsumeTimes: Number(max) }),
  }
}
