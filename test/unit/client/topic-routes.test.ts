import { expect, it } from 'vitest'
import type { NameServers } from '../../../src/client/name-servers.js'
import { TopicRoutes } from '../../../src/client/topic-routes.js'
import type { TopicRouteData } from '../../../src/common/index.js'
import { silentLogger } from '../../../src/util/index.js'

function broker(brokerName: string, addresses: Record<number, string>): TopicRouteData['brokerDatas'][number] {
  const brokerAddrs = new Map(Object.entries(addresses).map(([id, address]) => [Number(id), address]))
  return { brokerName, cluster: 'C', enableActingMaster: false, brokerAddrs }
}

function queues(brokerName: string, nums: number, perm = 6): TopicRouteData['queueDatas'][number] {
  return { brokerName, perm, readQueueNums: nums, writeQueueNums: nums, topicSysFlag: 0 }
}

function route(values: Partial<TopicRouteData>): TopicRouteData {
  return { brokerDatas: [], filterServerTable: new Map(), queueDatas: [], ...values }
}

/** Routes over a NameServer that knows `table`, which the test may change. */
function routesOver(table: Record<string, TopicRouteData>): TopicRoutes {
  const nameServers = { topicRoute: (topic: string) => Promise.resolve(structuredClone(table[topic])) }
  return new TopicRoutes(nameServers as unknown as NameServers, silentLogger)
}

it('publishes to writable queues of brokers that have a master', async () => {
  const routes = routesOver({
    T: route({
      brokerDatas: [
        broker('b', { 0: 'b:1' }),
        broker('a', { 0: 'a:1' }),
        broker('slave-only', { 1: 's:1' }),
        broker('ro', { 0: 'r:1' }),
      ],
      queueDatas: [queues('b', 1), queues('a', 2), queues('slave-only', 1), queues('ro', 1, 4), queues('gone', 1)],
    }),
  })
  expect(await routes.refresh('T')).toBe(true)
  expect(routes.publishInfo('T')!.queues.map(queue => `${queue.brokerName}${queue.queueId}`)).toEqual([
    'a0',
    'a1',
    'b0',
  ])
  expect(routes.subscribeQueues('T')!.map(queue => `${queue.brokerName}${queue.queueId}`)).toEqual([
    'a0',
    'a1',
    'b0',
    'gone0',
    'ro0',
    'slave-only0',
  ])
})

it('takes the order configuration for ordered topics', async () => {
  const brokerDatas = [broker('a', { 0: 'a:1' })]
  const routes = routesOver({ T: route({ brokerDatas, queueDatas: [queues('a', 8)], orderTopicConf: 'a:2' }) })
  await routes.refresh('T')
  expect(routes.publishInfo('T')).toMatchObject({ ordered: true, queues: [{ queueId: 0 }, { queueId: 1 }] })
})

it('gives an unknown topic at most the default number of queues of TBW102', async () => {
  const routes = routesOver({
    TBW102: route({ brokerDatas: [broker('a', { 0: 'a:1' })], queueDatas: [queues('a', 8, 7)] }),
  })
  expect(await routes.refresh('T')).toBe(false)
  expect(await routes.refreshFromDefault('T')).toBe(true)
  expect(routes.publishInfo('T')!.queues).toHaveLength(4)
})

it('keeps a route that the NameServer has lost', async () => {
  const table: Record<string, TopicRouteData> = {
    T: route({ brokerDatas: [broker('a', { 0: 'a:1' })], queueDatas: [queues('a', 1)] }),
  }
  const routes = routesOver(table)
  await routes.refresh('T')
  delete table.T
  expect(await routes.refresh('T')).toBe(true)
  routes.cleanOffline()
  expect(routes.master('a')).toBe('a:1')
})

it('forgets addresses that no route names any more', async () => {
  const table: Record<string, TopicRouteData> = {
    T: route({
      brokerDatas: [broker('a', { 0: 'a:1' }), broker('b', { 0: 'b:1', 1: 'b:2' })],
      queueDatas: [queues('a', 1)],
    }),
  }
  const routes = routesOver(table)
  await routes.refresh('T')
  expect(routes.addresses()).toEqual(['a:1', 'b:1', 'b:2'])
  expect(routes.addresses(true)).toEqual(['a:1', 'b:1'])
  table.T = route({ brokerDatas: [broker('a', { 0: 'a:9' })], queueDatas: [queues('a', 1)] })
  await routes.refresh('T')
  routes.cleanOffline()
  expect(routes.addresses()).toEqual(['a:9'])
})

it('pulls from the suggested broker id, else the next, else any', async () => {
  const routes = routesOver({
    T: route({ brokerDatas: [broker('a', { 0: 'm', 2: 's' })], queueDatas: [queues('a', 1)] }),
  })
  await routes.refresh('T')
  expect(routes.broker('a', 0)).toEqual({ address: 'm', slave: false })
  expect(routes.broker('a', 1)).toEqual({ address: 's', slave: true })
  expect(routes.broker('a', 7)).toEqual({ address: 'm', slave: false })
  expect(routes.broker('a', 7, true)).toBeUndefined()
  expect(routes.broker('nobody', 0)).toBeUndefined()
})
