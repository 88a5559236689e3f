import { MQError } from '../util/index.js'

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** The table behind property DELAY: level n waits for the n-th duration of `messageDelayLevel` (store-format 11.2). */
export class DelayLevels {
  private readonly delaysMs: readonly number[]

  /** Reads `1s 5s 10m 2h 1d`. Throws MQError `ERR_DELAY_LEVEL`. */
  constructor(text: string) {
    this.delaysMs = text
      .trim()
      .split(/\s+/)
      .map(word => {
        const match = /^(\d+)([smhd])$/.exec(word)
        if (match === null) {
          throw new MQError('ERR_DELAY_LEVEL', `messageDelayLevel: "${word}" is no duration; write 30s, 5m, 2h or 1d`)
        }
        return Number(match[1]) * UNIT_MS[match[2]!]!
      })
  }

  /** The highest level. */
  get maxLevel(): number {
    return this.delaysMs.length
  }

  /** The wait of a level in ms; levels above the highest count as it. */
  delayMs(level: number): number {
    return this.delaysMs[Math.min(level, this.maxLevel) - 1] ?? 1000
  }

  /** When a message of this level, stored at `storeTimestamp`, is due. */
  deliverTime(level: number, storeTimestamp: number): number {
    return storeTimestamp + this.delayMs(level)
  }
}
