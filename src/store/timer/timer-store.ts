import { join } from 'node:path'
import { type Clock, type Disk, type Logger, MQError } from '../../util/index.js'
import { type DeliveredMark, DeliveredMarks } from './delivered-marks.js'
import { TimerCheckpoint } from './timer-checkpoint.js'
import { TimerLog } from './timer-log.js'
import { NO_POSITION, newTimerUnit, TimerMagic, type TimerUnit } from './timer-unit.js'
import { newTimerSlot, TimerWheel, WHEEL_WINDOW_SLOTS, type WheelChanges } from './timer-wheel.js'

/** Keys of the configuration under Java's names. Times in ms. */
export interface TimerStoreSettings {
  readonly storePathRootDir: string
  readonly mappedFileSizeTimerLog: number
  /** 100, 200, 500 or 1000; others count as the next smaller of them. */
  readonly timerPrecisionMs: number
  readonly timerRollWindowSlot: number
}

export interface TimerStoreOptions {
  settings: TimerStoreSettings
  disk: Disk
  clock: Clock
  logger: Logger
}

/** What recovery finds of the timer log. */
export interface TimerRecovery {
  /** Units entered into the wheel again. */
  readonly revisedUnits: number
  /** Bytes cut off behind the last sound unit. */
  readonly cutBytes: number
  /** The newest unit; undefined when the log is empty. */
  readonly lastUnit: TimerUnit | undefined
  /** Commit log offsets of the units that the check point does not count yet. */
  readonly uncounted: ReadonlySet<number>
  /** The check point says that more of the log was on the disk than was found. */
  readonly isLogDamaged: boolean
}

const PRECISIONS = [1000, 500, 200, 100]
/** Slots kept empty between the newest and the oldest. */
const BLANK_SLOTS = 60
const SMALLEST_ROLL_WINDOW = 2

/** The state that a flush makes durable. */
export interface TimerSnapshot {
  readonly readTime: number
  readonly queueOffset: number
  readonly marks: readonly DeliveredMark[]
  readonly logEnd: number
  readonly commitLogOffset: number
  readonly changes: WheelChanges
}

/**
 * The files of the timer: wheel, log and check point, in the bytes of the Java broker (store-format 11.3). It knows
 * units
 * and slots; what the records they point to mean is its user's affair. One event loop, nothing here waits but flushes.
 */
export class TimerStore {
  readonly log: TimerLog
  readonly wheel: TimerWheel
  readonly checkpoint: TimerCheckpoint
  readonly marks = new DeliveredMarks()
  readonly precisionMs: number
  /** Slots further ahead than this are rolled. */
  readonly rollWindowSlots: number
  /** Ms: slots before it have been delivered. */
  readTime = 0
  /** Next unit of the timer topic's queue to take. */
  queueOffset = 0

  private readonly clock: Clock
  private readonly disk: Disk
  private readonly configFolder: string
  private readonly slot = newTimerSlot()
  private readonly unit = newTimerUnit()

  constructor(options: TimerStoreOptions) {
    const { settings, disk, clock, logger } = options
    const root = settings.storePathRootDir
    this.clock = clock
    this.disk = disk
    this.configFolder = join(root, 'config')
    this.precisionMs = PRECISIONS.find(precision => precision <= settings.timerPrecisionMs) ?? PRECISIONS.at(-1)!
    const widest = WHEEL_WINDOW_SLOTS - BLANK_SLOTS
    const window = settings.timerRollWindowSlot
    this.rollWindowSlots = window > widest || window < SMALLEST_ROLL_WINDOW ? widest : window
    this.log = new TimerLog({
      disk,
      logger,
      folder: join(root, 'timerlog'),
      fileSize: settings.mappedFileSizeTimerLog,
      now: () => clock.now(),
    })
    this.wheel = new TimerWheel(disk, join(root, 'timerwheel'), this.precisionMs)
    this.checkpoint = new TimerCheckpoint(disk, join(this.configFolder, 'timercheck'))
  }

  /**
   * Reads the files and brings wheel and log into step. Units of records at or behind `commitLogEnd` are cut off: a
   * power
   * cut took the record and left the unit. Throws MQError `ERR_FILE_LENGTH` or `ERR_TIMER_PRECISION`.
   */
  recover(commitLogEnd: number): TimerRecovery {
    const { log, wheel, checkpoint, marks } = this
    this.disk.makeFolder(this.configFolder)
    log.load()
    const hasWheel = wheel.load()
    checkpoint.load()
    marks.restore(checkpoint.marks)
    this.readTime = this.floor(checkpoint.lastReadTimeMs || this.earliestSlot())
    this.checkPrecision()
    const begin = hasWheel ? Math.max(0, checkpoint.lastTimerLogFlushPos - log.fileSize) : 0
    const before = log.maxOffset
    const uncounted = new Set<number>()
    const isSound = (unit: TimerUnit, position: number): boolean => {
      if (unit.physicalOffset + unit.recordSize > commitLogEnd) return false
      if (position >= checkpoint.lastTimerLogFlushPos) uncounted.add(unit.physicalOffset)
      return true
    }
    const end = log.scan(begin, isSound, this.unit)
    log.truncate(end, checkpoint.lastTimerLogFlushPos)
    const revisedUnits = this.reviseWheel(Math.min(begin, this.dropSlotsBehind(end)))
    const lastUnit = newTimerUnit()
    const last = log.lastUnitPosition()
    const hasLast = last !== undefined && log.read(last, lastUnit)
    return {
      revisedUnits,
      cutBytes: before - end,
      lastUnit: hasLast ? lastUnit : undefined,
      uncounted,
      isLogDamaged: end < checkpoint.lastTimerLogFlushPos,
    }
  }

  /** Without a check point: of all there is nothing is known to be delivered. */
  private earliestSlot(): number {
    let earliest = this.clock.now()
    const visit = ({ slotTime }: TimerUnit): boolean => {
      earliest = Math.min(earliest, slotTime)
      return true
    }
    this.log.scan(0, visit, this.unit)
    return earliest
  }

  /** Slot numbers count steps: with another step every pending message would be looked for in the wrong slot. */
  private checkPrecision(): void {
    const { slot, wheel, precisionMs, readTime } = this
    if (readTime === 0) return
    for (const { time } of wheel.slots(slot)) {
      const written = time / precisionMs
      const fits = (precision: number): boolean => Math.abs(written * precision - readTime) < readTime / 4
      const precision = PRECISIONS.find(fits)
      if (precision === undefined || fits(precisionMs)) continue
      throw new MQError(
        'ERR_TIMER_PRECISION',
        `timerPrecisionMs is ${precisionMs}, but messages that wait in this store were put there ` +
          `with ${precision}: set ` +
          `timerPrecisionMs=${precision}, or let them be delivered with it before changing it`,
      )
    }
  }

  /** Empties slots that point behind the log's end; gives the first unit of any of them, to scan from. */
  private dropSlotsBehind(end: number): number {
    let first = Number.POSITIVE_INFINITY
    const times: number[] = []
    for (const slot of this.wheel.slots(this.slot)) {
      if (slot.last < end) continue
      times.push(slot.time)
      if (slot.first >= 0) first = Math.min(first, slot.first)
    }
    for (const time of times) this.wheel.clear(time)
    return first
  }

  private reviseWheel(from: number): number {
    let revised = 0
    const visit = (unit: TimerUnit, position: number): boolean => {
      if (unit.slotTime >= this.readTime && !this.marks.covers(unit.slotTime, position) && this.enter(unit, position)) {
        revised++
      }
      return true
    }
    this.log.scan(from, visit, this.unit)
    return revised
  }

  /** Enters a unit of the log into its slot. False when it is in it. */
  private enter(unit: TimerUnit, position: number): boolean {
    const { slot, wheel } = this
    const time = this.floor(unit.slotTime)
    const step = (unit.magic & TimerMagic.DELETE) !== 0 ? -1 : 1
    wheel.getRaw(time, slot)
    // the slot has been taken for a later round of the wheel
    if (slot.time > time) return false
    if (slot.time === time && slot.first !== NO_POSITION && !this.marks.covers(time, slot.last)) {
      if (position <= slot.last) return false
      slot.num += step
    } else {
      slot.first = position
      slot.num = step
    }
    slot.time = time
    slot.last = position
    wheel.put(slot)
    return true
  }

  floor(time: number): number {
    return Math.floor(time / this.precisionMs) * this.precisionMs
  }

  /**
   * Adds a record that is due at `deliverTime`, or looked at again before (rolled) when that is too far ahead. Throws
   * what
   * the disk says when the log cannot grow.
   */
  add(record: {
    deliverTime: number
    writeTime: number
    isDelete: boolean
    physicalOffset: number
    size: number
    topicHash: number
  }): void {
    const { slot, unit, wheel, marks } = this
    const { writeTime } = record
    const slotTime = this.slotTimeFor(record.deliverTime, writeTime)
    const hasUnits = wheel.get(slotTime, slot) && !marks.covers(slot.time, slot.last)
    unit.previous = hasUnits ? slot.last : NO_POSITION
    unit.magic =
      TimerMagic.DEFAULT |
      (slotTime === record.deliverTime ? 0 : TimerMagic.ROLL) |
      (record.isDelete ? TimerMagic.DELETE : 0)
    unit.writeTime = writeTime
    unit.slotTime = slotTime
    unit.physicalOffset = record.physicalOffset
    unit.recordSize = record.size
    unit.topicHash = record.topicHash
    const position = this.log.append(unit)
    if (!hasUnits) {
      slot.first = position
      slot.num = 0
    }
    slot.time = this.floor(slotTime)
    slot.last = position
    slot.num += record.isDelete ? -1 : 1
    wheel.put(slot)
  }

  /** The slot for a deliver time: its own, or that of the next roll (store-format 11.5). */
  private slotTimeFor(deliverTime: number, writeTime: number): number {
    const { rollWindowSlots, precisionMs } = this
    const window = rollWindowSlots * precisionMs
    const excess = deliverTime - writeTime - window
    if (excess < 0) return deliverTime
    // a little beyond the window: half of it, so that the last leg is no short one
    if (excess < Math.floor(rollWindowSlots / 3) * precisionMs) {
      return writeTime + Math.floor(rollWindowSlots / 2) * precisionMs
    }
    return writeTime + window
  }

  /** The read time at which it is not too far behind any more. */
  nearestReadTime(now: number): number {
    return now - (WHEEL_WINDOW_SLOTS - BLANK_SLOTS - 1) * this.precisionMs
  }

  /** Whether the wheel is so far behind `now` that new units could take slots which have not been read. */
  isBehindTooFar(now: number): boolean {
    return now - this.readTime >= (WHEEL_WINDOW_SLOTS - BLANK_SLOTS) * this.precisionMs
  }

  /** Messages minus markers that wait at or behind the read time. */
  pendingCount(): number {
    let sum = 0
    for (const slot of this.wheel.slots(this.slot)) if (slot.time >= this.readTime) sum += slot.num
    return sum
  }

  /**
   * Sets the read time back after the clock was. What has been delivered stays so: `readUpTo` is the end of the log
   * when
   * the newest slot was read.
   */
  turnBack(readTime: number, readUpTo: number): void {
    const { slot, wheel } = this
    this.marks.add({ position: readUpTo, readTime: this.readTime })
    const done: number[] = []
    for (const { time, last } of wheel.slots(slot)) {
      if (time >= readTime && time < this.readTime && last < readUpTo) done.push(time)
    }
    // for a Java broker that takes over: it knows no marks
    for (const time of done) wheel.clear(time)
    this.readTime = readTime
  }

  /**
   * What {@link flush} shall make durable. `delivered` is where the slot under way is; `hasUncounted` as long as
   * units of
   * the log stand for messages at or behind the queue offset.
   */
  snapshot(state: { delivered: number | undefined; hasUncounted: boolean; commitLogOffset: number }): TimerSnapshot {
    const { delivered, hasUncounted, commitLogOffset } = state
    const marks = [...this.marks.list]
    if (delivered !== undefined) {
      const readTime = this.readTime + this.precisionMs
      const kept = marks.filter(mark => mark.readTime > readTime)
      marks.splice(0, marks.length, ...kept, { position: delivered, readTime })
    }
    const { readTime, queueOffset, log, wheel, checkpoint } = this
    const logEnd = hasUncounted ? checkpoint.lastTimerLogFlushPos : log.maxOffset
    return { readTime, queueOffset, marks, logEnd, commitLogOffset, changes: wheel.takeChanges() }
  }

  /**
   * Log before wheel before check point: none ever points to what a power cut can take. When it fails, the changes
   * are to
   * be given back to the wheel.
   */
  async flush(snapshot: TimerSnapshot): Promise<void> {
    await this.log.flush()
    await this.wheel.write(snapshot.changes)
    const { logEnd: logFlushedOffset, changes: _changes, ...progress } = snapshot
    await this.checkpoint.write({ ...progress, logFlushedOffset }, this.clock.now())
  }

  /** Deletes log files whose newest record is gone from the commit log. */
  deleteObsolete(commitLogMinOffset: number): number {
    return this.log.deleteOldest(unit => unit.physicalOffset < commitLogMinOffset, this.unit)
  }

  async close(): Promise<void> {
    await this.log.close()
    this.wheel.close()
    this.checkpoint.close()
  }
}
