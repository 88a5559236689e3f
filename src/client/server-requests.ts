import {
  decodeMessage,
  decodeProperties,
  decompressMessage,
  type MessageExt,
  messageQueueFromJson,
  ObjectKeyMap,
  PropertyName,
  parseFastJson,
  parseHostAddress,
  RequestCode,
  ResponseCode,
  readArray,
  readNumber,
  readObject,
  stringifyFastJson,
} from '../common/index.js'
import {
  CheckTransactionStateRequestHeader,
  ConsumeMessageDirectlyResultRequestHeader,
  fail,
  GetConsumerRunningInfoRequestHeader,
  GetConsumerStatusRequestHeader,
  type HeaderValue,
  NotifyConsumerIdsChangedRequestHeader,
  ok,
  ReplyMessageRequestHeader,
  ResetOffsetRequestHeader,
  type Route,
  route,
} from '../remoting/index.js'
import { type Clock, errorText, type Logger } from '../util/index.js'
import type { ConsumerMember, ProducerMember, QueueOffset } from './members.js'
import type { RequestTable } from './request-table.js'

/** What the answers to a server's requests need of the client. */
export interface ServerRequestHost {
  readonly clock: Clock
  readonly logger: Logger
  readonly requests: RequestTable
  consumer(group: string): ConsumerMember | undefined
  producer(group: string): ProducerMember | undefined
  wakeRebalance(): void
}

/** Requests that brokers send to clients (client-behaviour 18). */
export function clientRoutes(host: ServerRequestHost): Route[] {
  return [
    checkTransactionState(host),
    notifyConsumerIdsChanged(host),
    resetConsumerOffset(host),
    getConsumerStatus(host),
    getConsumerRunningInfo(host),
    consumeMessageDirectly(host),
    pushReplyMessage(host),
  ]
}

const checkTransactionState = (host: ServerRequestHost): Route =>
  route({
    code: RequestCode.CHECK_TRANSACTION_STATE,
    request: CheckTransactionStateRequestHeader,
    lane: 'client',
    action: 'ANY',
    async handle(header, command, connection) {
      const message = await decompressMessage(decodeMessage(command.body))
      const group = message.properties.get(PropertyName.PRODUCER_GROUP) ?? ''
      const producer = host.producer(group)
      if (producer?.checkTransaction) {
        // answered by END_TRANSACTION when the application has looked it up, however long that takes
        producer
          .checkTransaction({ message, header, address: connection.peer.text })
          .catch((error: unknown) =>
            host.logger.error(
              { event: 'transaction-check-failed', err: error },
              `transaction check failed: ${errorText(error)}`,
            ),
          )
      } else {
        host.logger.warn(
          { event: 'transaction-check-unknown', group },
          `a broker checks a transaction of ${group}, which is not here`,
        )
      }
      return ok()
    },
  })

const notifyConsumerIdsChanged = (host: ServerRequestHost): Route =>
  route({
    code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED,
    request: NotifyConsumerIdsChangedRequestHeader,
    lane: 'client',
    action: 'ANY',
    handle() {
      host.wakeRebalance()
      return ok()
    },
  })

const resetConsumerOffset = (host: ServerRequestHost): Route =>
  route({
    code: RequestCode.RESET_CONSUMER_CLIENT_OFFSET,
    request: ResetOffsetRequestHeader,
    lane: 'client',
    action: 'ANY',
    handle(header, command) {
      const offsets = queueOffsets(command.body)
      host.logger.info(
        { event: 'offset-reset', group: header.group, topic: header.topic, offsets },
        'a broker resets offsets',
      )
      host
        .consumer(header.group)
        ?.resetOffsets?.(header.topic, offsets)
        .catch((error: unknown) =>
          host.logger.error({ event: 'offset-reset-failed', err: error }, `offset reset failed: ${errorText(error)}`),
        )
      return ok()
    },
  })

/** `{"offsetTable":{{queue}:5}}`, or the list that is sent to C++ clients. */
function queueOffsets(body: Buffer): QueueOffset[] {
  const table = readObject(parseFastJson(body)).offsetTable
  if (Array.isArray(table)) {
    return readArray(table).map(entry => ({
      queue: messageQueueFromJson(entry),
      offset: readNumber(readObject(entry).offset, 0),
    }))
  }
  return Object.entries(readObject(table)).map(([key, offset]) => ({
    queue: messageQueueFromJson(parseFastJson(key)),
    offset: readNumber(offset, 0),
  }))
}

const getConsumerStatus = (host: ServerRequestHost): Route =>
  route({
    code: RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT,
    request: GetConsumerStatusRequestHeader,
    lane: 'client',
    action: 'ANY',
    handle(header) {
      const offsets = host.consumer(header.group)?.offsetsOf(header.topic) ?? []
      const messageQueueTable = new ObjectKeyMap(offsets.map(({ queue, offset }) => [queue, offset] as const))
      return ok(Buffer.from(stringifyFastJson({ consumerTable: {}, messageQueueTable })))
    },
  })

const getConsumerRunningInfo = (host: ServerRequestHost): Route =>
  route({
    code: RequestCode.GET_CONSUMER_RUNNING_INFO,
    request: GetConsumerRunningInfoRequestHeader,
    lane: 'client',
    action: 'ANY',
    handle(header) {
      const consumer = host.consumer(header.consumerGroup)
      if (!consumer) return unknownGroup(header.consumerGroup)
      return ok(Buffer.from(stringifyFastJson(consumer.runningInfo())))
    },
  })

function unknownGroup(group: string): ReturnType<typeof fail> {
  return fail(ResponseCode.SYSTEM_ERROR, `The Consumer Group <${group}> not exist in this consumer`)
}

const consumeMessageDirectly = (host: ServerRequestHost): Route =>
  route({
    code: RequestCode.CONSUME_MESSAGE_DIRECTLY,
    request: ConsumeMessageDirectlyResultRequestHeader,
    lane: 'client',
    action: 'ANY',
    async handle(header, command) {
      const consumer = host.consumer(header.consumerGroup)
      if (!consumer?.consumeDirectly) return unknownGroup(header.consumerGroup)
      const message = await decompressMessage(decodeMessage(command.body))
      const result = await consumer.consumeDirectly(message, header.brokerName ?? '')
      return ok(Buffer.from(stringifyFastJson(result)))
    },
  })

const pushReplyMessage = (host: ServerRequestHost): Route =>
  route({
    code: RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT,
    request: ReplyMessageRequestHeader,
    lane: 'client',
    action: 'ANY',
    async handle(header, command) {
      const message = await decompressMessage(replyMessage(header, command.body))
      message.properties.set(PropertyName.ARRIVE_TIME, String(host.clock.now()))
      const correlationId = message.properties.get(PropertyName.CORRELATION_ID) ?? ''
      if (!host.requests.complete(correlationId, message)) {
        host.logger.warn(
          { event: 'late-reply', correlationId },
          `nobody waits (any more) for the reply ${correlationId}`,
        )
      }
      return ok()
    },
  })

const NOWHERE = { host: '0.0.0.0', port: 0 }

/** A reply travels as a header and a body, not as a record: positions in the log are unknown. */
function replyMessage(header: HeaderValue<typeof ReplyMessageRequestHeader>, body: Buffer): MessageExt {
  return {
    topic: header.topic,
    flag: header.flag,
    body,
    properties: decodeProperties(header.properties ?? ''),
    queueId: header.queueId,
    storeSize: 0,
    queueOffset: 0,
    commitLogOffset: 0,
    sysFlag: header.sysFlag,
    bornTimestamp: header.bornTimestamp,
    bornHost: parseHostAddress(header.bornHost) ?? NOWHERE,
    storeTimestamp: header.storeTimestamp,
    storeHost: parseHostAddress(header.storeHost) ?? NOWHERE,
    bodyCrc: 0,
    reconsumeTimes: header.reconsumeTimes ?? 0,
    preparedTransactionOffset: 0,
    offsetMsgId: '',
  }
}
