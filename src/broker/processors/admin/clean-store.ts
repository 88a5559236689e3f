import { isLmq, RequestCode } from '../../../common/index.js'
import { NoHeader, ok, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { Pace } from './json-body.js'

type Parts = Pick<BrokerContext, 'store' | 'topics' | 'logger'>

const QUEUES_PER_TURN = 16

/** CLEAN_EXPIRED_CONSUMEQUEUE (306), DELETE_EXPIRED_COMMITLOG (329) and CLEAN_UNUSED_TOPIC (316). */
export function cleanStoreRoutes(broker: Parts): Route[] {
  const clean = (code: number, what: string, run: () => Promise<void>): Route =>
    route({
      code,
      request: NoHeader,
      lane: 'admin',
      action: 'DELETE',
      async handle(_header, _command, { peer }) {
        broker.logger.info({ event: 'manual-clean', what, peer: peer.text }, `${peer.text} orders: ${what}`)
        await run()
        return ok()
      },
    })
  return [
    clean(RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE, 'clean expired consume queues', () => cleanQueues(broker)),
    clean(RequestCode.DELETE_EXPIRED_COMMITLOG, 'delete expired commit log', () =>
      broker.store.retention.deleteExpired(),
    ),
    clean(RequestCode.CLEAN_UNUSED_TOPIC, 'delete queues of unknown topics', () => cleanTopics(broker)),
  ]
}

/** Takes away the queue files in front of the log. */
async function cleanQueues({ store }: Parts): Promise<void> {
  const pace = new Pace(QUEUES_PER_TURN)
  for (const { queues } of [...store.queues.topics.values()]) {
    for (const queue of queues) {
      if (queue !== undefined) store.queues.expire(queue, store.log.minOffset)
      await pace.step()
    }
  }
}

/** System topics and LMQs have queues without a configuration. */
async function cleanTopics({ store, topics }: Parts): Promise<void> {
  for (const topic of [...store.queues.topics.keys()]) {
    if (!topics.containsTopic(topic) && !topics.isSystemTopic(topic) && !isLmq(topic)) await store.deleteTopic(topic)
  }
}
