import { KEY_SEPARATOR, MessageSysFlag, readProperty, SystemTopic, transactionType } from '../common/index.js'
import { DelayLevels, keyHashOf, PropertyScan, parseDecimal, tagsCodeOf } from '../store/index.js'
import type { LogRecord } from './log-record.js'

const MULTI_DISPATCH = Buffer.from('INNER_MULTI_DISPATCH')
const MULTI_QUEUE_OFFSET = Buffer.from('INNER_MULTI_QUEUE_OFFSET')
export const DEFAULT_DELAY_LEVELS = '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h'

/** An entry that another queue than its own holds for a record. */
export interface ExtraEntry {
  readonly topic: string
  readonly queueOffset: number
}

/** What queues and index should hold of a record (store-format 5, 6, 7). One object, filled again and again. */
export class RecordFacts {
  position = 0
  size = 0
  topic = ''
  queueId = 0
  queueOffset = 0
  storeTimestamp = 0
  /** Whether consumers can see it: it has a queue entry. */
  isQueued = false
  /** Of its queue entry; for a delayed message when it is due. */
  tagsCode = 0
  tags = ''
  /** Level of a message that waits in the schedule topic; else 0. */
  delayLevel = 0
  uniqKey = ''
  /** Its UNIQ_KEY and each of its KEYS, in the order of the index. */
  readonly keys: string[] = []
  /** Messages in the record, for topics with batch queues. */
  batchSize = 1
  batchBase = 0

  private readonly scan = new PropertyScan()
  private readonly delayLevels: DelayLevels

  constructor(delayLevels = DEFAULT_DELAY_LEVELS) {
    this.delayLevels = new DelayLevels(delayLevels)
  }

  of(record: LogRecord): void {
    const { reader, buffer } = record
    this.position = record.position
    this.size = record.size
    this.topic = record.topic
    this.queueId = reader.queueId
    this.queueOffset = reader.queueOffset
    this.storeTimestamp = reader.storeTimestamp
    const type = transactionType(reader.sysFlag)
    this.isQueued = type === MessageSysFlag.TRANSACTION_NOT_TYPE || type === MessageSysFlag.TRANSACTION_COMMIT_TYPE
    const { scan } = this
    scan.scan(buffer, reader.propertiesStart, reader.propertiesEnd)
    this.readTags(buffer)
    this.readKeys(buffer, type !== MessageSysFlag.TRANSACTION_ROLLBACK_TYPE)
    const hasBatch = scan.innerNumStart >= 0 && scan.innerBaseStart >= 0
    this.batchSize = hasBatch ? parseDecimal(buffer, scan.innerNumStart, scan.innerNumEnd, 1) : 1
    const base = reader.queueOffset
    this.batchBase = hasBatch ? parseDecimal(buffer, scan.innerBaseStart, scan.innerBaseEnd, base) : base
  }

  private readTags(buffer: Buffer): void {
    const { scan } = this
    this.tags = scan.tagsStart < 0 ? '' : buffer.toString('utf8', scan.tagsStart, scan.tagsEnd)
    this.tagsCode = tagsCodeOf(this.tags)
    this.delayLevel = 0
    if (this.topic !== SystemTopic.SCHEDULE || scan.delayStart < 0) return
    this.delayLevel = parseDecimal(buffer, scan.delayStart, scan.delayEnd, 0)
    if (this.delayLevel > 0) this.tagsCode = this.delayLevels.deliverTime(this.delayLevel, this.storeTimestamp)
  }

  private readKeys(buffer: Buffer, isIndexed: boolean): void {
    const { scan, keys } = this
    keys.length = 0
    this.uniqKey = scan.uniqKeyStart < 0 ? '' : buffer.toString('utf8', scan.uniqKeyStart, scan.uniqKeyEnd)
    if (!isIndexed) return
    if (this.uniqKey !== '') keys.push(this.uniqKey)
    if (scan.keysStart < 0) return
    for (const key of buffer.toString('utf8', scan.keysStart, scan.keysEnd).split(KEY_SEPARATOR)) {
      if (key !== '') keys.push(key)
    }
  }

  hashOf(key: string): number {
    return keyHashOf(this.topic, key)
  }

  /** Entries in the queues of a multi-dispatch (store-format 2.13). */
  extraEntries(record: LogRecord): ExtraEntry[] {
    const { reader, buffer } = record
    const names = readProperty(buffer, MULTI_DISPATCH, reader.propertiesStart, reader.propertiesEnd)
    const offsets = readProperty(buffer, MULTI_QUEUE_OFFSET, reader.propertiesStart, reader.propertiesEnd)
    if (names === undefined || offsets === undefined) return []
    const numbers = offsets.split(',')
    return names.split(',').flatMap((topic, i) => {
      const text = numbers[i] ?? ''
      return /^\d+$/.test(text) ? [{ topic, queueOffset: Number(text) }] : []
    })
  }
}
