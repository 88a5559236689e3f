import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { MessageStore } from '../../../src/store/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { createStore, message, scratchFolder } from '../../support/store.js'

async function filled(clock: ManualClock, rootDir: string): Promise<MessageStore> {
  const store = createStore({ clock, rootDir })
  await store.start()
  for (let i = 0; i < 20; i++) {
    store.append(message({ queueId: i % 2 }))
    await clock.advance(100)
  }
  return store
}

test('a purge takes what is older, as its preview said, and survives a kill and the loss of the queues', async () => {
  const clock = new ManualClock()
  const rootDir = scratchFolder()
  const store = await filled(clock, rootDir)
  const before = clock.now() - 1000
  const plan = await store.previewPurge('TopicA', before)
  expect(plan).toMatchObject({ topic: 'TopicA', messages: 10 })
  expect(plan.queues).toEqual([
    { queueId: 0, minOffset: 0, maxOffset: 10, newMinOffset: 5, messages: 5 },
    { queueId: 1, minOffset: 0, maxOffset: 10, newMinOffset: 5, messages: 5 },
  ])
  expect(store.minOffset('TopicA', 0)).toBe(0)
  expect(await store.purge('TopicA', before)).toEqual(plan)
  const killed = join(scratchFolder(), 'image')
  cpSync(rootDir, killed, { recursive: true })
  await store.retention.run()
  expect(store.minOffset('TopicA', 0)).toBe(5)
  await store.shutdown()
  for (const root of [rootDir, killed]) {
    const again = createStore({ clock, rootDir: root })
    await again.start()
    expect([again.minOffset('TopicA', 0), again.maxOffset('TopicA', 0)]).toEqual([5, 10])
    const read = { group: 'g', topic: 'TopicA', queueId: 1, offset: 2, maxMsgNums: 1 }
    expect(again.getMessage(read)).toMatchObject({ status: 'OFFSET_TOO_SMALL', nextBeginOffset: 5 })
    await again.shutdown()
  }
})

test('a topic with a time of its own loses older messages by itself, others keep theirs', async () => {
  const clock = new ManualClock()
  const store = createStore({ clock, reserveTimeOf: topic => (topic === 'Short' ? 1000 : undefined) })
  await store.start()
  for (const topic of ['Short', 'Long']) for (let i = 0; i < 5; i++) store.append(message({ topic }))
  await clock.advance(900)
  store.append(message({ topic: 'Short' }))
  await clock.advance(200)
  await store.retention.run()
  expect([store.minOffset('Short', 0), store.maxOffset('Short', 0)]).toEqual([5, 6])
  expect(store.minOffset('Long', 0)).toBe(0)
  await store.shutdown()
})

test('a topic made again after a purge begins at 0', async () => {
  const clock = new ManualClock()
  const rootDir = scratchFolder()
  const store = await filled(clock, rootDir)
  await store.purge('TopicA', clock.now())
  expect(store.minOffset('TopicA', 0)).toBe(10)
  await store.deleteTopic('TopicA')
  store.append(message())
  expect([store.minOffset('TopicA', 0), store.maxOffset('TopicA', 0)]).toEqual([0, 1])
  await store.shutdown()
  const again = createStore({ clock, rootDir })
  await again.start()
  expect([again.minOffset('TopicA', 0), again.maxOffset('TopicA', 0)]).toEqual([0, 1])
  await again.shutdown()
})
