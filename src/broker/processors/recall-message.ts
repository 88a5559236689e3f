import {
  encodeProperties,
  isWriteable,
  PropertyName,
  RequestCode,
  ResponseCode,
  ResponseError,
} from '../../common/index.js'
import {
  type HeaderValue,
  okWith,
  RecallMessageRequestHeader,
  RecallMessageResponseHeader,
  type Route,
  route,
} from '../../remoting/index.js'
import type { MessageToStore } from '../../store/index.js'
import type { BrokerContext } from '../context.js'
import { PUT_STATUS_REPLIES } from '../put/put-reply.js'
import { decodeRecallHandle, type RecallHandle } from '../timer/recall-handle.js'
import { deleteKeyOf } from '../timer/slot-delivery.js'

type Parts = Pick<BrokerContext, 'settings' | 'identity' | 'topics' | 'clock' | 'puts' | 'stats'>
type Header = HeaderValue<typeof RecallMessageRequestHeader>

const RECALL_TAG = '_RECALL_TAG_'
const RECALL_BODY = Buffer.from('0')
const UNAVAILABLE = 'recall failed, broker service not available'
const MAY_HAVE_BEEN_STORED = 'recall failed, execute error'

/** RECALL_MESSAGE (370): takes a timer message back that is not due yet (broker-behaviour 6.4). */
export function recallMessageRoute(broker: Parts): Route {
  return route({
    code: RequestCode.RECALL_MESSAGE,
    request: RecallMessageRequestHeader,
    lane: 'send',
    action: 'PUB',
    async handle(header, _command, connection) {
      const { settings, stats, puts } = broker
      checkService(broker)
      const handle = checkHandle(broker, header)
      const message = deleteMarker(header, handle, { now: broker.clock.now(), bornHost: connection.peer.bytes })
      const { status } = await puts.putAndWait(message)
      if (!PUT_STATUS_REPLIES[status].stored) {
        throw new ResponseError(ResponseCode.SYSTEM_ERROR, MAY_HAVE_BEEN_STORED)
      }
      stats.incBrokerPut(1)
      const reply = okWith(RecallMessageResponseHeader, { msgId: handle.uniqKey })
      return reply.withExt({ [PropertyName.MSG_REGION]: settings.regionId })
    },
  })
}

function checkService({ settings, clock }: Parts): void {
  if (!settings.recallMessageEnable) {
    throw new ResponseError(ResponseCode.NO_PERMISSION, 'recall failed, operation is forbidden')
  }
  if (settings.brokerRole === 'SLAVE') throw new ResponseError(ResponseCode.SLAVE_NOT_AVAILABLE, UNAVAILABLE)
  const isClosed = !isWriteable(settings.brokerPermission) && !settings.allowRecallWhenBrokerNotWriteable
  if (clock.now() < settings.startAcceptSendRequestTimeStamp || isClosed) {
    throw new ResponseError(ResponseCode.SERVICE_NOT_AVAILABLE, UNAVAILABLE)
  }
}

function checkHandle({ settings, identity, topics, clock }: Parts, header: Header): RecallHandle {
  if (!topics.containsTopic(header.topic)) {
    throw new ResponseError(ResponseCode.TOPIC_NOT_EXIST, `recall failed, the topic[${header.topic}] not exist`)
  }
  const handle = decodeRecallHandle(header.recallHandle)
  const refuse = (remark: string) => new ResponseError(ResponseCode.ILLEGAL_OPERATION, remark)
  if (handle.topic !== header.topic) throw refuse('recall failed, topic not match')
  if (handle.brokerName !== identity.brokerName) throw refuse(UNAVAILABLE)
  const timeLeft = /^\d{1,15}$/.test(handle.timestamp) ? Number(handle.timestamp) - clock.now() : 0
  if (timeLeft <= 0 || timeLeft >= settings.timerMaxDelaySec * 1000) throw refuse('recall failed, timestamp invalid')
  return handle
}

/** A timer message of the same slot that takes the other back when the slot is read (store-format 11.5). */
function deleteMarker(
  header: Header,
  { topic, uniqKey, timestamp }: RecallHandle,
  { now, bornHost }: { now: number; bornHost: Buffer },
): MessageToStore {
  const properties = new Map<string, string>([
    [PropertyName.TAGS, RECALL_TAG],
    [PropertyName.TIMER_DEL_UNIQKEY, deleteKeyOf(topic, uniqKey)],
    [PropertyName.UNIQ_KEY, uniqKey],
    [PropertyName.TIMER_DELIVER_MS, timestamp],
    [PropertyName.BORN_TIMESTAMP, String(now)],
  ])
  if (header.producerGroup) properties.set(PropertyName.PRODUCER_GROUP, header.producerGroup)
  return {
    topic,
    queueId: 0,
    sysFlag: 0,
    flag: 0,
    bornTimestamp: now,
    bornHost,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: RECALL_BODY,
    properties: encodeProperties(properties),
  }
}
