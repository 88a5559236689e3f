/** Why the store takes no messages; bits as in Java's RunningFlags (store-format 9.3). */
export const RunningFlag = {
  NOT_READABLE: 1,
  NOT_WRITABLE: 2,
  WRITE_LOGICS_QUEUE_ERROR: 4,
  WRITE_INDEX_FILE_ERROR: 8,
  DISK_FULL: 16,
  FENCED: 32,
  LOGIC_DISK_FULL: 64,
} as const

const NO_WRITES =
  RunningFlag.NOT_WRITABLE |
  RunningFlag.WRITE_LOGICS_QUEUE_ERROR |
  RunningFlag.WRITE_INDEX_FILE_ERROR |
  RunningFlag.DISK_FULL |
  RunningFlag.FENCED |
  RunningFlag.LOGIC_DISK_FULL

/** The state of a store as bits, with a sentence for each that is set. */
export class RunningFlags {
  private value = 0
  private readonly reasons = new Map<number, string>()

  get bits(): number {
    return this.value
  }

  get isWritable(): boolean {
    return (this.value & NO_WRITES) === 0
  }

  get isReadable(): boolean {
    return (this.value & RunningFlag.NOT_READABLE) === 0
  }

  /** Sets a bit and says why; true when it was not set before. */
  set(flag: number, reason: string): boolean {
    const isNew = (this.value & flag) === 0
    this.value |= flag
    this.reasons.set(flag, reason)
    return isNew
  }

  /** Clears a bit; true when it was set. */
  clear(flag: number): boolean {
    const wasSet = (this.value & flag) !== 0
    this.value &= ~flag
    this.reasons.delete(flag)
    return wasSet
  }

  /** One sentence per bit that keeps messages out. */
  get whyNotWritable(): string {
    return [...this.reasons.entries()]
      .filter(([flag]) => (flag & NO_WRITES) !== 0)
      .map(([, reason]) => reason)
      .join('; ')
  }
}
