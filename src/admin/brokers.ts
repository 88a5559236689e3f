import { type AdminClient, MQClientError } from '../client/index.js'
import {
  type BrokerData,
  compareMessageQueues,
  isReadable,
  MASTER_ID,
  type MessageQueue,
  masterAddr,
  ResponseCode,
  type TopicRouteData,
} from '../common/index.js'
import type { Output } from './output.js'

interface Asking {
  readonly admin: AdminClient
  readonly out: Output
}

const NO_CLUSTER = '[error] Make sure the specified clusterName exists or the name server connected to is correct.'

export interface ClusterBroker {
  brokerName: string
  brokerId: number
  address: string
}

/** All brokers of a cluster, by name and id. Of an unknown cluster Java says so, and goes on without any. */
export async function clusterBrokers({ admin, out }: Asking, cluster: string): Promise<ClusterBroker[]> {
  const info = await admin.clusterInfo()
  const names = info.clusterAddrTable.get(cluster)
  if (names === undefined) {
    out.text(NO_CLUSTER)
    out.problem(`the NameServer knows no cluster ${cluster}`)
    return []
  }
  return [...names].sort().flatMap(brokerName => {
    const addresses = info.brokerAddrTable.get(brokerName)?.brokerAddrs ?? new Map<number, string>()
    return [...addresses].sort(([a], [b]) => a - b).map(([brokerId, address]) => ({ brokerName, brokerId, address }))
  })
}

export async function clusterMasters(asking: Asking, cluster: string): Promise<ClusterBroker[]> {
  return (await clusterBrokers(asking, cluster)).filter(({ brokerId }) => brokerId === MASTER_ID)
}

/** The broker named with -b, or all of the cluster named with -c, with what Java prints above each. */
export async function titledBrokers(
  asking: Asking,
  options: { readonly brokerAddr: string | undefined; readonly clusterName: string | undefined },
): Promise<{ address: string; title: string }[]> {
  const { brokerAddr, clusterName } = options
  if (brokerAddr !== undefined) return [{ address: brokerAddr, title: brokerAddr }]
  if (clusterName === undefined) {
    asking.out.problem('no broker was named: give -b or -c')
    return []
  }
  const brokers = await clusterBrokers(asking, clusterName)
  const masters = new Map(
    brokers.filter(({ brokerId }) => brokerId === MASTER_ID).map(broker => [broker.brokerName, broker.address]),
  )
  return brokers.map(({ brokerName, brokerId, address }) => {
    if (brokerId === MASTER_ID) return { address, title: `Master: ${address}` }
    return { address, title: `My Master: ${masters.get(brokerName) ?? 'NO_MASTER'}=====Slave: ${address}` }
  })
}

/** The addresses a command is for: the broker named with -b, or the masters of the cluster named with -c. */
export async function targets(
  asking: Asking,
  options: { readonly brokerAddr: string | undefined; readonly clusterName: string | undefined },
): Promise<string[] | undefined> {
  if (options.brokerAddr !== undefined) return [options.brokerAddr]
  if (options.clusterName === undefined) return undefined
  return (await clusterMasters(asking, options.clusterName)).map(({ address }) => address)
}

/** The master, or any broker of that name. */
export function anyAddress(broker: BrokerData): string | undefined {
  return masterAddr(broker) ?? [...broker.brokerAddrs.values()][0]
}

/** One broker of each name on a route. */
export function routeAddresses(route: TopicRouteData): { brokerName: string; address: string }[] {
  return route.brokerDatas.flatMap(broker => {
    const address = anyAddress(broker)
    return address === undefined ? [] : [{ brokerName: broker.brokerName, address }]
  })
}

/** The route, or undefined for a topic the NameServer does not know. */
export async function findRoute(admin: AdminClient, topic: string): Promise<TopicRouteData | undefined> {
  try {
    return await admin.topicRoute(topic)
  } catch (error) {
    if (error instanceof MQClientError && error.responseCode === ResponseCode.TOPIC_NOT_EXIST) return undefined
    throw error
  }
}

/** The queues a consumer of the topic would read. @throws MQClientError with the text of Java's pull consumer */
export async function readableQueues(admin: AdminClient, topic: string, routeTopic = topic): Promise<MessageQueue[]> {
  let route: TopicRouteData
  try {
    route = await admin.topicRoute(routeTopic)
  } catch (cause) {
    const text =
      `Can not find Message Queue for this topic, ${topic}\n` +
      'See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.'
    throw new MQClientError('ERR_CLIENT_NO_QUEUE', text, { cause })
  }
  return queuesOf(route, topic)
}

/** The queues of a route that may be read, in Java's order. */
export function queuesOf(route: TopicRouteData, topic: string): MessageQueue[] {
  return route.queueDatas
    .filter(({ perm }) => isReadable(perm))
    .flatMap(({ brokerName, readQueueNums }) =>
      Array.from({ length: readQueueNums }, (_, queueId) => ({ brokerName, queueId, topic })),
    )
    .sort(compareMessageQueues)
}
