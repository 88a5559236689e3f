import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AdminClient, Producer } from '../../src/client/index.js'
import { newSubscriptionGroupConfig, RequestCode, ResponseCode } from '../../src/common/index.js'
import { TopicRequestHeader } from '../../src/remoting/index.js'
import { eventually } from '../support/eventually.js'
import { TestSystem } from './client-system.js'

const system = new TestSystem({ brokerClusterName: 'AdminCluster' })
let admin: AdminClient
beforeAll(async () => {
  await system.start(2)
  admin = new AdminClient({ namesrvAddr: system.namesrvAddr })
  await admin.start()
})
afterAll(async () => {
  await admin.stop()
  await system.stop()
})

const queue = (topic: string, queueId = 0) => ({ topic, brokerName: 'broker-a', queueId })

describe('the cluster', () => {
  it('is listed with its brokers', async () => {
    const info = await admin.clusterInfo()
    expect(info.clusterAddrTable.get('AdminCluster')).toEqual(new Set(['broker-a']))
    expect(await admin.masterAddresses('AdminCluster')).toEqual([system.brokerAddr])
    await expect(admin.masterAddresses('Nowhere')).rejects.toThrow('Make sure the specified clusterName exists')
  })

  it('tells the configuration and the state of a broker', async () => {
    expect((await admin.brokerConfig(system.brokerAddr)).get('brokerName')).toBe('broker-a')
    expect((await admin.runtimeInfo(system.brokerAddr)).get('brokerVersionDesc')).toBe('V5_3_3')
    expect((await admin.namesrvConfig(admin.namesrvAddresses[0]!)).get('listenPort')).toBe(
      admin.namesrvAddresses[0]!.split(':')[1],
    )
  })
})

describe('topics', () => {
  it('are made, shown and deleted', async () => {
    const topicName = 'AdminTopic'
    await admin.createTopic(system.brokerAddr, {
      topicName,
      readQueueNums: 3,
      writeQueueNums: 3,
      perm: 6,
      attributes: new Map([['+message.type', 'FIFO']]),
    })
    const config = await admin.topicConfig(system.brokerAddr, topicName)
    expect(config).toMatchObject({ topicName, readQueueNums: 3, attributes: new Map([['message.type', 'FIFO']]) })
    expect((await admin.topicRoute(topicName)).queueDatas).toMatchObject([{ brokerName: 'broker-a', readQueueNums: 3 }])
    expect(await admin.topicList()).toContain(topicName)
    expect((await admin.allTopicConfig(system.brokerAddr)).get(topicName)).toEqual(config)
    expect((await admin.topicStats(system.brokerAddr, topicName)).queues.map(stats => stats.queue.queueId)).toEqual([
      0, 1, 2,
    ])
    await admin.deleteTopicInBroker(system.brokerAddr, topicName)
    for (const address of admin.namesrvAddresses) await admin.deleteTopicInNamesrv(address, topicName)
    await expect(admin.topicRoute(topicName)).rejects.toMatchObject({ responseCode: ResponseCode.TOPIC_NOT_EXIST })
  })

  it('lose and regain the permission to write on a NameServer', async () => {
    await system.createTopic('PermTopic')
    const [address] = admin.namesrvAddresses
    expect(await admin.wipeWritePerm(address!, 'broker-a')).toBeGreaterThan(0)
    expect(await admin.addWritePerm(address!, 'broker-a')).toBeGreaterThan(0)
  })
})

it('makes, changes and deletes groups', async () => {
  const config = newSubscriptionGroupConfig('AdminGroup', { retryMaxTimes: 3 })
  await admin.createGroup(system.brokerAddr, config)
  expect(await admin.groupConfig(system.brokerAddr, 'AdminGroup')).toEqual(config)
  expect((await admin.allGroups(system.brokerAddr)).get('AdminGroup')).toEqual(config)
  await admin.deleteGroup(system.brokerAddr, 'AdminGroup', true)
  expect((await admin.allGroups(system.brokerAddr)).has('AdminGroup')).toBe(false)
})

it('keeps key-value configuration on every NameServer', async () => {
  await admin.putKv('NS', 'key', 'value')
  expect(await admin.kv('NS', 'key')).toBe('value')
  expect(await admin.kvList('NS')).toEqual(new Map([['key', 'value']]))
  await admin.deleteKv('NS', 'key')
  expect(await admin.kv('NS', 'key')).toBeUndefined()
})

describe('messages', () => {
  it('are found by id, by key, by unique key, by position and by time', async () => {
    await system.createTopic('Found', 1)
    const producer = new Producer({ group: 'P', namesrvAddr: system.namesrvAddr })
    await producer.start()
    const before = Date.now()
    const sent = await producer.send({ topic: 'Found', body: 'find me', keys: ['k1', 'k2'] })
    await producer.send({ topic: 'Found', body: 'another' })
    await producer.stop()
    expect((await admin.viewMessage(sent.offsetMsgId)).body.toString()).toBe('find me')
    const times = { beginTimestamp: before - 1000, endTimestamp: Date.now() + 1000, maxNum: 32, topic: 'Found' }
    const texts = async (key: string, uniqueKey: boolean): Promise<string[]> =>
      (await admin.queryMessages({ ...times, key, uniqueKey })).map(message => message.body.toString())
    expect(await texts('k2', false)).toEqual(['find me'])
    expect(await texts(sent.msgId, true)).toEqual(['find me'])
    expect(await texts('nothing', false)).toEqual([])
    const pulled = await admin.pull({ queue: queue('Found'), offset: 0, maxNums: 32 })
    expect(pulled).toMatchObject({ status: 'FOUND', nextBeginOffset: 2, minOffset: 0, maxOffset: 2 })
    expect(await admin.pull({ queue: queue('Found'), offset: 2, maxNums: 32 })).toMatchObject({ status: 'NO_NEW_MSG' })
    expect(await admin.maxOffset(queue('Found'))).toBe(2)
    expect(await admin.minOffset(queue('Found'))).toBe(0)
    expect(await admin.searchOffset(queue('Found'), before - 1)).toBe(0)
    expect(await admin.earliestStoreTime(queue('Found'))).toBeGreaterThanOrEqual(before)
  })
})

it('reads and moves the offsets of a group', async () => {
  await system.createTopic('Moved', 1)
  await admin.createGroup(system.brokerAddr, newSubscriptionGroupConfig('MovedGroup'))
  expect(await admin.consumerOffset(system.brokerAddr, 'MovedGroup', queue('Moved'))).toBeUndefined()
  await admin.updateConsumerOffset(system.brokerAddr, 'MovedGroup', queue('Moved'), 5)
  expect(await admin.consumerOffset(system.brokerAddr, 'MovedGroup', queue('Moved'))).toBe(5)
  expect((await admin.consumeStats(system.brokerAddr, 'MovedGroup', 'Moved')).queues).toMatchObject([
    { consumerOffset: 5 },
  ])
  expect(await admin.consumersOfTopic(system.brokerAddr, 'Moved')).toEqual(['MovedGroup'])
  expect(await admin.topicsOfConsumer(system.brokerAddr, 'MovedGroup')).toEqual(['Moved'])
})

describe('any request', () => {
  it('can be sent, and a refusal says who refused and why', async () => {
    const header = TopicRequestHeader.encode({ topic: 'Unknown' })
    const refused = admin.invokeBroker(system.brokerAddr, RequestCode.GET_TOPIC_STATS_INFO, { header })
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_CLIENT_RESPONSE',
      responseCode: ResponseCode.TOPIC_NOT_EXIST,
      address: system.brokerAddr,
      remark: expect.stringContaining('Unknown'),
    })
    const accepted = await admin.invokeBroker(system.brokerAddr, RequestCode.GET_TOPIC_STATS_INFO, {
      header,
      accept: [ResponseCode.TOPIC_NOT_EXIST],
    })
    expect(accepted.code).toBe(ResponseCode.TOPIC_NOT_EXIST)
  })

  it('to nobody fails with 10001', async () => {
    await expect(admin.invokeBroker('127.0.0.1:1', RequestCode.GET_BROKER_CONFIG)).rejects.toMatchObject({
      responseCode: 10001,
    })
    await expect(admin.invokeBroker('nonsense', RequestCode.GET_BROKER_CONFIG)).rejects.toMatchObject({
      responseCode: 10001,
    })
  })
})

it('tells who is connected', async () => {
  await system.createTopic('Connected', 1)
  const producer = new Producer({ group: 'ConnectedProducer', namesrvAddr: system.namesrvAddr })
  await producer.start()
  await producer.send({ topic: 'Connected', body: 'x' })
  const { clientId } = producer.instance
  expect(await admin.producerConnection(system.brokerAddr, 'ConnectedProducer')).toMatchObject([
    { clientId, language: 'OTHER', version: 479 },
  ])
  await producer.stop()
  await eventually(async () => {
    const gone = await admin.producerConnection(system.brokerAddr, 'ConnectedProducer').catch(() => [])
    return gone.length === 0
  })
})

// last: a restarted NameServer knows the broker only after its next full registration
it('sends to all NameServers, reaches the others when one is down, and then tells of it', async () => {
  await system.stopNameServer(0)
  await expect(admin.putKv('NS', 'k', 'v')).rejects.toMatchObject({ code: 'ERR_CLIENT_CONNECT' })
  expect(await admin.kv('NS', 'k')).toBe('v')
  await system.startNameServer(0)
})
