import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { send } from './frames.mjs'

const QUEUES_PER_TOPIC = 8
const topicName = i => `bench_topic_${i}`

/** The topics of so many queues as a broker keeps them: creating thousands one by one takes long. */
export function writeTopics(store, queues) {
  const table = {}
  for (let i = 0; i < Math.ceil(queues / QUEUES_PER_TOPIC); i++) {
    table[topicName(i)] = {
      attributes: {},
      order: false,
      perm: 6,
      readQueueNums: QUEUES_PER_TOPIC,
      topicFilterType: 'SINGLE_TAG',
      topicName: topicName(i),
      topicSysFlag: 0,
      writeQueueNums: QUEUES_PER_TOPIC,
    }
  }
  mkdirSync(join(store, 'config'), { recursive: true })
  const dataVersion = { counter: 1, stateVersion: 0, timestamp: Date.now() }
  writeFileSync(join(store, 'config/topics.json'), JSON.stringify({ dataVersion, topicConfigTable: table }))
}

/** So many frames for all queues by turns, in an order that follows no pattern, each with a message key of its own. */
export function framesFor(queues, count, size) {
  return Array.from({ length: count }, (_, key) => {
    const queue = (key * 7919) % queues
    return send({ topic: topicName(Math.floor(queue / QUEUES_PER_TOPIC)), queue: queue % QUEUES_PER_TOPIC, size, key })
  })
}
