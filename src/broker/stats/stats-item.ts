/** Length of one slot: how often Java samples its counters for the figures of the last minute. */
export const SLOT_MS = 10_000

/** Figures of one window: what was counted, per second, and per call. */
export interface StatsSnapshot {
  sum: number
  tps: number
  avgpt: number
}

/** The answer to VIEW_BROKER_STATS_DATA. Its JSON has these names. */
export interface BrokerStatsData {
  statsMinute: StatsSnapshot
  statsHour: StatsSnapshot
  statsDay: StatsSnapshot
}

/** A window of `samples` samples, one every `slots` slots. */
interface Scale {
  slots: number
  samples: number
}

const MINUTE: Scale = { slots: 1, samples: 6 }
const HOUR: Scale = { slots: 60, samples: 6 }
const DAY: Scale = { slots: 360, samples: 24 }
const SCALES = [MINUTE, HOUR, DAY] as const

/** Slots after which nothing of an item is left in any window. */
export const ITEM_LIFETIME_SLOTS = DAY.slots * (DAY.samples + 1)

/** Which of an item's two counters. */
export type StatsColumn = 'nums' | 'size'

/** Values per sample in a ring: nums, size, times. */
const WIDTH = 3
const OFFSET_OF: Readonly<Record<StatsColumn, number>> = { nums: 0, size: 1 }
const TIMES = 2

const EMPTY: StatsSnapshot = { sum: 0, tps: 0, avgpt: 0 }

/**
 * A pair of counters with the figures of the last minute, hour and day. Nothing is done per period: an item that is
 * touched catches up with the samples it missed, which all have the value it had then.
 */
export class StatsItem {
  private nums = 0
  private size = 0
  private times = 0
  private slot: number
  private readonly bornSlot: number
  /** One ring per scale, made when the first sample falls due. */
  private readonly rings: (number[] | undefined)[] = [undefined, undefined, undefined]

  /** `slot`: the number of the current slot, which only grows. */
  constructor(slot: number) {
    this.slot = slot
    this.bornSlot = slot
  }

  get lastSlot(): number {
    return this.slot
  }

  add(slot: number, nums: number, size: number): void {
    if (slot !== this.slot) this.catchUp(slot)
    this.nums += nums
    this.size += size
    this.times++
  }

  data(slot: number, column: StatsColumn): BrokerStatsData {
    return {
      statsMinute: this.snapshot(slot, 0, column),
      statsHour: this.snapshot(slot, 1, column),
      statsDay: this.snapshot(slot, 2, column),
    }
  }

  /** Per second, over the last minute. */
  tps(slot: number, column: StatsColumn): number {
    return this.snapshot(slot, 0, column).tps
  }

  private snapshot(slot: number, scaleIndex: 0 | 1 | 2, column: StatsColumn): StatsSnapshot {
    // reading must not keep an item alive, so the last slot stays that of the last change
    const { slots, samples } = SCALES[scaleIndex]
    const last = Math.floor(slot / slots)
    const first = Math.max(last - samples, Math.floor(this.bornSlot / slots))
    if (last <= first) return EMPTY
    const offset = OFFSET_OF[column]
    const sum = this.sampleAt(scaleIndex, last, offset) - this.sampleAt(scaleIndex, first, offset)
    const times = this.sampleAt(scaleIndex, last, TIMES) - this.sampleAt(scaleIndex, first, TIMES)
    return {
      sum,
      tps: (sum * 1000) / ((last - first) * slots * SLOT_MS),
      avgpt: times > 0 ? sum / times : 0,
    }
  }

  /** A counter's value when sample `index` fell due. */
  private sampleAt(scaleIndex: 0 | 1 | 2, index: number, offset: number): number {
    const { slots, samples } = SCALES[scaleIndex]
    if (index <= Math.floor(this.bornSlot / slots)) return 0
    if (index > Math.floor(this.slot / slots)) return [this.nums, this.size, this.times][offset]!
    return this.rings[scaleIndex]?.[(index % (samples + 1)) * WIDTH + offset] ?? 0
  }

  /** Writes the samples that fell due since the last change. */
  private catchUp(slot: number): void {
    for (let i = 0; i < SCALES.length; i++) {
      const { slots, samples } = SCALES[i]!
      const due = Math.floor(slot / slots)
      const done = Math.floor(this.slot / slots)
      if (due === done) continue
      let ring = this.rings[i]
      if (!ring) {
        ring = new Array<number>((samples + 1) * WIDTH).fill(0)
        this.rings[i] = ring
      }
      for (let index = Math.max(done + 1, due - samples); index <= due; index++) {
        const at = (index % (samples + 1)) * WIDTH
        ring[at] = this.nums
        ring[at + 1] = this.size
        ring[at + TIMES] = this.times
      }
    }
    this.slot = slot
  }
}
