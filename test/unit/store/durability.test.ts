import { expect, onTestFinished, test } from 'vitest'
import { FaultyDisk } from '../../support/faulty-disk.js'
import { ManualClock } from '../../support/manual-clock.js'
import { createStore, message } from '../../support/store.js'

test('what a power cut would take: everything behind the last flush, by topic', async () => {
  const clock = new ManualClock()
  const store = createStore({ clock, settings: { mappedFileSizeCommitLog: 4096 } })
  await store.start()
  onTestFinished(() => store.shutdown())
  const { endOffset } = store.append(message({ topic: 'Safe' }))
  await store.flush()
  expect(await store.durabilityStatus()).toMatchObject({
    flushedOffset: endOffset,
    atRisk: { messages: 0, bytes: 0, ms: 0 },
  })
  for (let i = 0; i < 30; i++) {
    store.append(message({ topic: i % 3 === 0 ? 'A' : 'B', body: Buffer.alloc(300) }))
    await clock.advance(1)
  }
  const status = await store.durabilityStatus()
  const { maxOffset } = store.log
  expect(status).toMatchObject({
    flushDiskType: 'ASYNC_FLUSH',
    acknowledgedOffset: maxOffset,
    writtenOffset: maxOffset,
  })
  expect(status).toMatchObject({ flushedOffset: endOffset, failure: undefined })
  const { topics, ...sums } = status.atRisk
  const bytes = maxOffset - endOffset
  expect(sums).toEqual({
    ...{ messages: 30, bytes, ms: 30, acknowledgedMessages: 30, acknowledgedBytes: bytes },
    ...{ moreTopics: 0, examinedBytes: bytes },
  })
  expect(topics.map(({ topic, messages }) => [topic, messages])).toEqual([
    ['A', 10],
    ['B', 20],
  ])
  expect(topics[1]!.oldestStoreTimestamp - topics[0]!.oldestStoreTimestamp).toBe(1)
})

test('with SYNC_FLUSH nothing acknowledged is at risk, and a failed disk is said', async () => {
  const faults = new FaultyDisk()
  const store = createStore({ disk: faults.disk, settings: { flushDiskType: 'SYNC_FLUSH' } })
  await store.start()
  onTestFinished(() => store.shutdown())
  store.append(message())
  const status = await store.durabilityStatus()
  expect(status.atRisk).toMatchObject({ messages: 1, acknowledgedMessages: 0, acknowledgedBytes: 0 })
  expect(status.acknowledgedOffset).toBe(0)
  faults.flushError = 'EIO'
  await store.flush().catch(() => {})
  expect((await store.durabilityStatus()).failure).toMatch(/EIO.*commitlog/)
})
