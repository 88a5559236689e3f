import { describe, expect, test } from 'vitest'
import { createOffsetMessageId, RequestCode, readObject } from '../../../../src/common/index.js'
import { clientAnswer } from '../../../support/fake-connection.js'
import { adminBroker } from './admin-broker.js'

describe('configurations', () => {
  test('a group that was created is there until it is deleted', async () => {
    const broker = await adminBroker({ autoCreateSubscriptionGroup: false })
    const body = JSON.stringify({ groupName: 'G', retryMaxTimes: 3 })
    expect(await broker.call(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, { body })).toMatchObject({ code: 0 })
    const config = await broker.json(RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, { group: 'G' })
    expect(config).toMatchObject({ groupName: 'G', retryMaxTimes: 3, consumeEnable: true })
    const all = await broker.json(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG)
    expect(readObject(all.subscriptionGroupTable).G).toEqual(config)
    broker.offsets.commitOffset('G', 'T', 0, 5)
    await broker.call(RequestCode.DELETE_SUBSCRIPTIONGROUP, { extFields: { groupName: 'G' } })
    expect(broker.offsets.queryOffset('G', 'T', 0)).toBe(5)
    await broker.call(RequestCode.DELETE_SUBSCRIPTIONGROUP, { extFields: { groupName: 'G', cleanOffset: 'true' } })
    expect(broker.offsets.queryOffset('G', 'T', 0)).toBe(-1)
    expect(await broker.call(RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, { extFields: { group: 'G' } })).toMatchObject({
      code: 26,
      remark: 'No group in this broker',
    })
  })

  test('a list is checked before anything of it is done', async () => {
    const broker = await adminBroker()
    const list = (names: string[]): string =>
      JSON.stringify({ groupConfigList: names.map(groupName => ({ groupName })) })
    const code = RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST
    await expect(broker.call(code, { body: list(['G1', 'Bad Group']) })).rejects.toMatchObject({ code: 29 })
    expect(broker.groups.containsSubscriptionGroup('G1')).toBe(false)
    await broker.call(code, { body: list(['G1', 'G2']) })
    expect(['G1', 'G2'].every(group => broker.groups.containsSubscriptionGroup(group))).toBe(true)
  })

  test('a group can be kept from reading a topic', async () => {
    const broker = await adminBroker()
    const code = RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN
    const fields = { group: 'G', topic: 'T' }
    expect(await broker.json(code, fields)).toEqual({ ...fields, readable: true })
    expect(await broker.json(code, { ...fields, readable: 'false' })).toEqual({ ...fields, readable: false })
    expect(await broker.json(code, fields)).toEqual({ ...fields, readable: false })
    expect(await broker.json(code, { ...fields, readable: 'true' })).toEqual({ ...fields, readable: true })
  })
})

describe('who is connected', () => {
  test('consumers', async () => {
    const broker = await adminBroker()
    const { peer } = broker.consumer('G', 'T')
    expect(await broker.json(RequestCode.GET_CONSUMER_CONNECTION_LIST, { consumerGroup: 'G' })).toMatchObject({
      connectionSet: [{ clientAddr: peer.text, clientId: 'G-client', language: 'JAVA', version: 479 }],
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
      subscriptionTable: { T: { subString: 'TagA || TagB', codeSet: [2598919, 2598920] } },
    })
    const extFields = { consumerGroup: 'X' }
    expect(await broker.call(RequestCode.GET_CONSUMER_CONNECTION_LIST, { extFields })).toMatchObject({
      code: 206,
      remark: 'the consumer group[X] not online',
    })
  })

  test('producers', async () => {
    const broker = await adminBroker()
    const { peer } = broker.producer('P')
    expect(await broker.json(RequestCode.GET_PRODUCER_CONNECTION_LIST, { producerGroup: 'P' })).toEqual({
      connectionSet: [{ clientAddr: peer.text, clientId: 'P-client', language: 'JAVA', version: 479 }],
    })
    const client = { clientId: 'P-client', language: 'JAVA', lastUpdateTimestamp: broker.clock.now(), version: 479 }
    expect(await broker.json(RequestCode.GET_ALL_PRODUCER_INFO)).toEqual({
      data: { P: [{ ...client, remoteIP: `/${peer.text}` }] },
    })
    const extFields = { producerGroup: 'X' }
    expect(await broker.call(RequestCode.GET_PRODUCER_CONNECTION_LIST, { extFields })).toMatchObject({
      code: 1,
      remark: 'the producer group[X] not exist',
    })
  })

  test('who reads what, by offsets and by subscription', async () => {
    const broker = await adminBroker()
    broker.consumer('Online', 'T')
    broker.offsets.commitOffset('Offline', 'T', 0, 1)
    expect(await broker.json(RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, { topic: 'T' })).toEqual({
      groupList: ['Online', 'Offline'],
    })
    expect(await broker.json(RequestCode.QUERY_TOPICS_BY_CONSUMER, { group: 'Offline' })).toEqual({
      brokerAddr: '127.0.0.1:10911',
      topicList: ['T'],
    })
    const subscription = await broker.json(RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER, { group: 'Online', topic: 'T' })
    expect(subscription).toMatchObject({ group: 'Online', topic: 'T', subscriptionData: { subString: 'TagA || TagB' } })
  })
})

describe('progress', () => {
  async function consumed() {
    const broker = await adminBroker()
    broker.topics.createTopicInSendMessageBack('T', 2, 6)
    broker.groups.updateSubscriptionGroupConfig({ ...broker.groups.findSubscriptionGroupConfig('G')! })
    broker.send('T', 0, 10)
    broker.offsets.commitOffset('G', 'T', 0, 4)
    broker.offsets.commitPullOffset('G', 'T', 0, 7)
    return broker
  }

  test('of a group in each queue', async () => {
    const broker = await consumed()
    const { body } = await broker.call(RequestCode.GET_CONSUME_STATS, { extFields: { consumerGroup: 'G' } })
    const time = await broker.store.queries.storeTimeAt('T', 0, 3)
    expect(body.toString()).toBe(
      '{"consumeTps":0.0,"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:' +
        `{"brokerOffset":10,"consumerOffset":4,"lastTimestamp":${time},"pullOffset":7},` +
        '{"brokerName":"broker-a","queueId":1,"topic":"T"}:' +
        '{"brokerOffset":0,"consumerOffset":0,"lastTimestamp":0,"pullOffset":0}}}',
    )
  })

  test('leaves topics out that the members do not subscribe to, unless they are listed', async () => {
    const broker = await consumed()
    broker.consumer('G', 'Other')
    const queues = async (more: Record<string, string>): Promise<number> => {
      const { offsetTable } = await broker.json(RequestCode.GET_CONSUME_STATS, { consumerGroup: 'G', ...more })
      return Object.keys(readObject(offsetTable)).length
    }
    expect(await queues({})).toBe(0)
    expect(await queues({ topic: 'T' })).toBe(0)
    expect(await queues({ topicList: 'T;' })).toBe(2)
  })

  test('of all groups', async () => {
    const broker = await consumed()
    const body = await broker.json(RequestCode.GET_BROKER_CONSUME_STATS, { isOrder: 'false' })
    expect(body).toMatchObject({ brokerAddr: '127.0.0.1:10911', totalDiff: 6, totalInflightDiff: 3 })
    const ordered = await broker.json(RequestCode.GET_BROKER_CONSUME_STATS, { isOrder: 'true' })
    expect(ordered).toMatchObject({ totalDiff: 0 })
  })

  test('in time', async () => {
    const broker = await consumed()
    const { consumeTimeSpanSet } = await broker.json(RequestCode.QUERY_CONSUME_TIME_SPAN, { topic: 'T', group: 'G' })
    const times = broker.store.queries
    expect(consumeTimeSpanSet).toMatchObject([
      {
        messageQueue: { brokerName: 'broker-a', queueId: 0, topic: 'T' },
        minTimeStamp: await times.storeTimeAt('T', 0, 0),
        maxTimeStamp: await times.storeTimeAt('T', 0, 9),
        consumeTimeStamp: await times.storeTimeAt('T', 0, 3),
        delayTime: broker.clock.now() - (await times.storeTimeAt('T', 0, 4)),
      },
      { messageQueue: { queueId: 1 } },
    ])
  })

  test('against other groups', async () => {
    const broker = await consumed()
    broker.offsets.commitOffset('Ahead', 'T', 0, 9)
    const least = async (compareGroup: string): Promise<string> => {
      const extFields = { compareGroup, topic: 'T', filterGroups: 'Filtered' }
      return (await broker.call(RequestCode.QUERY_CORRECTION_OFFSET, { extFields })).body.toString()
    }
    expect(await least('Ahead')).toBe('{"correctionOffsets":{"0":4}}')
    broker.offsets.commitOffset('Filtered', 'T', 0, 1)
    expect(await least('Filtered')).toBe('{"correctionOffsets":{"0":9223372036854775807}}')
  })

  test('can be cloned, with a topic and without', async () => {
    const broker = await consumed()
    const fields = { srcGroup: 'G', offline: 'true' }
    await broker.call(RequestCode.CLONE_GROUP_OFFSET, { extFields: { ...fields, destGroup: 'New', topic: 'T' } })
    await broker.call(RequestCode.CLONE_GROUP_OFFSET, { extFields: { ...fields, destGroup: 'Whole' } })
    expect(['New', 'Whole'].map(group => broker.offsets.queryOffset(group, 'T', 0))).toEqual([4, 4])
    expect((await broker.call(RequestCode.GET_ALL_CONSUMER_OFFSET)).body.toString()).toContain('"T@New":{"0":4}')
  })
})

describe('requests that a consumer answers', () => {
  test('come back as the consumer gave them', async () => {
    const broker = await adminBroker()
    const connection = broker.consumer('G', 'T')
    connection.answer = () => clientAnswer(0, '{"properties":{}}')
    const extFields = { consumerGroup: 'G', clientId: 'G-client', jstackEnable: 'false' }
    const answer = await broker.call(RequestCode.GET_CONSUMER_RUNNING_INFO, { extFields })
    expect(answer).toMatchObject({ code: 0, body: Buffer.from('{"properties":{}}') })
    expect(connection.sent).toMatchObject([{ code: RequestCode.GET_CONSUMER_RUNNING_INFO, extFields }])
  })

  test('a message is handed to it', async () => {
    const broker = await adminBroker()
    broker.send('T', 0)
    const connection = broker.consumer('G', 'T')
    connection.answer = () => clientAnswer(0, '{"consumeResult":"CR_SUCCESS"}')
    const msgId = createOffsetMessageId({ host: '127.0.0.1', port: 10_911 }, 0)
    const extFields = { consumerGroup: 'G', clientId: 'G-client', msgId, topic: 'T' }
    const answer = await broker.call(RequestCode.CONSUME_MESSAGE_DIRECTLY, { extFields })
    expect(answer.body.toString()).toBe('{"consumeResult":"CR_SUCCESS"}')
    const [request] = connection.sent
    expect(request?.extFields).toMatchObject({ ...extFields, brokerName: 'broker-a', groupSysFlag: '0' })
    expect(request?.body).toEqual(await broker.store.queries.recordAt(0))
  })

  test('fail with the reason', async () => {
    const broker = await adminBroker()
    const extFields = { consumerGroup: 'G', clientId: 'nobody' }
    await expect(broker.call(RequestCode.GET_CONSUMER_RUNNING_INFO, { extFields })).rejects.toMatchObject({
      code: 1,
      remark: 'The Consumer <G> <nobody> not online',
    })
    const msgId = createOffsetMessageId({ host: '127.0.0.1', port: 10_911 }, 4711)
    const directly = (id: string) =>
      broker.call(RequestCode.CONSUME_MESSAGE_DIRECTLY, { extFields: { ...extFields, msgId: id } })
    expect(await directly(msgId)).toMatchObject({ code: 1, remark: 'can not find message by the offset, 4711' })
    expect(await directly('xyz')).toMatchObject({ code: 1, remark: expect.stringContaining('no offset message id') })
  })
})
