import { expect, test, vi } from 'vitest'
import { newTopicConfig } from '../../../src/common/index.js'
import { KVConfigManager } from '../../../src/namesrv/kv-config-manager.js'
import { RouteBodies } from '../../../src/namesrv/route-bodies.js'
import { silentLogger } from '../../../src/util/index.js'
import { newRouteInfo, registration, version } from './fixtures.js'

function setUp() {
  const { routeInfo, values } = newRouteInfo()
  const kvConfig = new KVConfigManager({ path: '/nowhere/kvConfig.json', logger: silentLogger })
  return { routeInfo, kvConfig, values, bodies: new RouteBodies({ routeInfo, kvConfig, values }) }
}

test('the dialects, byte by byte', () => {
  const { routeInfo, bodies } = setUp()
  const mapping = {
    bname: 'broker-a',
    currIdMap: new Map([
      [0, 0],
      [1, 1],
    ]),
    dirty: false,
    epoch: 100,
    scope: '__global__',
    topic: 'T',
    totalQueues: 8,
  }
  const mappings = new Map([['T', mapping]])
  const names = ['T', newTopicConfig('U', {})]
  routeInfo.register(registration({ brokerId: 0, zoneName: 'z/ü', enableActingMaster: true, names, mappings }))
  for (const brokerId of [10, 1, 2])
    routeInfo.register(registration({ brokerId, zoneName: 'z/ü', enableActingMaster: true }))
  const tail = '"perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}],"topicQueueMappingByBroker":'
  expect(bodies.body('T', 'legacy')?.toString()).toBe(
    '{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911",2:"10.0.0.3:10911",10:"10.0.0.11:10911"},"brokerName":"broker-a",' +
      '"cluster":"DefaultCluster","enableActingMaster":true,"zoneName":"z/ü"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a",' +
      `${tail}{"broker-a":{"bname":"broker-a","currIdMap":{0:0,1:1},"dirty":false,"epoch":100,"scope":"__global__","topic":"T","totalQueues":8}}}`,
  )
  expect(bodies.body('T', 'standard')?.toString()).toBe(
    '{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911","1":"10.0.0.2:10911","2":"10.0.0.3:10911","10":"10.0.0.11:10911"},"brokerName":"broker-a",' +
      '"cluster":"DefaultCluster","enableActingMaster":true,"zoneName":"z\\/\\u00FC"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a",' +
      `${tail}{"broker-a":{"bname":"broker-a","currIdMap":{"0":0,"1":1},"dirty":false,"epoch":100,"scope":"__global__","topic":"T","totalQueues":8}}}`,
  )
})

test('a body is written once, and again after each change it depends on', async () => {
  const { routeInfo, bodies, kvConfig, values } = setUp()
  routeInfo.register(registration())
  const pickup = vi.spyOn(routeInfo, 'topicRoute')
  const body = () => bodies.body('TopicA', 'standard')?.toString()
  const first = bodies.body('TopicA', 'standard')
  expect(bodies.body('TopicA', 'standard')).toBe(first)
  routeInfo.register(registration())
  expect(bodies.body('TopicA', 'standard')).toBe(first)
  expect(pickup).toHaveBeenCalledTimes(1)

  routeInfo.register(registration({ brokerId: 1 }))
  expect(body()).toContain('"1":"10.0.0.2:10911"')
  routeInfo.wipeWritePerm('broker-a')
  expect(body()).toContain('"perm":4')
  routeInfo.register(registration({ zoneName: 'z1' }))
  expect(body()).toContain('"zoneName":"z1"')
  routeInfo.register(registration({ filterServerList: ['f:1'] }))
  expect(body()).toContain('"filterServerTable":{"10.0.0.1:10911":["f:1"]}')

  vi.spyOn(kvConfig, 'get').mockImplementation((namespace, key) => `${namespace}/${key}`)
  expect(body()).not.toContain('orderTopicConf')
  values.orderMessageEnable = true
  expect(body()).toContain('"orderTopicConf":"ORDER_TOPIC_CONFIG\\/TopicA"')

  routeInfo.deleteTopic('TopicA')
  expect(body()).toBeUndefined()
})

test('acting masters show as soon as they are supported', () => {
  const { routeInfo, bodies, values } = setUp()
  routeInfo.register(registration({ brokerId: 1, enableActingMaster: true }))
  expect(bodies.body('TopicA', 'legacy')?.toString()).toContain('{1:"')
  values.supportActingMaster = true
  expect(bodies.body('TopicA', 'legacy')?.toString()).toContain('{0:"')
})

test('a zone has its own body', () => {
  const { routeInfo, bodies } = setUp()
  routeInfo.register(registration({ zoneName: 'z1' }))
  routeInfo.register(registration({ brokerName: 'broker-b', brokerAddr: 'b:1', zoneName: 'z2' }))
  const shown = (zone: string) => bodies.bodyOfZone('TopicA', zone)!.toString()
  expect(shown('Z1')).toContain('{0:"10.0.0.1:10911"}')
  expect(shown('Z1')).not.toContain('broker-b')
  expect(bodies.bodyOfZone('TopicA', 'z1')).toBe(bodies.bodyOfZone('TopicA', 'Z1'))
  expect(shown('z3')).toBe('{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}')
  expect(bodies.bodyOfZone('Nothing', 'z1')).toBeUndefined()
  expect(bodies.body('TopicA', 'legacy')?.toString()).toContain('broker-b')
  routeInfo.register(registration({ version: version(2), zoneName: 'z3' }))
  expect(shown('z3')).toContain('broker-a')
})
