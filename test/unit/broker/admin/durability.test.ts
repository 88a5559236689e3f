import { expect, test } from 'vitest'
import { CometRequestCode } from '../../../../src/common/index.js'
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
  store.append(message({ topic: 'Flushed' }))
  const answer = await broker.json(CometRequestCode.DURABILITY)
  expect(answer).toMatchObject({
    brokerName: broker.identity.brokerName,
    flushDiskType: 'ASYNC_FLUSH',
    messages: 8,
    flushedOffset,
    writtenOffset: store.log.maxOffset,
    bytes: store.log.maxOffset - flushedOffset,
    isWritable: true,
  })
  const topics = answer.topics as { topic: string }[]
  expect(topics.find(({ topic }) => topic === 'A')).toMatchObject({ messages: 3, queueId: 0, queueOffset: 0 })
  expect(topics.find(({ topic }) => topic === 'B')).toMatchObject({ messages: 4 })
  expect(topics.find(({ topic }) => topic === 'Flushed')).toMatchObject({ messages: 1, queueOffset: 40 })
})

test('with everything on the disk there is nothing to lose', async () => {
  const broker = await adminBroker()
  expect(await broker.json(CometRequestCode.DURABILITY)).toMatchObject({ messages: 0, bytes: 0, ms: 0, topics: [] })
})
