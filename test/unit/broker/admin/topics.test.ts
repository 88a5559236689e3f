import { describe, expect, test } from 'vitest'
import { RequestCode, ResponseCode, readArray, readObject } from '../../../../src/common/index.js'
import { adminBroker } from './admin-broker.js'

const { UPDATE_AND_CREATE_TOPIC, UPDATE_AND_CREATE_TOPIC_LIST, GET_ALL_TOPIC_CONFIG, GET_TOPIC_CONFIG } = RequestCode
const { DELETE_TOPIC_IN_BROKER, GET_TOPIC_STATS_INFO, QUERY_CONSUME_QUEUE, CLEAN_UNUSED_TOPIC } = RequestCode

function topicFields(topic: string, more: Record<string, string> = {}): Record<string, string> {
  const queues = { readQueueNums: '4', writeQueueNums: '4' }
  return { topic, defaultTopic: 'TBW102', ...queues, perm: '6', topicFilterType: 'SINGLE_TAG', order: 'false', ...more }
}

describe('create, change and delete', () => {
  test('a topic that was created is there', async () => {
    const broker = await adminBroker()
    const extFields = topicFields('T', { attributes: '+message.type=FIFO' })
    expect(await broker.call(UPDATE_AND_CREATE_TOPIC, { extFields })).toMatchObject({ code: 0 })
    expect(await broker.json(GET_TOPIC_CONFIG, { topic: 'T' })).toEqual({
      attributes: { 'message.type': 'FIFO' },
      order: false,
      perm: 6,
      readQueueNums: 4,
      topicFilterType: 'SINGLE_TAG',
      topicName: 'T',
      topicSysFlag: 0,
      writeQueueNums: 4,
    })
  })

  test.each([
    ['Bad Topic', {}, 29, 'The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$'],
    ['SCHEDULE_TOPIC_XXXX', {}, 29, 'The topic[SCHEDULE_TOPIC_XXXX] is conflict with system topic.'],
    ['T', { attributes: '+message.type=MIXED' }, 29, 'MIXED message type is not supported.'],
    ['T', { attributes: '+no.such=1' }, 1, 'unsupported key: no.such'],
  ])('%s %o is refused with %i', async (topic, more, code, remark) => {
    const broker = await adminBroker()
    const answer = broker.call(UPDATE_AND_CREATE_TOPIC, { extFields: topicFields(topic, more) })
    await expect(answer).rejects.toMatchObject({ code, remark })
    expect(broker.topics.containsTopic('T')).toBe(false)
  })

  test('a list is checked before anything of it is done', async () => {
    const broker = await adminBroker()
    const list = (names: string[]): string =>
      JSON.stringify({ topicConfigList: names.map(topicName => ({ topicName, readQueueNums: 2, writeQueueNums: 2 })) })
    const refused = broker.call(UPDATE_AND_CREATE_TOPIC_LIST, { body: list(['A', 'Bad Topic']) })
    await expect(refused).rejects.toMatchObject({ code: ResponseCode.INVALID_PARAMETER })
    expect(broker.topics.containsTopic('A')).toBe(false)
    await broker.call(UPDATE_AND_CREATE_TOPIC_LIST, { body: list(['A', 'B']) })
    // one that is as it was does not keep the others from being created
    await broker.call(UPDATE_AND_CREATE_TOPIC_LIST, { body: list(['A', 'C']) })
    expect(['A', 'B', 'C'].map(name => broker.topics.selectTopicConfig(name)?.readQueueNums)).toEqual([2, 2, 2])
  })

  test('a body that is no JSON is refused with what is wrong', async () => {
    const broker = await adminBroker()
    const answer = broker.call(UPDATE_AND_CREATE_TOPIC_LIST, { body: '{"topicConfigList":[' })
    await expect(answer).rejects.toMatchObject({ code: 1, remark: expect.stringContaining('the body is not JSON') })
  })

  test('a deleted topic leaves no offsets, queues, counters and POP retry topics', async () => {
    const broker = await adminBroker()
    for (const topic of ['T', '%RETRY%G_T', 'Other']) {
      broker.topics.createTopicInSendMessageBack(topic, 1, 6)
      broker.send(topic, 0, 3)
      broker.offsets.commitOffset('G', topic, 0, 2)
    }
    broker.stats.incTopicPut('T', 1, 1)
    expect(await broker.call(DELETE_TOPIC_IN_BROKER, { extFields: { topic: 'T' } })).toMatchObject({ code: 0 })
    for (const topic of ['T', '%RETRY%G_T']) {
      expect(broker.topics.containsTopic(topic)).toBe(false)
      expect(broker.offsets.queryOffset('G', topic, 0)).toBe(-1)
      expect(broker.store.maxOffset(topic, 0)).toBe(0)
    }
    expect(broker.stats.view('TOPIC_PUT_NUMS', 'T', 'TestCluster')).toBeUndefined()
    expect(broker.offsets.queryOffset('G', 'Other', 0)).toBe(2)
    expect(broker.store.maxOffset('Other', 0)).toBe(3)
  })

  test.each([
    [' ', 29, 'The specified topic is blank.'],
    ['TBW102', 29, 'The topic[TBW102] is conflict with system topic.'],
    ['NoSuchTopic', 0, undefined],
  ])('deleting "%s" gives %i', async (topic, code, remark) => {
    const broker = await adminBroker()
    expect(await broker.call(DELETE_TOPIC_IN_BROKER, { extFields: { topic } })).toMatchObject({ code, remark })
  })
})

describe('all topics', () => {
  test('come whole to those who know no pages', async () => {
    const broker = await adminBroker()
    const answer = await broker.call(GET_ALL_TOPIC_CONFIG)
    const body = readObject(JSON.parse(answer.body.toString()))
    expect(Object.keys(body)).toEqual([
      'dataVersion',
      'mappingDataVersion',
      'topicConfigTable',
      'topicQueueMappingDetailMap',
      'topicQueueMappingInfoMap',
    ])
    expect(answer.extFields.totalTopicNum).toBe(String(broker.topics.topicConfigTable.size))
    expect(Object.keys(readObject(body.topicConfigTable))).toHaveLength(broker.topics.topicConfigTable.size)
  })

  test('come in pages, from the start when the table has changed', async () => {
    const broker = await adminBroker()
    const page = async (topicSeq: number, dataVersion: unknown): Promise<string[]> => {
      const extFields = { topicSeq: String(topicSeq), maxTopicNum: '3', dataVersion: JSON.stringify(dataVersion) }
      return Object.keys(readObject((await broker.json(GET_ALL_TOPIC_CONFIG, extFields)).topicConfigTable))
    }
    const version = { ...broker.topics.dataVersion }
    const names = [...broker.topics.topicConfigTable.keys()]
    expect(await page(0, version)).toEqual(names.slice(0, 3))
    expect(await page(3, version)).toEqual(names.slice(3, 6))
    broker.topics.bumpDataVersion()
    expect(await page(3, version)).toEqual(names.slice(0, 3))
  })

  test('one that is not there', async () => {
    const broker = await adminBroker()
    expect(await broker.call(GET_TOPIC_CONFIG, { extFields: { topic: 'X' } })).toMatchObject({
      code: 17,
      remark: 'No topic in this broker. topic: X',
    })
  })
})

describe('queues', () => {
  test('of a topic begin and end where the store says', async () => {
    const broker = await adminBroker()
    broker.topics.createTopicInSendMessageBack('T', 2, 6)
    broker.send('T', 1, 3)
    const { body } = await broker.call(GET_TOPIC_STATS_INFO, { extFields: { topic: 'T' } })
    const time = await broker.store.queries.storeTimeAt('T', 1, 2)
    expect(body.toString()).toBe(
      '{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:' +
        '{"lastUpdateTimestamp":0,"maxOffset":0,"minOffset":0},' +
        '{"brokerName":"broker-a","queueId":1,"topic":"T"}:' +
        `{"lastUpdateTimestamp":${time},"maxOffset":3,"minOffset":0}},"topicPutTps":0.0}`,
    )
    expect(await broker.call(GET_TOPIC_STATS_INFO, { extFields: { topic: 'X' } })).toMatchObject({
      code: 17,
      remark: 'topic[X] not exist',
    })
  })

  test('show their units', async () => {
    const broker = await adminBroker()
    broker.send('T', 0, 5)
    const fields = (more: object): Record<string, string> => ({
      topic: 'T',
      queueId: '0',
      index: '1',
      count: '2',
      ...more,
    })
    const body = await broker.json(QUERY_CONSUME_QUEUE, fields({}))
    expect(body).toMatchObject({ minQueueIndex: 0, maxQueueIndex: 5 })
    const offsets = readArray(body.queueData).map(unit => readObject(unit).physicOffset)
    const units = await broker.store.queries.units('T', 0, 1, 2)
    expect(offsets).toEqual(units.map(unit => unit.physicalOffset))
    const beyond = await broker.call(QUERY_CONSUME_QUEUE, { extFields: fields({ index: '9' }) })
    expect(beyond).toMatchObject({ code: 0, remark: 'Index 9 of 0@T is not exist!' })
    expect(beyond.body).toHaveLength(0)
    const missing = await broker.call(QUERY_CONSUME_QUEUE, { extFields: fields({ queueId: '7' }) })
    expect(missing).toMatchObject({ code: 1, remark: '7@T is not exist!' })
    const offline = await broker.json(QUERY_CONSUME_QUEUE, fields({ consumerGroup: 'G' }))
    expect(offline.filterData).toBe('G@T is not online!')
  })

  test('of topics without a configuration can be cleaned away', async () => {
    const broker = await adminBroker()
    broker.topics.createTopicInSendMessageBack('Kept', 1, 6)
    for (const topic of ['Kept', 'Unknown', 'SCHEDULE_TOPIC_XXXX']) broker.send(topic, 0)
    expect(await broker.call(CLEAN_UNUSED_TOPIC)).toMatchObject({ code: 0 })
    expect([...broker.store.queues.topics.keys()]).toEqual(['Kept', 'SCHEDULE_TOPIC_XXXX'])
  })
})
