import { MASTER_ID, type MessageQueue, ResponseCode, ResponseError, type TopicConfig } from '../../common/index.js'
import type { BrokerContext } from '../context.js'
import type { OffsetResetRecord } from './offset-reset-log.js'

export type OffsetResetParts = Pick<
  BrokerContext,
  'identity' | 'topics' | 'groups' | 'offsets' | 'offsetResets' | 'holds' | 'store' | 'clock' | 'logger'
>

/** What an operator asks for: a time, or an offset of one queue. */
export interface OffsetResetWish {
  topic: string
  group: string
  /** Ms; negative is the end of the queue. */
  timestamp: number
  queueId?: number | undefined
  offset?: number | undefined
}

/** A group in one queue before and after. */
export interface PlannedQueue {
  queueId: number
  /** -1 when the group has no offset here. */
  before: number
  /** -1 when the group shall have none again. */
  after: number
  minOffset: number
  maxOffset: number
}

export interface OffsetResetPlan {
  topic: string
  group: string
  queues: PlannedQueue[]
}

/** Moves consumer groups on the broker's side: pulls are told, members or not (broker-behaviour 12.1). */
export class OffsetResetService {
  constructor(private readonly broker: OffsetResetParts) {}

  /**
   * What a reset would do; nothing changes.
   * @throws ResponseError in Java's words: 1 on a slave or out of range, 17, 26.
   */
  async plan(wish: OffsetResetWish): Promise<OffsetResetPlan> {
    const { topic, group, offset } = wish
    const config = this.check(topic, group)
    const targets = new Map<number, number>()
    const queueId = wish.queueId ?? -1
    if (queueId < 0) {
      for (let id = 0; id < config.readQueueNums; id++) targets.set(id, await this.offsetAt(wish, id))
    } else {
      checkQueueId(config, queueId)
      const isGiven = offset !== undefined && offset !== -1
      targets.set(queueId, isGiven ? this.checkedOffset(topic, queueId, offset) : await this.offsetAt(wish, queueId))
    }
    if (targets.size === 0) throw new ResponseError(ResponseCode.SYSTEM_ERROR, 'No queues to reset.')
    return { topic, group, queues: Array.from(targets, ([id, after]) => this.planned(topic, group, { id, after })) }
  }

  /**
   * What taking the last reset back would do. Offsets whose messages are gone become the oldest there is.
   * @throws ResponseError QUERY_NOT_FOUND when there is none to take back.
   */
  planUndo(topic: string, group: string): OffsetResetPlan {
    this.check(topic, group)
    const record = this.broker.offsetResets.find(topic, group)
    if (record === undefined) {
      throw new ResponseError(
        ResponseCode.QUERY_NOT_FOUND,
        `No reset of group ${group} on topic ${topic} is known that could be undone`,
      )
    }
    const queues = Array.from(record.queues, ([id, { before }]) => {
      const { store } = this.broker
      const oldest = store.minOffset(topic, id)
      const after = before < 0 ? -1 : Math.min(Math.max(before, oldest), store.maxOffset(topic, id))
      return this.planned(topic, group, { id, after })
    })
    return { topic, group, queues }
  }

  /** Carries a reset out, kept for an undo; on the disk when it resolves. */
  async reset(plan: OffsetResetPlan): Promise<void> {
    await this.remember(plan)
    await this.apply(plan)
  }

  /** Keeps what an undo needs. First, so that a reset which is cut short can be undone all the same. */
  async remember({ topic, group, queues }: OffsetResetPlan): Promise<void> {
    const { offsetResets, clock } = this.broker
    const record: OffsetResetRecord = {
      topic,
      group,
      time: clock.now(),
      queues: new Map(queues.map(({ queueId, before, after }) => [queueId, { before, after }])),
    }
    await offsetResets.remember(record)
  }

  /** Carries an undo out. A second one finds nothing to undo. */
  async undo(plan: OffsetResetPlan): Promise<void> {
    await this.apply(plan)
    await this.broker.offsetResets.forget(plan.topic, plan.group)
  }

  queueOf(topic: string, queueId: number): MessageQueue {
    return { topic, brokerName: this.broker.identity.brokerName, queueId }
  }

  private async apply({ topic, group, queues }: OffsetResetPlan): Promise<void> {
    const { offsets, holds, logger } = this.broker
    for (const { queueId, before, after } of queues) {
      if (after < 0) offsets.eraseOffset({ topic, group, queueId })
      else offsets.assignResetOffset({ topic, group, queueId, offset: after })
      const fields = { event: 'offset-reset', topic, group, queueId, before, after }
      logger.info(fields, `${group} moves from ${before} to ${after} on queue ${queueId} of ${topic}`)
      // a pull that waits for new messages would hear of it only when its time is up
      holds.wakeQueue(topic, queueId)
    }
    await offsets.persist()
  }

  private check(topic: string, group: string): TopicConfig {
    const { identity, topics, groups } = this.broker
    if (identity.brokerId !== MASTER_ID) {
      throw new ResponseError(ResponseCode.SYSTEM_ERROR, 'Can not reset offset in slave broker')
    }
    const config = topics.selectTopicConfig(topic)
    if (config === undefined) throw new ResponseError(ResponseCode.TOPIC_NOT_EXIST, `Topic ${topic} does not exist`)
    if (!groups.containsSubscriptionGroup(group)) {
      throw new ResponseError(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `Group ${group} does not exist`)
    }
    return config
  }

  /** Java lets the offset be one past the end, which would skip the next message to come. */
  private checkedOffset(topic: string, queueId: number, offset: number): number {
    const min = this.broker.store.minOffset(topic, queueId)
    const max = this.broker.store.maxOffset(topic, queueId)
    if (offset >= min && offset <= max) return offset
    const remark = `Target offset ${offset} not in consume queue range [${min}-${max}]`
    throw new ResponseError(ResponseCode.SYSTEM_ERROR, remark)
  }

  private async offsetAt({ topic, timestamp }: OffsetResetWish, queueId: number): Promise<number> {
    const { store } = this.broker
    if (timestamp < 0) return store.maxOffset(topic, queueId)
    return store.queries.offsetByTimestamp(topic, queueId, timestamp, 'LOWER')
  }

  private planned(topic: string, group: string, { id, after }: { id: number; after: number }): PlannedQueue {
    const { offsets, store } = this.broker
    return {
      queueId: id,
      before: offsets.queryOffset(group, topic, id),
      after,
      minOffset: store.minOffset(topic, id),
      maxOffset: store.maxOffset(topic, id),
    }
  }
}

function checkQueueId(config: TopicConfig, queueId: number): void {
  const count = config.readQueueNums
  if (queueId < count) return
  throw new ResponseError(
    ResponseCode.INVALID_PARAMETER,
    `queueId[${queueId}] is illegal, topic ${config.topicName} has the queues 0 to ${count - 1}`,
  )
}
