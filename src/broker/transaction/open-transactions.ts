import { decodeOffsetMessageId, type MessageExt, PropertyName } from '../../common/index.js'
import type { Clock } from '../../util/index.js'
import type { CheckHistory, TransactionCheck } from './check-history.js'
import { checkTimesOf, firstHalfOffset, realTarget, transactionIdOf } from './half-message.js'
import type { HalfQueue } from './half-queue.js'

/** An open transaction as an operator sees it. Times in ms. */
export interface OpenTransaction {
  transactionId: string
  /** Of its newest half message; decides between transactions of one id. */
  msgId: string
  producerGroup: string
  topic: string
  queueId: number
  tags?: string | undefined
  keys?: string | undefined
  bodySize: number
  bornTimestamp: number
  bornHost: string
  age: number
  checkTimes: number
  /** Offset in the queue of half messages, and in the commit log. */
  queueOffset: number
  commitLogOffset: number
  /** Since the broker started. */
  checks: readonly TransactionCheck[]
}

export interface OpenTransactionFilter {
  topic?: string | undefined
  producerGroup?: string | undefined
  /** Transaction id, or message id of one of its half messages. */
  id?: string | undefined
  maxNum: number
}

/** The open transactions for operators; read from the queue each time, oldest first. */
export class OpenTransactions {
  constructor(private readonly parts: { half: HalfQueue; history: CheckHistory; clock: Clock }) {}

  /** Those that match, `maxNum` at most, and how many match in all. */
  async list(filter: OpenTransactionFilter): Promise<{ total: number; transactions: OpenTransaction[] }> {
    const transactions: OpenTransaction[] = []
    let total = 0
    await this.visit(filter, half => {
      total++
      if (transactions.length < filter.maxNum) transactions.push(this.describe(half))
    })
    return { total, transactions }
  }

  /** The half messages, without their bodies, of the open transactions with that id. */
  async find(id: string): Promise<MessageExt[]> {
    const found: MessageExt[] = []
    await this.visit({ id }, half => found.push({ ...half, body: Buffer.alloc(0) }))
    return found
  }

  private async visit(filter: Omit<OpenTransactionFilter, 'maxNum'>, each: (half: MessageExt) => void): Promise<void> {
    const { half: queue } = this.parts
    const { topic, producerGroup, id } = filter
    const named = id === undefined ? undefined : commitLogOffsetIn(id)
    await queue.scan(queue.end, half => {
      const isWanted =
        (topic === undefined || half.properties.get(PropertyName.REAL_TOPIC) === topic) &&
        (producerGroup === undefined || half.properties.get(PropertyName.PRODUCER_GROUP) === producerGroup) &&
        (id === undefined ||
          transactionIdOf(half) === id ||
          half.offsetMsgId === id.toUpperCase() ||
          isFirst(half, named))
      if (isWanted) each(half)
      return 'go on'
    })
  }

  private describe(half: MessageExt): OpenTransaction {
    const target = realTarget(half)
    const { properties } = half
    return {
      transactionId: transactionIdOf(half),
      msgId: half.offsetMsgId,
      producerGroup: properties.get(PropertyName.PRODUCER_GROUP) ?? '',
      topic: target?.topic ?? '',
      queueId: target?.queueId ?? -1,
      tags: properties.get(PropertyName.TAGS),
      keys: properties.get(PropertyName.KEYS),
      bodySize: half.body.length,
      bornTimestamp: half.bornTimestamp,
      bornHost: `${half.bornHost.host}:${half.bornHost.port}`,
      age: this.parts.clock.now() - half.bornTimestamp,
      checkTimes: checkTimesOf(half),
      queueOffset: half.queueOffset,
      commitLogOffset: half.commitLogOffset,
      checks: this.parts.history.checksOf(firstHalfOffset(half)),
    }
  }
}

/** A producer's message id names the first half message; the copies made since are another. */
function isFirst(half: MessageExt, commitLogOffset: number | undefined): boolean {
  return commitLogOffset !== undefined && firstHalfOffset(half) === commitLogOffset
}

function commitLogOffsetIn(id: string): number | undefined {
  try {
    return decodeOffsetMessageId(id).commitLogOffset
  } catch {
    return undefined
  }
}
