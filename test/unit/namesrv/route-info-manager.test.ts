import { describe, expect, test } from 'vitest'
import { newTopicConfig, Perm } from '../../../src/common/index.js'
import { filterByZone } from '../../../src/namesrv/route-queries.js'
import { newChannel, newRouteInfo, registration, version } from './fixtures.js'

const permOf = (routeInfo: ReturnType<typeof newRouteInfo>['routeInfo'], topic: string) =>
  routeInfo.topicRoute(topic)?.queueDatas.map(({ perm }) => perm)

describe('registering', () => {
  test('a master and its topics are there', () => {
    const { routeInfo } = newRouteInfo()
    const result = routeInfo.register(registration({ zoneName: 'z1', enableActingMaster: true }))
    expect(result).toEqual({ isNew: true, ignored: false })
    expect(routeInfo.topicRoute('TopicA')).toEqual({
      brokerDatas: [
        {
          brokerName: 'broker-a',
          cluster: 'DefaultCluster',
          enableActingMaster: true,
          zoneName: 'z1',
          brokerAddrs: new Map([[0, '10.0.0.1:10911']]),
        },
      ],
      filterServerTable: new Map(),
      queueDatas: [{ brokerName: 'broker-a', perm: 6, readQueueNums: 4, topicSysFlag: 0, writeQueueNums: 4 }],
    })
    expect(routeInfo.topicRoute('TopicC')).toBeUndefined()
    expect([...routeInfo.topics()]).toEqual(['TopicA', 'TopicB'])
  })

  test('a single topic is refused before the whole table, and then changes nothing', () => {
    const { routeInfo } = newRouteInfo()
    expect(routeInfo.register(registration({ names: ['TopicA'] }))).toBeUndefined()
    expect(routeInfo.clusterInfo()).toEqual({ brokerAddrTable: new Map(), clusterAddrTable: new Map() })
    expect(routeInfo.register(registration({ names: [] }))).toBeDefined()
    expect(routeInfo.register(registration({ names: ['TopicA'], version: version(2) }))).toBeDefined()
    expect(permOf(routeInfo, 'TopicA')).toEqual([6])
  })

  test('a table of an unchanged version leaves known topics as they are, and adds unknown ones', () => {
    const { routeInfo } = newRouteInfo()
    routeInfo.register(registration())
    expect(routeInfo.wipeWritePerm('broker-a')).toBe(2)
    const { generation } = routeInfo
    routeInfo.register(registration())
    expect(permOf(routeInfo, 'TopicA')).toEqual([4])
    expect(routeInfo.generation).toBe(generation)
    routeInfo.register(registration({ names: ['TopicA', 'TopicC'] }))
    expect([permOf(routeInfo, 'TopicA'), permOf(routeInfo, 'TopicC')]).toEqual([[4], [6]])
    routeInfo.register(registration({ version: version(2) }))
    expect(permOf(routeInfo, 'TopicA')).toEqual([6])
  })

  test.each([
    ['counter', { ...version(1), counter: 2 }],
    ['timestamp', { ...version(1), timestamp: 1 }],
    ['state version', { ...version(1), stateVersion: 1 }],
  ])('another %s is another version', (_what, changed) => {
    const { routeInfo } = newRouteInfo()
    routeInfo.register(registration())
    expect(routeInfo.isDataVersionChanged('DefaultCluster', '10.0.0.1:10911', version(1))).toBe(false)
    expect(routeInfo.isDataVersionChanged('DefaultCluster', '10.0.0.1:10911', changed)).toBe(true)
    expect(routeInfo.isDataVersionChanged('DefaultCluster', 'elsewhere:1', version(1))).toBe(true)
  })

  test('topics missing in a table stay, unless deleteTopicWithBrokerRegistration is on', () => {
    for (const [deleteTopicWithBrokerRegistration, expected] of [
      [false, ['TopicA', 'TopicB']],
      [true, ['TopicB']],
    ] as const) {
      const { routeInfo } = newRouteInfo({ deleteTopicWithBrokerRegistration })
      routeInfo.register(registration())
      routeInfo.register(registration({ names: ['TopicB'], version: version(2) }))
      expect([...routeInfo.topics()]).toEqual(expected)
    }
  })

  test('a slave learns where its master is; its topics do not count', () => {
    const { routeInfo } = newRouteInfo()
    const slave = { brokerId: 1, enableActingMaster: undefined, names: ['TopicS', 'TopicT'] }
    expect(routeInfo.register(registration(slave))).toEqual({ isNew: true, ignored: false })
    expect(routeInfo.topics().size).toBe(0)
    routeInfo.register(registration())
    const result = routeInfo.register(registration(slave))
    expect(result).toMatchObject({ haServerAddr: '10.0.0.1:10912', masterAddr: '10.0.0.1:10911' })
    expect([...routeInfo.topics()]).toEqual(['TopicA', 'TopicB'])
    expect(routeInfo.topicRoute('TopicA')?.brokerDatas[0]?.brokerAddrs).toEqual(
      new Map([
        [1, '10.0.0.2:10911'],
        [0, '10.0.0.1:10911'],
      ]),
    )
  })

  test('an address keeps one id when its broker changes the role', () => {
    const { routeInfo } = newRouteInfo()
    routeInfo.register(registration({ brokerId: 1, brokerAddr: 'host:1' }))
    routeInfo.register(registration({ brokerId: 0, brokerAddr: 'host:1' }))
    expect(routeInfo.memberAddrs('broker-a')).toEqual(new Map([[0, 'host:1']]))
  })

  test('an id held by a later state is not given away', () => {
    const { routeInfo } = newRouteInfo()
    routeInfo.register(registration({ brokerAddr: 'new:1', version: version(1, 7) }))
    const late = registration({ brokerAddr: 'old:1', version: version(9, 6) })
    expect(routeInfo.register(late)).toEqual({ isNew: false, ignored: true })
    expect(routeInfo.memberAddrs('broker-a')).toEqual(new Map([[0, 'new:1']]))
    expect(routeInfo.dataVersion('DefaultCluster', 'old:1')).toBeUndefined()
    routeInfo.register(registration({ brokerAddr: 'old:1', version: version(1, 7) }))
    expect(routeInfo.memberAddrs('broker-a')).toEqual(new Map([[0, 'old:1']]))
  })

  test('filter servers come and go with the list', () => {
    const { routeInfo } = newRouteInfo()
    routeInfo.register(registration({ filterServerList: ['filter:1'] }))
    const shown = () => routeInfo.topicRoute('TopicA')?.filterServerTable
    expect(shown()).toEqual(new Map([['10.0.0.1:10911', ['filter:1']]]))
    routeInfo.register(registration({ filterServerList: undefined }))
    expect(shown()?.size).toBe(1)
    routeInfo.register(registration({ filterServerList: [] }))
    expect(shown()?.size).toBe(0)
  })

  test('mappings of static topics are shown, and outlive their broker', () => {
    const { routeInfo } = newRouteInfo()
    const info = {
      bname: 'broker-a',
      currIdMap: new Map([[0, 1]]),
      dirty: false,
      epoch: 1,
      scope: '__global__',
      topic: 'TopicA',
      totalQueues: 8,
    }
    routeInfo.register(registration({ mappings: new Map([['TopicA', info]]) }))
    expect(routeInfo.topicRoute('TopicA')?.topicQueueMappingByBroker).toEqual(new Map([['broker-a', info]]))
    expect(routeInfo.topicRoute('TopicB')).not.toHaveProperty('topicQueueMappingByBroker')
    routeInfo.unregister([
      { clusterName: 'DefaultCluster', brokerName: 'broker-a', brokerAddr: '10.0.0.1:10911', brokerId: 0 },
    ])
    expect(routeInfo.topicRoute('TopicA')).toBeUndefined()
    routeInfo.register(registration())
    expect(routeInfo.topicRoute('TopicA')?.topicQueueMappingByBroker).toEqual(new Map([['broker-a', info]]))
  })
})

describe('unregistering', () => {
  const signOff = (brokerId = 0, brokerName = 'broker-a') => ({
    clusterName: 'DefaultCluster',
    brokerName,
    brokerAddr: `10.0.0.${brokerId + 1}:10911`,
    brokerId,
  })

  test('the last address takes name, cluster and topics along', () => {
    const { routeInfo } = newRouteInfo()
    routeInfo.register(registration())
    routeInfo.register(registration({ brokerId: 1 }))
    expect(routeInfo.unregister([signOff(0)]).removed).toEqual([signOff(0)])
    expect(routeInfo.topicRoute('TopicA')?.brokerDatas[0]?.brokerAddrs).toEqual(new Map([[1, '10.0.0.2:10911']]))
    expect(permOf(routeInfo, 'TopicA')).toEqual([6])
    routeInfo.unregister([signOff(1)])
    expect(routeInfo.topics().size).toBe(0)
    expect(routeInfo.clusterInfo()).toEqual({ brokerAddrTable: new Map(), clusterAddrTable: new Map() })
  })

  test('other brokers keep their topics', () => {
    const { routeInfo } = newRouteInfo()
    routeInfo.register(registration())
    routeInfo.register(registration({ brokerName: 'broker-b', brokerAddr: 'b:1', names: ['TopicB', 'TopicC'] }))
    routeInfo.unregister([signOff()])
    expect([...routeInfo.topics()]).toEqual(['TopicB', 'TopicC'])
    expect(routeInfo.topicRoute('TopicB')?.queueDatas.map(({ brokerName }) => brokerName)).toEqual(['broker-b'])
    expect(routeInfo.clusterInfo().clusterAddrTable).toEqual(new Map([['DefaultCluster', new Set(['broker-b'])]]))
  })

  test('a lost connection takes its brokers, unless they are back by another', () => {
    const { routeInfo } = newRouteInfo()
    const channel = newChannel()
    const gone = { clusterName: 'DefaultCluster', brokerAddr: '10.0.0.1:10911', channel }
    routeInfo.register(registration({ channel }))
    routeInfo.register(registration())
    expect(routeInfo.unregister([gone]).removed).toEqual([])
    expect(routeInfo.topics().size).toBe(2)
    routeInfo.register(registration({ channel }))
    expect(routeInfo.brokersOf(channel)).toHaveLength(1)
    expect(routeInfo.unregister([gone, gone]).removed).toEqual([signOff()])
    expect(routeInfo.topics().size).toBe(0)
  })

  test('a broker whose id another address has taken leaves nothing behind', async () => {
    const { routeInfo, clock } = newRouteInfo()
    const channel = newChannel()
    routeInfo.register(registration({ brokerAddr: 'old:1', channel }))
    routeInfo.register(registration({ brokerAddr: 'new:1' }))
    routeInfo.unregister([{ clusterName: 'DefaultCluster', brokerAddr: 'old:1', channel }])
    expect(routeInfo.memberAddrs('broker-a')).toEqual(new Map([[0, 'new:1']]))
    expect(routeInfo.brokersOf(channel)).toEqual([])
    await clock.advance(200_000)
    expect(routeInfo.lostBrokers().map(({ brokerAddr }) => brokerAddr)).toEqual(['new:1'])
  })

  test('with acting masters on, a group without master becomes read-only', () => {
    const { routeInfo } = newRouteInfo({ supportActingMaster: true })
    routeInfo.register(registration({ enableActingMaster: true }))
    routeInfo.register(registration({ brokerId: 1, enableActingMaster: true }))
    routeInfo.register(registration({ brokerId: 2, enableActingMaster: true }))
    routeInfo.unregister([signOff(2)])
    expect(permOf(routeInfo, 'TopicA')).toEqual([6])
    const { minBrokerIdChanges } = routeInfo.unregister([signOff(0)])
    expect(permOf(routeInfo, 'TopicA')).toEqual([4])
    expect(minBrokerIdChanges).toEqual([
      {
        brokerName: 'broker-a',
        minBrokerId: 1,
        minBrokerAddr: '10.0.0.2:10911',
        offlineBrokerAddr: '10.0.0.1:10911',
        recipients: ['10.0.0.2:10911'],
      },
    ])
  })
})

describe('acting masters', () => {
  const twoSlaves = (supportActingMaster: boolean, enableActingMaster: boolean | undefined = true) => {
    const { routeInfo } = newRouteInfo({ supportActingMaster })
    const names = ['TopicA', 'rmq_sys_SYNC_BROKER_MEMBER_broker-a']
    routeInfo.register(registration({ brokerId: 3, enableActingMaster, names }))
    routeInfo.register(registration({ brokerId: 2, enableActingMaster, names, version: version(2) }))
    return routeInfo
  }
  const ids = (routeInfo: ReturnType<typeof twoSlaves>, topic: string) =>
    [...(routeInfo.topicRoute(topic)?.brokerDatas[0]?.brokerAddrs.keys() ?? [])].sort()

  test('the slave with the lowest id is shown as master, of topics that cannot be written', () => {
    const routeInfo = twoSlaves(true)
    expect(permOf(routeInfo, 'TopicA')).toEqual([4])
    expect(routeInfo.topicRoute('TopicA')?.brokerDatas[0]?.brokerAddrs.get(0)).toBe('10.0.0.3:10911')
    expect(ids(routeInfo, 'TopicA')).toEqual([0, 3])
    routeInfo.addWritePerm('broker-a')
    expect(ids(routeInfo, 'TopicA')).toEqual([2, 3])
    routeInfo.wipeWritePerm('broker-a')
    expect(ids(routeInfo, 'TopicA')).toEqual([0, 3])
  })

  test('not for the topic of the members, nor while the NameServer does not support it', () => {
    expect(ids(twoSlaves(true), 'rmq_sys_SYNC_BROKER_MEMBER_broker-a')).toEqual([2, 3])
    expect(ids(twoSlaves(false), 'TopicA')).toEqual([2, 3])
  })

  test('topics of a slave that knows nothing of it do not count', () => {
    const { routeInfo } = newRouteInfo({ supportActingMaster: true })
    routeInfo.register(registration({ brokerId: 2, enableActingMaster: undefined }))
    expect(routeInfo.topics().size).toBe(0)
  })

  test('a slave with acting masters off registers its topics as writable, but is no master', () => {
    const routeInfo = twoSlaves(true, false)
    expect(permOf(routeInfo, 'TopicA')).toEqual([6])
    expect(ids(routeInfo, 'TopicA')).toEqual([2, 3])
  })

  test('a lower id that joins is made known to the others', () => {
    const routeInfo = twoSlaves(true)
    const result = routeInfo.register(registration({ brokerId: 0, enableActingMaster: true }))
    expect(result?.minBrokerIdChange).toEqual({
      brokerName: 'broker-a',
      minBrokerId: 0,
      minBrokerAddr: '10.0.0.1:10911',
      haBrokerAddr: '10.0.0.1:10912',
      recipients: ['10.0.0.4:10911', '10.0.0.3:10911'],
    })
    expect(permOf(routeInfo, 'TopicA')).toEqual([6])
    expect(routeInfo.register(registration({ brokerId: 1 }))?.minBrokerIdChange).toBeUndefined()
  })
})

describe('topics', () => {
  test('registerTopic takes all queues or none', () => {
    const { routeInfo } = newRouteInfo()
    routeInfo.register(registration())
    const queues = (brokerName: string) => ({
      brokerName,
      perm: 6,
      readQueueNums: 8,
      topicSysFlag: 0,
      writeQueueNums: 8,
    })
    expect(routeInfo.registerTopic('TopicX', [queues('broker-a'), queues('nobody')])).toBe(false)
    expect(routeInfo.topicRoute('TopicX')).toBeUndefined()
    expect(routeInfo.registerTopic('TopicX', [queues('broker-a')])).toBe(true)
    expect(routeInfo.topicRoute('TopicX')?.queueDatas).toEqual([queues('broker-a')])
  })

  test('deleteTopic forgets in one cluster or everywhere', () => {
    const { routeInfo } = newRouteInfo()
    routeInfo.register(registration())
    routeInfo.register(registration({ clusterName: 'Other', brokerName: 'broker-b', brokerAddr: 'b:1' }))
    expect(routeInfo.deleteTopic('TopicA', 'Nowhere')).toBe(0)
    expect(routeInfo.deleteTopic('TopicA', 'Other')).toBe(1)
    expect(routeInfo.topicRoute('TopicA')?.queueDatas.map(({ brokerName }) => brokerName)).toEqual(['broker-a'])
    expect(routeInfo.deleteTopic('TopicB')).toBe(2)
    expect(routeInfo.topicRoute('TopicB')).toBeUndefined()
    expect([...routeInfo.topicsOfCluster('DefaultCluster')]).toEqual(['TopicA'])
    expect([...routeInfo.topicsOfCluster('Other')]).toEqual([])
  })

  test('wipe clears the write bit alone, add sets read and write', () => {
    const { routeInfo } = newRouteInfo()
    routeInfo.register(
      registration({ names: [newTopicConfig('TBW102', { perm: 7 }), newTopicConfig('Off', { perm: Perm.WRITE })] }),
    )
    expect(routeInfo.wipeWritePerm('nobody')).toBe(0)
    expect(routeInfo.wipeWritePerm('broker-a')).toBe(2)
    expect([permOf(routeInfo, 'TBW102'), permOf(routeInfo, 'Off')]).toEqual([[5], [0]])
    expect(routeInfo.addWritePerm('broker-a')).toBe(2)
    expect([permOf(routeInfo, 'TBW102'), permOf(routeInfo, 'Off')]).toEqual([[6], [6]])
  })

  test('unit topics go by the flag', () => {
    const { routeInfo } = newRouteInfo()
    const flagged = [1, 2, 3, 0].map(topicSysFlag => newTopicConfig(`Topic${topicSysFlag}`, { topicSysFlag }))
    routeInfo.register(registration({ names: flagged }))
    expect([...routeInfo.unitTopics('unit')]).toEqual(['Topic1', 'Topic3'])
    expect([...routeInfo.unitTopics('unitSub')]).toEqual(['Topic2', 'Topic3'])
    expect([...routeInfo.unitTopics('unitSubButNotUnit')]).toEqual(['Topic2'])
  })

  test('system topics are the names of clusters and brokers', () => {
    const { routeInfo } = newRouteInfo()
    expect(routeInfo.systemTopics()).toEqual({ topicList: new Set() })
    routeInfo.register(registration())
    expect(routeInfo.systemTopics()).toEqual({
      topicList: new Set(['DefaultCluster', 'broker-a']),
      brokerAddr: '10.0.0.1:10911',
    })
  })
})

describe('liveness', () => {
  test('a broker expires after its own timeout without a sign of life', async () => {
    const { routeInfo, clock } = newRouteInfo()
    routeInfo.register(registration({ heartbeatTimeoutMs: 10_000 }))
    routeInfo.register(registration({ brokerId: 1 }))
    const expired = () => routeInfo.lostBrokers().map(({ brokerAddr }) => brokerAddr)
    await clock.advance(10_000)
    expect(expired()).toEqual([])
    await clock.advance(1)
    expect(expired()).toEqual(['10.0.0.1:10911'])
    expect(routeInfo.heartbeat('DefaultCluster', '10.0.0.1:10911')).toBe(true)
    expect(routeInfo.heartbeat('DefaultCluster', 'nobody:1')).toBe(false)
    expect(expired()).toEqual([])
    await clock.advance(110_000)
    expect(expired()).toEqual(['10.0.0.1:10911', '10.0.0.2:10911'])
    routeInfo.register(registration({ channel: { isClosed: true, close: () => undefined } }))
    routeInfo.register(registration({ brokerId: 1 }))
    expect(expired()).toEqual(['10.0.0.1:10911'])
  })
})

test('filterByZone keeps the zone and what has no master', () => {
  const { routeInfo } = newRouteInfo()
  const names = ['TopicA', 'TopicB']
  routeInfo.register(
    registration({ brokerName: 'east', brokerAddr: 'e:1', zoneName: 'East', filterServerList: ['f:1'], names }),
  )
  routeInfo.register(
    registration({ brokerName: 'west', brokerAddr: 'w:1', zoneName: 'west', filterServerList: ['f:2'], names }),
  )
  routeInfo.register(registration({ brokerName: 'none', brokerAddr: 'n:1', names }))
  routeInfo.register(registration({ brokerName: 'slave', brokerAddr: 's:1', brokerId: 1, zoneName: 'west', names }))
  const route = filterByZone(routeInfo.topicRoute('TopicA')!, 'EAST')
  expect(route.brokerDatas.map(({ brokerName }) => brokerName)).toEqual(['east', 'slave'])
  expect(route.queueDatas.map(({ brokerName }) => brokerName)).toEqual(['east', 'slave'])
  expect(route.filterServerTable).toEqual(new Map([['e:1', ['f:1']]]))
})
