import type { StoreDirectory } from '../store-directory.js'
import { type AffectedMessage, addAffected, type Damage, type DamageReport, type DamageText } from './damage.js'

export interface Blame {
  readonly problem: string
  readonly effect: string
  readonly message: AffectedMessage
}

interface DamagedRange {
  readonly from: number
  readonly to: number
  readonly damage: Damage
}

/** Damaged places of the log: what queues and index hold of them is not reported again. */
export class LogDamage {
  private readonly ranges: DamagedRange[] = []
  private tail: { from: number; text: Omit<DamageText, 'part'> } | undefined

  constructor(private readonly report: DamageReport) {}

  /** Reports damage of the log's bytes `[from, to)`. */
  add(from: number, to: number, text: Omit<DamageText, 'part'>, ...messages: AffectedMessage[]): Damage {
    const damage = this.report.add({ part: 'commitlog', ...text }, ...messages)
    let at = this.ranges.length
    while (at > 0 && this.ranges[at - 1]!.from > from) at--
    this.ranges.splice(at, 0, { from, to, damage })
    return damage
  }

  /** Reports that a record cannot be right, unless that is known, and which message it touches. */
  blame(directory: StoreDirectory, record: { position: number; size: number }, blame: Blame): void {
    const { position, size } = record
    const known = this.at(position)
    if (known !== undefined) {
      addAffected(known, blame.message)
      return
    }
    const file = directory.logFileAt(position)
    const at = position - (file?.startOffset ?? 0)
    const { problem, effect, message } = blame
    this.add(
      position,
      position + size,
      { file: file?.path ?? '', position: at, end: at + size, problem, effect },
      message,
    )
  }

  /** Says what it means when something points to `from` or behind: nothing is damaged unless something does. */
  endAt(from: number, text: Omit<DamageText, 'part'>): void {
    this.tail = { from, text }
  }

  /** The damage of a log that ends too early for something that points to `position`. */
  behindEnd(position: number): Damage | undefined {
    const { tail } = this
    if (tail === undefined || position < tail.from) return undefined
    return this.at(position) ?? this.add(tail.from, Number.POSITIVE_INFINITY, tail.text)
  }

  /** The damage that holds `position`. */
  at(position: number): Damage | undefined {
    let low = 0
    let high = this.ranges.length
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.ranges[middle]!.to <= position) low = middle + 1
      else high = middle
    }
    const range = this.ranges[low]
    return range !== undefined && range.from <= position ? range.damage : undefined
  }
}
