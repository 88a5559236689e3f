import { decodeOffsetMessageId, RequestCode, ResponseCode } from '../../../common/index.js'
import {
  ConsumeMessageDirectlyResultRequestHeader,
  type ExtFields,
  fail,
  GetConsumerRunningInfoRequestHeader,
  type RemotingCommand,
  Reply,
  type Route,
  route,
} from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'

/** How long a consumer may take to answer (broker-behaviour 12.4). */
const RELAY_TIMEOUT_MS = 10_000

/** The consumer's answer, unchanged. */
function relayed(answer: RemotingCommand): Reply {
  const reply = new Reply(answer.code)
  reply.remark = answer.remark
  reply.extFields = answer.extFields
  reply.body = answer.body
  return reply
}

/** GET_CONSUMER_RUNNING_INFO (307), which the consumer itself answers. */
export function consumerRunningInfoRoute(broker: Pick<BrokerContext, 'notifier'>): Route {
  return route({
    code: RequestCode.GET_CONSUMER_RUNNING_INFO,
    request: GetConsumerRunningInfoRequestHeader,
    lane: 'admin',
    action: 'GET',
    async handle({ consumerGroup, clientId }, command) {
      const request = { code: command.code, extFields: command.extFields ?? {} }
      return relayed(await broker.notifier.callClient(consumerGroup, clientId, request, RELAY_TIMEOUT_MS))
    },
  })
}

type DirectParts = Pick<BrokerContext, 'notifier' | 'store' | 'topics' | 'groups' | 'identity'>

/** CONSUME_MESSAGE_DIRECTLY (309): hands one stored message to one consumer, now. */
export function consumeMessageDirectlyRoute(broker: DirectParts): Route {
  return route({
    code: RequestCode.CONSUME_MESSAGE_DIRECTLY,
    request: ConsumeMessageDirectlyResultRequestHeader,
    lane: 'admin',
    action: 'UPDATE',
    async handle({ consumerGroup, clientId, msgId, topic }, command) {
      const offset = msgId === undefined ? undefined : offsetIn(msgId)
      if (offset === undefined) {
        return fail(ResponseCode.SYSTEM_ERROR, `msgId ${msgId ?? ''} is no offset message id (32 or 56 hex digits)`)
      }
      const body = await broker.store.queries.recordAt(offset)
      if (!body) return fail(ResponseCode.SYSTEM_ERROR, `can not find message by the offset, ${offset}`)
      const extFields: ExtFields = { ...command.extFields, brokerName: broker.identity.brokerName }
      const topicConfig = topic ? broker.topics.selectTopicConfig(topic) : undefined
      if (topicConfig) extFields.topicSysFlag = String(topicConfig.topicSysFlag)
      const groupConfig = broker.groups.findSubscriptionGroupConfig(consumerGroup)
      if (groupConfig) extFields.groupSysFlag = String(groupConfig.groupSysFlag)
      const request = { code: command.code, extFields, body }
      return relayed(await broker.notifier.callClient(consumerGroup, clientId ?? '', request, RELAY_TIMEOUT_MS))
    },
  })
}

function offsetIn(msgId: string): number | undefined {
  try {
    return decodeOffsetMessageId(msgId).commitLogOffset
  } catch {
    return undefined
  }
}
