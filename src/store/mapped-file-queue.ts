import { dirname, join } from 'node:path'
import { type Disk, errorText, type Logger, type Mapping, MQError } from '../util/index.js'
import { MappedFile } from './mapped-file.js'
import { foldersFor } from './segment-folders.js'

export interface MappedFileQueueOptions {
  disk: Disk
  logger: Logger
  /** Where files are made, in turn when there are several. */
  folders: readonly string[]
  /** Where files are read, and deleted when they are old, but none is made. */
  readOnlyFolders?: readonly string[]
  /** Whether a folder's disk has no room for another file; asked when there are several. */
  isFull?: (folder: string) => boolean
  fileSize: number
  now: () => number
  /** Whether the kernel may read ahead in files from now on; by default it may. */
  readsAhead?: () => boolean
}

const READ_STEP = 256 * 1024

/** The 20-digit name of the file that begins at `offset`. */
export function fileNameOfOffset(offset: number): string {
  return String(offset).padStart(20, '0')
}

/** Whether nothing was ever written to a file. */
function isUnused(disk: Disk, path: string): boolean {
  const file = disk.openSync(path)
  const part = Buffer.alloc(Math.min(file.length, READ_STEP))
  try {
    for (let at = 0; at < file.length; at += part.length) {
      const length = file.readSync(part, at)
      if (part.subarray(0, length).some(byte => byte !== 0)) return false
    }
    return true
  } finally {
    file.close()
  }
}

/**
 * Files of one size that together are one stream of bytes, each named after the stream offset of its first byte. The
 * next file is made ahead, off the loop, so that a roll costs nothing.
 */
export class MappedFileQueue {
  readonly files: MappedFile[] = []
  private next: MappedFile | undefined
  private preparing: { offset: number; done: Promise<void> } | undefined
  private closed = false

  constructor(private readonly options: MappedFileQueueOptions) {}

  get fileSize(): number {
    return this.options.fileSize
  }

  get first(): MappedFile | undefined {
    return this.files[0]
  }

  get last(): MappedFile | undefined {
    return this.files[this.files.length - 1]
  }

  get minOffset(): number {
    return this.first?.startOffset ?? 0
  }

  get maxOffset(): number {
    const last = this.last
    return last === undefined ? 0 : last.startOffset + last.wrotePosition
  }

  /**
   * Takes stock of the files on the disk; all count as full until recovery says otherwise. Throws MQError
   * `ERR_FILE_LENGTH` for a file of another length than configured: reading it would misplace every byte, and
   * `ERR_FILE_TWICE` when two folders hold the same part of the stream. Where that length is known to be right
   * (`isLengthKnown`) a shorter file was cut: it gets zeros for what is gone, and is told of.
   */
  load(isLengthKnown = false, onDamaged: (path: string, text: string) => void = () => {}): void {
    const { disk, folders, readOnlyFolders = [], fileSize } = this.options
    const found: MappedFile[] = []
    for (const folder of new Set([...folders, ...readOnlyFolders])) {
      for (const entry of disk.list(folder)) {
        if (entry.isFolder || !/^\d{20}$/.test(entry.name)) continue
        const path = join(folder, entry.name)
        const stat = disk.stat(path)
        if (stat === undefined) continue
        let { length } = stat
        if (isLengthKnown && length > 0 && length < fileSize) {
          onDamaged(path, `${path} is cut short at ${length} of ${fileSize} bytes: the rest of it is lost`)
          disk.resize(path, fileSize)
          length = fileSize
        }
        const file = this.withReadAhead(new MappedFile(disk, path, Number(entry.name), length, stat.modifiedMs))
        file.wrotePosition = file.flushedPosition = length
        found.push(file)
      }
    }
    found.sort((a, b) => a.startOffset - b.startOffset || b.length - a.length)
    const last = found[found.length - 1]
    if (last !== undefined && last.length === 0) {
      disk.remove(last.path)
      found.pop()
    }
    const kept: MappedFile[] = []
    for (const file of found) if (!this.isLeftOver(file, kept)) kept.push(file)
    for (const [i, file] of kept.entries()) this.checkLoaded(file, kept[i - 1])
    this.files.push(...kept)
  }

  /**
   * A file that was made ahead and never used, and is there again after a power cut although it was deleted, while
   * another folder has one of that name. It is deleted; of two that were never used, one.
   */
  private isLeftOver(file: MappedFile, kept: MappedFile[]): boolean {
    const { disk, logger } = this.options
    const twin = kept.at(-1)
    if (twin === undefined || twin.startOffset !== file.startOffset) return false
    const [unused, other] = isUnused(disk, file.path) ? [file, twin] : [twin, file]
    if (unused === twin && !isUnused(disk, twin.path)) return false
    disk.remove(unused.path)
    kept[kept.length - 1] = other
    logger.warn(
      { event: 'store-left-over-deleted', path: unused.path },
      `${unused.path} was made and never used, and ${other.path} is the same part of the log: the former is deleted`,
    )
    return true
  }

  private checkLoaded(file: MappedFile, before: MappedFile | undefined): void {
    const { fileSize } = this.options
    if (before?.startOffset === file.startOffset) {
      throw new MQError(
        'ERR_FILE_TWICE',
        `${before.path} and ${file.path} are the same part of the log: move the one away that does not belong to it`,
      )
    }
    if (file.length !== fileSize) {
      throw new MQError(
        'ERR_FILE_LENGTH',
        `${file.path} has ${file.length} bytes but files of ${fileSize} are configured: set the size that this store ` +
          'was written with, or restore the file',
      )
    }
  }

  /** The file that holds `offset`, unless it is outside of what was written. */
  find(offset: number): MappedFile | undefined {
    const first = this.files[0]
    if (first === undefined || offset < first.startOffset) return undefined
    const size = this.options.fileSize
    const guess = this.files[Math.floor(offset / size) - first.startOffset / size]
    if (guess !== undefined && guess.startOffset <= offset && offset < guess.startOffset + size) return guess
    // files with a gap between them: an operator took one away
    return this.files.find(file => file.startOffset <= offset && offset < file.startOffset + size)
  }

  /** Adds the next file, made ahead or now. Throws what the disk says when it cannot be made. */
  roll(firstOffset = 0): MappedFile {
    const offset = this.last?.endOffset ?? firstOffset
    const ready = this.next
    this.next = undefined
    if (ready !== undefined && ready.startOffset === offset) {
      this.files.push(ready)
      return ready
    }
    ready?.destroy()
    const { disk, fileSize } = this.options
    const paths = this.pathsFor(offset)
    for (const [i, path] of paths.entries()) {
      try {
        disk.makeFolder(dirname(path))
        const mapping = disk.mapSync(path, { length: fileSize, create: true, allocate: true })
        const file = this.newFile(path, offset).adopt(mapping)
        this.files.push(file)
        return file
      } catch (error) {
        if (i === paths.length - 1) throw error
        this.passOver(path, error)
      }
    }
    throw new MQError('ERR_NO_FOLDER', 'no folder may take another file')
  }

  /** Where the file that begins at `offset` may be made, the best place first. */
  private pathsFor(offset: number): string[] {
    const { folders, readOnlyFolders = [], fileSize, isFull = () => false } = this.options
    const name = fileNameOfOffset(offset)
    return foldersFor(offset, { folders, readOnlyFolders, fileSize, isFull }).map(folder => join(folder, name))
  }

  /** Another disk takes the file that could not be made here; what there is of it must not be there twice. */
  private passOver(path: string, error: unknown): void {
    const { disk, logger } = this.options
    try {
      // one that is being made ahead goes when it is found to be late
      if (this.preparing === undefined) disk.remove(path)
    } catch {
      // the next start finds two, of which one was never used
    }
    logger.error(
      { event: 'store-folder-failed', path, err: error },
      `the next file ${path} could not be made: ${errorText(error)}; it is made in another folder`,
    )
  }

  /** Makes the file after the last one ahead, off the loop; a failure is logged and met again by {@link roll}. */
  prepareNext(): void {
    if (this.closed || this.next !== undefined || this.preparing !== undefined) return
    const offset = this.last?.endOffset ?? 0
    const done = this.makeAhead(offset).finally(() => {
      this.preparing = undefined
      // a roll overtook it: the file after that one is wanted now
      if ((this.last?.endOffset ?? 0) !== offset) this.prepareNext()
    })
    this.preparing = { offset, done }
  }

  /** The file made ahead, if there is one yet. */
  get prepared(): MappedFile | undefined {
    return this.next
  }

  /** Resolves when no file is being made ahead. */
  async settled(): Promise<void> {
    while (this.preparing !== undefined) await this.preparing.done
  }

  private async makeAhead(offset: number): Promise<void> {
    const { disk, logger, fileSize } = this.options
    const [path] = this.pathsFor(offset)
    if (path === undefined) return
    let mapping: Mapping
    try {
      disk.makeFolder(dirname(path))
      mapping = await disk.map(path, { length: fileSize, create: true, allocate: true })
    } catch (error) {
      logger.warn(
        { event: 'store-prepare-failed', path, err: error },
        `the next file ${path} could not be made ahead: ${errorText(error)}; it is tried again when it is needed`,
      )
      return
    }
    const isLate = this.closed || (this.last?.endOffset ?? 0) !== offset
    const file = this.newFile(path, offset).adopt(mapping)
    if (!isLate) this.next = file
    // made meanwhile by roll: the same file, which must stay
    else if (this.files.some(other => other.path === path)) file.close()
    else file.destroy()
  }

  private newFile(path: string, offset: number): MappedFile {
    const { disk, fileSize, now } = this.options
    return this.withReadAhead(new MappedFile(disk, path, offset, fileSize, now()))
  }

  private withReadAhead(file: MappedFile): MappedFile {
    return this.options.readsAhead?.() === false ? file.setReadAhead(false) : file
  }

  /** Whether the kernel may read ahead in the files there are. */
  setReadAhead(isOn: boolean): void {
    for (const file of this.files) file.setReadAhead(isOn)
    this.next?.setReadAhead(isOn)
  }

  /**
   * Cuts the stream at `offset`: later files are deleted, the rest of the file that holds it is set to zeros. Unlike
   * Java, which leaves the old bytes: they could pass for records once the gap before them is filled again.
   */
  truncate(offset: number): void {
    while (this.last !== undefined && this.last.startOffset >= offset && this.last !== this.first) {
      this.files.pop()!.destroy()
    }
    const last = this.last
    if (last === undefined) return
    const position = Math.max(0, Math.min(offset - last.startOffset, last.length))
    last.zeroFrom(position)
    last.wrotePosition = position
    last.flushedPosition = Math.min(last.flushedPosition, position)
  }

  /** Deletes the oldest file; throws what the disk says when it does not go. */
  deleteFirst(): void {
    this.files[0]?.destroy()
    this.files.shift()
  }

  /** Closes all files; one made ahead and not used is deleted. */
  async close(): Promise<void> {
    this.closed = true
    await this.settled()
    this.next?.destroy()
    this.next = undefined
    for (const file of this.files) file.close()
    this.files.length = 0
  }
}
