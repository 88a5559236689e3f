import { MQError, readInt64 } from '../../util/index.js'
import { decodeHostAddress } from '../host-address.js'
import type { MessageExt } from './message.js'
import { decodeProperties } from './properties.js'
import * as layout from './record-layout.js'

const { RecordPosition } = layout

/** Where the three parts of variable length lie in a record; absolute positions in its buffer. */
export interface RecordParts {
  /** First byte after the record. */
  readonly end: number
  readonly bodyStart: number
  readonly bodyEnd: number
  readonly topicStart: number
  readonly topicEnd: number
  readonly propertiesStart: number
  readonly propertiesEnd: number
}

/** Bytes that are no record: wrong magic number, or lengths that do not fit into each other. */
export class BadRecordError extends MQError {
  constructor(reason: string, at: number) {
    super('ERR_BAD_RECORD', `no message record at byte ${at}: ${reason}`)
  }
}

/** Finds the parts of the record at `at`, checking every length. Throws {@link BadRecordError}. */
export function locateRecord(buffer: Buffer, at = 0): RecordParts {
  const available = buffer.length - at
  if (available < layout.MIN_RECORD_LENGTH) throw new BadRecordError(`only ${available} bytes are left`, at)
  const totalSize = buffer.readInt32BE(at)
  const magic = buffer.readInt32BE(at + RecordPosition.MAGIC)
  if (magic !== layout.MESSAGE_MAGIC_V1 && magic !== layout.MESSAGE_MAGIC_V2) {
    throw new BadRecordError(`unknown magic number ${magic}`, at)
  }
  if (totalSize < layout.MIN_RECORD_LENGTH || totalSize > available) {
    throw new BadRecordError(`its size ${totalSize} does not fit into the ${available} bytes left`, at)
  }
  const end = at + totalSize
  const bodyStart = at + layout.bodyLengthPosition(buffer.readInt32BE(at + RecordPosition.SYS_FLAG)) + 4
  const bodyLength = bodyStart <= end ? buffer.readInt32BE(bodyStart - 4) : -1
  const bodyEnd = bodyStart + bodyLength
  if (bodyLength < 0 || bodyEnd > end) throw badLength('body', at)
  const topicStart = bodyEnd + layout.topicLengthSize(magic)
  const topicLength = topicStart <= end ? topicLengthAt(buffer, bodyEnd, magic) : -1
  const topicEnd = topicStart + topicLength
  if (topicLength < 0 || topicEnd > end) throw badLength('topic', at)
  const propertiesStart = topicEnd + 2
  const propertiesLength = propertiesStart <= end ? buffer.readInt16BE(topicEnd) : -1
  const propertiesEnd = propertiesStart + propertiesLength
  if (propertiesLength < 0 || propertiesEnd > end) throw badLength('properties', at)
  if (propertiesEnd !== end) throw new BadRecordError(`its parts end ${end - propertiesEnd} bytes early`, at)
  return { end, bodyStart, bodyEnd, topicStart, topicEnd, propertiesStart, propertiesEnd }
}

function topicLengthAt(buffer: Buffer, at: number, magic: number): number {
  return layout.topicLengthSize(magic) === 1 ? buffer.readInt8(at) : buffer.readInt16BE(at)
}

function badLength(part: string, at: number): BadRecordError {
  return new BadRecordError(`the length of its ${part} is bad`, at)
}

export interface DecodeOptions {
  /** False leaves the body empty. */
  readBody?: boolean
}

/** Decodes the record at `at`. The body is a slice of `buffer`, as stored. Throws {@link BadRecordError}. */
export function decodeMessage(buffer: Buffer, at = 0, options: DecodeOptions = {}): MessageExt {
  const parts = locateRecord(buffer, at)
  const sysFlag = buffer.readInt32BE(at + RecordPosition.SYS_FLAG)
  const storeHostAt = at + layout.storeHostPosition(sysFlag)
  const storeHostEnd = storeHostAt + layout.storeHostLength(sysFlag)
  const physicalOffsetAt = at + RecordPosition.PHYSICAL_OFFSET
  return {
    topic: buffer.toString('utf8', parts.topicStart, parts.topicEnd),
    flag: buffer.readInt32BE(at + RecordPosition.FLAG),
    body: options.readBody === false ? Buffer.alloc(0) : buffer.subarray(parts.bodyStart, parts.bodyEnd),
    properties: decodeProperties(buffer.toString('utf8', parts.propertiesStart, parts.propertiesEnd)),
    queueId: buffer.readInt32BE(at + RecordPosition.QUEUE_ID),
    storeSize: parts.end - at,
    queueOffset: readInt64(buffer, at + RecordPosition.QUEUE_OFFSET),
    commitLogOffset: readInt64(buffer, physicalOffsetAt),
    sysFlag,
    bornTimestamp: readInt64(buffer, at + RecordPosition.BORN_TIMESTAMP),
    bornHost: decodeHostAddress(buffer, at + RecordPosition.BORN_HOST, layout.bornHostLength(sysFlag) === 20),
    storeTimestamp: readInt64(buffer, at + layout.storeTimestampPosition(sysFlag)),
    storeHost: decodeHostAddress(buffer, storeHostAt, layout.storeHostLength(sysFlag) === 20),
    bodyCrc: buffer.readInt32BE(at + RecordPosition.BODY_CRC),
    reconsumeTimes: buffer.readInt32BE(at + layout.reconsumeTimesPosition(sysFlag)),
    preparedTransactionOffset: readInt64(buffer, at + layout.preparedTransactionOffsetPosition(sysFlag)),
    offsetMsgId: (
      buffer.toString('hex', storeHostAt, storeHostEnd) + buffer.toString('hex', physicalOffsetAt, physicalOffsetAt + 8)
    ).toUpperCase(),
  }
}

/** Decodes records that follow each other, as the body of a pull's answer holds them. */
export function decodeMessages(buffer: Buffer, options: DecodeOptions = {}): MessageExt[] {
  const messages: MessageExt[] = []
  let at = 0
  while (at < buffer.length) {
    const message = decodeMessage(buffer, at, options)
    messages.push(message)
    at += message.storeSize
  }
  return messages
}
