import type { Lane } from '../../remoting/index.js'
import type { BrokerSettings } from '../settings.js'

type Capacities = Pick<
  BrokerSettings,
  | 'sendThreadPoolQueueCapacity'
  | 'pullThreadPoolQueueCapacity'
  | 'litePullThreadPoolQueueCapacity'
  | 'ackThreadPoolQueueCapacity'
  | 'replyThreadPoolQueueCapacity'
  | 'queryThreadPoolQueueCapacity'
  | 'clientManagerThreadPoolQueueCapacity'
  | 'consumerManagerThreadPoolQueueCapacity'
  | 'heartbeatThreadPoolQueueCapacity'
  | 'endTransactionPoolQueueCapacity'
  | 'adminBrokerThreadPoolQueueCapacity'
  | 'loadBalanceThreadPoolQueueCapacity'
>

/** How many requests of a kind may wait for their answers: the capacities of Java's queues (broker-behaviour 0.3). */
export function laneLimits(settings: Capacities): Record<Lane, number> {
  return {
    send: settings.sendThreadPoolQueueCapacity,
    pull: settings.pullThreadPoolQueueCapacity,
    litePull: settings.litePullThreadPoolQueueCapacity,
    ack: settings.ackThreadPoolQueueCapacity,
    reply: settings.replyThreadPoolQueueCapacity,
    query: settings.queryThreadPoolQueueCapacity,
    client: settings.clientManagerThreadPoolQueueCapacity,
    consumer: settings.consumerManagerThreadPoolQueueCapacity,
    heartbeat: settings.heartbeatThreadPoolQueueCapacity,
    transaction: settings.endTransactionPoolQueueCapacity,
    admin: settings.adminBrokerThreadPoolQueueCapacity,
    route: settings.loadBalanceThreadPoolQueueCapacity,
  }
}
