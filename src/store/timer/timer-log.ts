import type { Disk, Logger } from '../../util/index.js'
import { getInt64, setInt64 } from '../int64-view.js'
import type { MappedFile } from '../mapped-file.js'
import { MappedFileQueue } from '../mapped-file-queue.js'
import {
  NO_POSITION,
  TIMER_BLANK_MAGIC,
  TIMER_BLANK_SIZE,
  TIMER_UNIT_SIZE,
  type TimerUnit,
  UnitField,
} from './timer-unit.js'

export interface TimerLogOptions {
  disk: Disk
  logger: Logger
  folder: string
  fileSize: number
  now: () => number
}

/** All valid magic numbers lie within these bits. */
const MAGIC_BITS = 0xf

/** The files `timerlog/*`: units in the order they were written, linked backwards within each slot of the wheel. */
export class TimerLog {
  private readonly files: MappedFileQueue

  constructor(options: TimerLogOptions) {
    const { disk, logger, folder, fileSize, now } = options
    this.files = new MappedFileQueue({ disk, logger, folders: [folder], fileSize, now })
  }

  /** Throws MQError `ERR_FILE_LENGTH` for files of another size than `mappedFileSizeTimerLog`. */
  load(): void {
    this.files.load()
  }

  get isEmpty(): boolean {
    return this.files.files.length === 0
  }

  get minOffset(): number {
    return this.files.minOffset
  }

  get maxOffset(): number {
    return this.files.maxOffset
  }

  get fileSize(): number {
    return this.files.fileSize
  }

  /** Appends a unit and gives its position. Throws what the disk says when no file can be made. */
  append(unit: TimerUnit): number {
    const file = this.fileWithRoom()
    const at = file.wrotePosition
    const { view } = file
    view.setInt32(at + UnitField.SIZE, TIMER_UNIT_SIZE)
    setInt64(view, at + UnitField.PREVIOUS, unit.previous)
    view.setInt32(at + UnitField.MAGIC, unit.magic)
    setInt64(view, at + UnitField.WRITE_TIME, unit.writeTime)
    view.setInt32(at + UnitField.DELAY, unit.slotTime - unit.writeTime)
    setInt64(view, at + UnitField.PHYSICAL_OFFSET, unit.physicalOffset)
    view.setInt32(at + UnitField.RECORD_SIZE, unit.recordSize)
    view.setInt32(at + UnitField.TOPIC_HASH, unit.topicHash)
    setInt64(view, at + UnitField.RESERVED, 0)
    file.wrotePosition = at + TIMER_UNIT_SIZE
    if (file.wrotePosition > file.length / 2) this.files.prepareNext()
    return file.startOffset + at
  }

  private fileWithRoom(): MappedFile {
    const last = this.files.last
    if (last === undefined || last.isFull) return this.files.roll().map()
    last.map()
    const room = last.length - last.wrotePosition
    if (room >= TIMER_UNIT_SIZE + TIMER_BLANK_SIZE) return last
    // the next file first: a disk without room for it must not leave a blank that is written twice
    const next = this.files.roll().map()
    const at = last.wrotePosition
    last.view.setInt32(at, room)
    setInt64(last.view, at + 4, 0)
    last.view.setInt32(at + 12, TIMER_BLANK_MAGIC)
    last.wrotePosition = last.length
    return next
  }

  /** Fills `unit` from `position`. False when no unit stands there (any more). */
  read(position: number, unit: TimerUnit): boolean {
    const file = this.files.find(position)
    if (file === undefined) return false
    const at = position - file.startOffset
    if (at + TIMER_UNIT_SIZE > file.wrotePosition) return false
    return readUnit(file.map(), at, unit)
  }

  /** Position of the newest unit; undefined in an empty log. */
  lastUnitPosition(): number | undefined {
    for (const file of this.files.files.toReversed()) {
      const count = Math.floor(Math.min(file.wrotePosition, this.roomForUnits) / TIMER_UNIT_SIZE)
      if (count > 0) return file.startOffset + (count - 1) * TIMER_UNIT_SIZE
    }
    return undefined
  }

  /** Bytes of a full file that hold units. */
  private get roomForUnits(): number {
    return Math.floor((this.fileSize - TIMER_BLANK_SIZE) / TIMER_UNIT_SIZE) * TIMER_UNIT_SIZE
  }

  /**
   * Goes over the units of the file that holds `from` and of those behind it, until one is damaged, the log ends, or
   * `visit` answers false. Gives the position where it ended.
   */
  scan(from: number, visit: (unit: TimerUnit, position: number) => boolean, unit: TimerUnit): number {
    let end = this.minOffset
    for (const file of this.files.files) {
      if (file.endOffset <= from) continue
      file.map()
      let at = 0
      for (; at + TIMER_UNIT_SIZE <= file.wrotePosition; at += TIMER_UNIT_SIZE) {
        if (isBlank(file, at)) break
        if (!readUnit(file, at, unit) || !visit(unit, file.startOffset + at)) return file.startOffset + at
      }
      end = file.startOffset + at
      const isAtEnd = at + TIMER_BLANK_SIZE > file.length || isBlank(file, at)
      if (!isAtEnd) return end
      end = file.endOffset
    }
    return end
  }

  /** Cuts the log behind its last sound unit; what is behind `durableTo` may be in the page cache only. */
  truncate(offset: number, durableTo: number): void {
    this.files.truncate(offset)
    for (const file of this.files.files) {
      file.flushedPosition = Math.max(0, Math.min(durableTo - file.startOffset, file.wrotePosition))
    }
  }

  /** Deletes the oldest files as long as `isObsolete` says so of their newest unit; never the last file. */
  deleteOldest(isObsolete: (unit: TimerUnit) => boolean, unit: TimerUnit): number {
    let deleted = 0
    while (this.files.files.length > 1) {
      const first = this.files.first!.map()
      if (!readUnit(first, this.roomForUnits - TIMER_UNIT_SIZE, unit) || !isObsolete(unit)) break
      this.files.deleteFirst()
      deleted++
    }
    return deleted
  }

  /** Makes what was appended before the call durable. */
  async flush(): Promise<void> {
    for (const file of [...this.files.files]) {
      if (!file.isDropped && file.flushedPosition < file.wrotePosition) await file.flush()
    }
  }

  close(): Promise<void> {
    return this.files.close()
  }
}

function isBlank(file: MappedFile, at: number): boolean {
  return at + TIMER_BLANK_SIZE <= file.length && file.view.getInt32(at + UnitField.MAGIC) === TIMER_BLANK_MAGIC
}

/** False unless what stands there can be a unit: it links backwards, and points to a record. */
function readUnit(file: MappedFile, at: number, unit: TimerUnit): boolean {
  const { view } = file
  if (view.getInt32(at) !== TIMER_UNIT_SIZE) return false
  unit.magic = view.getInt32(at + UnitField.MAGIC)
  unit.previous = getInt64(view, at + UnitField.PREVIOUS)
  unit.writeTime = getInt64(view, at + UnitField.WRITE_TIME)
  unit.slotTime = unit.writeTime + view.getInt32(at + UnitField.DELAY)
  unit.physicalOffset = getInt64(view, at + UnitField.PHYSICAL_OFFSET)
  unit.recordSize = view.getInt32(at + UnitField.RECORD_SIZE)
  unit.topicHash = view.getInt32(at + UnitField.TOPIC_HASH)
  return (
    (unit.magic | MAGIC_BITS) === MAGIC_BITS &&
    unit.previous >= NO_POSITION &&
    unit.previous < file.startOffset + at &&
    unit.writeTime > 0 &&
    unit.physicalOffset >= 0 &&
    unit.recordSize > 0
  )
}
