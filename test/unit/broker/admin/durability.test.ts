import { expect, test } from 'vitest'
import { CometRequestCode, readObject } from '../../../../src/common/index.js'
import { RunningFlag } from '../../../../src/store/index.js'
import { eventually } from '../../../support/eventually.js'
import { message } from '../../../support/store.js'
import { adminBroker } from './admin-broker.js'

test('what is not on the disk yet is counted, with the oldest of each topic', async () => {
  const broker = await adminBroker()
  const { store } = broker
  // more than the pages that ASYNC_FLUSH lets wait, so that these go to the disk soon
  for (let i = 0; i < 40; i++) store.append(message({ topic: 'Flushed', body: Buffer.alloc(1000) }))
  await eventually(() => store.flushedOffset === store.log.maxOffset)
  const { flushedOffset } = store
  broker.send('A', 0, 2)
  broker.send('A', 1, 1)
  broker.send('B', 0, 4)
  const answer = await broker.json(CometRequestCode.DURABILITY)
  const bytes = store.log.maxOffset - flushedOffset
  expect(answer).toMatchObject({
    brokerName: broker.identity.brokerName,
    flushDiskType: 'ASYNC_FLUSH',
    flushedOffset,
    writtenOffset: store.log.maxOffset,
    acknowledgedOffset: store.log.maxOffset,
    isWritable: true,
    atRisk: { messages: 7, bytes, acknowledgedMessages: 7, acknowledgedBytes: bytes },
  })
  const topics = readObject(answer.atRisk).topics as { topic: string; messages: number; oldestStoreTimestamp: number }[]
  expect(topics.map(({ topic, messages }) => [topic, messages]).sort()).toEqual([
    ['A', 3],
    ['B', 4],
  ])
  expect(topics[0]!.oldestStoreTimestamp).toBe(await store.queries.storeTimeAt(topics[0]!.topic, 0, 0))
})

test('with everything on the disk there is nothing to lose', async () => {
  const broker = await adminBroker()
  const answer = await broker.json(CometRequestCode.DURABILITY)
  expect(answer.atRisk).toMatchObject({ messages: 0, bytes: 0, ms: 0, topics: [] })
})

test('a broker that cannot write says why', async () => {
  const broker = await adminBroker()
  broker.store.flags.set(RunningFlag.NOT_WRITABLE, '/data/commitlog: EIO')
  expect(await broker.json(CometRequestCode.DURABILITY)).toMatchObject({
    isWritable: false,
    whyNotWritable: '/data/commitlog: EIO',
  })
})
