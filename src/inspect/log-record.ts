import { RecordPosition } from '../common/index.js'
import { crc31, hasValidPropertyCrc, PROPERTY_CRC_LENGTH, RecordReader } from '../store/index.js'
import type { SegmentFile } from './store-directory.js'

const PROPERTY_CRC_NAME = Buffer.from('__CRC32#\u0001')

/** The record that a scan of the log has come to. One object, filled again and again: copy what is kept. */
export class LogRecord {
  readonly reader = new RecordReader()
  /** Where it stands in the log. */
  position = 0
  file!: SegmentFile
  /** The record is `buffer[at, at + size)`. */
  buffer!: Buffer
  at = 0

  get size(): number {
    return this.reader.totalSize
  }

  get bytes(): Buffer {
    return this.buffer.subarray(this.at, this.at + this.size)
  }

  get topic(): string {
    return this.buffer.toString('utf8', this.reader.topicStart, this.reader.topicEnd)
  }

  /** What the record itself shows to be wrong with it; undefined when nothing is. */
  get problem(): string | undefined {
    const { reader, buffer, at, position } = this
    if (reader.physicalOffset !== position) return `it says that it stands at ${reader.physicalOffset}`
    if (reader.bodyEnd > reader.bodyStart) {
      const expected = buffer.readInt32BE(at + RecordPosition.BODY_CRC)
      if (crc31(buffer, reader.bodyStart, reader.bodyEnd) !== expected) return 'its body does not fit its CRC'
    }
    const end = at + this.size
    const crcAt = end - PROPERTY_CRC_LENGTH
    const hasCrc = crcAt >= reader.propertiesStart && startsWith(buffer, crcAt, PROPERTY_CRC_NAME)
    return hasCrc && !hasValidPropertyCrc(buffer, at, end) ? 'it does not fit the CRC of its properties' : undefined
  }
}

function startsWith(buffer: Buffer, at: number, bytes: Buffer): boolean {
  return buffer.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0
}
