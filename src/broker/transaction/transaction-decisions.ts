import { type MessageExt, PropertyName, ResponseCode, ResponseError } from '../../common/index.js'
import type { BrokerContext } from '../context.js'
import { isSpecialProperty } from '../put/send-properties.js'
import type { CheckHistory } from './check-history.js'
import { commitRefusal } from './commit-refusal.js'
import { pastOf } from './decided-before.js'
import { committedMessage, firstHalfOffset, outcomeNote, realTarget, transactionIdOf } from './half-message.js'
import type { HalfPosition, HalfQueue } from './half-queue.js'
import type { TransactionMetrics } from './transaction-metrics.js'

export type Decision = 'COMMIT' | 'ROLLBACK'

export interface TransactionDecisionsParts extends Pick<BrokerContext, 'settings' | 'store' | 'puts' | 'stats'> {
  half: HalfQueue
  history: CheckHistory
  metrics: TransactionMetrics
}

/** What a decision came to. `remark` is there when nothing was done. */
export interface Decided {
  remark?: string
  /** End of the committed message in the log. */
  endOffset?: number
}

const REMEMBERED = 20_000
const DONE: Readonly<Record<Decision, string>> = { COMMIT: 'committed', ROLLBACK: 'rolled back' }

/**
 * Commits and rolls back. Unlike in Java a transaction is decided once: the same decision again changes nothing, the
 * opposite one is refused. What was given up can still be decided.
 */
export class TransactionDecisions {
  /**
   * The latest decisions, by the transaction's first commit log offset: the newer half, and the older one that is
   * forgotten as a whole. Deleting the oldest one by one makes a map slow.
   */
  private remembered = new Map<number, Decision>()
  private rememberedBefore = new Map<number, Decision>()
  /** Late decisions are looked into one after the other, so that two of them cannot both commit. */
  private lateOnes: Promise<unknown> = Promise.resolve()

  constructor(private readonly parts: TransactionDecisionsParts) {}

  /**
   * Decides the transaction of a half message, whose body is borrowed until the turn ends; at once when it is open.
   * @throws ResponseError with the code and remark of the answer; nothing has changed then.
   */
  decide(half: MessageExt, decision: Decision): Decided | Promise<Decided> {
    const at = this.parts.half.openPosition(half)
    if (at !== undefined) return this.carryOut(half, decision, at)
    const before = this.decisionOn(firstHalfOffset(half))
    if (before !== undefined) return decidedBefore(half, decision, before)
    const kept = { ...half, body: Buffer.from(half.body) }
    const late = this.lateOnes.then(() => this.decideLate(kept, decision))
    this.lateOnes = late.catch(() => undefined)
    return late
  }

  private carryOut(half: MessageExt, decision: Decision, at: HalfPosition | undefined): Decided {
    const target = realTarget(half)
    if (target === undefined)
      throw new ResponseError(
        ResponseCode.SYSTEM_ERROR,
        `the message at commit log offset ${half.commitLogOffset} does not say where it belongs: it is no half message`,
      )
    const decided = decision === 'COMMIT' ? this.deliver(half, target) : {}
    const first = firstHalfOffset(half)
    // the mark is stored in this turn, right behind the message: a kill leaves both or, hardly ever, the message alone
    if (at !== undefined) {
      this.parts.half.close(half, at)
      this.parts.metrics.add(target.topic, -1)
    }
    this.parts.history.forget(first)
    this.remember(first, decision)
    return decided
  }

  private deliver(half: MessageExt, target: { topic: string; queueId: number }): Decided {
    const { puts, stats, settings } = this.parts
    const message = committedMessage(half, target)
    const { status, messageCount, wroteBytes, endOffset } = puts.put(message, isSpecial(half))
    const refusal = commitRefusal(status, settings)
    if (refusal !== undefined) throw refusal
    stats.incTopicPut(message.topic, messageCount, wroteBytes)
    stats.incBrokerPut(messageCount)
    return { endOffset }
  }

  private async decideLate(half: MessageExt, decision: Decision): Promise<Decided> {
    const before = this.decisionOn(firstHalfOffset(half))
    if (before !== undefined) return decidedBefore(half, decision, before)
    const past = await pastOf(half, this.parts.half, this.parts.store)
    if (past.state === 'open') return this.carryOut(half, decision, past.at)
    if (past.state === 'committed') return decidedBefore(half, decision, 'COMMIT')
    if (past.state === 'rolled back') return decidedBefore(half, decision, 'ROLLBACK')
    if (past.state === 'given up') {
      if (decision === 'ROLLBACK') this.noteRollback(half)
      return this.carryOut(half, decision, undefined)
    }
    if (decision === 'ROLLBACK') return { remark: alreadyText(half, 'ROLLBACK') }
    throw new ResponseError(
      ResponseCode.ILLEGAL_OPERATION,
      `transaction ${transactionIdOf(half)} was finished before and no committed message of it is found: ` +
        'it was rolled back, or the message has expired. Nothing was done; if consumers lack it, send it again',
    )
  }

  private noteRollback(half: MessageExt): void {
    const { puts, settings } = this.parts
    const refusal = commitRefusal(puts.put(outcomeNote(half, 'ROLLBACK'), false).status, settings)
    if (refusal !== undefined) throw refusal
  }

  private decisionOn(first: number): Decision | undefined {
    return this.remembered.get(first) ?? this.rememberedBefore.get(first)
  }

  private remember(first: number, decision: Decision): void {
    this.remembered.set(first, decision)
    if (this.remembered.size < REMEMBERED) return
    this.rememberedBefore = this.remembered
    this.remembered = new Map()
  }
}

/** Whether a rule of the putter looks at it: a committed message may have to wait for its delay. */
function isSpecial(half: MessageExt): boolean {
  for (const name of half.properties.keys())
    if (name !== PropertyName.TRANSACTION_PREPARED && isSpecialProperty(name)) return true
  return false
}

function decidedBefore(half: MessageExt, decision: Decision, before: Decision): Decided {
  if (decision === before) return { remark: alreadyText(half, before) }
  throw new ResponseError(
    ResponseCode.ILLEGAL_OPERATION,
    `transaction ${transactionIdOf(half)} was ${DONE[before]} before and stays so: ` +
      (before === 'COMMIT' ? 'consumers may have it already' : 'send the message again if consumers are to have it'),
  )
}

function alreadyText(half: MessageExt, before: Decision): string {
  return `transaction ${transactionIdOf(half)} was ${DONE[before]} before: nothing was done`
}
