import { join } from 'node:path'
import { type Disk, errorText, type Logger, type Mapping, MQError } from '../util/index.js'
import { MappedFile } from './mapped-file.js'

export interface MappedFileQueueOptions {
  disk: Disk
  logger: Logger
  /** Where files are made, in turn when there are several. */
  folders: readonly string[]
  /** Where files are only read. */
  readOnlyFolders?: readonly string[]
  fileSize: number
  now: () => number
}

/** The 20-digit name of the file that begins at `offset`. */
export function fileNameOfOffset(offset: number): string {
  return String(offset).padStart(20, '0')
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
   * `ERR_FILE_LENGTH` for a file of another length than configured: reading it would misplace every byte. Where that
   * length is known to be right (`isLengthKnown`) a shorter file was cut: it gets zeros for what is gone, and is told
   * of.
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
        const file = new MappedFile(disk, path, Number(entry.name), length, stat.modifiedMs)
        file.wrotePosition = file.flushedPosition = length
        found.push(file)
      }
    }
    found.sort((a, b) => a.startOffset - b.startOffset)
    const last = found[found.length - 1]
    if (last !== undefined && last.length === 0) {
      disk.remove(last.path)
      found.pop()
    }
    for (const file of found) this.checkLoaded(file, fileSize)
    this.files.push(...found)
  }

  private checkLoaded(file: MappedFile, fileSize: number): void {
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
    const folder = this.folderOf(offset)
    this.options.disk.makeFolder(folder)
    const path = join(folder, fileNameOfOffset(offset))
    const file = this.newFile(path, offset).adopt(
      this.options.disk.mapSync(path, { length: this.options.fileSize, create: true, allocate: true }),
    )
    this.files.push(file)
    return file
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
    const folder = this.folderOf(offset)
    const path = join(folder, fileNameOfOffset(offset))
    let mapping: Mapping
    try {
      disk.makeFolder(folder)
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
    else if (this.files.some(other => other.startOffset === offset)) file.close()
    else file.destroy()
  }

  private newFile(path: string, offset: number): MappedFile {
    return new MappedFile(this.options.disk, path, offset, this.options.fileSize, this.options.now())
  }

  private folderOf(offset: number): string {
    const { folders, fileSize } = this.options
    return folders[Math.floor(offset / fileSize) % folders.length]!
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

  /** Deletes the oldest file. */
  deleteFirst(): void {
    this.files.shift()?.destroy()
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
