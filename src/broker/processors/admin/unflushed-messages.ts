import type { BrokerContext } from '../../context.js'
import { Pace } from './json-body.js'

/** What of a topic a power cut would take. */
export interface UnflushedTopic {
  readonly topic: string
  readonly messages: number
  /** The oldest of them. */
  readonly queueId: number
  readonly queueOffset: number
  /** Ms. */
  readonly storeTimestamp: number
}

/** What is acknowledged and not on the disk: what a power cut at this moment would take. */
export interface UnflushedMessages {
  /** Ends of the log: in memory, and on the disk. */
  readonly writtenOffset: number
  readonly flushedOffset: number
  readonly bytes: number
  readonly messages: number
  /** Store time of the oldest, ms; 0 without any. */
  readonly oldestStoreTimestamp: number
  readonly topics: readonly UnflushedTopic[]
}

const QUEUES_PER_TURN = 2000

/**
 * Finds the messages behind the flushed end of the log by the queues that reach there. With SYNC_FLUSH queues end where
 * the disk does, as do acknowledgements, so there are none.
 */
export async function unflushedMessages({ store }: Pick<BrokerContext, 'store'>): Promise<UnflushedMessages> {
  const { flushedOffset } = store
  const writtenOffset = store.log.maxOffset
  const pace = new Pace(QUEUES_PER_TURN)
  const topics = new Map<string, UnflushedTopic>()
  for (const queue of store.queues.all()) {
    await pace.step()
    if (queue.maxPhysicalOffset <= flushedOffset) continue
    const found = await oldestBehind(store, queue, flushedOffset)
    if (found === undefined) continue
    const known = topics.get(queue.topic)
    const oldest = known === undefined || found.storeTimestamp < known.storeTimestamp ? found : known
    topics.set(queue.topic, { ...oldest, messages: found.messages + (known?.messages ?? 0) })
  }
  const list = [...topics.values()].sort((a, b) => a.storeTimestamp - b.storeTimestamp)
  return {
    writtenOffset,
    flushedOffset,
    bytes: Math.max(0, writtenOffset - flushedOffset),
    messages: list.reduce((sum, { messages }) => sum + messages, 0),
    oldestStoreTimestamp: list[0]?.storeTimestamp ?? 0,
    topics: list,
  }
}

interface Queue {
  readonly topic: string
  readonly queueId: number
  readonly minOffset: number
  readonly maxOffset: number
}

/** The first message of a queue whose record is not in front of `physicalOffset`. */
async function oldestBehind(
  store: BrokerContext['store'],
  { topic, queueId, minOffset, maxOffset }: Queue,
  physicalOffset: number,
): Promise<UnflushedTopic | undefined> {
  let low = minOffset
  let high = maxOffset
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const unit = await store.queries.unitAt(topic, queueId, middle)
    if (unit === undefined || unit.physicalOffset < physicalOffset) low = middle + 1
    else high = middle
  }
  if (low >= maxOffset) return undefined
  const storeTimestamp = await store.queries.storeTimeAt(topic, queueId, low)
  return { topic, messages: maxOffset - low, queueId, queueOffset: low, storeTimestamp }
}
