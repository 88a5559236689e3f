import { closeSync, open, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'

/** Lines beyond this wait of unwritten text are dropped: a reader that hangs must not take the broker with it. */
const MAX_WAITING_CHARS = 16 * 1024 * 1024
const RETRY_MS = 100
/** What a reader that is busy gets at the end of the process. */
const FLUSH_MS = 1000
const FLUSH_RETRY_MS = 10

/**
 * Writes lines to a file descriptor, in order, on the thread pool. What cannot be written (nobody reads the pipe any
 * more, the disk is full) is dropped: there is nowhere to tell, and no reason to stop serving; later lines try again.
 */
export class LineWriter {
  private waiting: string[] = []
  private waitingChars = 0
  /** Where the bytes under way go; undefined while none are. */
  private busyFd: number | undefined
  private idleListeners: (() => void)[] = []

  constructor(private fd: number) {}

  write(line: string): void {
    if (this.waitingChars > MAX_WAITING_CHARS) return
    this.waiting.push(line)
    this.waitingChars += line.length
    if (this.busyFd === undefined) this.writeNext()
  }

  /** Goes on in this file, created when it is not there. */
  async reopen(file: string): Promise<void> {
    const old = this.fd
    this.fd = await promisify(open)(file, 'a')
    if (this.busyFd !== old) closeSync(old)
  }

  /** Resolves when all lines are written; after a second in any case. */
  drained(): Promise<void> {
    if (this.busyFd === undefined) return Promise.resolve()
    return new Promise(resolve => {
      this.idleListeners.push(resolve)
      setTimeout(resolve, FLUSH_MS)
    })
  }

  /** Writes what waits, synchronously; what is under way comes by itself. Gives up after a second of a full pipe. */
  flush(): void {
    const deadline = performance.now() + FLUSH_MS
    const pause = new Int32Array(new SharedArrayBuffer(4))
    let rest = this.take()
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.fd, rest))
      } catch (error) {
        if (!isFull(error) || performance.now() > deadline) return
        Atomics.wait(pause, 0, 0, FLUSH_RETRY_MS)
      }
    }
  }

  private take(): Buffer {
    const bytes = Buffer.from(this.waiting.join(''))
    this.waiting = []
    this.waitingChars = 0
    return bytes
  }

  private writeNext(): void {
    if (this.waiting.length > 0) this.writeBytes(this.take(), this.fd)
    else for (const listener of this.idleListeners.splice(0)) listener()
  }

  private writeBytes(bytes: Buffer, fd: number): void {
    this.busyFd = fd
    write(fd, bytes, (error, written) => {
      if (isFull(error)) {
        setTimeout(() => this.writeBytes(bytes, fd), RETRY_MS).unref()
        return
      }
      if (error === null && written < bytes.length) {
        this.writeBytes(bytes.subarray(written), fd)
        return
      }
      this.busyFd = undefined
      if (fd !== this.fd) closeSync(fd)
      this.writeNext()
    })
  }
}

/** A pipe whose reader is slow. */
function isFull(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'EAGAIN'
}
