import {
  LanguageCode,
  type MessageQueue,
  ObjectKeyMap,
  RequestCode,
  ResponseCode,
  ResponseError,
  stringifyFastJson,
  VersionMark,
  versionName,
} from '../../common/index.js'
import { ResetOffsetRequestHeader } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'
import type { OffsetResetPlan, OffsetResetService, PlannedQueue } from './offset-reset-service.js'

type Parts = Pick<BrokerContext, 'topics' | 'offsets' | 'store' | 'consumers' | 'notifier'>

export interface ClientResetWish {
  topic: string
  group: string
  /** Ms; -1 is the end of the queue. */
  timestamp: number
  /** Move forward as well. */
  isForce: boolean
  /** Language code of who asks: C++ clients read offsets in another form. */
  language: number
}

/** Moves consumer groups by telling their members, when `useServerSideResetOffset` is off (broker-behaviour 12.2). */
export class ClientOffsetReset {
  constructor(
    private readonly broker: Parts,
    private readonly resets: OffsetResetService,
  ) {}

  /** @throws ResponseError in Java's words: 17, 1 for a group without offsets or too old, 206 when nobody is online. */
  async reset(wish: ClientResetWish): Promise<OffsetResetPlan> {
    const plan = await this.plan(wish)
    this.checkMembers(wish)
    await this.resets.remember(plan)
    this.tell(plan, wish)
    return plan
  }

  /** Sends the members back to where they were; queues they had no offset of stay. */
  undo(plan: OffsetResetPlan, language: number): OffsetResetPlan {
    const known = { ...plan, queues: plan.queues.filter(({ after }) => after >= 0) }
    const wish = { topic: plan.topic, group: plan.group, timestamp: -1, isForce: true, language }
    this.checkMembers(wish)
    this.tell(known, wish)
    return known
  }

  private async plan({ topic, group, timestamp, isForce }: ClientResetWish): Promise<OffsetResetPlan> {
    const { topics, offsets, store } = this.broker
    const config = topics.selectTopicConfig(topic)
    if (config === undefined) {
      const remark = `[reset-offset] reset offset failed, no topic in this broker. topic=${topic}`
      throw new ResponseError(ResponseCode.TOPIC_NOT_EXIST, remark)
    }
    const queues: PlannedQueue[] = []
    for (let queueId = 0; queueId < config.writeQueueNums; queueId++) {
      const before = offsets.queryOffset(group, topic, queueId)
      if (before === -1) {
        throw new ResponseError(ResponseCode.SYSTEM_ERROR, `THe consumer group <${group}> not exist`)
      }
      const maxOffset = store.maxOffset(topic, queueId)
      const atTime =
        timestamp === -1 ? maxOffset : await store.queries.offsetByTimestamp(topic, queueId, timestamp, 'LOWER')
      const target = Math.max(0, atTime)
      const after = isForce || target < before ? target : before
      queues.push({ queueId, before, after, minOffset: store.minOffset(topic, queueId), maxOffset })
    }
    return { topic, group, queues }
  }

  /** All or none: a member that cannot be told would go on from where it is. */
  private checkMembers({ topic, group, timestamp }: ClientResetWish): void {
    const channels = this.broker.consumers.getConsumerGroupInfo(group)?.channels
    if (channels === undefined || channels.size === 0) {
      throw new ResponseError(
        ResponseCode.CONSUMER_NOT_ONLINE,
        `Consumer not online, so can not reset offset, Group: ${group} Topic: ${topic} Timestamp: ${timestamp}`,
      )
    }
    for (const { version } of channels.values()) {
      if (version >= VersionMark.V3_0_7_SNAPSHOT) continue
      const remark = `the client does not support this feature. version=${versionName(version)}`
      throw new ResponseError(ResponseCode.SYSTEM_ERROR, remark)
    }
  }

  private tell({ topic, group, queues }: OffsetResetPlan, { timestamp, isForce, language }: ClientResetWish): void {
    const entries = queues.map(({ queueId, after }): [MessageQueue, number] => [
      this.resets.queueOf(topic, queueId),
      after,
    ])
    const offsetTable =
      language === LanguageCode.CPP
        ? entries.map(([queue, offset]) => ({ ...queue, offset }))
        : new ObjectKeyMap(entries)
    this.broker.notifier.notifyGroup(group, {
      code: RequestCode.RESET_CONSUMER_CLIENT_OFFSET,
      extFields: ResetOffsetRequestHeader.encode({ topic, group, timestamp, isForce }),
      body: Buffer.from(stringifyFastJson({ offsetTable })),
    })
  }
}
