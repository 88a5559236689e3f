import type { AppendedRecord, CommitLog } from './commit-log.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { DispatchRequest } from './dispatch-request.js'
import type { Dispatcher } from './dispatcher.js'
import type { MappedFile } from './mapped-file.js'
import { findRecord } from './record-finder.js'
import { RecordReader } from './record-reader.js'
import type { StoreMarks } from './store-marks.js'

/** The loop must not be kept longer than this by catching up. */
const BUDGET_MS = 4

export interface ReputOptions {
  log: CommitLog
  queues: ConsumeQueueStore
  dispatcher: Dispatcher
  marks: StoreMarks
  /** How far messages may be shown to consumers. */
  confirmOffset: () => number
  monotonic: () => number
  /** A record that the log holds does not read as one; it is passed over. */
  onBadRecord: (physicalOffset: number, problem: string, length: number) => void
}

/**
 * Brings records of the log to queues and index, in order. An appended record goes at once, without being read back,
 * when everything before it has gone and it may be shown; the others follow by {@link catchUp}.
 */
export class Reput {
  /** Everything in front of it has been dispatched. */
  offset = 0
  /** Store time of the record dispatched last; 0 when none was since the start. */
  lastStoreTimestamp = 0
  private readonly reader = new RecordReader()
  private request: DispatchRequest | undefined
  private isCaughtUp = true
  private isCatchingUp = false

  constructor(private readonly options: ReputOptions) {}

  /** From here on; everything before counts as done. */
  startAt(offset: number): void {
    this.offset = offset
    this.isCaughtUp = offset >= this.options.log.maxOffset
  }

  /** A record was appended; called in the same turn. */
  onAppended(record: AppendedRecord): void {
    const { file } = record
    const end = file.startOffset + record.end
    if (!this.isCaughtUp || end > this.options.confirmOffset()) {
      this.isCaughtUp = false
      return
    }
    this.offset = end
    this.lastStoreTimestamp = record.storeTimestamp
    const request = this.requestFor(record.topic, file.buffer)
    request.queueId = record.queueId
    request.queueOffset = record.queueOffset
    request.physicalOffset = file.startOffset + record.start
    request.size = record.end - record.start
    request.sysFlag = record.sysFlag
    request.storeTimestamp = record.storeTimestamp
    request.propertiesStart = record.propertiesStart
    request.propertiesEnd = record.end
    request.tailLength = record.tailLength
    request.batch = record.batch
    this.options.dispatcher.dispatch(request)
  }

  /** Dispatches what may be shown by now; the rest of a long stretch in later turns. */
  catchUp(): void {
    if (this.isCaughtUp || this.isCatchingUp) return
    const { log, monotonic } = this.options
    const started = monotonic()
    for (let count = 1; this.step(); count++) {
      if (count % 64 === 0 && monotonic() - started > BUDGET_MS) {
        this.isCatchingUp = true
        setImmediate(() => {
          this.isCatchingUp = false
          this.catchUp()
        })
        return
      }
    }
    this.isCaughtUp = this.offset >= log.maxOffset
  }

  /** Dispatches everything that may be shown, however long it takes. */
  drain(): void {
    while (this.step()) {
      // one record after the other
    }
  }

  private step(): boolean {
    const { log, confirmOffset } = this.options
    const end = confirmOffset()
    if (this.offset < log.minOffset) this.offset = log.minOffset
    if (this.offset >= end) return false
    const file = log.files.find(this.offset)
    if (file === undefined) return false
    file.map()
    const at = this.offset - file.startOffset
    const kind = this.reader.read(file.buffer, file.view, at, file.wrotePosition)
    if (kind === 'blank') {
      this.offset = file.endOffset
      return true
    }
    if (kind === 'bad') {
      const next = findRecord(file, at + 1, file.wrotePosition)
      this.options.onBadRecord(
        this.offset,
        this.reader.problem,
        next === undefined ? file.wrotePosition - at : next - at,
      )
      this.offset = file.startOffset + (next ?? file.wrotePosition)
      return true
    }
    if (this.offset + this.reader.totalSize > end) return false
    const request = this.fromReader(file, this.offset)
    const { marks, dispatcher } = this.options
    // a topic deleted while its records waited here
    if (marks.hasDeletedTopics && this.offset < marks.deletedBefore(request.topic.topic)) {
      dispatcher.dispatchWithoutTopic(request)
    } else dispatcher.dispatch(request)
    this.offset += this.reader.totalSize
    this.lastStoreTimestamp = this.reader.storeTimestamp
    return true
  }

  /** The request for the record that `reader` has just read from `file`. */
  private fromReader(file: MappedFile, physicalOffset: number): DispatchRequest {
    return fillRequest(this.requestFor(this.topicOf(file), file.buffer), this.reader, physicalOffset)
  }

  private topicOf(file: MappedFile): DispatchRequest['topic'] {
    const { reader } = this
    return this.options.queues.topicOf(file.buffer.toString('utf8', reader.topicStart, reader.topicEnd))
  }

  private requestFor(topic: DispatchRequest['topic'], bytes: Buffer): DispatchRequest {
    const request = this.request ?? emptyRequest(topic, bytes)
    this.request = request
    request.topic = topic
    request.bytes = bytes
    return request
  }
}

export function emptyRequest(topic: DispatchRequest['topic'], bytes: Buffer): DispatchRequest {
  return {
    topic,
    bytes,
    queueId: 0,
    queueOffset: 0,
    physicalOffset: 0,
    size: 0,
    sysFlag: 0,
    storeTimestamp: 0,
    propertiesStart: 0,
    propertiesEnd: 0,
    tailLength: 0,
    batch: 0,
    uniqKeyHash: undefined,
  }
}

/** Fills a request with the record that `reader` has read at `physicalOffset`; topic and bytes are the caller's. */
export function fillRequest(request: DispatchRequest, reader: RecordReader, physicalOffset: number): DispatchRequest {
  request.queueId = reader.queueId
  request.queueOffset = reader.queueOffset
  request.physicalOffset = physicalOffset
  request.size = reader.totalSize
  request.sysFlag = reader.sysFlag
  request.storeTimestamp = reader.storeTimestamp
  request.propertiesStart = reader.propertiesStart
  request.propertiesEnd = reader.propertiesEnd
  request.tailLength = 0
  return request
}
