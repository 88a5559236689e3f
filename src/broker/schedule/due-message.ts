import {
  bornHostLength,
  locateRecord,
  PropertyName,
  RecordPosition,
  readProperty,
  reconsumeTimesPosition,
} from '../../common/index.js'
import type { MessageToStore } from '../../store/index.js'
import { readInt64 } from '../../util/index.js'

const REAL_TOPIC = Buffer.from(PropertyName.REAL_TOPIC)
const REAL_QUEUE_ID = Buffer.from(PropertyName.REAL_QUEUE_ID)

/**
 * A record of the schedule topic as the message that goes to its real queue. The properties stay as they are, DELAY and
 * the way through the schedule topic included: consumers of RocketMQ see them too (store-format 11.2).
 * @returns undefined when the record does not say where it belongs.
 */
export function dueMessage(record: Buffer): MessageToStore | undefined {
  const { bodyStart, bodyEnd, propertiesStart, propertiesEnd } = locateRecord(record)
  const topic = readProperty(record, REAL_TOPIC, propertiesStart, propertiesEnd)
  const queueId = Number(readProperty(record, REAL_QUEUE_ID, propertiesStart, propertiesEnd) ?? Number.NaN)
  if (topic === undefined || !Number.isInteger(queueId) || queueId < 0) return undefined
  const sysFlag = record.readInt32BE(RecordPosition.SYS_FLAG)
  const bornHost = RecordPosition.BORN_HOST
  return {
    topic,
    queueId,
    sysFlag,
    flag: record.readInt32BE(RecordPosition.FLAG),
    bornTimestamp: readInt64(record, RecordPosition.BORN_TIMESTAMP),
    bornHost: record.subarray(bornHost, bornHost + bornHostLength(sysFlag)),
    reconsumeTimes: record.readInt32BE(reconsumeTimesPosition(sysFlag)),
    preparedTransactionOffset: 0,
    body: record.subarray(bodyStart, bodyEnd),
    properties: record.subarray(propertiesStart, propertiesEnd),
  }
}
