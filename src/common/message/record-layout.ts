import { MessageSysFlag } from '../sys-flag.js'

/*
 * One record, in the commit log and on the wire alike (wire-protocol 7.1). All numbers big-endian.
 *
 *    0 totalSize i32 | 4 magic i32 | 8 bodyCRC i32 | 12 queueId i32 | 16 flag i32 | 20 queueOffset i64
 *   28 physicalOffset i64 | 36 sysFlag i32 | 40 bornTimestamp i64 | 48 bornHost 4+4 or 16+4
 *   then storeTimestamp i64 | storeHost 4+4 or 16+4 | reconsumeTimes i32 | preparedTransactionOffset i64
 *        bodyLength i32, body | topicLength u8 (v1) or i16 (v2), topic | propertiesLength i16, properties
 */

export const MESSAGE_MAGIC_V1 = 0xdaa320a7 | 0
/** Topics longer than 127 characters need two bytes of length. */
export const MESSAGE_MAGIC_V2 = 0xdaa320ab | 0
/** Fills the end of a commit log file; never sent to anyone. */
export const BLANK_MAGIC = 0xcbd43194 | 0

/** Positions of the fields before the first host. */
export const RecordPosition = {
  TOTAL_SIZE: 0,
  MAGIC: 4,
  BODY_CRC: 8,
  QUEUE_ID: 12,
  FLAG: 16,
  QUEUE_OFFSET: 20,
  PHYSICAL_OFFSET: 28,
  SYS_FLAG: 36,
  BORN_TIMESTAMP: 40,
  BORN_HOST: 48,
} as const

/** Length of a record of version 1 with IPv4 hosts, empty body, topic and properties. */
export const MIN_RECORD_LENGTH = 91

export function bornHostLength(sysFlag: number): 8 | 20 {
  return (sysFlag & MessageSysFlag.BORNHOST_V6) === 0 ? 8 : 20
}

export function storeHostLength(sysFlag: number): 8 | 20 {
  return (sysFlag & MessageSysFlag.STOREHOSTADDRESS_V6) === 0 ? 8 : 20
}

/** Position of `storeTimestamp` in a record. */
export function storeTimestampPosition(sysFlag: number): number {
  return RecordPosition.BORN_HOST + bornHostLength(sysFlag)
}

/** Position of `storeHost` in a record. */
export function storeHostPosition(sysFlag: number): number {
  return storeTimestampPosition(sysFlag) + 8
}

/** Position of `reconsumeTimes` in a record. */
export function reconsumeTimesPosition(sysFlag: number): number {
  return storeHostPosition(sysFlag) + storeHostLength(sysFlag)
}

/** Position of `preparedTransactionOffset` in a record. */
export function preparedTransactionOffsetPosition(sysFlag: number): number {
  return reconsumeTimesPosition(sysFlag) + 4
}

/** Position of the body's length in a record. */
export function bodyLengthPosition(sysFlag: number): number {
  return preparedTransactionOffsetPosition(sysFlag) + 8
}

/** Bytes of the topic's length field, by magic number. */
export function topicLengthSize(magic: number): 1 | 2 {
  return magic === MESSAGE_MAGIC_V2 ? 2 : 1
}

/** Length of a whole record. */
export function recordLength(parts: {
  sysFlag: number
  magic: number
  bodyLength: number
  topicLength: number
  propertiesLength: number
}): number {
  const head = bodyLengthPosition(parts.sysFlag) + 4 + topicLengthSize(parts.magic) + 2
  return head + parts.bodyLength + parts.topicLength + parts.propertiesLength
}
