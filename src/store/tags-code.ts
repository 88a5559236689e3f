import { SystemTopic } from '../common/index.js'
import type { DelayLevels } from './delay-levels.js'
import { continueJavaHash, PropertyScan, parseDecimal } from './property-scan.js'
import type { RecordReader } from './record-reader.js'

const scan = new PropertyScan()

/** What a queue's unit holds for the record that `reader` has read: a tag's hash, or a time of delivery. */
export function tagsCodeOfRecord(record: Buffer, reader: RecordReader, delayLevels: DelayLevels): number {
  scan.scan(record, reader.propertiesStart, reader.propertiesEnd)
  const topic = record.toString('utf8', reader.topicStart, reader.topicEnd)
  if (topic === SystemTopic.SCHEDULE && scan.delayStart >= 0) {
    const level = parseDecimal(record, scan.delayStart, scan.delayEnd, 0)
    if (level > 0) return delayLevels.deliverTime(level, reader.storeTimestamp)
  }
  return scan.tagsStart < 0 ? 0 : continueJavaHash(0, record, scan.tagsStart, scan.tagsEnd)
}
