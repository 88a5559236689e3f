import { MQError } from '../util/index.js'
import type { CommitLog } from './commit-log.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { StoreMarks } from './store-marks.js'
import type { StoreQueries } from './store-queries.js'

/** What a purge takes of one queue. */
export interface PurgedQueue {
  readonly queueId: number
  readonly minOffset: number
  readonly maxOffset: number
  /** First offset that is left. */
  readonly newMinOffset: number
  /** Messages that go. */
  readonly messages: number
}

export interface PurgePreview {
  readonly topic: string
  /** Messages stored before this time (ms) go. */
  readonly before: number
  readonly messages: number
  readonly queues: readonly PurgedQueue[]
}

export interface PurgeOptions {
  log: CommitLog
  queues: ConsumeQueueStore
  queries: StoreQueries
  marks: StoreMarks
}

/**
 * Takes the old messages of one topic away: consumers begin behind them from then on, after a crash too. Their records
 * stay in the log until its files are old enough, but nobody is given them any more.
 */
export class Purge {
  constructor(private readonly options: PurgeOptions) {}

  /** What {@link purge} would take. Throws MQError `ERR_NO_SUCH_TOPIC` for a topic without queues. */
  async preview(topic: string, before: number): Promise<PurgePreview> {
    const entry = this.options.queues.topics.get(topic)
    if (entry === undefined) throw new MQError('ERR_NO_SUCH_TOPIC', `${topic} has no queue in this store`)
    const queues: PurgedQueue[] = []
    for (const queue of entry.queues) {
      if (queue === undefined) continue
      const { queueId, minOffset, maxOffset } = queue
      const found = await this.options.queries.offsetByTimestamp(topic, queueId, before, 'LOWER')
      const newMinOffset = Math.max(minOffset, Math.min(found, maxOffset))
      queues.push({ queueId, minOffset, maxOffset, newMinOffset, messages: newMinOffset - minOffset })
    }
    return { topic, before, messages: queues.reduce((sum, queue) => sum + queue.messages, 0), queues }
  }

  /** Does it, durably; what went. Throws as {@link preview}, and `ERR_STORE_MARKS` when the disk refuses. */
  async purge(topic: string, before: number): Promise<PurgePreview> {
    const { queues, marks, log } = this.options
    const plan = await this.preview(topic, before)
    const moved = plan.queues.filter(queue => queue.messages > 0)
    if (moved.length === 0) return plan
    marks.markPurged(topic, new Map(moved.map(queue => [queue.queueId, queue.newMinOffset])))
    for (const { queueId, newMinOffset } of moved) {
      const queue = queues.find(topic, queueId)
      if (queue === undefined) continue
      queue.purgedTo = newMinOffset
      queues.expire(queue, log.minOffset)
    }
    return plan
  }
}
