import { expect, test } from 'vitest'
import { topicStoreRules } from '../../../../src/broker/topic/topic-store-rules.js'
import { CometRequestCode, RequestCode } from '../../../../src/common/index.js'
import { message } from '../../../support/store.js'
import { adminBroker } from './admin-broker.js'

const { PURGE_TOPIC } = CometRequestCode
const LATER = String(2 ** 42)

async function brokerWith(topic: string, attributes = '') {
  const broker = await adminBroker()
  const queues = { readQueueNums: '2', writeQueueNums: '2', perm: '6', topicFilterType: 'SINGLE_TAG', order: 'false' }
  await broker.call(RequestCode.UPDATE_AND_CREATE_TOPIC, {
    extFields: { topic, defaultTopic: 'TBW102', ...queues, ...(attributes && { attributes }) },
  })
  for (let i = 0; i < 10; i++) broker.store.append(message({ topic, queueId: i % 2 }))
  return broker
}

test('a preview says what would go and who has not consumed it, and changes nothing', async () => {
  const broker = await brokerWith('T')
  broker.offsets.commitOffset('Done', 'T', 0, 5)
  broker.offsets.commitOffset('Done', 'T', 1, 5)
  broker.offsets.commitOffset('Half', 'T', 0, 3)
  const plan = await broker.json(PURGE_TOPIC, { topic: 'T', before: LATER, preview: 'true' })
  expect(plan).toMatchObject({
    isDone: false,
    messages: 10,
    reserveHours: -1,
    unread: [{ group: 'Half', messages: 7, isOnline: false }],
    queues: [
      { queueId: 0, minOffset: 0, newMinOffset: 5, maxOffset: 5, messages: 5 },
      { queueId: 1, minOffset: 0, newMinOffset: 5, maxOffset: 5, messages: 5 },
    ],
  })
  expect([broker.store.minOffset('T', 0), broker.store.minOffset('T', 1)]).toEqual([0, 0])
})

test('what groups have not consumed goes only by force', async () => {
  const broker = await brokerWith('T')
  broker.offsets.commitOffset('Slow', 'T', 0, 4)
  broker.offsets.commitOffset('Slow', 'T', 1, 5)
  await expect(broker.call(PURGE_TOPIC, { extFields: { topic: 'T', before: LATER } })).rejects.toMatchObject({
    code: 1,
    remark: expect.stringContaining('groups have not consumed messages that would go: Slow (1)') as string,
  })
  expect(broker.store.minOffset('T', 0)).toBe(0)
  const done = await broker.json(PURGE_TOPIC, { topic: 'T', before: LATER, force: 'true' })
  expect(done).toMatchObject({ isDone: true, messages: 10 })
  expect([broker.store.minOffset('T', 0), broker.store.minOffset('T', 1)]).toEqual([5, 5])
  expect(await broker.json(PURGE_TOPIC, { topic: 'T', before: LATER })).toMatchObject({ messages: 0, unread: [] })
})

test('without a time the reserve.time of the topic counts, in hours', async () => {
  const broker = await brokerWith('Kept', '+reserve.time=2')
  const { reserveTimeOf } = topicStoreRules(topic => broker.topics.selectTopicConfig(topic))
  expect(reserveTimeOf('Kept')).toBe(7_200_000)
  expect(reserveTimeOf('Other')).toBeUndefined()
  expect(reserveTimeOf('SCHEDULE_TOPIC_XXXX')).toBeUndefined()
  expect(await broker.json(PURGE_TOPIC, { topic: 'Kept' })).toMatchObject({ messages: 0, reserveHours: 2 })
  await broker.call(RequestCode.UPDATE_AND_CREATE_TOPIC, {
    extFields: {
      topic: 'Kept',
      defaultTopic: 'TBW102',
      readQueueNums: '2',
      writeQueueNums: '2',
      perm: '6',
      topicFilterType: 'SINGLE_TAG',
      order: 'false',
      attributes: '+reserve.time=0',
    },
  })
  const before = Number((await broker.json(PURGE_TOPIC, { topic: 'Kept', preview: 'true' })).before)
  expect(before).toBe(broker.clock.now())
})

test.each([
  [{ topic: 'T' }, 29, 'T has no reserve.time: say before which time messages are to go'],
  [{ topic: 'Nobody', before: LATER }, 17, 'topic[Nobody] does not exist on this broker'],
  [{ topic: 'SCHEDULE_TOPIC_XXXX', before: LATER, force: 'true' }, 29, 'is conflict with system topic'],
])('%o is refused with %i', async (extFields, code, remark) => {
  const broker = await brokerWith('T')
  await expect(broker.call(PURGE_TOPIC, { extFields })).rejects.toMatchObject({
    code,
    remark: expect.stringContaining(remark) as string,
  })
})

test('a topic that nobody has sent to has nothing to take', async () => {
  const broker = await brokerWith('T')
  broker.topics.createTopicIfAbsent({ ...broker.topics.selectTopicConfig('T')!, topicName: 'Empty' })
  expect(await broker.json(PURGE_TOPIC, { topic: 'Empty', before: LATER })).toMatchObject({ messages: 0, queues: [] })
})
