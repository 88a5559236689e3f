import type { Clock } from '../util/index.js'
import type { CommitLog } from './commit-log.js'
import { RecordReader } from './record-reader.js'

/** What a power cut at this moment would take of one topic. */
export interface TopicAtRisk {
  readonly topic: string
  readonly messages: number
  readonly bytes: number
  /** Store time in ms of the oldest one. */
  readonly oldestStoreTimestamp: number
}

/** How far messages have got on their way to the disk. Physical offsets of the log. */
export interface DurabilityStatus {
  readonly flushDiskType: 'ASYNC_FLUSH' | 'SYNC_FLUSH'
  /** End of what senders were told is stored: with ASYNC_FLUSH all that is written, with SYNC_FLUSH what is flushed. */
  readonly acknowledgedOffset: number
  readonly writtenOffset: number
  readonly flushedOffset: number
  /** What a power cut now would take of it all, acknowledged or not; of at most `examinedBytes` in the topics. */
  readonly atRisk: {
    readonly messages: number
    readonly bytes: number
    /** Age of the oldest one. */
    readonly ms: number
    /** The same, of what was acknowledged: 0 with SYNC_FLUSH. */
    readonly acknowledgedMessages: number
    readonly acknowledgedBytes: number
    /** Those with the oldest messages first. */
    readonly topics: readonly TopicAtRisk[]
    /** Topics beyond the {@link TOPICS_LISTED} that are listed. */
    readonly moreTopics: number
    /** Less than `bytes` when so much waits that only its beginning was looked at. */
    readonly examinedBytes: number
  }
  /** Why the disk refuses: nothing is acknowledged while it does, or after a failed flush at all. */
  readonly failure: string | undefined
}

export interface DurabilityOptions {
  log: CommitLog
  clock: Clock
  flushDiskType: () => 'ASYNC_FLUSH' | 'SYNC_FLUSH'
  flushedOffset: () => number
  failure: () => string | undefined
}

export const TOPICS_LISTED = 100
const MOST_BYTES = 64 * 1024 * 1024
const SLICE_MS = 2

/** Tells what would be lost, by looking at the part of the log that is not flushed: appends pay nothing for it. */
export class DurabilityMeter {
  private readonly reader = new RecordReader()

  constructor(private readonly options: DurabilityOptions) {}

  async status(): Promise<DurabilityStatus> {
    const { log, clock, flushDiskType, flushedOffset, failure } = this.options
    const type = flushDiskType()
    const from = Math.max(flushedOffset(), log.minOffset)
    const to = log.maxOffset
    const topics = new Map<string, { messages: number; bytes: number; oldestStoreTimestamp: number }>()
    const limit = Math.min(to, from + MOST_BYTES)
    let messages = 0
    let at = from
    let sliceStart = clock.monotonic()
    while (at < limit) {
      const size = this.read(at)
      if (size === undefined) break
      if (this.reader.magic !== 0 && size > 0) messages += this.note(topics, size)
      at += size
      if (messages % 256 === 0 && clock.monotonic() - sliceStart > SLICE_MS) {
        await new Promise(resolve => setImmediate(resolve))
        sliceStart = clock.monotonic()
      }
    }
    const list = [...topics].map(([topic, sums]) => ({ topic, ...sums }))
    list.sort((a, b) => a.oldestStoreTimestamp - b.oldestStoreTimestamp)
    const oldest = list[0]?.oldestStoreTimestamp
    const isAsync = type === 'ASYNC_FLUSH'
    return {
      flushDiskType: type,
      acknowledgedOffset: isAsync ? to : from,
      writtenOffset: to,
      flushedOffset: from,
      atRisk: {
        messages,
        bytes: to - from,
        ms: oldest === undefined ? 0 : Math.max(0, clock.now() - oldest),
        acknowledgedMessages: isAsync ? messages : 0,
        acknowledgedBytes: isAsync ? to - from : 0,
        topics: list.slice(0, TOPICS_LISTED),
        moreTopics: Math.max(0, list.length - TOPICS_LISTED),
        examinedBytes: at - from,
      },
      failure: failure(),
    }
  }

  /** Bytes up to the next record; the reader's magic is 0 when none is read. Undefined where nothing can be read. */
  private read(physicalOffset: number): number | undefined {
    const { reader } = this
    const file = this.options.log.files.find(physicalOffset)
    if (file === undefined) return undefined
    file.map()
    const at = physicalOffset - file.startOffset
    const kind = reader.read(file.buffer, file.view, at, file.wrotePosition)
    if (kind === 'record') return reader.totalSize
    reader.magic = 0
    return kind === 'blank' ? file.endOffset - physicalOffset : undefined
  }

  private note(
    topics: Map<string, { messages: number; bytes: number; oldestStoreTimestamp: number }>,
    size: number,
  ): number {
    const { reader } = this
    const file = this.options.log.files.find(reader.physicalOffset)
    if (file === undefined) return 0
    const topic = file.buffer.toString('utf8', reader.topicStart, reader.topicEnd)
    const sums = topics.get(topic)
    if (sums === undefined) topics.set(topic, { messages: 1, bytes: size, oldestStoreTimestamp: reader.storeTimestamp })
    else {
      sums.messages++
      sums.bytes += size
    }
    return 1
  }
}
