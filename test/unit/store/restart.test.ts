import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { MessageStore, StoreSettings } from '../../../src/store/index.js'
import { type Disk, MQError, systemDisk } from '../../../src/util/index.js'
import { eventually } from '../../support/eventually.js'
import { ManualClock } from '../../support/manual-clock.js'
import { createStore, message, scratchFolder } from '../../support/store.js'

const QUEUES = 5

/** What a kill -9 leaves: the files as they are at this moment. */
function image(store: MessageStore): string {
  const copy = join(scratchFolder(), 'image')
  cpSync(store.folders.root, copy, { recursive: true })
  return copy
}

async function opened(
  rootDir: string,
  clock = new ManualClock(),
  settings: Partial<StoreSettings> = {},
): Promise<MessageStore> {
  const store = createStore({ rootDir, clock, settings })
  await store.start()
  return store
}

function send(store: MessageStore, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const body = Buffer.from(`b${i}`)
    const { status } = store.append(message({ queueId: i % QUEUES, body, properties: `KEYS\x01k${i}\x02` }))
    expect(status).toBe('PUT_OK')
  }
}

/** Every message is in its queue, under its number, and found by its key once. */
async function expectAll(store: MessageStore, count: number): Promise<void> {
  for (let queueId = 0; queueId < QUEUES; queueId++) {
    const units = await store.queries.units('TopicA', queueId, 0, store.maxOffset('TopicA', queueId))
    const records = await Promise.all(units.map(unit => store.queries.recordAt(unit.physicalOffset)))
    const bodies = records.map(record => record!.toString('utf8', 88, 88 + record!.readInt32BE(84)))
    const wanted = Array.from({ length: count }, (_, i) => i).filter(i => i % QUEUES === queueId)
    expect([queueId, bodies]).toEqual([queueId, wanted.map(i => `b${i}`)])
  }
  for (let i = 0; i < count; i++) {
    const query = { topic: 'TopicA', key: `k${i}`, maxNum: 10, begin: 0, end: Number.MAX_SAFE_INTEGER }
    expect([i, (await store.queries.queryMessage(query)).records.length]).toEqual([i, 1])
  }
}

/** Whether all that was sent is noted as being on the disk. */
function isNoted({ folders, log }: MessageStore): boolean {
  return readFileSync(folders.manifest, 'utf8').startsWith(`{"logEnd":${log.maxOffset},`)
}

const queueFile = (root: string): string => join(root, 'consumequeue/TopicA/1/00000000000000000000')

test('after a kill messages are taken before the queues are written, and a kill before that takes none', async () => {
  const store = await opened(scratchFolder())
  send(store, 0, 100)
  let root = image(store)
  await store.shutdown()
  const noted = readFileSync(join(root, 'cometmq/queues'), 'utf8')
  for (let count = 100; count < 140; count += 10) {
    const again = await opened(root)
    expect(again.recovery).toMatchObject({ isAfterCrash: true, records: count, damageCount: 0 })
    // what the start before noted still holds
    expect(readFileSync(again.folders.manifest, 'utf8')).toBe(noted)
    expect(existsSync(queueFile(root))).toBe(false)
    send(again, count, count + 10)
    await expectAll(again, count + 10)
    root = image(again)
    await again.shutdown()
  }
  const last = await opened(root)
  await expectAll(last, 140)
  await last.shutdown()
})

test('the queues that a kill left unwritten are on the disk soon after the start', async () => {
  const store = await opened(scratchFolder())
  send(store, 0, 100)
  const root = image(store)
  await store.shutdown()
  const clock = new ManualClock()
  const again = await opened(root, clock)
  await clock.advance(1000)
  await eventually(() => isNoted(again), 'a note of all that was sent')
  expect(again.queues.find('TopicA', 1)!.flushedTo.maxOffset).toBe(20)
  expect(statSync(queueFile(root)).isFile()).toBe(true)
  const second = image(again)
  await again.shutdown()
  const last = await opened(second)
  await expectAll(last, 100)
  await last.shutdown()
})

test('what a start after a kill has decided is on the disk before the first message', async () => {
  const store = await opened(scratchFolder())
  for (let i = 0; i < 5; i++) store.append(message({ body: Buffer.from(`b${i}`) }))
  const root = image(store)
  await store.shutdown()
  const path = join(root, 'commitlog/00000000000000000000')
  const bytes = readFileSync(path)
  bytes[bytes.indexOf('b2')] = 0x7a
  writeFileSync(path, bytes)
  const noted = readFileSync(join(root, 'cometmq/queues'), 'utf8')
  const again = await opened(root)
  expect(again.recovery!.damageCount).toBe(1)
  expect(readFileSync(again.folders.manifest, 'utf8')).not.toBe(noted)
  expect(again.queues.find('TopicA', 0)!.flushedTo.maxOffset).toBe(5)
  await again.shutdown()
})

test('after a kill the index keeps what was flushed, and loses nothing that was not', async () => {
  const clock = new ManualClock()
  const store = await opened(scratchFolder(), clock)
  send(store, 0, 100)
  await store.flush()
  await eventually(async () => {
    await clock.advance(1000)
    return isNoted(store)
  }, 'a note of all that was sent')
  send(store, 100, 150)
  const root = image(store)
  await store.shutdown()
  const [name] = readdirSync(join(root, 'index'))
  const path = join(root, 'index', name!)
  // of what was put behind the flush only a part has reached the disk, of header and slots nothing
  const bytes = readFileSync(path)
  const items = 40 + 4 * 100
  bytes.fill(0, 0, items)
  for (let item = 101; item <= 150; item++) bytes.writeInt32BE(1, items + 20 * item)
  writeFileSync(path, bytes)
  // a new file would be named after this time
  const again = await opened(root, new ManualClock(clock.now() + 1_000_000))
  expect(readdirSync(join(root, 'index'))).toEqual([name])
  await expectAll(again, 150)
  await again.shutdown()
})

test('after a kill keys that the index had no room for get their entries', async () => {
  const clock = new ManualClock()
  let isFull = true
  const disk: Disk = {
    ...systemDisk,
    mapSync: (path, options) => {
      if (isFull && path.includes('/index/')) throw new MQError('ENOSPC', 'no space')
      return systemDisk.mapSync(path, options)
    },
  }
  const store = createStore({ disk, clock })
  await store.start()
  send(store, 0, 10)
  isFull = false
  await clock.advance(2000)
  send(store, 10, 20)
  await store.flush()
  await eventually(async () => {
    await clock.advance(1000)
    return isNoted(store)
  }, 'a note of all that was sent')
  const root = image(store)
  await store.shutdown()
  const again = await opened(root)
  await expectAll(again, 20)
  await again.shutdown()
})
