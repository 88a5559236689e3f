import { MESSAGE_MAGIC_V1, MESSAGE_MAGIC_V2, RecordPosition } from '../common/index.js'
import type { RecordKind } from '../store/index.js'
import type { DiskFile } from '../util/index.js'
import { FileWindow, viewOf } from './file-window.js'
import { findNextRecord, LARGEST_RECORD } from './find-next-record.js'
import { LogRecord } from './log-record.js'
import type { SegmentFile, StoreDirectory } from './store-directory.js'

/** A part of the log in which no record can be read, although the log goes on behind it. */
export interface UnreadableRange {
  readonly file: SegmentFile
  readonly position: number
  readonly end: number
  readonly problem: string
}

export interface LogVisitor {
  /** The one record object of the scan; valid until the call, or its promise, has ended. */
  record(record: LogRecord): void | Promise<void>
  /** The end of a file that has no room for the next record. */
  blank?(position: number, size: number, file: SegmentFile): void | Promise<void>
  unreadable?(range: UnreadableRange): void | Promise<void>
}

export interface LogEnd {
  /** Where the last readable record ends. */
  readonly offset: number
  readonly file: SegmentFile | undefined
  /** What stands there: nothing yet, bytes that are no record, or nothing more because the file ends. */
  readonly tail: 'zeros' | 'bytes' | 'end of file'
  readonly problem: string
}

export interface LogScanOptions {
  directory: StoreDirectory
  visitor: LogVisitor
  /** Default: the whole log. A record that begins in front of `from` is left out, as is one at or behind `to`. */
  from?: number
  to?: number
  /** Looks for records in what seems to be the unused rest of the last file, however long it is. */
  searchesTail?: boolean
  /** Told of the bytes read. */
  onProgress?: (bytes: number) => void
}

/** Zeros of this length behind the last record are the unused rest of the file. */
const UNUSED_BYTES = 64 * 1024
/** A record that is being written is whole a moment later. */
const RETRY_MS = 30

/** Walks over the records of a log, past what is damaged, in bounded memory. */
export class LogScanner {
  private readonly record = new LogRecord()
  private isStopped = false
  /** How often what is bad may be read again in this file. */
  private rereads = 0
  private window!: FileWindow
  /** Store times of the last two records: a damaged one must not hide what follows. */
  private storeTimes: [number, number] = [0, 0]

  constructor(private readonly options: LogScanOptions) {}

  /** To be called by the visitor: the record it is at is the last one. */
  stop(): void {
    this.isStopped = true
  }

  async run(): Promise<LogEnd> {
    const { directory, from = 0, to = Number.POSITIVE_INFINITY } = this.options
    const { log: files } = directory
    let end: LogEnd = { offset: files[0]?.startOffset ?? 0, file: files[0], tail: 'end of file', problem: '' }
    const last = await this.lastToRead(files)
    for (const [i, file] of files.slice(0, last + 1).entries()) {
      if (file.startOffset + file.length <= from || this.isStopped) continue
      if (file.startOffset >= to) break
      const open = await directory.disk.open(file.path)
      this.rereads = i === last && directory.abort !== undefined ? 1 : Number.POSITIVE_INFINITY
      try {
        const stop = await this.walk(file, open)
        if (stop === undefined) {
          end = { offset: file.startOffset + file.length, file, tail: 'end of file', problem: '' }
        } else if (i < last && (await this.goesOnBehind(i))) {
          await this.options.visitor.unreadable?.({ ...stop, file, end: file.startOffset + file.length })
        } else {
          return { offset: stop.position, file, ...(await tailOf(open, stop)) }
        }
      } finally {
        open.close()
      }
    }
    return end
  }

  /** Index of the last file; of a log that is being written, of the last one that is used by now. */
  private async lastToRead(files: readonly SegmentFile[]): Promise<number> {
    const { disk, abort } = this.options.directory
    if (abort === undefined) return files.length - 1
    for (let i = files.length - 1; i > 0; i--) {
      const open = await disk.open(files[i]!.path)
      const isUnused = await isZero(open, 0)
      open.close()
      if (!isUnused) return i
    }
    return 0
  }

  /** Undefined at the end of the file, or where the scan was to end. */
  private async walk(file: SegmentFile, open: DiskFile): Promise<Stop | undefined> {
    const { visitor, from = 0, to = Number.POSITIVE_INFINITY, onProgress } = this.options
    this.window = new FileWindow(open)
    let at = 0
    if (from > file.startOffset) {
      const first = await this.findNext(file, open, from - file.startOffset)
      if (first === undefined) return { position: from, at: from - file.startOffset, problem: 'no record follows' }
      at = first
    }
    let reported = at
    while (at < open.length && !this.isStopped) {
      if (file.startOffset + at >= to) {
        this.isStopped = true
        break
      }
      const kind = this.readLoaded(at, open.length) ?? (await this.load(at, open.length))
      if (kind === 'record') {
        const visited = this.visit(file, at)
        if (visited !== undefined) await visited
        at += this.record.size
      } else if (kind === 'blank' && this.isReadable(kind, at, open.length)) {
        await visitor.blank?.(file.startOffset + at, this.record.size, file)
        at = open.length
      } else {
        const problem = kind === 'blank' ? `a blank of ${this.record.size} bytes` : this.record.reader.problem
        const next = await this.skipUnreadable(file, open, { at, position: file.startOffset + at, problem })
        if (next === undefined) return { position: file.startOffset + at, at, problem }
        at = next
      }
      if (at - reported >= 1024 * 1024) {
        onProgress?.(at - reported)
        reported = at
      }
    }
    onProgress?.(at - reported)
    return undefined
  }

  /** What stands at `at`, when all of it is in memory. */
  private readLoaded(at: number, fileLength: number): RecordKind | undefined {
    const { window, record } = this
    const available = window.available(at)
    if (available < Math.min(RecordPosition.BODY_CRC, fileLength - at)) return undefined
    if (available >= RecordPosition.BODY_CRC && this.sizeAt(at, fileLength) > available) return undefined
    return record.reader.read(window.buffer, window.view, at - window.start, window.end - window.start)
  }

  private async load(at: number, fileLength: number): Promise<RecordKind> {
    const { window, record } = this
    await window.fill(at)
    if (window.available(at) >= RecordPosition.BODY_CRC) {
      const size = this.sizeAt(at, fileLength)
      if (size > window.available(at)) await window.fill(at, size)
    }
    return record.reader.read(window.buffer, window.view, at - window.start, window.end - window.start)
  }

  /** Size of the record at `at`, 0 when there can be none. */
  private sizeAt(at: number, fileLength: number): number {
    const { view, start } = this.window
    const magic = view.getInt32(at - start + RecordPosition.MAGIC)
    if (magic !== MESSAGE_MAGIC_V1 && magic !== MESSAGE_MAGIC_V2) return 0
    const size = view.getInt32(at - start)
    return at + size <= fileLength && size <= LARGEST_RECORD ? size : 0
  }

  private isReadable(kind: RecordKind, at: number, fileLength: number): boolean {
    return kind === 'record' || (kind === 'blank' && at + this.record.size === fileLength)
  }

  private visit(file: SegmentFile, at: number): void | Promise<void> {
    const { record, window } = this
    record.file = file
    record.position = file.startOffset + at
    record.buffer = window.buffer
    record.at = at - window.start
    this.storeTimes = [this.storeTimes[1], record.reader.storeTimestamp]
    return this.options.visitor.record(record)
  }

  /** Where the log goes on in this file; undefined when it does not. */
  private async skipUnreadable(file: SegmentFile, open: DiskFile, stop: Stop): Promise<number | undefined> {
    const { at } = stop
    // a broker may have written it since it was read; but whoever follows a running one to its end never gets there
    if (this.isReadable(await this.load(at, open.length), at, open.length)) return this.rereads-- > 0 ? at : undefined
    if (!this.options.searchesTail && (await isZero(open, at))) return undefined
    let next = await this.findNext(file, open, at + 1)
    if (next === undefined) {
      if (this.options.directory.abort === undefined || (await isZero(open, at))) return undefined
      await new Promise(resolve => setTimeout(resolve, RETRY_MS))
      next = at
    }
    if (this.isReadable(await this.load(at, open.length), at, open.length)) return this.rereads-- > 0 ? at : undefined
    if (next === at) return undefined
    const { position, problem } = stop
    await this.options.visitor.unreadable?.({ file, position, end: file.startOffset + next, problem })
    return next
  }

  private findNext(file: SegmentFile, open: DiskFile, from: number): Promise<number | undefined> {
    return findNextRecord({ file, open, from, minStoreTimestamp: Math.min(...this.storeTimes) })
  }

  private async goesOnBehind(index: number): Promise<boolean> {
    const { disk, log } = this.options.directory
    for (const file of log.slice(index + 1)) {
      const open = await disk.open(file.path)
      try {
        if (!this.options.searchesTail && (await isZero(open, 0))) continue
        if ((await this.findNext(file, open, 0)) !== undefined) return true
      } finally {
        open.close()
      }
    }
    return false
  }
}

interface Stop {
  /** In the log, and in the file. */
  readonly position: number
  readonly at: number
  readonly problem: string
}

async function tailOf(open: DiskFile, { at, problem }: Stop): Promise<Pick<LogEnd, 'tail' | 'problem'>> {
  return (await isZero(open, at)) ? { tail: 'zeros', problem: '' } : { tail: 'bytes', problem }
}

async function isZero(open: DiskFile, at: number): Promise<boolean> {
  const bytes = Buffer.alloc(Math.min(UNUSED_BYTES, open.length - at))
  const length = await open.read(bytes, at)
  return bytes.subarray(0, length).every(byte => byte === 0)
}

/** One record, read by itself; undefined when there is none at `position`. */
export async function readRecordAt(directory: StoreDirectory, position: number): Promise<LogRecord | undefined> {
  let file = directory.logFileAt(position)
  if (file === undefined && directory.abort !== undefined) {
    directory.listLog()
    file = directory.logFileAt(position)
  }
  if (file === undefined) return undefined
  const open = await directory.disk.open(file.path)
  try {
    const at = position - file.startOffset
    const head = Buffer.alloc(RecordPosition.BODY_CRC)
    if ((await open.read(head, at)) < head.length) return undefined
    const size = head.readInt32BE(0)
    if (size <= 0 || size > LARGEST_RECORD || at + size > open.length) return undefined
    const bytes = Buffer.allocUnsafe(size)
    if ((await open.read(bytes, at)) < size) return undefined
    const record = new LogRecord()
    if (record.reader.read(bytes, viewOf(bytes), 0, size) !== 'record') return undefined
    return Object.assign(record, { file, position, buffer: bytes, at: 0 })
  } finally {
    open.close()
  }
}
