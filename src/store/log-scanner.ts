import type { Clock } from '../util/index.js'
import type { CommitLog } from './commit-log.js'
import type { MappedFile } from './mapped-file.js'
import { hasZeroSector, problemOf } from './record-check.js'
import { findRecord } from './record-finder.js'
import { RecordReader } from './record-reader.js'

export interface LogScannerOptions {
  log: CommitLog
  clock: Clock
  checksCrc: boolean
  /** Where the log is known to end, by a clean stop: nothing is looked for behind it. */
  exactEnd?: number
  verifyPropertyCrc: boolean
  /** A sound record; `reader` holds it. */
  onRecord: (file: MappedFile, physicalOffset: number, reader: RecordReader) => void
  onDamage: (stretch: DamagedStretch) => void
  /** The log ends here, and what stands there is only a part of a record. */
  onTornTail: (file: MappedFile, physicalOffset: number, problem: string) => void
  /** Called now and then with where the scan is. */
  onProgress?: (physicalOffset: number) => void
}

/** A part of the log without a readable record, with records behind it. */
export interface DamagedStretch {
  readonly file: MappedFile
  readonly from: number
  readonly to: number
  readonly problem: string
  /** The record there has a sound head: only its body is damaged. */
  readonly head: RecordReader | undefined
}

const YIELD_MS = 20
/** Bytes in front of the body of any record. */
const LARGEST_HEAD = 112
/** Bytes looked through for the next record before the clock is read. */
const SEARCH_STEP = 4 * 1024 * 1024

/**
 * Reads the log record by record. What is damaged in its middle is passed over: the scan goes on at the next place
 * where a record stands that names that very place as its own. Only what no record follows is the end.
 */
export class LogScanner {
  /** Sound records seen. */
  records = 0
  /** Start of the last one; 0 when there is none. */
  lastRecordOffset = 0
  lastStoreTimestamp = 0
  private readonly reader = new RecordReader()
  private lastYield: number

  constructor(private readonly options: LogScannerOptions) {
    this.reader.checksCrc = options.checksCrc
    this.lastYield = options.clock.monotonic()
  }

  /**
   * Scans from the start of `first`; where the log ends. Records are known to reach `knownEnd`: in front of it no
   * record is taken for a left-over.
   */
  async scan(first: MappedFile, knownEnd: number): Promise<number> {
    const { files } = this.options.log.files
    let index = files.indexOf(first)
    let at = 0
    for (;;) {
      const file = files[index]!.map()
      at = await this.scanFile(file, at)
      const end = file.startOffset + at
      if (at === file.length) {
        const next = files[++index]
        if (next === undefined) return end
        if (next.startOffset > end) this.damage(file, end, next.startOffset, 'a file that is gone')
        at = 0
        continue
      }
      if (end === this.options.exactEnd) return end
      const { problem } = this.reader
      const next = await this.resume(file, at, knownEnd)
      if (next === undefined) return this.endOf(file, at, knownEnd)
      this.damage(file, end, next.file.startOffset + next.at, problem)
      index = files.indexOf(next.file)
      at = next.at
    }
  }

  /** Position of the first thing in the file that is no sound record; its length when a blank record ends it. */
  private async scanFile(file: MappedFile, from: number): Promise<number> {
    const { log, onRecord, verifyPropertyCrc } = this.options
    const { reader } = this
    let at = from
    for (;;) {
      const kind = reader.read(file.buffer, file.view, at, file.length)
      // the last blank record of the log: nothing follows, so the log goes on in its place, as in Java
      if (kind === 'blank') return file === log.files.last ? at : file.length
      if (kind === 'bad') return at
      const physicalOffset = file.startOffset + at
      const problem = problemOf(reader, file.buffer, { at, physicalOffset, verifyPropertyCrc })
      if (problem !== undefined) {
        reader.problem = problem
        return at
      }
      this.records++
      this.lastRecordOffset = physicalOffset
      this.lastStoreTimestamp = reader.storeTimestamp
      onRecord(file, physicalOffset, reader)
      at += reader.totalSize
      if (this.records % 1024 === 0) await this.breathe(physicalOffset)
    }
  }

  private damage(file: MappedFile, from: number, to: number, problem: string): void {
    const at = from - file.startOffset
    const { reader } = this
    const isHeadSound =
      at < file.length &&
      reader.read(file.buffer, file.view, at, file.length) === 'bad' &&
      reader.isBodyDamaged &&
      problemOf(reader, file.buffer, { at, physicalOffset: from, verifyPropertyCrc: false }) === undefined
    this.options.onDamage({ file, from, to, problem, head: isHeadSound ? reader : undefined })
  }

  /** The next sound record behind a bad place, in this file or a later one. */
  private async resume(
    file: MappedFile,
    at: number,
    knownEnd: number,
  ): Promise<{ file: MappedFile; at: number } | undefined> {
    const { files } = this.options.log.files
    for (let i = files.indexOf(file); i < files.length; i++) {
      const candidate = files[i]!.map()
      const found = await this.find(candidate, candidate === file ? at + 1 : 0, knownEnd)
      if (found !== undefined) return { file: candidate, at: found }
    }
    return undefined
  }

  private async find(file: MappedFile, from: number, knownEnd: number): Promise<number | undefined> {
    for (const { start, end } of file.dataRanges(from)) {
      for (let at = start; at < end; at += SEARCH_STEP) {
        const to = Math.min(at + SEARCH_STEP, end)
        const found = findRecord(file, at, to, position => this.isFresh(file, position, knownEnd))
        if (found !== undefined) return found
        await this.breathe(file.startOffset + at)
      }
    }
    return undefined
  }

  /** Java leaves the bytes behind a cut: records that stood there before are older than what was written since. */
  private isFresh(file: MappedFile, at: number, knownEnd: number): boolean {
    if (file.startOffset + at < knownEnd) return true
    const { reader } = this
    return (
      reader.read(file.buffer, file.view, at, file.length) !== 'bad' && reader.storeTimestamp >= this.lastStoreTimestamp
    )
  }

  /**
   * No record follows. What is known to have been written is damaged then; so is a last record whose body alone is.
   * Everything else is a torn tail, which is cut off.
   */
  private endOf(file: MappedFile, at: number, knownEnd: number): number {
    const { reader } = this
    const from = file.startOffset + at
    const kind = reader.read(file.buffer, file.view, at, file.length)
    const problem = kind === 'bad' ? reader.problem : `a record that belongs to offset ${reader.physicalOffset}`
    if (from < knownEnd && knownEnd <= this.options.log.files.last!.endOffset) {
      this.damage(file, from, knownEnd, problem)
      return knownEnd
    }
    if (kind === 'blank') return from
    const isWhole =
      reader.isBodyDamaged &&
      problemOf(reader, file.buffer, { at, physicalOffset: from, verifyPropertyCrc: false }) === undefined &&
      !hasZeroSector(file.buffer, reader.bodyStart, reader.propertiesEnd)
    if (!isWhole) {
      const isWritten = file.buffer.subarray(at, at + LARGEST_HEAD).some(byte => byte !== 0)
      if (isWritten) this.options.onTornTail(file, from, problem)
      return from
    }
    const to = from + reader.totalSize
    this.damage(file, from, to, problem)
    return to
  }

  private async breathe(physicalOffset: number): Promise<void> {
    const { clock, onProgress } = this.options
    if (clock.monotonic() - this.lastYield < YIELD_MS) return
    await new Promise(resolve => setImmediate(resolve))
    this.lastYield = clock.monotonic()
    onProgress?.(physicalOffset)
  }
}
