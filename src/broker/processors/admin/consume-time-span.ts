import { RequestCode, ResponseCode } from '../../../common/index.js'
import { fail, ok, QueryConsumeTimeSpanRequestHeader, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody, Pace } from './json-body.js'

const QUEUES_PER_TURN = 32

/** QUERY_CONSUME_TIME_SPAN (303): store times of the ends of each queue and of where the group is. */
export function consumeTimeSpanRoute(
  broker: Pick<BrokerContext, 'topics' | 'offsets' | 'store' | 'identity' | 'clock'>,
): Route {
  return route({
    code: RequestCode.QUERY_CONSUME_TIME_SPAN,
    request: QueryConsumeTimeSpanRequestHeader,
    lane: 'admin',
    action: 'GET',
    async handle({ topic, group }) {
      const config = broker.topics.selectTopicConfig(topic)
      if (config === undefined) return fail(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`)
      const pace = new Pace(QUEUES_PER_TURN)
      const consumeTimeSpanSet: object[] = []
      for (let queueId = 0; queueId < config.writeQueueNums; queueId++) {
        consumeTimeSpanSet.push(await timeSpan(broker, { topic, group, queueId }))
        await pace.step()
      }
      return ok(jsonBody({ consumeTimeSpanSet }))
    },
  })
}

async function timeSpan(
  broker: Pick<BrokerContext, 'offsets' | 'store' | 'identity' | 'clock'>,
  { topic, group, queueId }: { topic: string; group: string; queueId: number },
): Promise<object> {
  const { store, offsets, identity, clock } = broker
  const minTimeStamp = await store.queries.storeTimeAt(topic, queueId, store.minOffset(topic, queueId))
  const maxOffset = store.maxOffset(topic, queueId)
  const maxTimeStamp = await store.queries.storeTimeAt(topic, queueId, maxOffset - 1)
  const consumerOffset = offsets.queryOffset(group, topic, queueId)
  const consumeTimeStamp =
    consumerOffset > 0 ? await store.queries.storeTimeAt(topic, queueId, consumerOffset - 1) : minTimeStamp
  const delayTime =
    consumerOffset < maxOffset
      ? clock.now() - (await store.queries.storeTimeAt(topic, queueId, Math.max(0, consumerOffset)))
      : 0
  return {
    consumeTimeStamp,
    consumeTimeStampStr: timeText(consumeTimeStamp),
    delayTime,
    maxTimeStamp,
    maxTimeStampStr: timeText(maxTimeStamp),
    messageQueue: { brokerName: identity.brokerName, queueId, topic },
    minTimeStamp,
    minTimeStampStr: timeText(minTimeStamp),
  }
}

/** `yyyy-MM-dd#HH:mm:ss:SSS` in local time. */
function timeText(timestamp: number): string {
  const date = new Date(timestamp)
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0')
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(part => pad(part)).join(':')
  return `${day}#${time}:${pad(date.getMilliseconds(), 3)}`
}
