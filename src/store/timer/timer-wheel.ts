import { type Disk, type DiskFile, MQError } from '../../util/index.js'
import { getInt64, setInt64, viewOf } from '../int64-view.js'
import { NO_POSITION } from './timer-unit.js'

/*
 * A slot of the wheel, big-endian (store-format 11.3):
 *
 *   0 i64 slot time / precision   8 i64 first unit in the timer log   16 i64 last unit   24 i32 count   28 i32 0
 */
const SLOT_SIZE = 32
/** Days of a wheel with a precision of 1 s, as slots. */
export const WHEEL_WINDOW_SLOTS = 7 * 86_400
const SLOT_COUNT = WHEEL_WINDOW_SLOTS * 2
export const WHEEL_FILE_SIZE = SLOT_COUNT * SLOT_SIZE
const PAGE_SIZE = 4096
const SLOTS_PER_PAGE = PAGE_SIZE / SLOT_SIZE
const PAGE_COUNT = WHEEL_FILE_SIZE / PAGE_SIZE
const READ_SIZE = PAGE_SIZE * 256
const ZEROS = Buffer.alloc(PAGE_SIZE)

/** A slot that holds something. Objects of this form are filled again and again. */
export interface TimerSlot {
  /** Ms, a multiple of the precision. */
  time: number
  first: number
  last: number
  /** Messages minus delete markers. */
  num: number
}

export function newTimerSlot(): TimerSlot {
  return { time: 0, first: NO_POSITION, last: NO_POSITION, num: 0 }
}

/** Copies of the pages that changed, to be written when the log they point into is on the disk. */
export type WheelChanges = ReadonlyMap<number, Buffer>

/**
 * The file `timerwheel`: for each step of time the ends of a chain of units in the timer log. It lives in memory,
 * page by
 * page as they are used, and only what changed is written.
 */
export class TimerWheel {
  private readonly pages: (DataView | undefined)[] = new Array(PAGE_COUNT)
  private dirty = new Set<number>()
  private file: DiskFile | undefined

  constructor(
    private readonly disk: Disk,
    private readonly path: string,
    readonly precisionMs: number,
  ) {}

  /** Reads the file, or makes it. False when there was none. Throws MQError `ERR_FILE_LENGTH`. */
  load(): boolean {
    const length = this.disk.stat(this.path)?.length ?? 0
    if (length !== 0 && length !== WHEEL_FILE_SIZE) {
      throw new MQError(
        'ERR_FILE_LENGTH',
        `${this.path} has ${length} bytes and not ${WHEEL_FILE_SIZE}: restore it, or remove it ` +
          `to have it built again ` +
          'from the timer log',
      )
    }
    if (length === 0) this.disk.remove(this.path)
    this.file = this.disk.openSync(this.path, length === 0 ? { create: WHEEL_FILE_SIZE } : {})
    if (length !== 0) this.readPages(this.file)
    return length !== 0
  }

  private readPages(file: DiskFile): void {
    const bytes = Buffer.alloc(READ_SIZE)
    for (let position = 0; position < WHEEL_FILE_SIZE; position += READ_SIZE) {
      const length = file.readSync(bytes, position)
      for (let at = 0; at + PAGE_SIZE <= length; at += PAGE_SIZE) {
        const page = bytes.subarray(at, at + PAGE_SIZE)
        if (!page.equals(ZEROS)) this.pages[(position + at) / PAGE_SIZE] = viewOf(Buffer.from(page))
      }
    }
  }

  /** Fills `slot` with the one of `time`. False when nothing is in it. */
  get(time: number, slot: TimerSlot): boolean {
    const index = this.indexOf(time)
    const view = this.pages[Math.floor(index / SLOTS_PER_PAGE)]
    if (view === undefined) return false
    const at = (index % SLOTS_PER_PAGE) * SLOT_SIZE
    this.read(view, at, slot)
    return slot.time === Math.floor(time / this.precisionMs) * this.precisionMs && slot.first !== NO_POSITION
  }

  /** Messages minus markers in the slot of `time`. */
  numAt(time: number): number {
    return this.get(time, this.scratch) ? this.scratch.num : 0
  }

  private readonly scratch = newTimerSlot()

  /** Overwrites the slot of `slot.time`. */
  put(slot: TimerSlot): void {
    const index = this.indexOf(slot.time)
    const { view, at } = this.placeOf(index)
    setInt64(view, at, slot.time / this.precisionMs)
    setInt64(view, at + 8, slot.first)
    setInt64(view, at + 16, slot.last)
    view.setInt32(at + 24, slot.num)
    view.setInt32(at + 28, 0)
  }

  /** Empties the slot of `time`, whatever time it holds. */
  clear(time: number): void {
    const { view, at } = this.placeOf(this.indexOf(time))
    for (let i = 0; i < SLOT_SIZE; i += 4) view.setInt32(at + i, 0)
  }

  private placeOf(index: number): { view: DataView; at: number } {
    const page = Math.floor(index / SLOTS_PER_PAGE)
    this.dirty.add(page)
    const view = (this.pages[page] ??= viewOf(Buffer.alloc(PAGE_SIZE)))
    return { view, at: (index % SLOTS_PER_PAGE) * SLOT_SIZE }
  }

  /** What the slot of `time` holds, of whatever time it is. */
  getRaw(time: number, slot: TimerSlot): void {
    const index = this.indexOf(time)
    const view = this.pages[Math.floor(index / SLOTS_PER_PAGE)]
    if (view === undefined) Object.assign(slot, newTimerSlot())
    else this.read(view, (index % SLOTS_PER_PAGE) * SLOT_SIZE, slot)
  }

  /** Time of the first slot at or after `time` and before `limit` whose page is in use; `limit` when there is none. */
  nextUsed(time: number, limit: number): number {
    const { precisionMs } = this
    let at = time
    while (at < limit) {
      const index = this.indexOf(at)
      if (this.pages[Math.floor(index / SLOTS_PER_PAGE)] !== undefined) return at
      at += (SLOTS_PER_PAGE - (index % SLOTS_PER_PAGE)) * precisionMs
    }
    return limit
  }

  /** Every slot that holds something, by time or not. */
  *slots(slot: TimerSlot): Iterable<TimerSlot> {
    for (const view of this.pages) {
      if (view === undefined) continue
      for (let at = 0; at < PAGE_SIZE; at += SLOT_SIZE) {
        this.read(view, at, slot)
        if (slot.time !== 0) yield slot
      }
    }
  }

  /** How far ahead of a time slots are kept apart. */
  get spanMs(): number {
    return SLOT_COUNT * this.precisionMs
  }

  private read(view: DataView, at: number, slot: TimerSlot): void {
    slot.time = getInt64(view, at) * this.precisionMs
    slot.first = getInt64(view, at + 8)
    slot.last = getInt64(view, at + 16)
    slot.num = view.getInt32(at + 24)
  }

  private indexOf(time: number): number {
    return Math.floor(time / this.precisionMs) % SLOT_COUNT
  }

  /** Takes the changes since the last call. */
  takeChanges(): WheelChanges {
    const changes = new Map<number, Buffer>()
    for (const page of this.dirty) {
      const view = this.pages[page]!
      changes.set(page, Buffer.from(Buffer.from(view.buffer, view.byteOffset, PAGE_SIZE)))
    }
    this.dirty = new Set()
    return changes
  }

  /** Gives changes back that could not be written. */
  returnChanges(changes: WheelChanges): void {
    for (const page of changes.keys()) this.dirty.add(page)
  }

  /** Writes changes, neighbours in one go, and makes them durable. */
  async write(changes: WheelChanges): Promise<void> {
    const { file } = this
    if (changes.size === 0 || file === undefined) return
    const pages = [...changes.keys()].sort((a, b) => a - b)
    for (let from = 0; from < pages.length; ) {
      let to = from + 1
      while (to < pages.length && pages[to] === pages[to - 1]! + 1) to++
      await file.write(
        pages.slice(from, to).map(page => changes.get(page)!),
        pages[from]! * PAGE_SIZE,
      )
      from = to
    }
    await file.flush()
  }

  close(): void {
    this.file?.close()
    this.file = undefined
  }
}
