import type { Clock } from '../../util/index.js'

export type TransactionAnswer = 'COMMIT' | 'ROLLBACK' | 'UNKNOWN'

/** One question to a producer and what came of it. Times in ms. */
export interface TransactionCheck {
  askedAt: number
  /** Nobody of the group was online when it is missing. */
  client?: string
  answer?: TransactionAnswer
  answeredAt?: number
  /** Who answered: any producer of the group may. */
  answeredBy?: string
  /** What the producer wrote with its answer, an exception for example. */
  remark?: string
}

const MAX_CHECKS = 32
const MAX_TRANSACTIONS = 100_000

/**
 * Who was asked about the open transactions, and what the answers were, since the broker started; how often is kept
 * with the message. For operators only: nothing is decided by it.
 */
export class CheckHistory {
  private readonly byFirstOffset = new Map<number, TransactionCheck[]>()

  constructor(private readonly clock: Clock) {}

  checksOf(firstOffset: number): readonly TransactionCheck[] {
    return this.byFirstOffset.get(firstOffset) ?? []
  }

  noteAsked(firstOffset: number, client: string): void {
    this.add(firstOffset, { askedAt: this.clock.now(), client })
  }

  /** The group was not online: one entry, however long that lasts. */
  noteOffline(firstOffset: number): void {
    const last = this.byFirstOffset.get(firstOffset)?.at(-1)
    if (last !== undefined && last.client === undefined && last.answer === undefined) last.askedAt = this.clock.now()
    else this.add(firstOffset, { askedAt: this.clock.now() })
  }

  /** An answer that leaves the transaction open; one without a question stands for itself. */
  noteAnswer(firstOffset: number, answer: TransactionAnswer, by: string, remark: string | undefined): void {
    const now = this.clock.now()
    const text = remark === undefined || remark === '' ? {} : { remark: remark.slice(0, 200) }
    const last = this.byFirstOffset.get(firstOffset)?.at(-1)
    if (last?.client !== undefined && last.answer === undefined) {
      Object.assign(last, { answer, answeredAt: now, answeredBy: by, ...text })
    } else {
      this.add(firstOffset, { askedAt: now, answer, answeredAt: now, answeredBy: by, ...text })
    }
  }

  forget(firstOffset: number): void {
    this.byFirstOffset.delete(firstOffset)
  }

  private add(firstOffset: number, check: TransactionCheck): void {
    let checks = this.byFirstOffset.get(firstOffset)
    if (checks === undefined) {
      this.byFirstOffset.set(firstOffset, (checks = []))
      if (this.byFirstOffset.size > MAX_TRANSACTIONS) {
        this.byFirstOffset.delete(this.byFirstOffset.keys().next().value as number)
      }
    }
    checks.push(check)
    if (checks.length > MAX_CHECKS) checks.shift()
  }
}
