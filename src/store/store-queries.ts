import type { CommitLog } from './commit-log.js'
import type { ConsumeQueue } from './consume-queue.js'
import { BLANK_UNIT_SIZE } from './consume-queue-chunk.js'
import type { ExtUnit } from './consume-queue-ext.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import { extOffsetAt } from './ext-address.js'
import type { IndexService } from './index-service.js'
import { getInt64, viewOf } from './int64-view.js'
import type { MessageReader } from './message-reader.js'
import { RecordReader } from './record-reader.js'
import type { StoreSettings } from './settings.js'

/** Which of several equal, or neighbouring, store times is meant. */
export type BoundaryType = 'LOWER' | 'UPPER'

export interface QueueUnit {
  readonly queueOffset: number
  readonly physicalOffset: number
  readonly size: number
  readonly tagsCode: number
  /** More than one for a batch. */
  readonly messages: number
  /** Where the queue keeps more of the message; {@link MISSING_EXT_UNIT} where that is lost, and the code with it. */
  readonly extension?: ExtUnit
}

export interface QueryMessageResult {
  /** Copies of the records, in log order. Hash matches: the caller compares keys. */
  readonly records: readonly Buffer[]
  readonly indexLastUpdateTimestamp: number
  readonly indexLastUpdatePhyoffset: number
}

export interface StoreQueriesOptions {
  settings: StoreSettings
  log: CommitLog
  queues: ConsumeQueueStore
  index: IndexService | undefined
  reader: MessageReader
}

const FIRST_READ = 4096
const QUERY_ROUNDS = 3

/** Looking things up by offset, time and key; nothing here holds the loop while a disk turns. */
export class StoreQueries {
  private readonly head = new RecordReader()

  constructor(private readonly options: StoreQueriesOptions) {}

  /** The record at `physicalOffset`, just appended and so still mapped; borrowed until the turn ends. */
  freshRecordAt(physicalOffset: number): Buffer | undefined {
    const file = this.options.log.files.find(physicalOffset)
    if (file === undefined) return undefined
    const position = physicalOffset - file.startOffset
    return file.buffer.subarray(position, position + file.buffer.readInt32BE(position))
  }

  /**
   * The record that begins at `physicalOffset`, borrowed until the turn ends; undefined when none does, or when by our
   * estimate it must come from the disk: {@link recordAt} tells.
   */
  recordInMemory(physicalOffset: number): Buffer | undefined {
    const { log, reader } = this.options
    const file = log.files.find(physicalOffset)
    if (file === undefined || !Number.isInteger(physicalOffset) || !reader.isWarm(physicalOffset)) return undefined
    const position = physicalOffset - file.startOffset
    if (position >= file.wrotePosition) return undefined
    file.map()
    const kind = this.head.read(file.buffer, file.view, position, file.wrotePosition)
    if (kind !== 'record' || this.head.physicalOffset !== physicalOffset) return undefined
    return file.buffer.subarray(position, position + this.head.totalSize)
  }

  /** A copy of the record that begins at `physicalOffset`; undefined when none does. */
  async recordAt(physicalOffset: number): Promise<Buffer | undefined> {
    const { log, reader } = this.options
    const file = log.files.find(physicalOffset)
    const position = physicalOffset - (file?.startOffset ?? 0)
    if (file === undefined || !Number.isInteger(physicalOffset) || position >= file.wrotePosition) return undefined
    if (reader.isWarm(physicalOffset)) {
      const record = this.recordInMemory(physicalOffset)
      return record === undefined ? undefined : Buffer.from(record)
    }
    let bytes = Buffer.alloc(Math.min(FIRST_READ, file.wrotePosition - position))
    await file.read(bytes, position)
    const size = bytes.length >= 4 ? bytes.readInt32BE(0) : 0
    if (size > bytes.length && size <= file.wrotePosition - position) {
      bytes = Buffer.alloc(size)
      await file.read(bytes, position)
    }
    const head = new RecordReader()
    const kind = head.read(bytes, viewOf(bytes), 0, bytes.length)
    if (kind !== 'record' || head.physicalOffset !== physicalOffset) return undefined
    return bytes.subarray(0, head.totalSize)
  }

  /** Store time in ms of the record at `physicalOffset`, -1 when there is none. */
  async storeTimeOf(physicalOffset: number): Promise<number> {
    const record = await this.recordAt(physicalOffset)
    if (record === undefined) return -1
    const head = new RecordReader()
    head.read(record, viewOf(record), 0, record.length)
    return head.storeTimestamp
  }

  /** One unit of a queue; undefined outside of it. */
  async unitAt(topic: string, queueId: number, queueOffset: number): Promise<QueueUnit | undefined> {
    const [unit] = await this.units(topic, queueId, queueOffset, 1)
    return unit
  }

  /** Up to `count` units from `queueOffset` on, those that stand for no record left out. */
  async units(topic: string, queueId: number, queueOffset: number, count: number): Promise<QueueUnit[]> {
    const queue = this.options.queues.find(topic, queueId)
    const units: QueueUnit[] = []
    if (queue === undefined) return units
    const end = Math.min(queue.maxOffset, queueOffset + count)
    if (Math.max(queueOffset, queue.minOffset) >= end) return units
    for (let at = await queue.locate(Math.max(queueOffset, queue.minOffset)); at < queue.endUnit; at++) {
      const unit = await readUnit(queue, at)
      if (unit !== undefined && unit.queueOffset >= end) break
      if (unit !== undefined && unit.size !== BLANK_UNIT_SIZE) units.push(unit)
    }
    return units
  }

  /**
   * Whether message 0 of a queue is there and, by our estimate, in memory: what makes a topic "young" for a new group.
   */
  async isFirstInMemory(topic: string, queueId: number): Promise<boolean> {
    const unit = await this.unitAt(topic, queueId, 0)
    return unit !== undefined && this.options.reader.isWarm(unit.physicalOffset)
  }

  /** Whether a message is there and counts as cold for flow control. */
  async isInColdArea(topic: string, queueId: number, queueOffset: number): Promise<boolean> {
    const unit = await this.unitAt(topic, queueId, queueOffset)
    return unit !== undefined && unit.physicalOffset < this.options.reader.coldAreaEnd
  }

  /** Store time of message `queueOffset` in ms, -1 when there is none. */
  async storeTimeAt(topic: string, queueId: number, queueOffset: number): Promise<number> {
    const unit = await this.unitAt(topic, queueId, queueOffset)
    return unit === undefined ? -1 : this.storeTimeOf(unit.physicalOffset)
  }

  /** Store time in ms of a queue's first message, or of the log's when no queue is named; -1 when there is none. */
  async earliestStoreTime(topic?: string, queueId = 0): Promise<number> {
    const { log, queues } = this.options
    if (topic === undefined) return this.storeTimeOf(log.minOffset)
    const queue = queues.find(topic, queueId)
    return queue === undefined ? -1 : this.storeTimeAt(topic, queueId, queue.minOffset)
  }

  /**
   * LOWER: the first message stored at or after `timestamp`, else the end of the queue. UPPER: the last one stored at
   * or before it, else the first of the queue. 0 for a queue without messages (store-format 5.4).
   */
  async offsetByTimestamp(topic: string, queueId: number, timestamp: number, boundary: BoundaryType): Promise<number> {
    const queue = this.options.queues.find(topic, queueId)
    if (queue === undefined || queue.maxOffset === 0) return 0
    const first = await queue.locate(Math.max(queue.minOffset, 0))
    let low = first
    let high = queue.endUnit
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const unit = await readUnit(queue, middle)
      const time = unit === undefined ? -1 : await this.storeTimeOf(unit.physicalOffset)
      const isBefore = boundary === 'LOWER' ? time < timestamp : time <= timestamp
      if (isBefore) low = middle + 1
      else high = middle
    }
    const found = boundary === 'LOWER' ? low : Math.max(first, low - 1)
    if (found >= queue.endUnit) return queue.maxOffset
    const unit = await readUnit(queue, found)
    return Math.max(queue.minOffset, unit?.queueOffset ?? 0)
  }

  /** Records indexed under a key, stored in `[begin, end]` ms. */
  async queryMessage(query: {
    topic: string
    key: string
    maxNum: number
    begin: number
    end: number
  }): Promise<QueryMessageResult> {
    const { index, settings } = this.options
    if (index === undefined) return { records: [], indexLastUpdateTimestamp: 0, indexLastUpdatePhyoffset: 0 }
    const max = Math.min(query.maxNum, settings.maxMsgsNumBatch)
    let { end } = query
    let found = await index.query(query.topic, query.key, { max, begin: query.begin, end })
    let records: Buffer[] = []
    for (let round = 1; found.offsets.length > 0; round++) {
      const offsets = [...new Set(found.offsets)].sort((a, b) => a - b)
      records = (await Promise.all(offsets.map(offset => this.recordAt(offset)))).filter(record => record !== undefined)
      // entries of records that are gone: look among older ones
      if (records.length > 0 || round === QUERY_ROUNDS) break
      end = Math.max(query.begin, end - 1)
      if (end <= query.begin) break
      found = await index.query(query.topic, query.key, { max, begin: query.begin, end })
    }
    return {
      records,
      indexLastUpdateTimestamp: found.lastUpdateTimestamp,
      indexLastUpdatePhyoffset: found.lastUpdatePhyOffset,
    }
  }
}

/** The unit of this number. */
async function readUnit(queue: ConsumeQueue, number: number): Promise<QueueUnit | undefined> {
  if (!queue.holds(number)) return undefined
  const chunk = queue.chunkAt(number) ?? (await queue.loadChunk(number))
  const at = number * queue.unitSize - chunk.start
  const unit = {
    queueOffset: queue.offsetOfUnit(number, chunk.view, at),
    messages: queue.messagesOfUnit(chunk.view, at),
    physicalOffset: getInt64(chunk.view, at),
    size: chunk.view.getInt32(at + 8),
    tagsCode: getInt64(chunk.view, at + 12),
  }
  const extOffset = queue.ext === undefined ? -1 : extOffsetAt(chunk.view, at + 12)
  if (queue.ext === undefined || extOffset < 0) return unit
  const extension = queue.ext.find(extOffset) ?? (await queue.ext.load(extOffset))
  return { ...unit, tagsCode: extension.tagsCode, extension }
}
