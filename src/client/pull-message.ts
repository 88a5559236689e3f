import {
  decodeMessages,
  type MessageExt,
  type MessageQueue,
  openMessages,
  PropertyName,
  RequestCode,
  ResponseCode,
} from '../common/index.js'
import { type HeaderValue, PullMessageRequestHeader, PullMessageResponseHeader } from '../remoting/index.js'
import type { BrokerConnection, BrokerTarget } from './broker-connection.js'
import { responseFailure } from './client-error.js'

export type PullStatus = 'FOUND' | 'NO_NEW_MSG' | 'NO_MATCHED_MSG' | 'OFFSET_ILLEGAL'

export interface PullResult {
  status: PullStatus
  nextBeginOffset: number
  minOffset: number
  maxOffset: number
  /** Where the next pull of this queue should go. */
  suggestWhichBrokerId: number
  /** Unpacked; inner batches taken apart. Empty unless FOUND. */
  messages: MessageExt[]
}

const statuses: ReadonlyMap<number, PullStatus> = new Map([
  [ResponseCode.SUCCESS, 'FOUND'],
  [ResponseCode.PULL_NOT_FOUND, 'NO_NEW_MSG'],
  [ResponseCode.PULL_RETRY_IMMEDIATELY, 'NO_MATCHED_MSG'],
  [ResponseCode.PULL_OFFSET_MOVED, 'OFFSET_ILLEGAL'],
])

export interface PullCall {
  header: HeaderValue<typeof PullMessageRequestHeader>
  timeoutMs: number
  /** Use LITE_PULL_MESSAGE. */
  lite?: boolean
  /** Tags to keep: brokers compare hash codes only. Empty or missing keeps all. */
  tags?: ReadonlySet<string> | undefined
}

/** One pull of one queue. @throws MQClientError for every answer but the four of {@link PullStatus}. */
export async function pullMessage(
  connection: BrokerConnection,
  target: BrokerTarget,
  call: PullCall,
): Promise<PullResult> {
  const request = {
    code: call.lite ? RequestCode.LITE_PULL_MESSAGE : RequestCode.PULL_MESSAGE,
    extFields: PullMessageRequestHeader.encode({ ...call.header, bname: target.brokerName }),
  }
  const response = await connection.request(target, request, call.timeoutMs)
  const status = statuses.get(response.code)
  if (status === undefined) throw responseFailure(response, target.address, target.brokerName)
  const { nextBeginOffset, minOffset, maxOffset, suggestWhichBrokerId } = PullMessageResponseHeader.decode(
    response.extFields,
  )
  const messages = status === 'FOUND' ? await openMessages(decodeMessages(response.body)) : []
  const kept = keepTags(messages, call.tags)
  for (const message of kept) finish(message, { brokerName: target.brokerName, minOffset, maxOffset })
  return { status, nextBeginOffset, minOffset, maxOffset, suggestWhichBrokerId, messages: kept }
}

function keepTags(messages: MessageExt[], tags: ReadonlySet<string> | undefined): MessageExt[] {
  if (!tags || tags.size === 0) return messages
  return messages.filter(message => tags.has(message.properties.get(PropertyName.TAGS) ?? ''))
}

function finish(
  message: MessageExt,
  pulled: { brokerName: string | undefined; minOffset: number; maxOffset: number },
): void {
  message.properties.set(PropertyName.MIN_OFFSET, String(pulled.minOffset))
  message.properties.set(PropertyName.MAX_OFFSET, String(pulled.maxOffset))
  if (pulled.brokerName !== undefined) message.brokerName = pulled.brokerName
}

/** The name of a queue as Java prints it; strategies hash this text. */
export function queueText(queue: MessageQueue): string {
  return `MessageQueue [topic=${queue.topic}, brokerName=${queue.brokerName}, queueId=${queue.queueId}]`
}
