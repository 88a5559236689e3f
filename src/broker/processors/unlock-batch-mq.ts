import { RequestCode } from '../../common/index.js'
import { NoHeader, ok, type Route, route } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'
import { readLockBatch } from './lock-batch-body.js'

/** UNLOCK_BATCH_MQ (42): an orderly consumer gives queues back; those of others stay locked. */
export function unlockBatchMqRoute(broker: Pick<BrokerContext, 'locks'>): Route {
  return route({
    code: RequestCode.UNLOCK_BATCH_MQ,
    request: NoHeader,
    lane: 'admin',
    action: 'ANY',
    borrowsBody: true,
    handle(_header, command) {
      const { consumerGroup, clientId, mqSet } = readLockBatch(command)
      broker.locks.unlockBatch(consumerGroup, mqSet, clientId)
      return ok()
    },
  })
}
