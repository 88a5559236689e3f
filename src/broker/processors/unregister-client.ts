import { RequestCode } from '../../common/index.js'
import { ok, type Route, route, UnregisterClientRequestHeader } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'

/** UNREGISTER_CLIENT (35): a client leaves its groups. */
export function unregisterClientRoute(broker: Pick<BrokerContext, 'groups' | 'consumers' | 'producers'>): Route {
  return route({
    code: RequestCode.UNREGISTER_CLIENT,
    request: UnregisterClientRequestHeader,
    lane: 'client',
    action: 'ANY',
    handle({ producerGroup, consumerGroup }, _command, connection) {
      if (producerGroup !== undefined) broker.producers.unregisterProducer(producerGroup, connection)
      if (consumerGroup !== undefined) {
        const notify = broker.groups.getSubscriptionGroupConfig(consumerGroup)?.notifyConsumerIdsChangedEnable ?? true
        broker.consumers.unregisterConsumer(consumerGroup, connection, notify)
      }
      return ok()
    },
  })
}
