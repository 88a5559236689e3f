import { isSystemTopic, ResponseCode, ResponseError, systemTopicConflict } from '../../common/index.js'
import type { PurgePreview } from '../../store/index.js'
import { MQError } from '../../util/index.js'
import type { BrokerContext } from '../context.js'
import { topicStoreRules } from './topic-store-rules.js'

/** A group that has not consumed all of what a purge takes. */
export interface UnreadGroup {
  readonly group: string
  /** Messages it has not consumed. */
  readonly messages: number
  /** Whether a member is connected. */
  readonly isOnline: boolean
}

export interface TopicPurgePreview extends PurgePreview {
  /** Of the topic's `reserve.time`; -1 without one. */
  readonly reserveHours: number
  readonly unread: readonly UnreadGroup[]
}

export interface TopicPurgeWish {
  readonly topic: string
  /** What was stored before this time (ms) goes; undefined: what is older than the topic's `reserve.time`. */
  readonly before: number | undefined
}

const HOUR_MS = 3_600_000

/** Takes old messages of one topic away, and knows beforehand what that would be and who has not read it. */
export class TopicPurge {
  constructor(
    private readonly broker: Pick<BrokerContext, 'store' | 'topics' | 'offsets' | 'consumers' | 'clock' | 'logger'>,
  ) {}

  /** What {@link purge} would do. ResponseError for a topic that is none, the broker's own, or without a time. */
  async preview(wish: TopicPurgeWish): Promise<TopicPurgePreview> {
    const { topic } = wish
    const { store, topics, clock } = this.broker
    if (isSystemTopic(topic)) throw new ResponseError(ResponseCode.INVALID_PARAMETER, systemTopicConflict(topic))
    if (!topics.containsTopic(topic)) {
      throw new ResponseError(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] does not exist on this broker`)
    }
    const reserveMs = topicStoreRules(name => topics.selectTopicConfig(name)).reserveTimeOf(topic)
    const before = wish.before ?? (reserveMs === undefined ? undefined : clock.now() - reserveMs)
    if (before === undefined) {
      throw new ResponseError(
        ResponseCode.INVALID_PARAMETER,
        `${topic} has no reserve.time: say before which time messages are to go`,
      )
    }
    const plan = await store.previewPurge(topic, before).catch((error: unknown) => {
      if (error instanceof MQError && error.code === 'ERR_NO_SUCH_TOPIC')
        return { topic, before, messages: 0, queues: [] }
      throw error
    })
    return { ...plan, reserveHours: reserveMs === undefined ? -1 : reserveMs / HOUR_MS, unread: this.unreadOf(plan) }
  }

  /**
   * Takes the messages away, durably; what went. Throws as {@link preview}, and unless `isForced` ResponseError when a
   * group has not consumed all of it.
   */
  async purge(wish: TopicPurgeWish, isForced: boolean): Promise<TopicPurgePreview> {
    const plan = await this.preview(wish)
    if (plan.unread.length > 0 && !isForced) {
      const groups = plan.unread.map(({ group, messages }) => `${group} (${messages})`).join(', ')
      throw new ResponseError(
        ResponseCode.SYSTEM_ERROR,
        `groups have not consumed messages that would go: ${groups}; nothing was taken away, force takes them anyway`,
      )
    }
    if (plan.messages === 0) return plan
    const done = await this.broker.store.purge(plan.topic, plan.before)
    this.broker.logger.warn(
      { event: 'topic-purged', topic: plan.topic, messages: done.messages, before: plan.before, isForced },
      `${done.messages} messages of ${plan.topic} stored before ${new Date(plan.before).toISOString()} were taken away`,
    )
    return { ...plan, ...done }
  }

  private unreadOf({ topic, queues }: PurgePreview): UnreadGroup[] {
    const { consumers, offsets } = this.broker
    const online = consumers.queryTopicConsumeByWho(topic)
    const groups = new Set([...online, ...offsets.whichGroupByTopic(topic)])
    const unread: UnreadGroup[] = []
    for (const group of groups) {
      // members of a broadcasting group keep their offsets themselves
      if (consumers.getConsumerGroupInfo(group)?.messageModel === 'BROADCASTING') continue
      let messages = 0
      for (const { queueId, minOffset, newMinOffset } of queues) {
        const at = Math.max(minOffset, offsets.queryOffset(group, topic, queueId))
        messages += Math.max(0, newMinOffset - at)
      }
      if (messages > 0) unread.push({ group, messages, isOnline: online.has(group) })
    }
    return unread.sort((a, b) => b.messages - a.messages || (a.group < b.group ? -1 : 1))
  }
}
