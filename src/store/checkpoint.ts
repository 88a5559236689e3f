import type { Disk, DiskFile } from '../util/index.js'
import { getInt64, setInt64, viewOf } from './int64-view.js'

const FILE_SIZE = 4096

/** The file `checkpoint` (store-format 4.3): how far the other files are known to be durable. */
export class StoreCheckpoint {
  /** Store time of the last record that is on the disk. */
  physicMsgTimestamp = 0
  /** Store time of the last record whose queue unit is on the disk. */
  logicsMsgTimestamp = 0
  /** End timestamp of the newest index file that is on the disk. */
  indexMsgTimestamp = 0
  masterFlushedOffset = 0
  confirmPhyOffset = 0

  private readonly bytes = Buffer.alloc(FILE_SIZE)
  private readonly view = viewOf(this.bytes)
  private file: DiskFile | undefined
  private written: Buffer | undefined

  constructor(
    private readonly disk: Disk,
    private readonly path: string,
  ) {}

  /** Reads the file; whether it was cut short. What is missing counts as zeros: recovery then looks farther back. */
  load(): boolean {
    const length = this.disk.stat(this.path)?.length
    if (length !== undefined && length < FILE_SIZE) this.disk.resize(this.path, FILE_SIZE)
    this.file = this.disk.openSync(this.path, length === undefined ? { create: FILE_SIZE } : {})
    this.file.readSync(this.bytes, 0)
    this.physicMsgTimestamp = getInt64(this.view, 0)
    this.logicsMsgTimestamp = getInt64(this.view, 8)
    this.indexMsgTimestamp = getInt64(this.view, 16)
    this.masterFlushedOffset = getInt64(this.view, 24)
    this.confirmPhyOffset = getInt64(this.view, 32)
    return length !== undefined && length < FILE_SIZE
  }

  /** Records stored before this are durable in log and queues, with Java's margin of 3 s. */
  get minTimestamp(): number {
    return Math.max(0, Math.min(this.physicMsgTimestamp, this.logicsMsgTimestamp) - 3000)
  }

  /** Writes the file if something changed, and makes it durable. */
  async flush(): Promise<void> {
    const { bytes, view } = this
    setInt64(view, 0, this.physicMsgTimestamp)
    setInt64(view, 8, this.logicsMsgTimestamp)
    setInt64(view, 16, this.indexMsgTimestamp)
    setInt64(view, 24, this.masterFlushedOffset)
    setInt64(view, 32, this.confirmPhyOffset)
    if (this.file === undefined || this.written?.equals(bytes)) return
    const copy = Buffer.from(bytes)
    await this.file.write([copy], 0)
    await this.file.flush()
    this.written = copy
  }

  close(): void {
    this.file?.close()
    this.file = undefined
  }
}
