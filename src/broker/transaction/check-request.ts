import {
  bodyLengthPosition,
  encodeHostAddress,
  encodeProperties,
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  type MessageExt,
  PropertyName,
  preparedTransactionOffsetPosition,
  RecordPosition,
  RequestCode,
  reconsumeTimesPosition,
  recordLength,
  storeHostPosition,
  storeTimestampPosition,
} from '../../common/index.js'
import { CheckTransactionStateRequestHeader, type OutgoingRequest } from '../../remoting/index.js'
import { writeInt64 } from '../../util/index.js'
import { HALF_TOPIC, transactionIdOf } from './half-message.js'

/** What a producer is asked about. */
export interface CheckedHalf {
  /** As it was stored before the check, its body included. */
  half: MessageExt
  target: { topic: string; queueId: number }
  /** Of the copy that was put back: the answer must name these. */
  queueOffset: number
  physicalOffset: number
  offsetMsgId: string
  checkTimes: number
  brokerName: string
}

/** CHECK_TRANSACTION_STATE (39): the offsets of the newest copy, and the message as its consumers would get it. */
export function checkRequest(checked: CheckedHalf): OutgoingRequest {
  const transactionId = transactionIdOf(checked.half)
  return {
    code: RequestCode.CHECK_TRANSACTION_STATE,
    extFields: CheckTransactionStateRequestHeader.encode({
      topic: HALF_TOPIC,
      tranStateTableOffset: checked.queueOffset,
      commitLogOffset: checked.physicalOffset,
      msgId: transactionId,
      transactionId,
      offsetMsgId: checked.offsetMsgId,
      bname: checked.brokerName,
    }),
    body: encodeChecked(checked),
  }
}

const LONGEST_V1_TOPIC = 127

function encodeChecked({ half, target, queueOffset, physicalOffset, checkTimes }: CheckedHalf): Buffer {
  const topic = Buffer.from(target.topic)
  const properties = Buffer.from(
    encodeProperties(new Map(half.properties).set(PropertyName.TRANSACTION_CHECK_TIMES, String(checkTimes))),
  )
  const { sysFlag, body } = half
  const magic = topic.length > LONGEST_V1_TOPIC ? MESSAGE_MAGIC_V2 : MESSAGE_MAGIC_V1
  const size = recordLength({
    sysFlag,
    magic,
    bodyLength: body.length,
    topicLength: topic.length,
    propertiesLength: properties.length,
  })
  const bytes = Buffer.alloc(size)
  bytes.writeInt32BE(size, RecordPosition.TOTAL_SIZE)
  bytes.writeInt32BE(magic, RecordPosition.MAGIC)
  bytes.writeInt32BE(half.bodyCrc, RecordPosition.BODY_CRC)
  bytes.writeInt32BE(target.queueId, RecordPosition.QUEUE_ID)
  bytes.writeInt32BE(half.flag, RecordPosition.FLAG)
  writeInt64(bytes, queueOffset, RecordPosition.QUEUE_OFFSET)
  writeInt64(bytes, physicalOffset, RecordPosition.PHYSICAL_OFFSET)
  bytes.writeInt32BE(sysFlag, RecordPosition.SYS_FLAG)
  writeInt64(bytes, half.bornTimestamp, RecordPosition.BORN_TIMESTAMP)
  encodeHostAddress(half.bornHost).copy(bytes, RecordPosition.BORN_HOST)
  writeInt64(bytes, half.storeTimestamp, storeTimestampPosition(sysFlag))
  encodeHostAddress(half.storeHost).copy(bytes, storeHostPosition(sysFlag))
  bytes.writeInt32BE(half.reconsumeTimes, reconsumeTimesPosition(sysFlag))
  writeInt64(bytes, half.preparedTransactionOffset, preparedTransactionOffsetPosition(sysFlag))
  let at = bytes.writeInt32BE(body.length, bodyLengthPosition(sysFlag))
  at += body.copy(bytes, at)
  at = magic === MESSAGE_MAGIC_V2 ? bytes.writeInt16BE(topic.length, at) : bytes.writeInt8(topic.length, at)
  at += topic.copy(bytes, at)
  at = bytes.writeInt16BE(properties.length, at)
  properties.copy(bytes, at)
  return bytes
}
