import { expect, onTestFinished, test } from 'vitest'
import type { GetMessageResult, MessageStore, MessageStoreOptions, StoreSettings } from '../../../src/store/index.js'
import { type Disk, type DiskFile, MQError, systemDisk } from '../../../src/util/index.js'
import { coldDisk } from '../../support/cold-disk.js'
import { createStore, message } from '../../support/store.js'
import { tempDir } from '../../support/temp-dir.js'

async function started(
  options: Partial<Omit<MessageStoreOptions, 'settings'>> & {
    rootDir?: string
    settings?: Partial<StoreSettings>
  } = {},
): Promise<MessageStore> {
  const store = createStore(options)
  await store.start()
  onTestFinished(() => store.shutdown())
  return store
}

function get(
  store: MessageStore,
  offset: number,
  more: Partial<Parameters<MessageStore['getMessage']>[0]> = {},
): GetMessageResult {
  const result = store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset, maxMsgNums: 32, ...more })
  if (result === undefined || result instanceof Promise) throw new Error('not read at once')
  onTestFinished(() => result.release())
  return result
}

const bodies = (result: GetMessageResult): string[] => {
  const all = Buffer.concat(result.slices as Buffer[])
  const found: string[] = []
  for (let at = 0; at < all.length; at += all.readInt32BE(at)) {
    found.push(all.toString('utf8', at + 88, at + 88 + all.readInt32BE(at + 84)))
  }
  return found
}

test('a queue nobody wrote to', async () => {
  const store = await started()
  expect(get(store, 0)).toMatchObject({ status: 'NO_MESSAGE_IN_QUEUE', nextBeginOffset: 0, maxOffset: 0 })
  expect(get(store, 7)).toMatchObject({ status: 'NO_MESSAGE_IN_QUEUE', nextBeginOffset: 0 })
  expect(store.queues.topics.size).toBe(0)
})

test('offsets at and behind the end', async () => {
  const store = await started()
  store.append(message())
  expect(get(store, 1)).toMatchObject({ status: 'OFFSET_OVERFLOW_ONE', nextBeginOffset: 1 })
  expect(get(store, 2)).toMatchObject({ status: 'OFFSET_OVERFLOW_BADLY', nextBeginOffset: 1 })
})

test('a slave that does not check offsets corrects none', async () => {
  const store = await started({ settings: { brokerRole: 'SLAVE' } })
  store.append(message())
  expect(get(store, 5)).toMatchObject({ status: 'OFFSET_OVERFLOW_BADLY', nextBeginOffset: 5 })
})

test('neighbours in the log are one slice', async () => {
  const store = await started()
  for (const queueId of [0, 0, 1, 0, 0, 0]) store.append(message({ queueId, body: Buffer.from(`q${queueId}`) }))
  const found = get(store, 0)
  expect(found).toMatchObject({ status: 'FOUND', nextBeginOffset: 5, messageCount: 5, maxOffset: 5 })
  expect(found.slices.length).toBe(2)
  expect(bodies(found)).toEqual(['q0', 'q0', 'q0', 'q0', 'q0'])
})

test.each([
  ['the number asked for', {}, 3, 3],
  ['32 messages', {}, 100, 32],
  ['the bytes of a transfer', { maxTransferBytesOnMessageInMemory: 500 }, 100, 4],
])('a read ends at %s', async (_what, settings, maxMsgNums, count) => {
  const store = await started({ settings })
  for (let i = 0; i < 50; i++) store.append(message({ body: Buffer.alloc(10) }))
  expect(get(store, 0, { maxMsgNums })).toMatchObject({ messageCount: count, nextBeginOffset: count })
})

test('the first message is taken whatever its size', async () => {
  const store = await started({ settings: { maxTransferBytesOnMessageInMemory: 10 } })
  store.append(message())
  store.append(message())
  expect(get(store, 0, { maxBytes: 1 })).toMatchObject({ status: 'FOUND', messageCount: 1 })
})

test('a filter on the unit passes over what it refuses, 800 units a call, one queue file a call', async () => {
  const store = await started({ settings: { mappedFileSizeConsumeQueue: 20_000 } })
  for (let i = 0; i < 1900; i++)
    store.append(message({ body: Buffer.alloc(0), properties: i === 1850 ? 'TAGS\x01x\x02' : '' }))
  const filter = { matchesQueueUnit: (tagsCode: number): boolean => tagsCode === 120 }
  expect(get(store, 0, { filter })).toMatchObject({ status: 'NO_MATCHED_MESSAGE', nextBeginOffset: 800 })
  expect(get(store, 800, { filter })).toMatchObject({ status: 'NO_MATCHED_MESSAGE', nextBeginOffset: 1000 })
  expect(get(store, 1800, { filter })).toMatchObject({ status: 'FOUND', nextBeginOffset: 1900, messageCount: 1 })
})

test('a filter on the record sees it whole', async () => {
  const store = await started()
  for (let i = 0; i < 5; i++) store.append(message({ body: Buffer.from(`b${i}`) }))
  const filter = {
    matchesQueueUnit: (): boolean => true,
    matchesRecord: (bytes: Buffer, start: number, end: number): boolean => bytes.subarray(start, end).includes('b3'),
  }
  expect(bodies(get(store, 0, { filter }))).toEqual(['b3'])
})

test('cold messages come off the loop, 8 a call, with the same bytes', async () => {
  const store = await started({ memoryBytes: 2000 })
  for (let i = 0; i < 100; i++) store.append(message({ body: Buffer.from(`b${i}`) }))
  const result = store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset: 0, maxMsgNums: 32 })
  expect(result).toBeInstanceOf(Promise)
  const found = (await result)!
  expect(found).toMatchObject({ status: 'FOUND', messageCount: 8, nextBeginOffset: 8, suggestPullingFromSlave: true })
  expect(bodies(found)).toEqual(['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7'])
  expect(found.firstStoreTimestamp).toBeGreaterThan(0)
  found.release()
  const filter = {
    matchesQueueUnit: () => true,
    matchesRecord: (bytes: Buffer, start: number, end: number) => bytes.subarray(start, end).includes('b9'),
  }
  const filtered = await store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset: 0, maxMsgNums: 1, filter })
  expect(bodies(filtered!)).toEqual(['b9'])
  filtered!.release()
  expect(get(store, 99)).toMatchObject({ messageCount: 1, suggestPullingFromSlave: false })
})

/** A disk of which nothing is in memory, and how many bytes each read off the loop asked for. */
function countingDisk(): { disk: Disk; reads: number[] } {
  const reads: number[] = []
  const counting = (file: DiskFile): DiskFile => {
    const read = file.read.bind(file)
    return Object.assign(file, {
      read: (target: Buffer, position: number) => {
        reads.push(target.length)
        return read(target, position)
      },
    })
  }
  return {
    disk: { ...coldDisk, open: async (path, options) => counting(await coldDisk.open(path, options)) },
    reads,
  }
}

test('what memory still has of the cold messages is given at once, 8 a call', async () => {
  const store = await started({ memoryBytes: 2000, disk: systemDisk })
  for (let i = 0; i < 100; i++) store.append(message({ body: Buffer.from(`b${i}`) }))
  const found = get(store, 0)
  expect(found).toMatchObject({ status: 'FOUND', messageCount: 8, nextBeginOffset: 8, suggestPullingFromSlave: true })
  expect(bodies(found)).toEqual(['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7'])
  const filter = {
    matchesQueueUnit: () => true,
    matchesRecord: (bytes: Buffer, start: number, end: number) => bytes.subarray(start, end).includes('b9'),
  }
  expect(bodies(get(store, 0, { maxMsgNums: 1, filter }))).toEqual(['b9'])
})

test('an old file that cannot be mapped any more is read without', async () => {
  let mayMap = true
  const mapSync: Disk['mapSync'] = (path, options) => {
    if (!mayMap) throw new MQError('EMFILE', `open: EMFILE, ${path}`)
    return systemDisk.mapSync(path, options)
  }
  const root = tempDir()
  const settings = { mappedFileSizeCommitLog: 4096 }
  const written = await started({ rootDir: root, settings })
  for (let i = 0; i < 100; i++) written.append(message({ body: Buffer.from(`b${i}`) }))
  await written.shutdown()
  const store = await started({ rootDir: root, settings, memoryBytes: 2000, disk: { ...systemDisk, mapSync } })
  mayMap = false
  const found = await store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset: 0, maxMsgNums: 8 })
  expect(bodies(found!)).toEqual(['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7'])
  found!.release()
})

test('cold messages that lie close are read at once, without what lies between them', async () => {
  const { disk, reads } = countingDisk()
  const store = await started({ memoryBytes: 2000, disk })
  const bodiesOf = async (offset: number): Promise<string[]> => {
    reads.length = 0
    const found = (await store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset, maxMsgNums: 8 }))!
    const texts = bodies(found)
    expect(texts.length).toBe(found.messageCount)
    found.release()
    return texts
  }
  // the third and the last are farther from the one in front of them than one more read costs
  const places: number[] = []
  for (const [i, between] of [0, 3000, 20_000, 0, 3000, 17_000].entries()) {
    if (between > 0) store.append(message({ queueId: 1, body: Buffer.alloc(between) }))
    places.push(store.append(message({ body: Buffer.from(`b${i}`) })).physicalOffset)
  }
  for (let i = 0; i < 20; i++) store.append(message({ queueId: 1, body: Buffer.alloc(100) }))
  expect(await bodiesOf(0)).toEqual(['b0', 'b1', 'b2', 'b3', 'b4', 'b5'])
  expect(reads.length).toBe(3)
  expect(Math.max(...reads)).toBeLessThan(4000)
  // one damaged body among them costs that message alone
  store.log.files.first!.map().buffer[places[1]! + 88]! ^= 1
  expect(await bodiesOf(0)).toEqual(['b0', 'b2', 'b3', 'b4', 'b5'])
})

test('memory of cold messages is used again when they have left, and not before', async () => {
  const store = await started({ memoryBytes: 2000 })
  for (let i = 0; i < 100; i++) store.append(message({ body: Buffer.from(`b${i}`) }))
  const pull = async (offset: number): Promise<GetMessageResult> =>
    (await store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset, maxMsgNums: 8 }))!
  const texts = (from: number): string[] => Array.from({ length: 8 }, (_, i) => `b${from + i}`)
  const memoryOf = (result: GetMessageResult): unknown => result.slices[0]!.buffer
  const [first, second] = await Promise.all([pull(0), pull(8)])
  const third = await pull(16)
  expect([first, second, third].map(bodies)).toEqual([texts(0), texts(8), texts(16)])
  const memory = memoryOf(second)
  second.release()
  // twice given back it would be lent twice
  second.release()
  const [fourth, fifth] = await Promise.all([pull(24), pull(32)])
  expect([first, third, fourth, fifth].map(bodies)).toEqual([texts(0), texts(16), texts(24), texts(32)])
  expect([fourth, fifth].filter(result => memoryOf(result) === memory).length).toBe(1)
  for (const result of [first, third, fourth, fifth]) result.release()
})

test('what lies far back is counted for flow control, once, whether it is given or filtered out', async () => {
  const cold = { coldDataFlowControlEnable: true, accessMessageInMemoryHotRatio: 0 }
  const filter = {
    matchesQueueUnit: () => true,
    matchesRecord: (bytes: Buffer, start: number, end: number) => bytes.subarray(start, end).includes('b3'),
  }
  const ask = { group: 'g', topic: 'TopicA', queueId: 0, offset: 0, maxMsgNums: 8 }
  for (const memoryBytes of [1 << 30, 100]) {
    const store = await started({ memoryBytes, settings: cold })
    for (let i = 0; i < 8; i++) store.append(message({ body: Buffer.from(`b${i}`) }))
    const all = (await store.getMessage(ask))!
    expect([all.messageCount, all.coldDataSum]).toEqual([8, all.totalBytes])
    const one = (await store.getMessage({ ...ask, filter }))!
    expect([one.messageCount, one.coldDataSum]).toEqual([1, all.totalBytes])
    for (const result of [all, one]) result.release()
    expect(await store.queries.isInColdArea('TopicA', 0, 0)).toBe(true)
    expect(await store.queries.isInColdArea('TopicA', 0, 8)).toBe(false)
    Object.assign(store.settings, { coldDataFlowControlEnable: false })
    const uncounted = (await store.getMessage(ask))!
    expect([uncounted.messageCount, uncounted.coldDataSum]).toEqual([8, 0])
    uncounted.release()
  }
})

test('what is recent is not counted', async () => {
  const settings = { coldDataFlowControlEnable: true, accessMessageInMemoryHotRatio: 10 }
  const store = await started({ memoryBytes: 10_000, settings })
  const ends: number[] = []
  for (let i = 0; i < 30; i++) ends.push(store.append(message({ body: Buffer.from(`b${i}`) })).endOffset)
  const size = ends[29]! - ends[28]!
  const coldCount = 30 - Math.floor(1000 / size)
  const cold = get(store, coldCount - 1, { maxMsgNums: 5 })
  expect([cold.messageCount, cold.coldDataSum]).toEqual([5, size])
  expect(get(store, coldCount).coldDataSum).toBe(0)
  expect(await store.queries.isInColdArea('TopicA', 0, coldCount - 1)).toBe(true)
  expect(await store.queries.isInColdArea('TopicA', 0, coldCount)).toBe(false)
})

test('a slice stays readable while its file is deleted', async () => {
  const store = await started({ settings: { mappedFileSizeCommitLog: 4096 } })
  for (let i = 0; i < 60; i++) store.append(message({ body: Buffer.from(`b${i}`) }))
  const found = get(store, 0)
  store.log.files.deleteFirst()
  expect(bodies(found)[0]).toBe('b0')
  found.release()
  found.release()
  const next = get(store, 0, { maxMsgNums: 1 })
  expect(next).toMatchObject({ status: 'FOUND', nextBeginOffset: 41 })
  expect(bodies(next)).toEqual(['b40'])
})

test('with SYNC_FLUSH consumers see what is on the disk', async () => {
  const store = await started({ settings: { flushDiskType: 'SYNC_FLUSH' } })
  const arrivals: number[] = []
  store.onArrival = ({ newMaxOffset }) => arrivals.push(newMaxOffset)
  const { endOffset } = store.append(message())
  expect(store.append(message()).queueOffset).toBe(1)
  expect(store.isDurable(endOffset)).toBe(false)
  expect(get(store, 0).status).toBe('NO_MESSAGE_IN_QUEUE')
  expect(await store.whenDurable(endOffset)).toBe('PUT_OK')
  expect(store.isDurable(endOffset)).toBe(true)
  expect(get(store, 0)).toMatchObject({ status: 'FOUND', messageCount: 2 })
  expect(arrivals).toEqual([1, 2])
})

test('an arrival is told in the turn of the append, with the tag', async () => {
  const store = await started()
  const told: unknown[] = []
  store.onArrival = ({ topic, queueId, newMaxOffset: max, tagsCode }) =>
    told.push([topic, queueId, max, tagsCode, get(store, 0, { queueId }).status])
  store.append(message({ queueId: 2, properties: 'TAGS\x01create\x02' }))
  expect(told).toEqual([['TopicA', 2, 1, -1_352_294_148, 'FOUND']])
})
