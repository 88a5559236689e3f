import {
  decodeMessage,
  type MessageExt,
  MessageSysFlag,
  PropertyName,
  SystemTopic,
  transactionType,
} from '../../common/index.js'
import type { MessageStore } from '../../store/index.js'
import { HALF_TOPIC, OUTCOME, realTarget } from './half-message.js'
import type { HalfPosition, HalfQueue } from './half-queue.js'

/** What the store tells of a transaction whose half message is finished. */
export type Past =
  /** It goes on as a copy that does not name its origin: Java's brokers made it. */
  | { state: 'open'; at: HalfPosition }
  | { state: 'committed' }
  | { state: 'rolled back' }
  | { state: 'given up' }
  /** Rolled back; or what was left of it has expired. */
  | { state: 'unknown' }

const MAX_FOUND = 64

/** Looks a finished transaction up by its unique key: rare, for decisions that come late or twice. */
export async function pastOf(half: MessageExt, queue: HalfQueue, store: Pick<MessageStore, 'queries'>): Promise<Past> {
  const copies = await sameTransaction(half, HALF_TOPIC, store)
  const open = copies.find(copy => queue.isOpen(copy.queueOffset) && copy.commitLogOffset !== half.commitLogOffset)
  if (open !== undefined) {
    return { state: 'open', at: { queueOffset: open.queueOffset, physicalOffset: open.commitLogOffset } }
  }
  const target = realTarget(half)
  const delivered = target === undefined ? [] : await sameTransaction(half, target.topic, store)
  if (delivered.some(isCommitted)) return { state: 'committed' }
  const kept = await sameTransaction(half, SystemTopic.TRANS_CHECK_MAX_TIME, store)
  return { state: stateOf(kept.at(-1)) }
}

/** What the last of the messages about a given-up transaction says. A resumed one has been finished since. */
function stateOf(last: MessageExt | undefined): 'given up' | 'rolled back' | 'unknown' {
  if (last === undefined) return 'unknown'
  const outcome = last.properties.get(OUTCOME)
  if (outcome === undefined) return 'given up'
  return outcome === 'ROLLBACK' ? 'rolled back' : 'unknown'
}

function isCommitted(message: MessageExt): boolean {
  return transactionType(message.sysFlag) === MessageSysFlag.TRANSACTION_COMMIT_TYPE
}

/** Those of a topic with the unique key and the birth of a half message; what a producer sends again is born anew. */
async function sameTransaction(
  half: MessageExt,
  topic: string,
  store: Pick<MessageStore, 'queries'>,
): Promise<MessageExt[]> {
  const key = half.properties.get(PropertyName.UNIQ_KEY)
  if (key === undefined) return []
  const range = { begin: 0, end: Number.MAX_SAFE_INTEGER }
  const { records } = await store.queries.queryMessage({ topic, key, maxNum: MAX_FOUND, ...range })
  return records
    .map(record => decodeMessage(record, 0, { readBody: false }))
    .filter(
      found =>
        found.topic === topic &&
        found.properties.get(PropertyName.UNIQ_KEY) === key &&
        found.bornTimestamp === half.bornTimestamp,
    )
}
