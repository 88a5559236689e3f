import {
  BLANK_MAGIC,
  bodyLengthPosition,
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  MIN_RECORD_LENGTH,
  preparedTransactionOffsetPosition,
  RecordPosition,
  storeTimestampPosition,
} from '../common/index.js'
import { crc31 } from './crc.js'
import { getInt64 } from './int64-view.js'

/** What {@link RecordReader.read} found. */
export type RecordKind = 'record' | 'blank' | 'bad'

/**
 * Reads one record's head and finds its parts (store-format 2.1, 8.2). One object, filled again and again: positions
 * are absolute in the buffer given to {@link read}.
 */
export class RecordReader {
  /** Whether the body must fit its CRC. */
  checksCrc = false
  totalSize = 0
  magic = 0
  queueId = 0
  flag = 0
  queueOffset = 0
  physicalOffset = 0
  sysFlag = 0
  storeTimestamp = 0
  preparedTransactionOffset = 0
  bodyStart = 0
  bodyEnd = 0
  topicStart = 0
  topicEnd = 0
  propertiesStart = 0
  propertiesEnd = 0
  /** Why the last one was bad. */
  problem = ''
  /** The last one was bad only because its body does not fit its CRC. */
  isBodyDamaged = false

  /**
   * Reads what stands at `at`, of which nothing lies at or behind `limit`. After `blank` `totalSize` is what is left
   * of the file.
   */
  read(buffer: Buffer, view: DataView, at: number, limit: number): RecordKind {
    this.isBodyDamaged = false
    if (limit - at < 8) return this.bad('fewer than 8 bytes are left')
    const totalSize = view.getInt32(at)
    const magic = view.getInt32(at + RecordPosition.MAGIC)
    this.totalSize = totalSize
    this.magic = magic
    if (magic === BLANK_MAGIC) return 'blank'
    if (magic !== MESSAGE_MAGIC_V1 && magic !== MESSAGE_MAGIC_V2) return this.bad('no magic number of a record')
    if (totalSize < MIN_RECORD_LENGTH || at + totalSize > limit) return this.bad(`a size of ${totalSize} bytes`)
    if (!this.locate(view, at, at + totalSize)) return this.bad('lengths that do not add up to its size')
    if (this.checksCrc && this.bodyEnd > this.bodyStart) {
      const expected = view.getInt32(at + RecordPosition.BODY_CRC)
      if (crc31(buffer, this.bodyStart, this.bodyEnd) !== expected) {
        this.isBodyDamaged = true
        return this.bad('a body that does not fit its CRC')
      }
    }
    return 'record'
  }

  private locate(view: DataView, at: number, end: number): boolean {
    const sysFlag = view.getInt32(at + RecordPosition.SYS_FLAG)
    this.sysFlag = sysFlag
    this.queueId = view.getInt32(at + RecordPosition.QUEUE_ID)
    this.flag = view.getInt32(at + RecordPosition.FLAG)
    this.queueOffset = getInt64(view, at + RecordPosition.QUEUE_OFFSET)
    this.physicalOffset = getInt64(view, at + RecordPosition.PHYSICAL_OFFSET)
    this.storeTimestamp = getInt64(view, at + storeTimestampPosition(sysFlag))
    this.preparedTransactionOffset = getInt64(view, at + preparedTransactionOffsetPosition(sysFlag))
    const bodyLengthAt = at + bodyLengthPosition(sysFlag)
    const topicLengthSize = this.magic === MESSAGE_MAGIC_V2 ? 2 : 1
    if (bodyLengthAt + 4 + topicLengthSize + 2 > end) return false
    this.bodyStart = bodyLengthAt + 4
    this.bodyEnd = this.bodyStart + view.getInt32(bodyLengthAt)
    this.topicStart = this.bodyEnd + topicLengthSize
    if (this.bodyEnd < this.bodyStart || this.topicStart + 2 > end) return false
    const topicLength = topicLengthSize === 2 ? view.getInt16(this.bodyEnd) : view.getInt8(this.bodyEnd)
    this.topicEnd = this.topicStart + topicLength
    this.propertiesStart = this.topicEnd + 2
    if (topicLength < 0 || this.propertiesStart > end) return false
    this.propertiesEnd = this.propertiesStart + view.getInt16(this.topicEnd)
    return this.propertiesEnd === end
  }

  private bad(problem: string): RecordKind {
    this.problem = problem
    return 'bad'
  }
}
