import { expect, test } from 'vitest'
import { SendTopics, sendTopicOf } from '../../../../src/broker/put/send-topics.js'
import { BrokerStats } from '../../../../src/broker/stats/broker-stats.js'
import { TopicConfigManager } from '../../../../src/broker/topic/topic-config-manager.js'
import { newTopicConfig } from '../../../../src/common/index.js'
import { brokerParts } from '../../../support/broker-parts.js'
import { createStore, message } from '../../../support/store.js'

async function setUp() {
  const parts = brokerParts()
  const topics = new TopicConfigManager(parts)
  const store = createStore({ clock: parts.clock })
  await store.start()
  const stats = new BrokerStats(parts)
  const sends = new SendTopics({ topics, store, stats })
  const sent = (topic: string): void => {
    store.append(message({ topic }), sends.find(topic)?.queues)
    stats.incTopicPut(topic, 1, 10, 0)
  }
  return { topics, store, stats, sends, sent }
}

test('a topic is found with its entries of store and statistics as soon as there are some', async () => {
  const { topics, store, stats, sends, sent } = await setUp()
  expect(sends.find('T')).toBeUndefined()
  topics.updateTopicConfig(newTopicConfig('T', { writeQueueNums: 3 }))
  expect(sends.find('T')).toMatchObject({ topicName: 'T', writeQueueNums: 3, queues: undefined, puts: undefined })
  // looking makes nothing
  expect([store.queues.topics.has('T'), stats.findPuts('T')]).toEqual([false, undefined])
  sent('T')
  const found = sends.find('T')
  expect(found?.queues).toBe(store.queues.topics.get('T'))
  expect(found?.puts).toBe(stats.findPuts('T'))
  expect(sends.find('T')).toBe(found)
  await store.shutdown()
})

test('what has changed or was deleted is not found again', async () => {
  const { topics, store, stats, sends, sent } = await setUp()
  topics.updateTopicConfig(newTopicConfig('T', { writeQueueNums: 3 }))
  sent('T')
  const first = sends.find('T')
  topics.updateTopicConfig(newTopicConfig('T', { writeQueueNums: 5 }))
  expect(sends.find('T')?.writeQueueNums).toBe(5)
  stats.topicDeleted('T')
  expect(sends.find('T')?.puts).toBeUndefined()
  await store.deleteTopic('T')
  expect(sends.find('T')?.queues).toBeUndefined()
  // who still holds the old entry puts nothing into it
  expect(store.append(message({ topic: 'T' }), first?.queues)).toMatchObject({ status: 'PUT_OK', queueOffset: 0 })
  expect(store.maxOffset('T', 0)).toBe(1)
  topics.deleteTopicConfig('T')
  expect(sends.find('T')).toBeUndefined()
  await store.shutdown()
})

test('orders of a NameServer and files that are loaded count as changes', async () => {
  const { topics, store, sends, sent } = await setUp()
  topics.updateTopicConfig(newTopicConfig('T'))
  sent('T')
  expect(sends.find('T')?.order).toBe(false)
  topics.updateOrderTopics(['T'])
  expect(sends.find('T')?.order).toBe(true)
  await topics.persist()
  topics.deleteTopicConfig('T')
  topics.load()
  expect(sends.find('T')?.order).toBe(true)
  await topics.stop()
  await store.shutdown()
})

test.each([
  [{}, false, false],
  [{ 'cleanup.policy': 'COMPACTION' }, true, false],
  [{ 'queue.type': 'BatchCQ' }, false, true],
])('attributes %j', (attributes, isCompacted, keepsBatches) => {
  const config = newTopicConfig('T', { attributes: new Map(Object.entries(attributes)) })
  expect(sendTopicOf(config)).toMatchObject({ isCompacted, keepsBatches })
})
