import { MQError, readInt64 } from '../../util/index.js'
import { decodeHostAddress } from '../host-address.js'
import type { MessageExt } from './message.js'
import { createOffsetMessageId } from './message-id.js'
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
  const cursor = new PartCursor(buffer, at, end)
  cursor.at += layout.bodyLengthPosition(buffer.readInt32BE(at + RecordPosition.SYS_FLAG))
  const [bodyStart, bodyEnd] = cursor.part(4, 'body')
  const [topicStart, topicEnd] = cursor.part(layout.topicLengthSize(magic), 'topic')
  const [propertiesStart, propertiesEnd] = cursor.part(2, 'properties')
  if (propertiesEnd !== end) throw new BadRecordError(`its parts end ${end - propertiesEnd} bytes early`, at)
  return { end, bodyStart, bodyEnd, topicStart, topicEnd, propertiesStart, propertiesEnd }
}

class PartCursor {
  at: number

  constructor(
    private readonly buffer: Buffer,
    private readonly start: number,
    private readonly end: number,
  ) {
    this.at = start
  }

  /** Steps over a length of `size` bytes and what it counts. */
  part(size: 1 | 2 | 4, name: string): [start: number, end: number] {
    const start = this.at + size
    const length = start <= this.end ? this.buffer.readIntBE(this.at, size) : -1
    if (length < 0 || start + length > this.end)
      throw new BadRecordError(`the length of its ${name} is bad`, this.start)
    this.at = start + length
    return [start, this.at]
  }
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
  const commitLogOffset = readInt64(buffer, at + RecordPosition.PHYSICAL_OFFSET)
  return {
    topic: buffer.toString('utf8', parts.topicStart, parts.topicEnd),
    flag: buffer.readInt32BE(at + RecordPosition.FLAG),
    body: options.readBody === false ? Buffer.alloc(0) : buffer.subarray(parts.bodyStart, parts.bodyEnd),
    properties: decodeProperties(buffer.toString('utf8', parts.propertiesStart, parts.propertiesEnd)),
    queueId: buffer.readInt32BE(at + RecordPosition.QUEUE_ID),
    storeSize: parts.end - at,
    queueOffset: readInt64(buffer, at + RecordPosition.QUEUE_OFFSET),
    commitLogOffset,
    sysFlag,
    bornTimestamp: readInt64(buffer, at + RecordPosition.BORN_TIMESTAMP),
    bornHost: decodeHostAddress(buffer, at + RecordPosition.BORN_HOST, layout.bornHostLength(sysFlag) === 20),
    storeTimestamp: readInt64(buffer, at + layout.storeTimestampPosition(sysFlag)),
    storeHost: decodeHostAddress(buffer, storeHostAt, layout.storeHostLength(sysFlag) === 20),
    bodyCrc: buffer.readInt32BE(at + RecordPosition.BODY_CRC),
    reconsumeTimes: buffer.readInt32BE(at + layout.reconsumeTimesPosition(sysFlag)),
    preparedTransactionOffset: readInt64(buffer, at + layout.preparedTransactionOffsetPosition(sysFlag)),
    offsetMsgId: createOffsetMessageId(buffer.subarray(storeHostAt, storeHostEnd), commitLogOffset),
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
