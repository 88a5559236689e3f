import {
  type JsonValue,
  type MessageQueue,
  messageQueueFromJson,
  ObjectKeyMap,
  parseFastJson,
  RequestCode,
  ResponseCode,
  ResponseError,
  readNumber,
  readObject,
  VersionMark,
  versionName,
} from '../../../common/index.js'
import { fail, GetConsumerStatusRequestHeader, ok, type Route, route } from '../../../remoting/index.js'
import { errorText } from '../../../util/index.js'
import type { ClientChannelInfo } from '../../client/client-channel.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody } from './json-body.js'

/** How long a member may take to answer (broker-behaviour 12.4). */
const MEMBER_TIMEOUT_MS = 5000

/** INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223): the offsets the members of a group have in memory, asked with 221. */
export function consumerStatusRoute(broker: Pick<BrokerContext, 'consumers' | 'notifier' | 'logger'>): Route {
  return route({
    code: RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS,
    request: GetConsumerStatusRequestHeader,
    lane: 'admin',
    action: 'GET',
    async handle({ topic, group, clientAddr }) {
      const members = [...(broker.consumers.getConsumerGroupInfo(group)?.channels.values() ?? [])]
      if (members.length === 0) {
        return fail(ResponseCode.SYSTEM_ERROR, `No Any Consumer online in the consumer group: [${group}]`)
      }
      const wanted = clientAddr?.trim() ? members.filter(({ clientId }) => clientId === clientAddr) : members
      const tables = await Promise.all(wanted.map(member => askMember(broker, member, { topic, group })))
      const consumerTable = Object.fromEntries(tables.filter(table => table !== undefined))
      return ok(jsonBody({ consumerTable }))
    },
  })
}

/** Undefined for a member that does not answer: the others' offsets are shown all the same. */
async function askMember(
  { notifier, logger }: Pick<BrokerContext, 'notifier' | 'logger'>,
  member: ClientChannelInfo,
  header: { topic: string; group: string },
): Promise<[clientId: string, offsets: ObjectKeyMap<MessageQueue, number>] | undefined> {
  const { clientId, version } = member
  if (version < VersionMark.V3_0_7_SNAPSHOT) {
    const remark = `the client does not support this feature. version=${versionName(version)}`
    throw new ResponseError(ResponseCode.SYSTEM_ERROR, remark)
  }
  const code = RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT
  const request = { code, extFields: GetConsumerStatusRequestHeader.encode(header) }
  try {
    const answer = await notifier.callConsumer(member, header.group, request, MEMBER_TIMEOUT_MS)
    if (answer.code !== ResponseCode.SUCCESS) throw new Error(answer.remark ?? `code ${answer.code}`)
    return [clientId, offsetsOf(answer.body)]
  } catch (error) {
    const fields = { event: 'consumer-status-missing', group: header.group, clientId }
    logger.warn(fields, `${clientId} did not tell its offsets: ${errorText(error)}`)
    return undefined
  }
}

function offsetsOf(body: Buffer): ObjectKeyMap<MessageQueue, number> {
  const table: JsonValue | undefined = readObject(parseFastJson(body)).messageQueueTable
  const entries = Object.entries(readObject(table)).map(([key, offset]): [MessageQueue, number] => [
    messageQueueFromJson(parseFastJson(key)),
    readNumber(offset, 0),
  ])
  return new ObjectKeyMap(entries)
}
