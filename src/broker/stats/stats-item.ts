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

/** Values of a row: nums, size, times. */
const WIDTH = 3
const OFFSET_OF: Readonly<Record<StatsColumn, number>> = { nums: 0, size: 1 }
const TIMES = 2

const EMPTY: StatsSnapshot = { sum: 0, tps: 0, avgpt: 0 }
const NO_VALUES: readonly number[] = []

interface RowRange {
  readonly row: number
  /** The row after the last. */
  readonly end: number
}

/**
 * Rows of counters that are sampled together, with the figures of the last minute, hour and day. Nothing is done per
 * period: what is touched catches up with the samples it missed, which all have the values it had then. All rows lie in
 * one array: with tens of thousands of queues each further object costs a wait for memory per message.
 */
export class StatsRows {
  /** Number of the current slot as of the last change. */
  private slot: number
  private values: number[] = []
  /** In which slot each row was added. */
  private readonly bornSlots: number[] = []
  /** One ring of samples, copies of the values, per scale; made when the first falls due. */
  private readonly rings: ((readonly number[])[] | undefined)[] = [undefined, undefined, undefined]

  /** `slot`: the number of the current slot, which only grows. */
  constructor(slot: number) {
    this.slot = slot
  }

  get lastSlot(): number {
    return this.slot
  }

  get rowCount(): number {
    return this.bornSlots.length
  }

  /** The number of the new row. */
  addRow(slot: number): number {
    this.values.push(0, 0, 0)
    return this.bornSlots.push(slot) - 1
  }

  addTo(row: number, slot: number, nums: number, size: number): void {
    if (slot !== this.slot) this.catchUp(slot)
    const { values } = this
    const at = row * WIDTH
    values[at] = values[at]! + nums
    values[at + 1] = values[at + 1]! + size
    values[at + TIMES] = values[at + TIMES]! + 1
  }

  /** Of rows from `row` up to `end`, together. */
  figures(row: number, end: number, slot: number, column: StatsColumn): BrokerStatsData {
    const rows = { row, end }
    return {
      statsMinute: this.snapshot(rows, slot, 0, column),
      statsHour: this.snapshot(rows, slot, 1, column),
      statsDay: this.snapshot(rows, slot, 2, column),
    }
  }

  private snapshot(rows: RowRange, slot: number, scaleIndex: 0 | 1 | 2, column: StatsColumn): StatsSnapshot {
    // reading must not keep an item alive, so the last slot stays that of the last change
    const { slots, samples } = SCALES[scaleIndex]
    const last = Math.floor(slot / slots)
    const first = Math.max(last - samples, Math.floor(this.bornSlots[rows.row]! / slots))
    if (last <= first) return EMPTY
    const [from, to] = [this.sampleAt(scaleIndex, first), this.sampleAt(scaleIndex, last)]
    const offset = OFFSET_OF[column]
    const sum = sumOf(to, rows, offset) - sumOf(from, rows, offset)
    const times = sumOf(to, rows, TIMES) - sumOf(from, rows, TIMES)
    return {
      sum,
      tps: (sum * 1000) / ((last - first) * slots * SLOT_MS),
      avgpt: times > 0 ? sum / times : 0,
    }
  }

  /** The values when sample `index` fell due; rows that came later are missing. */
  private sampleAt(scaleIndex: 0 | 1 | 2, index: number): readonly number[] {
    const { slots, samples } = SCALES[scaleIndex]
    if (index <= Math.floor(this.bornSlots[0]! / slots)) return NO_VALUES
    if (index > Math.floor(this.slot / slots)) return this.values
    return this.rings[scaleIndex]?.[index % (samples + 1)] ?? NO_VALUES
  }

  /** Keeps the samples that fell due since the last change. */
  private catchUp(slot: number): void {
    let sample: readonly number[] | undefined
    for (let i = 0; i < SCALES.length; i++) {
      const { slots, samples } = SCALES[i]!
      const due = Math.floor(slot / slots)
      const done = Math.floor(this.slot / slots)
      if (due === done) continue
      sample ??= this.values.slice()
      const ring = (this.rings[i] ??= new Array<readonly number[]>(samples + 1).fill(NO_VALUES))
      for (let index = Math.max(done + 1, due - samples); index <= due; index++) ring[index % (samples + 1)] = sample
    }
    this.slot = slot
  }
}

/** A pair of counters of its own. */
export class StatsItem extends StatsRows {
  constructor(slot: number) {
    super(slot)
    this.addRow(slot)
  }

  add(slot: number, nums: number, size: number): void {
    this.addTo(0, slot, nums, size)
  }

  data(slot: number, column: StatsColumn): BrokerStatsData {
    return this.figures(0, 1, slot, column)
  }

  /** Per second, over the last minute. */
  tps(slot: number, column: StatsColumn): number {
    return this.figures(0, 1, slot, column).statsMinute.tps
  }
}

function sumOf(values: readonly number[], { row, end }: RowRange, offset: number): number {
  let sum = 0
  for (let at = row * WIDTH + offset; at < end * WIDTH && at < values.length; at += WIDTH) sum += values[at]!
  return sum
}
