import { isSystemTopic, stringifyFastJson } from '../common/index.js'
import { type ExportMark, writeExportMark } from './export-mark.js'
import type { LogRecord } from './log-record.js'
import { LogScanner, readRecordAt, type UnreadableRange } from './log-scanner.js'
import { messagesOf } from './message-json.js'
import type { Sink } from './output.js'
import { RecordFacts } from './record-facts.js'
import type { SegmentFile, StoreDirectory } from './store-directory.js'

export interface ExportFilter {
  readonly topics?: readonly string[] | undefined
  /** Ms of the store time, both inclusive. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** Also what brokers keep for themselves: half messages, timers, marks of transactions. */
  readonly withSystem: boolean
}

/** Where an export goes. What was written before a {@link sync} survives. */
export interface ExportOutput extends Sink {
  sync(): Promise<void>
}

export interface ExportOptions {
  directory: StoreDirectory
  filter: ExportFilter
  output: ExportOutput
  /** Where the mark is kept; none without. */
  markPath?: string | undefined
  mark?: ExportMark | undefined
  filterText: string
  onProgress: (bytes: number) => void
  onUnreadable: (range: UnreadableRange) => void
}

export interface ExportResult {
  readonly messages: number
  readonly damaged: number
  readonly unreadable: number
  readonly position: number
}

const BLOCK_CHARACTERS = 1024 * 1024
/** Bytes of the log between two marks. */
const MARK_STEP = 64 * 1024 * 1024

/** Writes messages as JSON lines in the order of the log, from a mark on if there is one. */
export class Exporter {
  private text = ''
  private messages: number
  private outBytes: number
  private damaged = 0
  private unreadable = 0
  private last: { position: number; msgId: string }
  private markedAt: number
  private readonly facts = new RecordFacts()

  constructor(private readonly options: ExportOptions) {
    const { mark } = options
    this.messages = mark?.messages ?? 0
    this.outBytes = mark?.outBytes ?? 0
    this.last = { position: mark?.lastPosition ?? -1, msgId: mark?.lastMsgId ?? '' }
    this.markedAt = mark?.position ?? 0
  }

  async run(): Promise<ExportResult> {
    const { directory, filter, mark, onProgress, onUnreadable } = this.options
    const range = await rangeOfTimes(directory, filter)
    const scanner = new LogScanner({
      directory,
      from: Math.max(range.from, mark?.position ?? 0),
      to: range.to,
      onProgress,
      visitor: {
        record: record => this.take(record),
        unreadable: unreadable => {
          this.unreadable++
          onUnreadable(unreadable)
        },
      },
    })
    const end = await scanner.run()
    const position = Math.max(mark?.position ?? 0, Math.min(end.offset, range.to))
    await this.save(Math.max(position, this.endOfLast))
    const { messages, damaged, unreadable } = this
    return { messages, damaged, unreadable, position }
  }

  private endOfLast = 0

  private async take(record: LogRecord): Promise<void> {
    this.endOfLast = record.position + record.size
    if (this.isWanted(record)) {
      for (const message of await messagesOf(record)) {
        this.text += `${stringifyFastJson(message)}\n`
        this.messages++
        if (message.problem !== undefined) this.damaged++
        this.last = { position: record.position, msgId: String(message.offsetMsgId) }
      }
      if (this.text.length >= BLOCK_CHARACTERS) await this.flush()
    }
    if (this.endOfLast - this.markedAt >= MARK_STEP) await this.save(this.endOfLast)
  }

  private isWanted(record: LogRecord): boolean {
    const { topics, since = 0, until = Number.POSITIVE_INFINITY, withSystem } = this.options.filter
    const { storeTimestamp } = record.reader
    if (storeTimestamp < since || storeTimestamp > until) return false
    const { topic } = record
    if (topics !== undefined && !topics.includes(topic)) return false
    if (withSystem) return true
    if (topics === undefined && isSystemTopic(topic)) return false
    this.facts.of(record)
    return this.facts.isQueued
  }

  private async flush(): Promise<void> {
    const { text } = this
    if (text === '') return
    this.text = ''
    await this.options.output.write(text)
    this.outBytes += Buffer.byteLength(text)
  }

  private async save(position: number): Promise<void> {
    await this.flush()
    await this.options.output.sync()
    this.markedAt = position
    const { markPath, filterText } = this.options
    if (markPath === undefined) return
    const { messages, outBytes, last } = this
    const mark = {
      position,
      messages,
      outBytes,
      lastPosition: last.position,
      lastMsgId: last.msgId,
      filter: filterText,
    }
    await writeExportMark(markPath, mark)
  }
}

/** The part of the log that can hold messages of a time, by the first record of each file. */
async function rangeOfTimes(
  directory: StoreDirectory,
  { since, until }: ExportFilter,
): Promise<{ from: number; to: number }> {
  let from = 0
  let to = Number.POSITIVE_INFINITY
  for (const file of directory.log) {
    const time = await firstStoreTime(directory, file)
    if (time === undefined) continue
    if (since !== undefined && time < since) from = file.startOffset
    if (until !== undefined && time > until) {
      to = Math.min(to, file.startOffset)
    }
  }
  return { from, to }
}

async function firstStoreTime(directory: StoreDirectory, file: SegmentFile): Promise<number | undefined> {
  const record = await readRecordAt(directory, file.startOffset)
  return record?.problem === undefined ? record?.reader.storeTimestamp : undefined
}
