import {
  decodeProperties,
  encodeProperties,
  PropertyName,
  RequestCode,
  ResponseCode,
  ResponseError,
} from '../../common/index.js'
import {
  type Connection,
  okWith,
  type RemotingCommand,
  type Reply,
  ReplyMessageRequestHeader,
  type Route,
  route,
  SendMessageRequestHeader,
  SendMessageRequestHeaderV2,
  SendMessageResponseHeader,
} from '../../remoting/index.js'
import { errorText } from '../../util/index.js'
import type { BrokerContext } from '../context.js'
import { storeHostOf } from '../identity.js'
import { OffsetMessageIds } from '../put/message-id.js'
import { SendAdmission, type SendHeader } from '../put/send-admission.js'

/** How long the requester may take to accept its reply. */
const PUSH_TIMEOUT_MS = 10_000

type Parts = Pick<
  BrokerContext,
  'settings' | 'identity' | 'topics' | 'groups' | 'locks' | 'clock' | 'puts' | 'notifier' | 'logger'
>

/**
 * SEND_REPLY_MESSAGE (324) and its V2 (325): the reply of request-reply. It is pushed (326) to the client that waits
 * for it, then stored if `storeReplyMessageEnable`; only the push decides the answer (broker-behaviour 9).
 */
export function sendReplyMessageRoutes(broker: Parts): Route[] {
  const replies = new ReplyMessages(broker)
  const shared = { lane: 'reply', action: 'PUB' } as const
  const handle: ReplyMessages['send'] = (header, command, connection) => replies.send(header, command, connection)
  return [
    route({ ...shared, code: RequestCode.SEND_REPLY_MESSAGE, request: SendMessageRequestHeader, handle }),
    route({ ...shared, code: RequestCode.SEND_REPLY_MESSAGE_V2, request: SendMessageRequestHeaderV2, handle }),
  ]
}

class ReplyMessages {
  private readonly admission: SendAdmission
  private readonly ids: OffsetMessageIds

  constructor(private readonly broker: Parts) {
    this.admission = new SendAdmission(broker)
    this.ids = new OffsetMessageIds(storeHostOf(broker.identity))
  }

  async send(header: SendHeader, command: RemotingCommand, connection: Connection): Promise<Reply> {
    try {
      const topic = this.admission.topicFor(header, connection)
      const queueId = header.queueId < 0 ? Math.floor(Math.random() * topic.writeQueueNums) : header.queueId
      const failure = await this.push(header, command, connection)
      const stored = await this.store(header, { command, connection, queueId })
      const { settings } = this.broker
      const reply = okWith(SendMessageResponseHeader, {
        msgId: stored?.msgId ?? '0',
        queueId,
        queueOffset: stored?.queueOffset ?? 0,
        MSG_REGION: settings.regionId,
        TRACE_ON: settings.traceOn,
      })
      if (failure === undefined) return reply
      reply.code = ResponseCode.SYSTEM_ERROR
      return reply.withRemark(failure)
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error
      return this.refusal(error)
    }
  }

  /** Resolves to what went wrong, in Java's words. */
  private async push(
    header: SendHeader,
    command: RemotingCommand,
    connection: Connection,
  ): Promise<string | undefined> {
    const { notifier, identity, clock, logger } = this.broker
    const properties = decodeProperties(header.properties ?? '')
    const clientId = properties.get(PropertyName.REPLY_TO_CLIENT)
    if (clientId === undefined) return 'reply message properties[REPLY_TO_CLIENT] is null'
    const now = clock.now()
    properties.set(PropertyName.PUSH_REPLY_TIME, String(now))
    const extFields = ReplyMessageRequestHeader.encode({
      ...header,
      properties: encodeProperties(properties),
      bornHost: connection.peer.text,
      storeHost: identity.address,
      storeTimestamp: now,
    })
    const request = { code: RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT, extFields, body: command.body }
    try {
      const answer = await notifier.callProducer(clientId, request, PUSH_TIMEOUT_MS)
      if (answer === undefined) return `push reply message fail, channel of <${clientId}> not found.`
      if (answer.code === ResponseCode.SUCCESS) return undefined
      logger.warn({ event: 'reply-refused', clientId, code: answer.code }, `${clientId} refused a reply`)
    } catch (error) {
      logger.warn({ event: 'reply-not-pushed', clientId }, `a reply did not reach ${clientId}: ${errorText(error)}`)
    }
    return `push reply message to ${clientId}fail.`
  }

  /** For whoever looks later; that it fails changes nothing for the two sides. */
  private async store(
    header: SendHeader,
    sent: { command: RemotingCommand; connection: Connection; queueId: number },
  ): Promise<{ msgId: string; queueOffset: number } | undefined> {
    const { settings, puts, logger } = this.broker
    if (!settings.storeReplyMessageEnable) return undefined
    try {
      const outcome = await puts.putAndWait({
        topic: header.topic,
        queueId: sent.queueId,
        sysFlag: header.sysFlag,
        flag: header.flag,
        bornTimestamp: header.bornTimestamp,
        bornHost: sent.connection.peer.bytes,
        reconsumeTimes: header.reconsumeTimes ?? 0,
        preparedTransactionOffset: 0,
        body: sent.command.body,
        properties: header.properties ?? '',
      })
      if (outcome.status === 'PUT_OK') {
        return { msgId: this.ids.of(outcome.physicalOffset), queueOffset: outcome.queueOffset }
      }
      logger.warn({ event: 'reply-not-stored', status: outcome.status }, `a reply was not stored: ${outcome.status}`)
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error
      logger.warn({ event: 'reply-not-stored' }, `a reply was not stored: ${error.remark}`)
    }
    return undefined
  }

  private refusal({ code, remark }: ResponseError): Reply {
    const { settings } = this.broker
    const reply = okWith(SendMessageResponseHeader, { MSG_REGION: settings.regionId, TRACE_ON: settings.traceOn })
    reply.code = code
    return reply.withRemark(remark)
  }
}
