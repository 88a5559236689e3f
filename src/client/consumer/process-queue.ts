import type { MessageExt, MessageQueue } from '../../common/index.js'
import { type Clock, sleep } from '../../util/index.js'

const PULL_EXPIRED_MS = 120_000
const LOCK_EXPIRED_MS = 30_000

/** One queue this consumer owns: its messages that are not done with, and where the next pull begins. */
export class ProcessQueue {
  /** No longer ours: whatever is under way for it comes to nothing. */
  dropped = false
  /** Ordered consumption: the broker keeps this queue for us. */
  locked = false
  /** The offset was computed while the lock was held. */
  offsetFixedUnderLock = false
  /** Ordered consumption: a run is under way or due. */
  consuming = false
  /** Ordered consumption: the listener that runs now. */
  listenerRunning: Promise<void> | undefined
  lastLockAt: number
  lastPullAt: number
  /** Wall clock ms, for status reports. */
  lastConsumeTimestamp: number
  tryUnlockTimes = 0
  private messages = new Map<number, MessageExt>()
  /** Taken by an ordered listener, neither committed nor put back. */
  private taken = new Map<number, MessageExt>()
  private byteCount = 0
  private highestOffset = -1
  private wakers = new Set<() => void>()

  constructor(
    readonly queue: MessageQueue,
    public nextOffset: number,
    private readonly clock: Clock,
  ) {
    this.lastLockAt = clock.monotonic()
    this.lastPullAt = clock.monotonic()
    this.lastConsumeTimestamp = clock.now()
  }

  get count(): number {
    return this.messages.size + this.taken.size
  }

  get bytes(): number {
    return this.byteCount
  }

  /** Distance between the first and the last message. */
  get span(): number {
    return this.messages.size === 0 ? 0 : this.highestOffset - this.firstOffset()!
  }

  get isListening(): boolean {
    return this.listenerRunning !== undefined
  }

  get isPullExpired(): boolean {
    return this.clock.monotonic() - this.lastPullAt > PULL_EXPIRED_MS
  }

  get isLockExpired(): boolean {
    return this.clock.monotonic() - this.lastLockAt > LOCK_EXPIRED_MS
  }

  drop(): void {
    this.dropped = true
    for (const wake of this.wakers) wake()
    this.wakers.clear()
  }

  /** Resolves after `delayMs`, or as soon as the queue is dropped. */
  async wait(delayMs: number): Promise<void> {
    if (this.dropped) return
    let wake = (): void => {}
    const dropped = new Promise<void>(resolve => {
      wake = resolve
    })
    this.wakers.add(wake)
    await Promise.race([sleep(this.clock, delayMs), dropped])
    this.wakers.delete(wake)
  }

  /** Adds what was pulled; a message that is there already stays. */
  put(messages: readonly MessageExt[]): void {
    let sorted = true
    for (const message of messages) {
      if (this.messages.has(message.queueOffset) || this.taken.has(message.queueOffset)) continue
      if (message.queueOffset < this.highestOffset) sorted = false
      this.messages.set(message.queueOffset, message)
      this.byteCount += message.body.length
      this.highestOffset = Math.max(this.highestOffset, message.queueOffset)
    }
    if (!sorted) this.messages = new Map([...this.messages].sort(([a], [b]) => a - b))
  }

  has(message: MessageExt): boolean {
    return this.messages.has(message.queueOffset)
  }

  /** Takes messages out that are done with. Returns the offset to store: everything before it is done with. */
  remove(messages: readonly MessageExt[]): number {
    for (const message of messages) {
      if (this.messages.delete(message.queueOffset)) this.byteCount -= message.body.length
    }
    return this.firstOffset() ?? this.highestOffset + 1
  }

  /** The oldest messages, at most `limit`. */
  head(limit: number): MessageExt[] {
    const list: MessageExt[] = []
    for (const message of this.messages.values()) {
      if (list.length === limit) break
      list.push(message)
    }
    return list
  }

  /** For an ordered listener: the next messages, until they are committed or put back. */
  take(limit: number): MessageExt[] {
    const list = this.head(limit)
    for (const message of list) {
      this.messages.delete(message.queueOffset)
      this.taken.set(message.queueOffset, message)
    }
    return list
  }

  /**
   * What was taken is done with. Returns the offset to store, or undefined when nothing was taken: never one behind a
   * message that was put back.
   */
  commit(): number | undefined {
    const offsets = [...this.taken.keys()]
    for (const message of this.taken.values()) this.byteCount -= message.body.length
    this.taken.clear()
    return offsets.length === 0
      ? undefined
      : Math.min(Math.max(...offsets) + 1, this.firstOffset() ?? Number.MAX_SAFE_INTEGER)
  }

  /** Everything taken comes back to the front. */
  putBack(): void {
    this.messages = new Map([...this.taken, ...this.messages].sort(([a], [b]) => a - b))
    this.taken.clear()
  }

  /** These come back to the front; what else was taken stays so. */
  putBackSome(messages: readonly MessageExt[]): void {
    for (const message of messages) {
      if (this.taken.delete(message.queueOffset)) this.messages.set(message.queueOffset, message)
    }
    this.messages = new Map([...this.messages].sort(([a], [b]) => a - b))
  }

  /** What tools show of it. */
  status(commitOffset: number): object {
    const taken = [...this.taken.keys()]
    return {
      cachedMsgCount: this.messages.size,
      cachedMsgMaxOffset: this.messages.size === 0 ? 0 : this.highestOffset,
      cachedMsgMinOffset: this.firstOffset() ?? 0,
      cachedMsgSizeInMiB: Math.floor(this.byteCount / (1024 * 1024)),
      commitOffset,
      // Java's spelling is on the wire
      droped: this.dropped,
      lastConsumeTimestamp: this.lastConsumeTimestamp,
      lastLockTimestamp: this.wallTime(this.lastLockAt),
      lastPullTimestamp: this.wallTime(this.lastPullAt),
      locked: this.locked,
      transactionMsgCount: taken.length,
      transactionMsgMaxOffset: taken.length === 0 ? 0 : Math.max(...taken),
      transactionMsgMinOffset: taken.length === 0 ? 0 : Math.min(...taken),
      tryUnlockTimes: this.tryUnlockTimes,
    }
  }

  private wallTime(monotonic: number): number {
    return Math.round(this.clock.now() - (this.clock.monotonic() - monotonic))
  }

  private firstOffset(): number | undefined {
    return this.messages.keys().next().value
  }
}
