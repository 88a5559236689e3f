import { JavaDouble, ObjectKeyMap, RequestCode, type TopicConfig } from '../../../common/index.js'
import {
  GetConsumeStatsInBrokerHeader,
  GetConsumeStatsRequestHeader,
  ok,
  type Route,
  route,
} from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody, Pace } from './json-body.js'

type Parts = Pick<BrokerContext, 'topics' | 'offsets' | 'consumers' | 'store' | 'stats' | 'identity'>

const QUEUES_PER_TURN = 64

/** How far a group is in one queue. */
interface OffsetWrapper {
  brokerOffset: number
  consumerOffset: number
  /** Store time of the last message consumed; 0 when there is none. */
  lastTimestamp: number
  pullOffset: number
}

type QueueOffsets = [queue: object, offsets: OffsetWrapper][]

/** GET_CONSUME_STATS (208): how far a group is in its topics (broker-behaviour 12.5). */
export function consumeStatsRoute(broker: Parts): Route {
  return route({
    code: RequestCode.GET_CONSUME_STATS,
    request: GetConsumeStatsRequestHeader,
    lane: 'admin',
    action: 'GET',
    async handle({ consumerGroup, topic, topicList }) {
      const pace = new Pace(QUEUES_PER_TURN)
      const offsets: QueueOffsets = []
      let consumeTps = 0
      for (const name of topicsToCollect(broker, consumerGroup, { topic, topicList })) {
        const config = broker.topics.selectTopicConfig(name)
        if (config === undefined) continue
        offsets.push(...(await offsetsOf(broker, consumerGroup, config, { queues: config.readQueueNums, pace })))
        consumeTps += broker.stats.groupGetTps(consumerGroup, name)
      }
      return ok(jsonBody({ consumeTps: new JavaDouble(consumeTps), offsetTable: new ObjectKeyMap(offsets) }))
    },
  })
}

/** GET_BROKER_CONSUME_STATS (317): all groups with all their topics. */
export function brokerConsumeStatsRoute(broker: Parts & Pick<BrokerContext, 'groups'>): Route {
  return route({
    code: RequestCode.GET_BROKER_CONSUME_STATS,
    request: GetConsumeStatsInBrokerHeader,
    lane: 'admin',
    action: 'LIST',
    async handle({ isOrder }) {
      const pace = new Pace(QUEUES_PER_TURN)
      const consumeStatsList: object[] = []
      let totalDiff = 0
      let totalInflightDiff = 0
      for (const group of [...broker.groups.subscriptionGroupTable.keys()]) {
        const ofTopics: object[] = []
        for (const topic of topicsToCollect(broker, group, {})) {
          const config = broker.topics.selectTopicConfig(topic)
          if (config === undefined || (isOrder && !config.order)) continue
          const offsets = await offsetsOf(broker, group, config, { queues: config.writeQueueNums, pace })
          for (const [, { brokerOffset, consumerOffset, pullOffset }] of offsets) {
            totalDiff += brokerOffset - consumerOffset
            totalInflightDiff += pullOffset - consumerOffset
          }
          const consumeTps = new JavaDouble(broker.stats.groupGetTps(group, topic))
          ofTopics.push({ consumeTps, offsetTable: new ObjectKeyMap(offsets) })
        }
        consumeStatsList.push({ [group]: ofTopics })
      }
      return ok(jsonBody({ brokerAddr: broker.identity.address, consumeStatsList, totalDiff, totalInflightDiff }))
    },
  })
}

/**
 * Topics named in a list are taken as they are; otherwise those the members of the group do not subscribe to are
 * left out.
 */
function topicsToCollect(
  { offsets, consumers }: Pick<Parts, 'offsets' | 'consumers'>,
  group: string,
  wish: { topic?: string | undefined; topicList?: string | undefined },
): string[] {
  const listed = (wish.topicList ?? '').split(';').filter(topic => topic.trim() !== '')
  if (listed.length > 0) return listed
  const topics = wish.topic?.trim() ? [wish.topic] : [...offsets.whichTopicByConsumer(group)]
  const hasSubscriptions = (consumers.getConsumerGroupInfo(group)?.subscriptions.size ?? 0) > 0
  return hasSubscriptions ? topics.filter(topic => consumers.findSubscriptionData(group, topic) !== undefined) : topics
}

async function offsetsOf(
  broker: Parts,
  group: string,
  config: TopicConfig,
  { queues, pace }: { queues: number; pace: Pace },
): Promise<QueueOffsets> {
  const { store, offsets, identity } = broker
  const topic = config.topicName
  const result: QueueOffsets = []
  for (let queueId = 0; queueId < queues; queueId++) {
    const brokerOffset = Math.max(0, store.maxOffset(topic, queueId))
    const consumerOffset = Math.max(0, offsets.queryOffset(group, topic, queueId))
    const pullOffset = Math.max(consumerOffset, offsets.queryPullOffset(group, topic, queueId))
    const storedAt = consumerOffset > 0 ? await store.queries.storeTimeAt(topic, queueId, consumerOffset - 1) : 0
    result.push([
      { brokerName: identity.brokerName, queueId, topic },
      { brokerOffset, consumerOffset, lastTimestamp: Math.max(0, storedAt), pullOffset },
    ])
    await pace.step()
  }
  return result
}
