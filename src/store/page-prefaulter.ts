import type { Clock } from '../util/index.js'
import type { MappedFile } from './mapped-file.js'
import type { MappedFileQueue } from './mapped-file-queue.js'

/** A call that takes longer keeps the kernel's locks from the writer: 16 MB at once stopped it for 20 ms in a trial. */
const STEP = 4 * 1024 * 1024
/** Calls under way at once: a busy loop asks for the next ones only now and then. The pool has more to do than this. */
const MOST_RUNNING = 2
const FIRST_REACH = 1024 * 1024
const LARGEST_REACH = 16 * 1024 * 1024
/**
 * Bytes a millisecond from which on pages are made in bulk. Slower writers wait less one by one: 64 producers of 1 KB
 * got 6 % more done, and 18 % more under SYNC_FLUSH, where each flush writes the whole of a large page.
 */
const BULK_RATE = 80_000

/**
 * Has the pages that will be written next faulted in off the loop: a first write to a page of a mapping stops the loop
 * for as long as the kernel takes. It reaches farther ahead the more is written, so that an idle broker holds little
 * memory.
 */
export class PagePrefaulter {
  /** Position in {@link file} from which on {@link advance} has something to do. */
  private dueAt = 0
  private file: MappedFile | undefined
  /** The file made ahead, once its first pages are there. */
  private next: MappedFile | undefined
  private readyTo = 0
  private reach = FIRST_REACH
  private running = 0
  /** When and at which offset of the log more was last due. */
  private lastDueMs = 0
  private lastDueOffset = 0
  private isBulk = false

  constructor(
    private readonly files: MappedFileQueue,
    private readonly clock: Clock,
  ) {}

  /** To be called after every append; cheap unless more is due. */
  advance(file: MappedFile): void {
    if (file === this.file && file.wrotePosition < this.dueAt) return
    if (file !== this.file) {
      this.file = file
      this.readyTo = file === this.next ? Math.min(STEP, file.length) : file.wrotePosition
      this.next = undefined
      this.files.prepareNext()
    }
    this.noteRate(file.startOffset + file.wrotePosition)
    this.populate(file)
  }

  private noteRate(offset: number): void {
    const now = this.clock.monotonic()
    if (now === this.lastDueMs) return
    this.isBulk = offset - this.lastDueOffset > (now - this.lastDueMs) * BULK_RATE
    this.lastDueMs = now
    this.lastDueOffset = offset
  }

  private populate(file: MappedFile): void {
    if (this.running >= MOST_RUNNING) return
    const from = Math.max(this.readyTo, file.wrotePosition)
    const to = Math.min(from + STEP, file.wrotePosition + this.reach, file.length)
    if (from >= file.length) {
      this.populateNext(file)
      return
    }
    this.dueAt = to - this.reach / 2
    if (to <= from) return
    this.readyTo = to
    this.run(file, from, to)
    this.populate(file)
  }

  private populateNext(file: MappedFile): void {
    const next = this.files.prepared
    if (next === undefined) {
      // not made yet, or making it failed: look again a little later
      this.files.prepareNext()
      this.dueAt = file.wrotePosition + STEP
      return
    }
    this.dueAt = Number.MAX_SAFE_INTEGER
    if (next === this.next) return
    this.next = next
    this.run(next, 0, Math.min(STEP, next.length))
  }

  private run(target: MappedFile, from: number, to: number): void {
    this.running++
    this.reach = Math.min(this.reach * 2, LARGEST_REACH)
    const done = (): void => {
      this.running--
      if (target === this.file) this.populate(target)
    }
    // an old kernel refuses: pages then fault in when they are written
    target.prefault(from, to, this.isBulk).then(done, () => {
      this.running--
      this.dueAt = Number.MAX_SAFE_INTEGER
    })
  }
}
