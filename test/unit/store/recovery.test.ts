import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

/** What a consumer gets. */
async function pulled(store: MessageStore, topic: string, queueId: number): Promise<string[]> {
  const bodies: string[] = []
  for (let offset = store.minOffset(topic, queueId); ; ) {
    const found = (await store.getMessage({ group: 'g', topic, queueId, offset, maxMsgNums: 32 }))!
    for (const slice of found.slices) {
      for (let at = 0; at < slice.length; at += slice.readInt32BE(at)) {
        bodies.push(slice.toString('utf8', at + 88, at + 88 + slice.readInt32BE(at + 84)))
      }
    }
    found.release()
    if (found.nextBeginOffset <= offset) return bodies
    offset = found.nextBeginOffset
  }
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
    rmSync(join(copy, 'cometmq'), { recursive: true, force: true })
    writeFileSync(path, bytes)
    writeFileSync(join(copy, 'abort'), '1')
    const again = await opened(copy, { mappedFileSizeCommitLog: 1024 })
    const kept = ends.filter(end => end <= cut).length
    expect([cut, again.maxOffset('TopicA', 0)]).toEqual([cut, kept])
    expect(again.append(message())).toMatchObject({ queueOffset: kept, physicalOffset: ends[kept - 1] ?? 0 })
    await again.shutdown()
  }
})

test('a damaged record in the middle costs itself alone, is reported, and its number is never used again', async () => {
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
  expect(await bodiesOf(again, 'TopicA', 0)).toEqual(['b0', 'b1', 'b3', 'b4'])
  expect(again.recovery!.damages).toMatchObject([
    { kind: 'record', physicalOffset: starts[2], length: starts[3]! - starts[2]! },
  ])
  expect(again.append(message({ body: Buffer.from('n5') })).queueOffset).toBe(5)
  const found = await again.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset: 2, maxMsgNums: 32 })
  expect(found).toMatchObject({ status: 'FOUND', messageCount: 3, nextBeginOffset: 6 })
  found!.release()
  const second = image(again)
  await again.shutdown()
  for (const root of [copy, second]) {
    const third = await opened(root)
    expect(await bodiesOf(third, 'TopicA', 0)).toEqual(['b0', 'b1', 'b3', 'b4', 'n5'])
    await third.shutdown()
  }
})

test('damage found before by another start takes nothing from the message that got its number', async () => {
  const store = await opened(scratchFolder())
  const starts = Array.from(
    { length: 4 },
    (_, i) => store.append(message({ body: Buffer.from(`b${i}`) })).physicalOffset,
  )
  const copy = image(store)
  await store.shutdown()
  const path = join(copy, 'commitlog', '00000000000000000000')
  const bytes = readFileSync(path)
  // a second number 2 behind a damaged one, as a start leaves it that could not read whose number it was
  bytes[starts[2]! + 88] = 0x7a
  bytes.writeBigInt64BE(2n, starts[3]! + 20)
  writeFileSync(path, bytes)
  for (const queues of ['lost', 'kept']) {
    if (queues === 'lost') rmSync(join(copy, 'consumequeue'), { recursive: true, force: true })
    writeFileSync(join(copy, 'abort'), '1')
    const again = await opened(copy)
    expect([queues, await pulled(again, 'TopicA', 0)]).toEqual([queues, ['b0', 'b1', 'b3']])
    await again.shutdown()
  }
})

test('old records behind the end, as the Java broker leaves them, never come back', async () => {
  const store = await opened(scratchFolder())
  for (let i = 0; i < 5; i++) store.append(message({ body: Buffer.from(`b${i}`) }))
  const copy = image(store)
  await store.shutdown()
  const path = join(copy, 'commitlog', '00000000000000000000')
  const old = readFileSync(path)
  // what was stored after a cut at the second record is newer than what still stands behind it
  const later = await opened(scratchFolder())
  later.append(message({ body: Buffer.from('b0') }))
  const { endOffset } = later.append(message({ body: Buffer.from('a longer one') }))
  const image2 = image(later)
  await later.shutdown()
  const fresh = readFileSync(join(image2, 'commitlog', '00000000000000000000'))
  fresh.copy(old, 0, 0, endOffset)
  // stored an hour later
  old.writeBigInt64BE(old.readBigInt64BE(56) + 3_600_000n, 56 + old.readInt32BE(0))
  writeFileSync(path, old)
  rmSync(join(copy, 'consumequeue'), { recursive: true, force: true })
  const again = await opened(copy)
  expect(await bodiesOf(again, 'TopicA', 0)).toEqual(['b0', 'a longer one'])
  expect(again.log.maxOffset).toBe(endOffset)
  await again.shutdown()
})

test('a deleted topic made again before a crash does not get its old messages back', async () => {
  const store = await opened(scratchFolder())
  for (let i = 0; i < 10; i++) store.append(message({ body: Buffer.from(`old${i}`) }))
  await store.queues.flush()
  const withOldQueue = image(store)
  await store.deleteTopic('TopicA')
  store.append(message({ body: Buffer.from('new0') }))
  const copy = image(store)
  await store.shutdown()
  const again = await opened(copy)
  expect(await bodiesOf(again, 'TopicA', 0)).toEqual(['new0'])
  expect(again.append(message()).queueOffset).toBe(1)
  await again.shutdown()
  // the power cut has brought the deleted folder back
  const third = image(store)
  cpSync(join(withOldQueue, 'consumequeue'), join(third, 'consumequeue'), { recursive: true })
  writeFileSync(join(third, 'abort'), '1')
  const last = await opened(third)
  expect(await bodiesOf(last, 'TopicA', 0)).toEqual(['new0'])
  await last.shutdown()
})

test('after a clean stop each queue that is lost, short, ahead or damaged is built again', async () => {
  const rootDir = scratchFolder()
  const settings = { mappedFileSizeCommitLog: 4096 }
  const store = await opened(rootDir, settings)
  // the queues but the last get nothing for several files of the log
  for (let i = 0; i < 50; i++) store.append(message({ queueId: i % 5, body: Buffer.from(`b${i}`) }))
  for (let i = 0; i < 100; i++) store.append(message({ queueId: 9 }))
  await store.shutdown()
  const queue = (id: number): string => join(rootDir, `consumequeue/TopicA/${id}/00000000000000000000`)
  const edit = (id: number, change: (bytes: Buffer) => Buffer): void =>
    writeFileSync(queue(id), change(readFileSync(queue(id))))
  rmSync(join(rootDir, 'consumequeue/TopicA/0'), { recursive: true })
  edit(1, bytes => bytes.fill(0, 60))
  edit(2, bytes => Buffer.from(bytes).fill(bytes.subarray(0, 20), 200, 260))
  edit(3, bytes => bytes.fill(0xff, 80, 120))
  edit(4, bytes => bytes.subarray(0, 1001))
  const again = await opened(rootDir, settings)
  for (const queueId of [0, 1, 2, 3, 4]) {
    expect(await pulled(again, 'TopicA', queueId)).toEqual(numbers(50).filter((_, i) => i % 5 === queueId))
  }
  // the damage in the middle of queue 3 is found, and put right, when it is read
  expect(again.recovery).toMatchObject({ rebuiltQueues: 4 })
  expect(again.recovery!.scannedFrom).toBeGreaterThan(4096)
  expect(new Set(again.recovery!.damages.map(damage => damage.kind))).toEqual(new Set(['queue']))
  expect(JSON.parse(readFileSync(again.folders.recoveryReport, 'utf8')).damageCount).toBe(again.recovery!.damageCount)
  await again.shutdown()
})

test('after a clean stop lost or damaged index files are built again', async () => {
  const rootDir = scratchFolder()
  const settings = { mappedFileSizeCommitLog: 4096, maxIndexNum: 50 }
  const store = await opened(rootDir, settings)
  for (let i = 0; i < 200; i++) store.append(message({ properties: `KEYS\x01k${i}\x02` }))
  await store.shutdown()
  const names = readdirSync(join(rootDir, 'index')).sort()
  expect(names.length).toBe(5)
  const damages: (() => void)[] = [
    () => rmSync(join(rootDir, 'index', names[1]!)),
    () => rmSync(join(rootDir, 'index'), { recursive: true }),
    () => {
      const path = join(rootDir, 'index', readdirSync(join(rootDir, 'index')).sort()[0]!)
      writeFileSync(path, readFileSync(path).subarray(0, 700))
    },
    () => {
      const path = join(rootDir, 'index', readdirSync(join(rootDir, 'index')).sort()[2]!)
      writeFileSync(path, readFileSync(path).fill(0x7f, 32, 40))
    },
  ]
  for (const damage of damages) {
    damage()
    const again = await opened(rootDir, settings)
    for (let i = 0; i < 200; i++) {
      const query = { topic: 'TopicA', key: `k${i}`, maxNum: 10, begin: 0, end: Number.MAX_SAFE_INTEGER }
      expect([i, (await again.queries.queryMessage(query)).records.length]).toEqual([i, 1])
    }
    expect(again.recovery!.damageCount).toBeGreaterThan(0)
    await again.shutdown()
  }
})

test('an entry that points to a wrong record is put right from the log when it is read', async () => {
  const rootDir = scratchFolder()
  const store = await opened(rootDir)
  for (let i = 0; i < 10; i++) store.append(message({ body: Buffer.from(`b${i}`) }))
  await store.shutdown()
  const path = join(rootDir, 'consumequeue/TopicA/0/00000000000000000000')
  const units = readFileSync(path)
  const damaged = Buffer.from(units)
  // the third points to the sixth, the fifth to nowhere
  units.copy(damaged, 40, 100, 120)
  damaged[83] = 0x40
  writeFileSync(path, damaged)
  const again = await opened(rootDir)
  const found = (await again.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset: 0, maxMsgNums: 32 }))!
  expect(found).toMatchObject({ status: 'FOUND', messageCount: 10, nextBeginOffset: 10 })
  found.release()
  expect(again.damage.entries.map(entry => entry.queueOffset)).toEqual([2, 4])
  await again.shutdown()
  expect(readFileSync(path).equals(units)).toBe(true)
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

test('messages that a cleanly stopped log has lost are reported, and their numbers are not used again', async () => {
  const rootDir = scratchFolder()
  const store = await opened(rootDir)
  const starts = Array.from(
    { length: 10 },
    (_, i) => store.append(message({ body: Buffer.from(`b${i}`) })).physicalOffset,
  )
  const end = store.log.maxOffset
  await store.shutdown()
  const path = join(rootDir, 'commitlog', '00000000000000000000')
  writeFileSync(path, readFileSync(path).fill(0, starts[6]))
  const again = await opened(rootDir)
  expect(again.recovery!.damages).toMatchObject([
    { kind: 'record', physicalOffset: starts[6], length: end - starts[6]! },
  ])
  expect(await pulled(again, 'TopicA', 0)).toEqual(numbers(6))
  expect(again.append(message({ body: Buffer.from('n') }))).toMatchObject({ queueOffset: 10, physicalOffset: end })
  expect(await pulled(again, 'TopicA', 0)).toEqual([...numbers(6), 'n'])
  await again.shutdown()
})

test('a queue with units of records that a torn log never held is cut', async () => {
  const store = await opened(scratchFolder())
  const starts = Array.from(
    { length: 10 },
    (_, i) => store.append(message({ body: Buffer.from(`b${i}`) })).physicalOffset,
  )
  await store.queues.writeOut()
  const copy = image(store)
  await store.shutdown()
  const path = join(copy, 'commitlog', '00000000000000000000')
  writeFileSync(path, readFileSync(path).fill(0, starts[6]))
  const again = await opened(copy)
  expect(again.maxOffset('TopicA', 0)).toBe(6)
  expect(again.append(message()).queueOffset).toBe(6)
  await again.shutdown()
})

test('a store whose log is gone is not opened; by order units and index are dropped', async () => {
  const rootDir = scratchFolder()
  const store = await opened(rootDir)
  store.append(message({ properties: 'KEYS\x01k\x02' }))
  await store.shutdown()
  rmSync(join(rootDir, 'commitlog'), { recursive: true })
  await expect(opened(rootDir)).rejects.toMatchObject({ code: 'ERR_STORE_INCOMPLETE' })
  rmSync(join(rootDir, 'cometmq/queues'))
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
