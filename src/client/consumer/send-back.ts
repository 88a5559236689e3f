import {
  hostAddressToString,
  type Message,
  type MessageExt,
  PropertyName,
  retryTopic,
  SystemGroup,
} from '../../common/index.js'
import { errorText } from '../../util/index.js'
import type { BrokerTarget } from '../broker-connection.js'
import type { ClientInstance } from '../client-instance.js'
import { MessageSender } from '../producer/message-sender.js'
import { publishQueues } from '../producer/publish-queues.js'
import { QueueRotation } from '../producer/queue-rotation.js'

const SEND_TIMEOUT_MS = 3000
/** The level of the first retry. */
const FIRST_DELAY_LEVEL = 3
/** What brokers keep of a reason; the rest need not travel. */
const LONGEST_REASON = 1024

export interface GivenBack {
  /** 0 lets the broker choose, -1 makes a dead letter, else the level of the wait. */
  delayLevel: number
  /** Kept with the message should it become a dead letter now. */
  reason?: string | undefined
}

/** Gives messages that could not be handled back to the brokers, to be delivered again or to end as dead letters. */
export class SendBack {
  private readonly sender: MessageSender
  private readonly rotation = new QueueRotation()

  constructor(
    private readonly instance: ClientInstance,
    private readonly group: string,
    private readonly maxReconsumeTimes: number,
  ) {
    this.sender = new MessageSender(instance, { group: SystemGroup.CLIENT_INNER_PRODUCER })
  }

  /**
   * Asks the broker that has the message; when it cannot, the message is sent anew to the retry topic. Resolves to
   * whether either worked.
   */
  async send(message: MessageExt, { delayLevel, reason }: GivenBack): Promise<boolean> {
    try {
      await this.instance.brokers.sendBack(this.targetOf(message), {
        offset: message.commitLogOffset,
        group: this.group,
        delayLevel,
        originMsgId: message.offsetMsgId,
        originTopic: message.topic,
        unitMode: this.instance.settings.unitMode,
        maxReconsumeTimes: this.maxReconsumeTimes,
        ...(reason === undefined ? {} : { reason: reason.slice(0, LONGEST_REASON) }),
      })
      return true
    } catch (error) {
      this.instance.logger.warn(
        { event: 'send-back-failed', group: this.group, msgId: message.offsetMsgId },
        `could not send ${message.offsetMsgId} back; it is sent to the retry topic instead: ${errorText(error)}`,
      )
      return this.sendAnew(message, reason)
    }
  }

  /** Sends a copy to the retry topic of the group. Resolves to whether it was stored. */
  async sendAnew(message: MessageExt, reason?: string): Promise<boolean> {
    const topic = retryTopic(this.group)
    try {
      const { queues } = await publishQueues(this.instance.routes, topic)
      const prepared = await this.sender.prepare(this.copyOf(message, topic, reason))
      await this.sender.send(prepared, this.rotation.next(queues), SEND_TIMEOUT_MS)
      return true
    } catch (error) {
      this.instance.logger.warn(
        { event: 'send-to-retry-topic-failed', group: this.group, msgId: message.offsetMsgId },
        `could not send ${message.offsetMsgId} to ${topic}; it is tried again here: ${errorText(error)}`,
      )
      return false
    }
  }

  private copyOf(message: MessageExt, topic: string, reason: string | undefined): Message {
    const { properties: old, reconsumeTimes } = message
    const properties = new Map(old)
    const originId = old.get(PropertyName.ORIGIN_MESSAGE_ID) ?? old.get(PropertyName.UNIQ_KEY) ?? message.offsetMsgId
    properties.set(PropertyName.ORIGIN_MESSAGE_ID, originId)
    properties.set(PropertyName.RETRY_TOPIC, message.topic)
    properties.set(PropertyName.RECONSUME_TIME, String(reconsumeTimes + 1))
    properties.set(PropertyName.MAX_RECONSUME_TIMES, String(this.maxReconsumeTimes))
    properties.set(PropertyName.DELAY, String(FIRST_DELAY_LEVEL + reconsumeTimes))
    properties.delete(PropertyName.TRANSACTION_PREPARED)
    // beyond the limit the broker makes a dead letter of it
    if (reason !== undefined && reconsumeTimes >= this.maxReconsumeTimes)
      properties.set(PropertyName.DLQ_REASON, propertyText(reason.slice(0, LONGEST_REASON)))
    return { topic, flag: message.flag, body: message.body, properties }
  }

  private targetOf(message: MessageExt): BrokerTarget {
    const master = message.brokerName === undefined ? undefined : this.instance.routes.master(message.brokerName)
    return { address: master ?? hostAddressToString(message.storeHost), brokerName: message.brokerName }
  }
}

/** Without the characters that separate properties. */
function propertyText(text: string): string {
  return text.replace(/[\u0001\u0002]/g, ' ')
}
