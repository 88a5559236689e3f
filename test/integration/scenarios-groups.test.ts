import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Producer, PushConsumer, type PushConsumerOptions } from '../../src/client/index.js'
import { newSubscriptionGroupConfig, RequestCode, ResponseCode, stringifyFastJson } from '../../src/common/index.js'
import { eventually } from '../support/eventually.js'
import { tempDir } from '../support/temp-dir.js'
import { type BrokerValues, Inbox, TestSystem } from './client-system.js'
import { ScenarioBroker, type ScenarioClient } from './scenarios-broker.js'

/** Groups and rebalance (broker-behaviour 18, scenarios 63 to 74). */

describe('members of a group', () => {
  let broker: ScenarioBroker

  async function start(values: BrokerValues = {}): Promise<void> {
    // idle connections stay: here members go for what they say, or do not say
    broker = await ScenarioBroker.start({ values: { serverChannelMaxIdleTimeSeconds: 10_000, ...values } })
    for (const topic of ['T', 'U']) await broker.createTopic(topic)
  }

  /** Members that have sent a heartbeat each, their notices of that forgotten. */
  async function members(...ids: string[]): Promise<ScenarioClient[]> {
    const clients = ids.map(() => broker.client())
    for (const [i, client] of clients.entries()) await client.heartbeat(ids[i]!, 'G', ['T'])
    const last = clients.length - 1
    await eventually(() => clients.every((client, i) => client.notices.length === last - i + 1), 'the notices')
    for (const client of clients) client.notices.length = 0
    return clients
  }

  async function memberIds(): Promise<string[]> {
    const answer = await broker.call(RequestCode.GET_CONSUMER_LIST_BY_GROUP, { consumerGroup: 'G' })
    if (answer.code !== 0) return []
    return (JSON.parse(answer.body.toString()) as { consumerIdList: string[] }).consumerIdList.sort()
  }

  const pullBySubscription = (client: ScenarioClient, topic = 'T') => client.pull({ topic, sysFlag: 0, subVersion: 1 })

  test('S063 each member is told by 40 when another one joins', async () => {
    await start()
    const [first] = await members('a', 'b')
    await broker.client().heartbeat('c', 'G', ['T'])
    await eventually(() => first!.notices.length === 1)
    expect(first!.notices).toEqual(['G'])
    expect(await memberIds()).toEqual(['a', 'b', 'c'])
  })

  test('S064 a member whose connection breaks is gone at once and the others are told', async () => {
    await start()
    const [first, second] = await members('a', 'b')
    second!.close()
    await eventually(() => first!.notices.length === 1, 'the notice')
    expect(await memberIds()).toEqual(['a'])
  })

  test('S065 a silent member goes 120 s after its last heartbeat (others are told, which Java leaves out)', async () => {
    await start()
    const [first] = await members('a', 'b')
    const beatEvery10s = async (seconds: number): Promise<void> => {
      for (let i = 0; i < seconds; i += 10) {
        await broker.clock.advance(10_000)
        await first!.heartbeat('a', 'G', ['T'])
      }
    }
    await beatEvery10s(120)
    expect(await memberIds()).toEqual(['a', 'b'])
    await beatEvery10s(10)
    expect(await memberIds()).toEqual(['a'])
    await eventually(() => first!.notices.length === 1, 'the notice')
  })

  test('S066 a member that unregisters is gone at once and the others are told', async () => {
    await start()
    const [first, second] = await members('a', 'b')
    const goodbye = { clientID: 'b', producerGroup: '', consumerGroup: 'G' }
    expect((await second!.call(RequestCode.UNREGISTER_CLIENT, goodbye)).code).toBe(0)
    await eventually(() => first!.notices.length === 1, 'the notice')
    expect(await memberIds()).toEqual(['a'])
  })

  test('S067 members with different subscriptions take each other’s away: the last heartbeat counts, pulls get 24', async () => {
    await start()
    const [one, two] = [broker.client(), broker.client()]
    await one.heartbeat('a', 'G', ['T'])
    expect((await pullBySubscription(one)).code).toBe(ResponseCode.PULL_NOT_FOUND)
    await two.heartbeat('b', 'G', ['U'])
    const refused = await pullBySubscription(one)
    expect(refused.code).toBe(ResponseCode.SUBSCRIPTION_NOT_EXIST)
    expect(refused.remark).toContain("the consumer's subscription not exist")
    expect((await pullBySubscription(two, 'U')).code).toBe(ResponseCode.PULL_NOT_FOUND)
    await one.heartbeat('a', 'G', ['T'])
    expect((await pullBySubscription(one)).code).toBe(ResponseCode.PULL_NOT_FOUND)
    expect((await pullBySubscription(two, 'U')).code).toBe(ResponseCode.SUBSCRIPTION_NOT_EXIST)
  })

  test('S068 a client that only sends is seen by 204 under its group, not by 203', async () => {
    await start()
    const client = broker.client()
    const body = JSON.stringify({ clientID: 'p1', producerDataSet: [{ groupName: 'PG' }], consumerDataSet: [] })
    await client.call(RequestCode.HEART_BEAT, {}, body)
    const producers = await broker.call(RequestCode.GET_PRODUCER_CONNECTION_LIST, { producerGroup: 'PG' })
    expect(JSON.parse(producers.body.toString())).toMatchObject({ connectionSet: [{ clientId: 'p1' }] })
    const consumers = await broker.call(RequestCode.GET_CONSUMER_CONNECTION_LIST, { consumerGroup: 'PG' })
    expect(consumers.code).toBe(ResponseCode.CONSUMER_NOT_ONLINE)
  })

  test('S072 a pull of a group without a heartbeat gets 24', async () => {
    await start()
    const refused = await pullBySubscription(broker)
    expect(refused.code).toBe(ResponseCode.SUBSCRIPTION_NOT_EXIST)
    expect(refused.remark).toContain("the consumer's group info not exist")
  })

  test('S073 autoCreateSubscriptionGroup=false: the heartbeat registers no group and pulls get 26', async () => {
    await start({ autoCreateSubscriptionGroup: false })
    expect((await broker.heartbeat('a', 'G', ['T'])).code).toBe(0)
    expect(await memberIds()).toEqual([])
    const refused = await pullBySubscription(broker)
    expect(refused.code).toBe(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST)
    expect(refused.remark).toContain('subscription group [G] does not exist, ')
  })

  test('S074 consumeEnable=false: pulls of this group get 16, those of others go on', async () => {
    await start()
    const config = stringifyFastJson(newSubscriptionGroupConfig('G', { consumeEnable: false }))
    expect((await broker.call(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, config)).code).toBe(0)
    expect(await broker.pull()).toMatchObject({
      code: ResponseCode.NO_PERMISSION,
      remark: 'subscription group no permission, G',
      extFields: { forbiddenType: '2' },
    })
    expect((await broker.pull({ consumerGroup: 'H' })).code).toBe(ResponseCode.PULL_NOT_FOUND)
  })
})

describe('with the client library', () => {
  const system = new TestSystem()
  beforeAll(() => system.start())
  afterAll(() => system.stop())

  let names = 0
  let topic: string
  beforeEach(async () => {
    topic = `Topic${names++}`
    await system.createTopic(topic)
  })

  async function join(options: Partial<PushConsumerOptions> = {}): Promise<PushConsumer> {
    const consumer = new PushConsumer({
      group: `Group${names}`,
      namesrvAddr: system.namesrvAddr,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      onMessages: () => undefined,
      ...options,
    })
    onTestFinished(() => consumer.stop())
    await consumer.subscribe(topic)
    await consumer.start()
    return consumer
  }

  const shares = (consumers: readonly PushConsumer[]): number[] =>
    consumers.map(consumer => consumer.assignedQueues().filter(queue => queue.topic === topic).length)

  test('S063 2 members share 4 queues 2/2, a third makes it 2/1/1, and one that leaves 2/2 again', async () => {
    const [a, b] = [await join({ instanceName: 'a' }), await join({ instanceName: 'b' })]
    await eventually(() => shares([a, b]).join() === '2,2')
    const c = await join({ instanceName: 'c' })
    await eventually(() => shares([a, b, c]).join() === '2,1,1')
    await a.stop()
    await eventually(() => shares([b, c]).join() === '2,2')
  })

  test('S069 BROADCASTING: everybody gets everything, no offset at the broker, a failed message is not retried', async () => {
    const inboxes = [new Inbox(), new Inbox()]
    for (const inbox of inboxes) {
      await join({
        messageModel: 'BROADCASTING',
        offsetStoreDirectory: tempDir(),
        persistConsumerOffsetIntervalMs: 10,
        onMessages: messages => {
          inbox.take(messages)
          if (messages[0]!.body.toString() === 'bad') throw new Error('cannot')
        },
      })
    }
    const producer = new Producer({ group: `P${names}`, namesrvAddr: system.namesrvAddr })
    onTestFinished(() => producer.stop())
    await producer.start()
    for (const body of ['bad', 'good']) await producer.send({ topic, body })
    await eventually(() => inboxes.every(inbox => inbox.distinct.join() === 'bad,good'))
    const { offsets, store } = system.broker.context
    expect(store.maxOffset(`%RETRY%Group${names}`, 0)).toBe(0)
    for (let queueId = 0; queueId < 4; queueId++) {
      expect(offsets.queryOffset(`Group${names}`, topic, queueId)).toBe(-1)
    }
  })
})
