import { totalmem } from 'node:os'
import { viewOf } from '../int64-view.js'
import type { MessageStore } from '../message-store.js'
import { RecordReader } from '../record-reader.js'

/** Where {@link TimerRecords.open} found a record: `cold` ones must be read off the loop first. */
export type RecordPlace = 'open' | 'cold' | 'gone'

/**
 * Reads records that the timer log points to. What is in memory by the store's estimate is looked at in place, with no
 * copy and no promise; `buffer` is then borrowed until the turn ends.
 */
export class TimerRecords {
  buffer: Buffer = Buffer.alloc(0)
  view: DataView = viewOf(this.buffer)
  /** Where the record begins in {@link buffer}. */
  start = 0
  /** Its fields, positions being absolute in {@link buffer}. */
  readonly head = new RecordReader()

  constructor(
    private readonly store: MessageStore,
    private readonly memoryBytes = totalmem(),
  ) {}

  open(physicalOffset: number, size: number): RecordPlace {
    const { log, settings } = this.store
    if (physicalOffset < log.minOffset || physicalOffset + size > log.maxOffset) return 'gone'
    const reach = (this.memoryBytes * settings.accessMessageInMemoryMaxRatio) / 100
    if (log.maxOffset - physicalOffset > reach) return 'cold'
    const file = log.files.find(physicalOffset)?.map()
    if (file === undefined) return 'gone'
    this.buffer = file.buffer
    this.view = file.view
    const place = this.readHead(physicalOffset - file.startOffset, file.wrotePosition, size)
    return this.head.physicalOffset === physicalOffset ? place : 'gone'
  }

  /** Opens a copy of a record, e.g. what {@link readCold} gave. */
  openCopy(record: Buffer): RecordPlace {
    this.buffer = record
    this.view = viewOf(record)
    return this.readHead(0, record.length, record.length)
  }

  readCold(physicalOffset: number): Promise<Buffer | undefined> {
    return this.store.queries.recordAt(physicalOffset)
  }

  /** Opens the record at `at` of a slice that the store gave, and tells where the next one begins. */
  openIn(slice: Buffer, view: DataView, at: number): number {
    this.buffer = slice
    this.view = view
    this.start = at
    return this.head.read(slice, view, at, slice.length) === 'record' ? at + this.head.totalSize : slice.length
  }

  /** Opens the record at `physicalOffset` and gives the offset of what follows; undefined where no record stands. */
  openNext(physicalOffset: number): { isRecord: boolean; next: number } | undefined {
    const { log } = this.store
    const file = physicalOffset < log.maxOffset ? log.files.find(physicalOffset)?.map() : undefined
    if (file === undefined) return undefined
    this.buffer = file.buffer
    this.view = file.view
    this.start = physicalOffset - file.startOffset
    const kind = this.head.read(this.buffer, this.view, this.start, file.wrotePosition)
    if (kind === 'bad') return undefined
    return kind === 'record'
      ? { isRecord: true, next: physicalOffset + this.head.totalSize }
      : { isRecord: false, next: file.endOffset }
  }

  get topic(): string {
    return this.buffer.toString('utf8', this.head.topicStart, this.head.topicEnd)
  }

  private readHead(at: number, limit: number, size: number): RecordPlace {
    this.start = at
    const kind = this.head.read(this.buffer, this.view, at, limit)
    return kind === 'record' && this.head.totalSize === size ? 'open' : 'gone'
  }
}
