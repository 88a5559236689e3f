import { type MessageQueue, ResponseCode } from '../../common/index.js'
import { type RemotingCommand, SendMessageResponseHeader } from '../../remoting/index.js'
import type { BrokerTarget } from '../broker-connection.js'
import { responseFailure } from '../client-error.js'

/** All mean that the message is stored; only SEND_OK says it is as safe as the broker was set to make it. */
export type SendStatus = 'SEND_OK' | 'FLUSH_DISK_TIMEOUT' | 'FLUSH_SLAVE_TIMEOUT' | 'SLAVE_NOT_AVAILABLE'

export interface SendResult {
  status: SendStatus
  /** The id the client gave the message (UNIQ_KEY); of a batch, all of them separated by commas. */
  msgId: string
  /** Where the broker stored it: what it is found by. */
  offsetMsgId: string
  queue: MessageQueue
  queueOffset: number
  transactionId?: string
  /** What a pending timer message can be called back by. */
  recallHandle?: string
  regionId: string
  /** Whether the broker wants this message traced. */
  traceOn: boolean
}

const statuses: ReadonlyMap<number, SendStatus> = new Map([
  [ResponseCode.SUCCESS, 'SEND_OK'],
  [ResponseCode.FLUSH_DISK_TIMEOUT, 'FLUSH_DISK_TIMEOUT'],
  [ResponseCode.FLUSH_SLAVE_TIMEOUT, 'FLUSH_SLAVE_TIMEOUT'],
  [ResponseCode.SLAVE_NOT_AVAILABLE, 'SLAVE_NOT_AVAILABLE'],
])

/** Reads the answer to a send. @throws MQClientError when the broker refused it */
export function readSendResult(
  response: RemotingCommand,
  sent: { target: BrokerTarget; queue: MessageQueue; msgId: string; isBatch: boolean },
): SendResult {
  const status = statuses.get(response.code)
  if (status === undefined) throw responseFailure(response, sent.target.address, sent.target.brokerName)
  const header = SendMessageResponseHeader.decode(response.extFields)
  const { transactionId, recallHandle } = header
  return {
    status,
    msgId: sent.isBatch ? (header.batchUniqId ?? sent.msgId) : sent.msgId,
    offsetMsgId: header.msgId ?? '',
    queue: { ...sent.queue, queueId: header.queueId ?? sent.queue.queueId },
    queueOffset: header.queueOffset ?? 0,
    ...(transactionId === undefined ? {} : { transactionId }),
    ...(recallHandle === undefined ? {} : { recallHandle }),
    regionId: header.MSG_REGION ?? 'DefaultRegion',
    traceOn: response.extFields?.TRACE_ON !== 'false',
  }
}
