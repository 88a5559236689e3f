import {
  type Message,
  type MessageQueue,
  PropertyName,
  type TraceMessageType,
  type TraceRecordOf,
  type TraceTransactionState,
} from '../../common/index.js'
import type { Clock } from '../../util/index.js'
import type { SendResult } from '../producer/send-result.js'
import type { TraceDispatcher } from './trace-dispatcher.js'

export interface SendTraceParts {
  dispatcher: TraceDispatcher
  group: string
  clientIp: string
  clock: Clock
  /** Address of the master of a broker. */
  master: (brokerName: string) => string | undefined
}

/** Traces of a producer: one record per send that a broker answered (broker-behaviour 10). */
export class SendTrace {
  constructor(private readonly parts: SendTraceParts) {}

  start(): Promise<void> {
    return this.parts.dispatcher.start()
  }

  stop(): Promise<void> {
    return this.parts.dispatcher.stop()
  }

  /** @param startedAt ms when the send began. */
  sent(
    message: Message,
    result: SendResult,
    { startedAt, bodyLength }: { startedAt: number; bodyLength: number },
  ): void {
    const { dispatcher, group, clock, clientIp } = this.parts
    if (!result.traceOn || message.topic === dispatcher.topic) return
    const record: TraceRecordOf<'Pub'> = {
      type: 'Pub',
      timestamp: startedAt,
      regionId: result.regionId,
      group,
      topic: message.topic,
      msgId: result.msgId,
      tags: message.properties.get(PropertyName.TAGS) ?? '',
      keys: message.properties.get(PropertyName.KEYS) ?? '',
      storeHost: this.storeHost(result.queue),
      bodyLength,
      costTime: clock.now() - startedAt,
      msgType: messageType(message),
      offsetMsgId: result.offsetMsgId,
      success: result.status === 'SEND_OK',
      clientHost: clientIp,
    }
    dispatcher.add([record])
  }

  /** The decision of a transaction, by the producer itself or as the answer to a check. */
  ended(
    message: Message,
    result: Pick<SendResult, 'msgId' | 'regionId' | 'traceOn'> & { queue?: MessageQueue; transactionId?: string },
    end: { state: TraceTransactionState; isCheck: boolean; brokerAddress?: string },
  ): void {
    const { dispatcher, group, clock } = this.parts
    if (!result.traceOn) return
    const record: TraceRecordOf<'EndTransaction'> = {
      type: 'EndTransaction',
      timestamp: clock.now(),
      regionId: result.regionId,
      group,
      topic: message.topic,
      msgId: result.msgId,
      tags: message.properties.get(PropertyName.TAGS) ?? '',
      keys: message.properties.get(PropertyName.KEYS) ?? '',
      storeHost: end.brokerAddress ?? (result.queue && this.storeHost(result.queue)) ?? '',
      msgType: 'Trans_msg_Commit',
      transactionId: result.transactionId ?? result.msgId,
      transactionState: end.state,
      fromTransactionCheck: end.isCheck,
    }
    dispatcher.add([record])
  }

  /** A message called back, or not. */
  recalled(topic: string, msgId: string, success: boolean): void {
    const { dispatcher, group, clock } = this.parts
    // the answer names no region: Java's hook leaves it empty too
    const region = { timestamp: clock.now(), regionId: '', group }
    dispatcher.add([{ type: 'Recall', ...region, topic, msgId, success }])
  }

  private storeHost(queue: MessageQueue): string {
    return this.parts.master(queue.brokerName) ?? ''
  }
}

const delays = [
  PropertyName.DELAY,
  PropertyName.TIMER_DELAY_MS,
  PropertyName.TIMER_DELAY_SEC,
  PropertyName.TIMER_DELIVER_MS,
] as const

function messageType({ properties }: Message): TraceMessageType {
  if (properties.get(PropertyName.TRANSACTION_PREPARED) === 'true') return 'Trans_Msg_Half'
  return delays.some(name => properties.has(name)) ? 'Delay_Msg' : 'Normal_Msg'
}
