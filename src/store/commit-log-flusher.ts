import { type Clock, errorText, type Logger, MQError, PeriodicTask } from '../util/index.js'
import type { CommitLog } from './commit-log.js'
import type { PutStatus } from './put-status.js'
import type { StoreSettings } from './settings.js'

export interface CommitLogFlusherOptions {
  log: CommitLog
  settings: StoreSettings
  clock: Clock
  logger: Logger
  /** More of the log is on the disk; before anyone who waited for it is told. */
  onFlushed: (offset: number, lastStoreTimestamp: number) => void
  /** The disk refused a flush: nothing may be acknowledged any more. */
  onFailed: (error: MQError) => void
}

interface Waiter {
  readonly endOffset: number
  readonly deadline: number
  readonly answer: (status: PutStatus) => void
}

const PAGE = 4096

/**
 * Makes the log durable (store-format 4.1): in ASYNC_FLUSH by time, in SYNC_FLUSH by group commit: one flush at a
 * time, which answers everybody whose record was in the log when it began.
 */
export class CommitLogFlusher {
  /** Everything in front of it is on the disk. */
  flushedOffset = 0
  /** Why flushing ended; the kernel forgets what it could not write, so trying again proves nothing. */
  failure: MQError | undefined

  private readonly task: PeriodicTask
  private running: Promise<void> | undefined
  private isScheduled = false
  private lastThorough: number
  /** In order of deadline, which is the order of arrival. */
  private waiters: Waiter[] = []
  private timeout: { cancel(): void } | undefined

  constructor(private readonly options: CommitLogFlusherOptions) {
    const { settings, clock, logger } = options
    this.lastThorough = clock.monotonic()
    this.task = new PeriodicTask({
      name: 'flushing the commit log',
      periodMs: settings.flushIntervalCommitLog,
      clock,
      logger,
      run: () => this.flushIfDue(),
    })
  }

  start(): void {
    this.task.start()
  }

  isDurable(endOffset: number): boolean {
    return this.options.settings.flushDiskType === 'ASYNC_FLUSH' || endOffset <= this.flushedOffset
  }

  /**
   * PUT_OK once the log is on the disk up to `endOffset`, FLUSH_DISK_TIMEOUT after `syncFlushTimeout`, UNKNOWN_ERROR
   * when the disk refuses.
   */
  whenDurable(endOffset: number): Promise<PutStatus> {
    if (this.failure !== undefined) return Promise.resolve('UNKNOWN_ERROR')
    if (endOffset <= this.flushedOffset) return Promise.resolve('PUT_OK')
    const deadline = this.options.clock.monotonic() + this.options.settings.syncFlushTimeout
    const promise = new Promise<PutStatus>(answer => this.waiters.push({ endOffset, deadline, answer }))
    this.scheduleGroupCommit()
    this.watchDeadline()
    return promise
  }

  /** At the end of the turn, so that all its appends are in the group. */
  private scheduleGroupCommit(): void {
    if (this.isScheduled || this.running !== undefined) return
    this.isScheduled = true
    setImmediate(() => {
      this.isScheduled = false
      // a failure has been reported and has answered the waiters
      this.flush().catch(() => {})
    })
  }

  /** Flushes what was appended before the call. Rejects with the disk's error, now and ever after. */
  async flush(): Promise<void> {
    const upTo = this.options.log.maxOffset
    while (this.flushedOffset < upTo) {
      if (this.failure !== undefined) throw this.failure
      this.running ??= this.flushOnce().finally(() => {
        this.running = undefined
        if (this.waiters.length > 0) this.scheduleGroupCommit()
      })
      await this.running
    }
  }

  private async flushOnce(): Promise<void> {
    const { log, onFlushed } = this.options
    const target = log.maxOffset
    const timestamp = log.lastStoreTimestamp
    try {
      const { files } = log.files
      const first = files.findLastIndex(file => file.startOffset <= this.flushedOffset)
      for (const file of files.slice(Math.max(0, first))) if (file.startOffset < target) await file.flush()
    } catch (error) {
      this.fail(error)
      throw this.failure
    }
    this.flushedOffset = Math.max(this.flushedOffset, target)
    onFlushed(this.flushedOffset, timestamp)
    this.answerDurable()
  }

  private fail(error: unknown): void {
    const code = error instanceof MQError ? error.code : 'EIO'
    this.failure = new MQError(code, `the commit log cannot be flushed: ${errorText(error)}`, { cause: error })
    this.options.onFailed(this.failure)
    for (const waiter of this.waiters) waiter.answer('UNKNOWN_ERROR')
    this.waiters = []
  }

  private answerDurable(): void {
    const durable = this.flushedOffset
    let answered = 0
    for (const waiter of this.waiters) if (waiter.endOffset <= durable) answered++
    if (answered === 0) return
    const done = this.waiters.filter(waiter => waiter.endOffset <= durable)
    this.waiters = answered === this.waiters.length ? [] : this.waiters.filter(waiter => waiter.endOffset > durable)
    for (const waiter of done) waiter.answer('PUT_OK')
  }

  private watchDeadline(): void {
    const first = this.waiters[0]
    if (this.timeout !== undefined || first === undefined) return
    const { clock } = this.options
    this.timeout = clock.after(Math.max(1, first.deadline - clock.monotonic()), () => {
      this.timeout = undefined
      const now = clock.monotonic()
      while (this.waiters.length > 0 && this.waiters[0]!.deadline <= now) {
        this.waiters.shift()!.answer('FLUSH_DISK_TIMEOUT')
      }
      this.watchDeadline()
    })
  }

  private async flushIfDue(): Promise<void> {
    if (this.failure !== undefined) return
    const { log, settings, clock } = this.options
    const now = clock.monotonic()
    const isThorough = now - this.lastThorough >= settings.flushCommitLogThoroughInterval
    const dirtyPages = Math.floor(log.maxOffset / PAGE) - Math.floor(this.flushedOffset / PAGE)
    if (!isThorough && dirtyPages < settings.flushCommitLogLeastPages) return
    this.lastThorough = now
    // a failure has been reported
    await this.flush().catch(() => {})
  }

  /** Ends the periodic flush; resolves when none is under way. */
  async stop(): Promise<void> {
    await this.task.stop()
    this.timeout?.cancel()
    await this.running?.catch(() => {})
  }
}
