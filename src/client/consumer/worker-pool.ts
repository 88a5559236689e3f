import { type Clock, sleep } from '../../util/index.js'

/** Runs tasks side by side, at most `limit` at once, in the order they came. */
export class WorkerPool {
  private readonly queued: (() => Promise<void>)[] = []
  private readonly running = new Set<Promise<void>>()
  private closed = false

  /** Tasks handle their own errors. */
  constructor(readonly limit: number) {}

  run(task: () => Promise<void>): void {
    if (this.closed) return
    this.queued.push(task)
    this.fill()
  }

  /** Nothing more starts; resolves when what runs has ended, or after `timeoutMs`. */
  async close(clock: Clock, timeoutMs: number): Promise<void> {
    this.closed = true
    this.queued.length = 0
    if (this.running.size > 0 && timeoutMs > 0) await Promise.race([Promise.all(this.running), sleep(clock, timeoutMs)])
  }

  private fill(): void {
    while (this.running.size < this.limit && this.queued.length > 0) {
      const running: Promise<void> = this.queued.shift()!().finally(() => {
        this.running.delete(running)
        this.fill()
      })
      this.running.add(running)
    }
  }
}
