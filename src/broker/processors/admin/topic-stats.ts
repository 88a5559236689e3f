import { JavaDouble, ObjectKeyMap, RequestCode, ResponseCode } from '../../../common/index.js'
import { fail, ok, type Route, route, TopicRequestHeader } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody, Pace } from './json-body.js'

const QUEUES_PER_TURN = 64

/** GET_TOPIC_STATS_INFO (202): where each queue begins and ends, and when it was last written. */
export function topicStatsRoute(broker: Pick<BrokerContext, 'topics' | 'store' | 'stats' | 'identity'>): Route {
  return route({
    code: RequestCode.GET_TOPIC_STATS_INFO,
    request: TopicRequestHeader,
    lane: 'admin',
    action: 'GET',
    async handle({ topic }) {
      const config = broker.topics.selectTopicConfig(topic)
      if (config === undefined) return fail(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`)
      const { store, stats, identity } = broker
      const pace = new Pace(QUEUES_PER_TURN)
      const offsets: [object, object][] = []
      for (let queueId = 0; queueId < Math.max(config.readQueueNums, config.writeQueueNums); queueId++) {
        const minOffset = Math.max(0, store.minOffset(topic, queueId))
        const maxOffset = Math.max(0, store.maxOffset(topic, queueId))
        const lastUpdateTimestamp = maxOffset > 0 ? await store.queries.storeTimeAt(topic, queueId, maxOffset - 1) : 0
        offsets.push([
          { brokerName: identity.brokerName, queueId, topic },
          { lastUpdateTimestamp, maxOffset, minOffset },
        ])
        await pace.step()
      }
      const topicPutTps = new JavaDouble(stats.topicPutTps(topic))
      return ok(jsonBody({ offsetTable: new ObjectKeyMap(offsets), topicPutTps }))
    },
  })
}
