import { RequestCode, stringifyFastJson } from '../../common/index.js'
import { NoHeader, ok, type Route, route } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'
import { readLockBatch } from './lock-batch-body.js'

/** LOCK_BATCH_MQ (41): an orderly consumer takes or keeps queues; the answer holds those it has now. */
export function lockBatchMqRoute(broker: Pick<BrokerContext, 'locks'>): Route {
  return route({
    code: RequestCode.LOCK_BATCH_MQ,
    request: NoHeader,
    lane: 'admin',
    action: 'ANY',
    borrowsBody: true,
    handle(_header, command) {
      const { consumerGroup, clientId, mqSet } = readLockBatch(command)
      const lockOKMQSet = broker.locks.tryLockBatch(consumerGroup, mqSet, clientId)
      return ok(Buffer.from(stringifyFastJson({ lockOKMQSet })))
    },
  })
}
