import type { DiskFile } from '../util/index.js'
import { FileWindow } from './file-window.js'
import type { SegmentFile, StoreDirectory } from './store-directory.js'

/** Bytes of a log by position, for reading mostly forward. */
export class LogBytes {
  private file: SegmentFile | undefined
  private open: DiskFile | undefined
  private window: FileWindow | undefined

  constructor(private readonly directory: StoreDirectory) {}

  /** A slice that is good until the next call; undefined when the log does not have all of it. */
  async at(position: number, length: number): Promise<Buffer | undefined> {
    const file = this.directory.logFileAt(position)
    if (file === undefined || position + length > file.startOffset + file.length) return undefined
    if (file !== this.file || this.window === undefined) {
      this.close()
      this.file = file
      this.open = await this.directory.disk.open(file.path)
      this.window = new FileWindow(this.open)
    }
    const { window } = this
    const at = position - file.startOffset
    if (window.available(at) < length) await window.fill(at, length)
    if (window.available(at) < length) return undefined
    return window.buffer.subarray(at - window.start, at - window.start + length)
  }

  close(): void {
    this.open?.close()
    this.open = undefined
    this.window = undefined
    this.file = undefined
  }
}
