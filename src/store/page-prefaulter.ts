import type { MappedFile } from './mapped-file.js'
import type { MappedFileQueue } from './mapped-file-queue.js'

const FIRST_WINDOW = 1024 * 1024
const LARGEST_WINDOW = 16 * 1024 * 1024

/**
 * Has the pages that will be written next faulted in off the loop: a first write to a page of a mapping stops the loop
 * for as long as the kernel takes. Windows grow with the rate, so that an idle broker holds little memory.
 */
export class PagePrefaulter {
  /** Position in the current file from which on {@link advance} has something to do. */
  private dueAt = 0
  private file: MappedFile | undefined
  private readyTo = 0
  private window = FIRST_WINDOW
  private busy = false

  constructor(private readonly files: MappedFileQueue) {}

  /** To be called after every append; cheap unless a new window is due. */
  advance(file: MappedFile): void {
    if (file === this.file && file.wrotePosition < this.dueAt) return
    if (!this.busy) this.populate(file)
  }

  private populate(file: MappedFile): void {
    if (file !== this.file) {
      this.file = file
      // of a file made ahead the first window is there
      this.readyTo = file === this.preparedFile ? Math.min(this.window, file.length) : file.wrotePosition
      this.files.prepareNext()
    }
    const from = Math.max(this.readyTo, file.wrotePosition)
    if (from < file.length) this.run(file, from, Math.min(from + this.window, file.length))
    else this.populatePrepared()
  }

  private preparedFile: MappedFile | undefined

  private populatePrepared(): void {
    const next = this.files.prepared
    this.dueAt = Number.MAX_SAFE_INTEGER
    if (next === undefined || next === this.preparedFile) {
      // not there yet: look again a little later
      if (next === undefined) this.dueAt = (this.file?.wrotePosition ?? 0) + FIRST_WINDOW
      return
    }
    this.preparedFile = next
    this.start(next, 0, Math.min(this.window, next.length))
  }

  private run(file: MappedFile, from: number, to: number): void {
    this.readyTo = to
    this.dueAt = from + (to - from) / 2
    this.window = Math.min(this.window * 2, LARGEST_WINDOW)
    this.start(file, from, to)
  }

  private start(file: MappedFile, from: number, to: number): void {
    this.busy = true
    const done = (): void => {
      this.busy = false
    }
    // an old kernel refuses: pages then fault in when they are written
    file.prefault(from, to).then(done, done)
  }
}
