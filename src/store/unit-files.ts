import { sep } from 'node:path'
import { type Disk, type DiskFile, type FilePiece, MQError } from '../util/index.js'
import type { OpenFiles } from './consume-queue-files.js'
import { fileNameOfOffset } from './mapped-file-queue.js'

/** Bytes looked at, and written at least, when units are taken out of a file. */
const ERASE_REACH = 65_536
const ERASE_STEP = 4096
const erased = Buffer.alloc(ERASE_REACH)
const ZEROS = Buffer.alloc(ERASE_STEP)

/** The files of one queue, as one stream of bytes: each is named after the position of its first. */
export class UnitFiles {
  /** Positions at which files begin, ascending. */
  starts: number[] = []
  /** Those of files written to since the last {@link flush}. */
  private unflushed: number[] = []

  constructor(
    private readonly disk: Disk,
    private readonly open: OpenFiles,
    readonly folder: string,
    /** Bytes per file. */
    readonly fileSize: number,
  ) {}

  startOf(position: number): number {
    return Math.floor(position / this.fileSize) * this.fileSize
  }

  holds(position: number): boolean {
    return this.starts.includes(this.startOf(position))
  }

  path(start: number): string {
    // a plain text: start-up asks for tens of thousands
    return `${this.folder}${sep}${fileNameOfOffset(start)}`
  }

  /** Takes stock of the folder; an empty last file is deleted. */
  list(): void {
    const names = this.disk.list(this.folder).filter(entry => !entry.isFolder && /^\d{20}$/.test(entry.name))
    this.starts = names.map(entry => Number(entry.name)).sort((a, b) => a - b)
    const last = this.starts.at(-1)
    if (last !== undefined && this.disk.stat(this.path(last))?.length === 0) this.remove([last])
  }

  /**
   * Takes over that there is one file, the first, without taking stock of the folder. `look` reads it and says whether
   * that is so; it is opened just for that. False, and nothing is taken over, when it is not there or has another
   * length.
   */
  takeOnlyFile(look: (file: DiskFile) => boolean): boolean {
    let file: DiskFile
    try {
      file = this.disk.openSync(this.path(0))
    } catch {
      // taking stock tells what is there instead
      return false
    }
    try {
      if (file.length !== this.fileSize || !look(file)) return false
      this.starts = [0]
      return true
    } finally {
      file.close()
    }
  }

  /** What is wrong with the lengths or places of the files; `settingKey` is what sets their length. */
  problem(settingKey: string): string | undefined {
    const { fileSize, starts } = this
    for (const [i, start] of starts.entries()) {
      const length = this.disk.stat(this.path(start))?.length
      if (length !== fileSize) {
        return (
          `${this.path(start)} has ${length} bytes but ${settingKey} is ${fileSize}: ` +
          `set the size that this store was ` +
          'written with, or delete the folder to have the queue built again from the commit log'
        )
      }
      if (start % fileSize !== 0 || start !== starts[0]! + i * fileSize) {
        return `${this.path(start)} does not follow the file before it`
      }
    }
    return undefined
  }

  /** Bytes read into `target` from one file, at once: for start-up, where nothing waits. */
  readSync(target: Buffer, position: number): number {
    const start = this.startOf(position)
    return this.holds(position) ? this.open.openSync(this.path(start)).readSync(target, position - start) : 0
  }

  /** Reads `length` bytes of one file, off the loop. Rejects with MQError `ERR_SHORT_READ` when it ends before. */
  async read(position: number, length: number): Promise<Buffer> {
    const start = this.startOf(position)
    const buffer = Buffer.allocUnsafeSlow(length)
    const file = await this.open.open(this.path(start))
    if ((await file.read(buffer, position - start)) < length) {
      throw new MQError('ERR_SHORT_READ', `${this.path(start)} ends before ${position - start + length}`)
    }
    return buffer
  }

  /** What it takes to write into one file, made when it is missing; then {@link noteWritten}. */
  pieceFor(bytes: Uint8Array, position: number): FilePiece {
    const start = this.startOf(position)
    return { path: this.path(start), position: position - start, bytes, create: this.fileSize }
  }

  noteWritten(position: number): void {
    const start = this.startOf(position)
    if (!this.starts.includes(start)) this.starts.push(start)
    this.noteUnflushed(start)
  }

  private noteUnflushed(start: number): void {
    if (!this.unflushed.includes(start)) this.unflushed.push(start)
  }

  /** Writes into one file, which is made when it is missing. */
  async write(bytes: readonly Buffer[], position: number): Promise<void> {
    const start = this.startOf(position)
    const isNew = !this.starts.includes(start)
    if (isNew) this.disk.makeFolder(this.folder)
    const file = await this.open.open(this.path(start), isNew ? this.fileSize : undefined)
    if (isNew) this.noteWritten(position)
    await file.write(bytes, position - start)
    this.noteUnflushed(start)
  }

  /** Zeros what stands behind `position`, at which a unit ends, and removes the files after it; whether it wrote. */
  eraseFrom(position: number): boolean {
    const last = this.startOf(position - 1)
    this.remove(this.starts.filter(start => start > last))
    const file = this.open.openSync(this.path(last))
    const end = last + this.fileSize
    let hasErased = false
    // the rest of a page first: behind it mostly nothing was ever written, which some disks can tell
    let length = ERASE_STEP - ((position - last) % ERASE_STEP)
    for (let at = position; at < end; at += length, length = ERASE_REACH) {
      if (length === ERASE_REACH) at = last + (file.nextData?.(at - last) ?? at - last)
      if (at >= end) break
      const part = erased.subarray(0, Math.min(length, end - at))
      const got = file.readSync(part, at - last)
      let hasFound = false
      for (let from = 0; from < got; from += ERASE_STEP) {
        const piece = part.subarray(from, Math.min(from + ERASE_STEP, got))
        if (piece.equals(ZEROS.subarray(0, piece.length))) continue
        file.writeSync(ZEROS.subarray(0, piece.length), at + from - last)
        hasFound = true
      }
      // units are written in order: so long a stretch of zeros is the end of what was ever written
      if (!hasFound && length === ERASE_REACH) break
      hasErased ||= hasFound
    }
    if (hasErased) this.noteUnflushed(last)
    return hasErased
  }

  /** Deletes files by their starts. */
  remove(starts: readonly number[]): void {
    for (const start of starts) {
      this.unflushed = this.unflushed.filter(other => other !== start)
      this.open.forget(this.path(start))
      this.disk.remove(this.path(start))
    }
    this.starts = this.starts.filter(start => !starts.includes(start))
  }

  /** Makes what was written durable. */
  async flush(): Promise<void> {
    for (const start of this.unflushed) {
      this.unflushed = this.unflushed.filter(other => other !== start)
      try {
        if (this.starts.includes(start)) await (await this.open.open(this.path(start))).flush()
      } catch (error) {
        this.noteUnflushed(start)
        throw error
      }
    }
  }

  /** Everything written was made durable by other means. */
  noteFlushed(): void {
    if (this.unflushed.length > 0) this.unflushed = []
  }

  get needsFlush(): boolean {
    return this.unflushed.length > 0
  }
}
