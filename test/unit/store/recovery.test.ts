import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { MessageStore, StoreSettings } from '../../../src/store/index.js'
import { createStore, message, scratchFolder } from '../../support/store.js'

/** What a kill -9 leaves: the files as they are at this moment. */
function image(store: MessageStore): string {
  const copy = join(scratchFolder(), 'image')
  cpSync(store.folders.root, copy, { recursive: true })
  return copy
}

async function opened(rootDir: string, settings: Partial<StoreSettings> = {}): Promise<MessageStore> {
  const store = createStore({ rootDir, settings })
  await store.start()
  return store
}

async function bodiesOf(store: MessageStore, topic: string, queueId: number): Promise<string[]> {
  const units = await store.queries.units(topic, queueId, 0, store.maxOffset(topic, queueId))
  const records = await Promise.all(units.map(unit => store.queries.recordAt(unit.physicalOffset)))
  return records.map(record => record!.toString('utf8', 88, 88 + record!.readInt32BE(84)))
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `b${i}`)

test('after a kill nothing of the log is lost: queues and index are built again', async () => {
  const store = await opened(scratchFolder(), { mappedFileSizeCommitLog: 4096 })
  for (let i = 0; i < 200; i++) {
    store.append(message({ queueId: i % 3, body: Buffer.from(`b${i}`), properties: `UNIQ_KEY\x01k${i}\x02` }))
    if (i === 120) await store.queues.writeOut()
  }
  const copy = image(store)
  await store.shutdown()
  const again = await opened(copy, { mappedFileSizeCommitLog: 4096 })
  expect(again.recovery).toMatchObject({ isAfterCrash: true, records: 200 })
  for (const queueId of [0, 1, 2]) {
    expect(await bodiesOf(again, 'TopicA', queueId)).toEqual(numbers(200).filter((_, i) => i % 3 === queueId))
  }
  const query = { topic: 'TopicA', maxNum: 10, begin: 0, end: Number.MAX_SAFE_INTEGER }
  for (const key of ['k0', 'k119', 'k199']) {
    expect((await again.queries.queryMessage({ ...query, key })).records.length).toBe(1)
  }
  expect(again.append(message({ queueId: 0 })).queueOffset).toBe(67)
  await again.shutdown()
})

test('a log cut at any byte keeps every whole record, and goes on behind the last', { timeout: 60_000 }, async () => {
  const store = await opened(scratchFolder(), { mappedFileSizeCommitLog: 1024 })
  const ends: number[] = []
  for (let i = 0; i < 3; i++) {
    ends.push(store.append(message({ body: Buffer.from(`b${i}`), properties: 'A\x01B\x02' })).endOffset)
  }
  const copy = image(store)
  await store.shutdown()
  const path = join(copy, 'commitlog', '00000000000000000000')
  const whole = readFileSync(path)
  for (let cut = ends[0]! - 8; cut <= ends[2]!; cut++) {
    const bytes = Buffer.from(whole)
    bytes.fill(0, cut)
    rmSync(join(copy, 'consumequeue'), { recursive: true, force: true })
    rmSync(join(copy, 'index'), { recursive: true, force: true })
    writeFileSync(path, bytes)
    writeFileSync(join(copy, 'abort'), '1')
    const again = await opened(copy, { mappedFileSizeCommitLog: 1024 })
    const kept = ends.filter(end => end <= cut).length
    expect([cut, again.maxOffset('TopicA', 0)]).toEqual([cut, kept])
    expect(again.append(message())).toMatchObject({ queueOffset: kept, physicalOffset: ends[kept - 1] ?? 0 })
    await again.shutdown()
  }
})

test('records behind a cut never come back', async () => {
  const store = await opened(scratchFolder())
  const starts = Array.from(
    { length: 5 },
    (_, i) => store.append(message({ body: Buffer.from(`b${i}`) })).physicalOffset,
  )
  await store.queues.writeOut()
  const copy = image(store)
  await store.shutdown()
  const path = join(copy, 'commitlog', '00000000000000000000')
  const bytes = readFileSync(path)
  bytes[starts[2]! + 88] = 0x7a
  writeFileSync(path, bytes)
  const again = await opened(copy)
  expect(await bodiesOf(again, 'TopicA', 0)).toEqual(['b0', 'b1'])
  // as long as the damaged one: the old fourth record would follow it, were it still there
  again.append(message({ body: Buffer.from('n2') }))
  const second = image(again)
  await again.shutdown()
  const third = await opened(second)
  expect(await bodiesOf(third, 'TopicA', 0)).toEqual(['b0', 'b1', 'n2'])
  await third.shutdown()
})

test('a clean store whose queues lack their last units gets all of them back', async () => {
  const rootDir = scratchFolder()
  const store = await opened(rootDir)
  for (let i = 0; i < 10; i++) store.append(message({ body: Buffer.from(`b${i}`) }))
  await store.shutdown()
  const path = join(rootDir, 'consumequeue/TopicA/0/00000000000000000000')
  const units = readFileSync(path)
  for (const kept of [9, 8, 5, 1]) {
    writeFileSync(path, Buffer.from(units).fill(0, kept * 20))
    const again = await opened(rootDir)
    expect(await bodiesOf(again, 'TopicA', 0)).toEqual(numbers(10))
    await again.shutdown()
  }
})

test('a clean store without queues, or without its index, gets them back', async () => {
  const rootDir = scratchFolder()
  const store = await opened(rootDir)
  for (let i = 0; i < 10; i++) store.append(message({ body: Buffer.from(`b${i}`), properties: 'KEYS\x01k\x02' }))
  await store.shutdown()
  rmSync(join(rootDir, 'consumequeue'), { recursive: true })
  rmSync(join(rootDir, 'index'), { recursive: true })
  const again = await opened(rootDir)
  expect(await bodiesOf(again, 'TopicA', 0)).toEqual(numbers(10))
  const query = { topic: 'TopicA', key: 'k', maxNum: 64, begin: 0, end: Number.MAX_SAFE_INTEGER }
  expect((await again.queries.queryMessage(query)).records.length).toBe(10)
  await again.shutdown()
})

test('a queue with units of records that the log has lost is cut', async () => {
  const rootDir = scratchFolder()
  const store = await opened(rootDir)
  const starts = Array.from(
    { length: 10 },
    (_, i) => store.append(message({ body: Buffer.from(`b${i}`) })).physicalOffset,
  )
  await store.shutdown()
  const path = join(rootDir, 'commitlog', '00000000000000000000')
  writeFileSync(path, readFileSync(path).fill(0, starts[6]))
  const again = await opened(rootDir)
  expect(again.maxOffset('TopicA', 0)).toBe(6)
  expect(again.append(message()).queueOffset).toBe(6)
  await again.shutdown()
})

test('units and index of a store without a log are dropped', async () => {
  const rootDir = scratchFolder()
  const store = await opened(rootDir)
  store.append(message({ properties: 'KEYS\x01k\x02' }))
  await store.shutdown()
  rmSync(join(rootDir, 'commitlog'), { recursive: true })
  const again = await opened(rootDir)
  expect(again.maxOffset('TopicA', 0)).toBe(0)
  expect(existsSync(join(rootDir, 'consumequeue/TopicA/0'))).toBe(false)
  expect(again.append(message())).toMatchObject({ physicalOffset: 0, queueOffset: 0 })
  await again.shutdown()
})

test('after a crash one lost queue is built from the whole log, not from where the scan began', async () => {
  const rootDir = scratchFolder()
  const store = await opened(rootDir, { mappedFileSizeCommitLog: 4096 })
  for (let i = 0; i < 100; i++) store.append(message({ queueId: i % 2, body: Buffer.from(`b${i}`) }))
  await store.shutdown()
  // the checkpoint says that everything is on the disk, so the scan begins at the newest file
  const late = Buffer.alloc(8)
  late.writeBigInt64BE(BigInt(Date.now() + 3_600_000))
  const checkpoint = readFileSync(join(rootDir, 'checkpoint'))
  late.copy(checkpoint, 0)
  late.copy(checkpoint, 8)
  writeFileSync(join(rootDir, 'checkpoint'), checkpoint)
  writeFileSync(join(rootDir, 'abort'), '1')
  rmSync(join(rootDir, 'consumequeue/TopicA/1'), { recursive: true })
  const again = await opened(rootDir, { mappedFileSizeCommitLog: 4096 })
  expect(again.recovery).toMatchObject({ rebuiltQueues: 1 })
  expect(again.recovery!.scannedFrom).toBeGreaterThan(0)
  for (const queueId of [0, 1]) {
    expect(await bodiesOf(again, 'TopicA', queueId)).toEqual(numbers(100).filter((_, i) => i % 2 === queueId))
  }
  await again.shutdown()
})
