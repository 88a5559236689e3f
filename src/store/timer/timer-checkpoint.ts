import type { DataVersion } from '../../common/index.js'
import type { Disk, DiskFile } from '../../util/index.js'
import { getInt64, setInt64, viewOf } from '../int64-view.js'
import { type DeliveredMark, MOST_MARKS } from './delivered-marks.js'

const FILE_SIZE = 4096
/** Java's part, which is also the body of GET_TIMER_CHECK_POINT. */
const JAVA_SIZE = 56
/*
 * What Java leaves zero is ours: i64 magic, i64 counter of the data version it belongs to (a Java broker moves that
 * on and
 * leaves ours), i64 commit log offset, i32 count of marks, then i64 position and i64 read time of each.
 */
const OWN_AT = 512
const OWN_MAGIC = 0x434f4d4554
const MARKS_AT = OWN_AT + 28
const MARK_SIZE = 16

/** How far the timer has come, as one state. */
export interface TimerProgress {
  /** Ms: slots before it have been delivered. */
  readTime: number
  /** Next unit of the timer topic's queue to put into the wheel. */
  queueOffset: number
  logFlushedOffset: number
  marks: readonly DeliveredMark[]
  /** Everything the timer put into the commit log in front of it is counted above. */
  commitLogOffset: number
}

/** The file `config/timercheck` (store-format 11.3). */
export class TimerCheckpoint {
  lastReadTimeMs = 0
  lastTimerLogFlushPos = 0
  lastTimerQueueOffset = 0
  masterTimerQueueOffset = 0
  readonly dataVersion: DataVersion = { counter: 0, stateVersion: 0, timestamp: 0 }
  marks: readonly DeliveredMark[] = []
  /** -1 when it is not known. */
  commitLogOffset = -1

  private file: DiskFile | undefined

  constructor(
    private readonly disk: Disk,
    private readonly path: string,
  ) {}

  /** False when there is no such file: a new timer. */
  load(): boolean {
    const length = this.disk.stat(this.path)?.length
    if (length !== undefined && length < FILE_SIZE) this.disk.resize(this.path, FILE_SIZE)
    this.file = this.disk.openSync(this.path, length === undefined ? { create: FILE_SIZE } : {})
    const bytes = Buffer.alloc(FILE_SIZE)
    this.file.readSync(bytes, 0)
    const view = viewOf(bytes)
    this.lastReadTimeMs = getInt64(view, 0)
    this.lastTimerLogFlushPos = getInt64(view, 8)
    this.lastTimerQueueOffset = getInt64(view, 16)
    this.masterTimerQueueOffset = getInt64(view, 24)
    this.dataVersion.stateVersion = getInt64(view, 32)
    this.dataVersion.timestamp = getInt64(view, 40)
    this.dataVersion.counter = getInt64(view, 48)
    this.readOwn(view)
    return length !== undefined && length > 0
  }

  /** Takes over a state that the other files hold durably, and makes it durable. */
  async write(progress: TimerProgress, now: number): Promise<void> {
    if (progress.readTime !== this.lastReadTimeMs || progress.queueOffset !== this.lastTimerQueueOffset) {
      this.dataVersion.counter++
      this.dataVersion.timestamp = now
    }
    this.lastReadTimeMs = progress.readTime
    this.lastTimerLogFlushPos = progress.logFlushedOffset
    this.lastTimerQueueOffset = progress.queueOffset
    // Java starts at the smaller of the two: a master's own offset and the one it last had as a slave
    this.masterTimerQueueOffset = progress.queueOffset
    this.marks = progress.marks
    this.commitLogOffset = progress.commitLogOffset
    await this.file?.write([this.encodeFile()], 0)
    await this.file?.flush()
  }

  /** The 56 bytes other brokers read. */
  encode(): Buffer {
    const bytes = Buffer.alloc(JAVA_SIZE)
    const view = viewOf(bytes)
    setInt64(view, 0, this.lastReadTimeMs)
    setInt64(view, 8, this.lastTimerLogFlushPos)
    setInt64(view, 16, this.lastTimerQueueOffset)
    setInt64(view, 24, this.masterTimerQueueOffset)
    setInt64(view, 32, this.dataVersion.stateVersion)
    setInt64(view, 40, this.dataVersion.timestamp)
    setInt64(view, 48, this.dataVersion.counter)
    return bytes
  }

  private encodeFile(): Buffer {
    const bytes = Buffer.alloc(FILE_SIZE)
    this.encode().copy(bytes)
    const view = viewOf(bytes)
    setInt64(view, OWN_AT, OWN_MAGIC)
    setInt64(view, OWN_AT + 8, this.dataVersion.counter)
    setInt64(view, OWN_AT + 16, this.commitLogOffset)
    view.setInt32(OWN_AT + 24, this.marks.length)
    for (const [i, mark] of this.marks.entries()) {
      setInt64(view, MARKS_AT + i * MARK_SIZE, mark.position)
      setInt64(view, MARKS_AT + i * MARK_SIZE + 8, mark.readTime)
    }
    return bytes
  }

  private readOwn(view: DataView): void {
    const count = view.getInt32(OWN_AT + 24)
    const isOurs = getInt64(view, OWN_AT) === OWN_MAGIC && getInt64(view, OWN_AT + 8) === this.dataVersion.counter
    if (!isOurs || count < 0 || count > MOST_MARKS) return
    this.commitLogOffset = getInt64(view, OWN_AT + 16)
    this.marks = Array.from({ length: count }, (_, i) => {
      const at = MARKS_AT + i * MARK_SIZE
      return { position: getInt64(view, at), readTime: getInt64(view, at + 8) }
    })
  }

  close(): void {
    this.file?.close()
    this.file = undefined
  }
}
