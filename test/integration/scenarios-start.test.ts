import { describe, expect, onTestFinished, test } from 'vitest'
import { LitePullConsumer, Producer } from '../../src/client/index.js'
import { decodeOffsetMessageId, hostAddressToString, RequestCode, ResponseCode } from '../../src/common/index.js'
import { freePort } from '../../src/util/index.js'
import { eventually } from '../support/eventually.js'
import { ManualClock } from '../support/manual-clock.js'
import { startTestNamesrv, type TestNamesrv } from '../support/namesrv.js'
import { type BrokerValues, TestSystem } from './client-system.js'
import { routeOf, ScenarioBroker, ScenarioClient } from './scenarios-broker.js'

/** Start-up and routes (broker-behaviour 18, scenarios 1 to 12, 128, 131). */

interface Cluster {
  nameServer: TestNamesrv
  namesrv: ScenarioClient
  broker: ScenarioBroker
}

async function cluster(values: BrokerValues = {}): Promise<Cluster> {
  const { nameServer, namesrv } = await aNameServer()
  const broker = await ScenarioBroker.start({ values: { namesrvAddr: nameServer.address, ...values } })
  return { nameServer, namesrv, broker }
}

async function aNameServer(clock?: ManualClock): Promise<Omit<Cluster, 'broker'>> {
  const nameServer = await startTestNamesrv(clock ? { clock } : {})
  const namesrv = new ScenarioClient(nameServer.address)
  onTestFinished(() => {
    namesrv.close()
    return nameServer.stop()
  })
  return { nameServer, namesrv }
}

async function aProducer(namesrvAddr: string, clock?: ManualClock): Promise<Producer> {
  const producer = new Producer({ group: 'P', namesrvAddr, ...(clock ? { clock } : {}) })
  onTestFinished(() => producer.stop())
  await producer.start()
  return producer
}

async function topicsOf(namesrv: ScenarioClient): Promise<string[]> {
  const { body } = await namesrv.call(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER)
  return (JSON.parse(body.toString()) as { topicList: string[] }).topicList
}

describe('start-up', () => {
  test('S001 an empty NameServer knows the system topics and the broker before the first period', async () => {
    const { namesrv } = await cluster({ brokerClusterName: 'C1' })
    const topics = await topicsOf(namesrv)
    for (const topic of [
      'SELF_TEST_TOPIC',
      'TBW102',
      'BenchmarkTest',
      'C1',
      'broker-a',
      'OFFSET_MOVED_EVENT',
      'SCHEDULE_TOPIC_XXXX',
      'C1_REPLY_TOPIC',
      'rmq_sys_REVIVE_LOG_C1',
      'rmq_sys_SYNC_BROKER_MEMBER_broker-a',
      'RMQ_SYS_TRANS_HALF_TOPIC',
      'RMQ_SYS_TRANS_OP_HALF_TOPIC',
      'rmq_sys_wheel_timer',
    ]) {
      expect(topics).toContain(topic)
    }
    const info = await namesrv.call(RequestCode.GET_BROKER_CLUSTER_INFO)
    expect(JSON.parse(info.body.toString())).toMatchObject({ clusterAddrTable: { C1: ['broker-a'] } })
  })

  test('S002 routes and message ids name brokerIP1 and listenPort, not the interface listened on', async () => {
    const { namesrv, broker } = await cluster({ brokerIP1: '10.20.30.40' })
    const address = `10.20.30.40:${broker.port}`
    expect((await routeOf(namesrv, 'TBW102'))!.brokerDatas[0]!.brokerAddrs.get(0)).toBe(address)
    const sent = await broker.send({ topic: 'New' })
    expect(hostAddressToString(decodeOffsetMessageId(sent.extFields!.msgId!).storeHost)).toBe(address)
  })

  test('S003 the fast port is listenPort-2 and answers; slaves are told listenPort+1', async () => {
    const { namesrv, broker } = await cluster()
    expect((await broker.client(broker.port - 2).send()).code).toBe(0)
    const slave = {
      brokerName: 'broker-a',
      brokerAddr: '127.0.0.1:1',
      clusterName: 'DefaultCluster',
      haServerAddr: '127.0.0.1:2',
      brokerId: 1,
    }
    const answer = await namesrv.call(RequestCode.REGISTER_BROKER, slave)
    expect(answer.extFields).toMatchObject({
      haServerAddr: `127.0.0.1:${broker.port + 1}`,
      masterAddr: broker.brokerAddr,
    })
  })

  test('S009 one NameServer down: the other gets the data and the start completes', async () => {
    const { nameServer, namesrv } = await aNameServer()
    const namesrvAddr = `127.0.0.1:${await freePort()};${nameServer.address}`
    await ScenarioBroker.start({ values: { namesrvAddr } })
    expect(await topicsOf(namesrv)).toContain('TBW102')
  })

  test('S012 a client with the old route sends to a restarted broker that no NameServer knows yet', async () => {
    const system = await new TestSystem().start()
    onTestFinished(() => system.stop())
    await system.createTopic('T')
    const producer = await aProducer(system.namesrvAddr)
    await producer.send({ topic: 'T', body: 'before' })
    await system.stopNameServer(0)
    await system.stopBroker()
    await system.startBroker()
    expect((await producer.send({ topic: 'T', body: 'after' })).status).toBe('SEND_OK')
  })
})

describe('topics that a send creates', () => {
  test('S005 not with autoCreateTopicEnable=false: code 17', async () => {
    const { namesrv, broker } = await cluster({ autoCreateTopicEnable: false })
    const answer = await broker.send({ topic: 'New', code: RequestCode.SEND_MESSAGE_V2 })
    expect(answer.code).toBe(ResponseCode.TOPIC_NOT_EXIST)
    expect(answer.remark).toContain('topic[New] not exist, apply first please!')
    expect(broker.controller.context.topics.containsTopic('New')).toBe(false)
    expect(await routeOf(namesrv, 'New')).toBeUndefined()
  })

  test.each([
    ['S006 4 queues for a Java producer, known to the NameServer with the answer', 4, 4],
    ['S007 at most the 8 queues of TBW102', 32, 8],
  ])('%s', async (_name, defaultTopicQueueNums, queues) => {
    const { namesrv, broker } = await cluster()
    expect((await broker.send({ topic: 'New', defaultTopicQueueNums })).code).toBe(0)
    expect((await routeOf(namesrv, 'New'))!.queueDatas).toMatchObject([
      { brokerName: 'broker-a', readQueueNums: queues, writeQueueNums: queues, perm: 6 },
    ])
  })
})

describe('routes', () => {
  test('S008 changed queue numbers are used after the next route poll, at most 30 s later', async () => {
    const { nameServer, broker } = await cluster()
    const queues = (count: number) => broker.createTopic('T', { readQueueNums: count, writeQueueNums: count })
    await queues(2)
    const clock = new ManualClock()
    const producer = await aProducer(nameServer.address, clock)
    // the first poll, of no topics yet
    await clock.advance(1000)
    expect(await producer.publishQueues('T')).toHaveLength(2)
    await queues(6)
    expect(await producer.publishQueues('T')).toHaveLength(2)
    await clock.advance(30_000)
    await eventually(async () => (await producer.publishQueues('T')).length === 6, 'the new queues')
  })

  test('S010 brokerPermission 4 takes the write permission from every route, and producers away', async () => {
    const { nameServer, namesrv, broker } = await cluster()
    await broker.createTopic('T')
    const update = await broker.call(RequestCode.UPDATE_BROKER_CONFIG, {}, 'brokerPermission=4')
    expect(update.code).toBe(0)
    await eventually(async () => (await routeOf(namesrv, 'T'))!.queueDatas[0]!.perm === 4, 'the permission')
    const producer = await aProducer(nameServer.address)
    await expect(producer.publishQueues('T')).rejects.toMatchObject({ responseCode: 10005 })
  })

  test.each([
    [true, 0],
    [false, 17],
  ])('S011 a topic deleted at the broker only stays in routes; autoCreateTopicEnable=%s: %i', async (auto, code) => {
    const { namesrv, broker } = await cluster({ autoCreateTopicEnable: auto })
    await broker.createTopic('T')
    expect((await broker.call(RequestCode.DELETE_TOPIC_IN_BROKER, { topic: 'T' })).code).toBe(0)
    await broker.controller.context.registration.registerAll()
    expect(await routeOf(namesrv, 'T')).toBeDefined()
    expect((await broker.send()).code).toBe(code)
    expect((await namesrv.call(RequestCode.DELETE_TOPIC_IN_NAMESRV, { topic: 'T' })).code).toBe(0)
    expect(await routeOf(namesrv, 'T')).toBeUndefined()
  })

  test('S128 queues of two broker names are in one route; a stop takes those of one away at once', async () => {
    const { nameServer, namesrv, broker } = await cluster()
    const other = await cluster({ namesrvAddr: nameServer.address, brokerName: 'broker-b' })
    for (const one of [broker, other.broker]) await one.createTopic('T', { readQueueNums: 3, writeQueueNums: 3 })
    const names = async () => (await routeOf(namesrv, 'T'))!.queueDatas.map(data => data.brokerName).sort()
    expect(await names()).toEqual(['broker-a', 'broker-b'])
    expect(await (await aProducer(nameServer.address)).publishQueues('T')).toHaveLength(6)
    await other.broker.controller.stop()
    await eventually(async () => (await names()).join() === 'broker-a', 'the unregistration')
  })

  test('S131 read=4 write=2: producers use 2 queues, consumers 4', async () => {
    const { nameServer, broker } = await cluster()
    await broker.createTopic('T', { readQueueNums: 4, writeQueueNums: 2 })
    expect(await (await aProducer(nameServer.address)).publishQueues('T')).toHaveLength(2)
    const consumer = new LitePullConsumer({ group: 'G', namesrvAddr: nameServer.address })
    onTestFinished(() => consumer.stop())
    await consumer.start()
    expect(await consumer.fetchMessageQueues('T')).toHaveLength(4)
  })
})
