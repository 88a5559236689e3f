import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConsumeQueueStore } from '../../../src/store/consume-queue-store.js'
import type { QueueReach } from '../../../src/store/consume-queue-types.js'
import { type Disk, MQError, silentLogger, systemClock, systemDisk } from '../../../src/util/index.js'
import { tempDir } from '../../support/temp-dir.js'

const FILE_SIZE = 20_000
const QUEUES = 600

function newStore(rootDir: string, disk: Disk = systemDisk): ConsumeQueueStore {
  return new ConsumeQueueStore({ disk, clock: systemClock, logger: silentLogger, rootDir, fileSize: FILE_SIZE })
}

function fill(store: ConsumeQueueStore, from: number, to: number): void {
  for (let offset = from; offset < to; offset++) {
    for (let id = 0; id < QUEUES; id++) {
      store.queueOf(store.topicOf('T'), id).put((offset * QUEUES + id) * 100, 100, id, offset)
    }
  }
}

function expectUnits(store: ConsumeQueueStore, count: number): void {
  for (let id = 0; id < QUEUES; id++) {
    const queue = store.find('T', id)!
    expect([id, queue.maxOffset]).toEqual([id, count])
    for (let offset = 0; offset < count; offset++) {
      expect(queue.readUnitSync(offset)).toEqual({
        physicalOffset: (offset * QUEUES + id) * 100,
        size: 100,
        tagsCode: id,
      })
    }
  }
}

test('the units of many queues are handed over together, and open no files', async () => {
  const root = tempDir()
  let calls = 0
  const disk: Disk = {
    ...systemDisk,
    writeMany: pieces => {
      calls++
      return systemDisk.writeMany!(pieces)
    },
    open: path => Promise.reject(new Error(`${path} was opened`)),
  }
  const store = newStore(root, disk)
  fill(store, 0, 3)
  expect(store.unwrittenUnits).toBe(QUEUES * 3)
  await store.writeOut()
  fill(store, 3, 5)
  await store.flush()
  expect([calls, store.dirtyCount, store.unwrittenUnits]).toEqual([4, 0, 0])
  expect(store.find('T', 7)!.flushedTo).toEqual({ maxOffset: 5, maxPhysicalOffset: (4 * QUEUES + 7) * 100 + 100 })
  const again = newStore(root)
  again.load()
  expectUnits(again, 5)
})

test('a queue whose units could not be written stays dirty and is written the next time', async () => {
  const root = tempDir()
  let isFull = true
  const disk: Disk = {
    ...systemDisk,
    async writeMany(pieces) {
      const refused = pieces.map(({ path }) => isFull && path.includes('/T/5/'))
      await systemDisk.writeMany!(pieces.filter((_, i) => !refused[i]))
      return refused.map(is => (is ? new MQError('ENOSPC', 'no space') : undefined))
    },
  }
  const store = newStore(root, disk)
  fill(store, 0, 3)
  await expect(store.writeOut()).rejects.toMatchObject({ code: 'ENOSPC' })
  expect([store.dirtyCount, store.find('T', 5)!.written.maxOffset, store.find('T', 6)!.written.maxOffset]).toEqual([
    1, 0, 3,
  ])
  isFull = false
  fill(store, 3, 4)
  await store.flush()
  const again = newStore(root)
  again.load()
  expectUnits(again, 4)
})

/** Opens queue 3 of `T`, of which the manifest says that it reached `reach`. */
function loadQueue(root: string, reach: QueueReach): [number, number] {
  const store = newStore(root)
  store.load({ expected: new Map([['T', new Map([[3, reach]])]]) })
  const queue = store.find('T', 3)!
  return [queue.maxOffset, queue.maxPhysicalOffset]
}

test('a queue that went on behind what was noted is found to its end, wherever that is', async () => {
  const root = tempDir()
  const store = newStore(root)
  const queue = store.queueOf(store.topicOf('T'), 3)
  for (let i = 0; i < 700; i++) queue.put(i * 100, 100, 0, i)
  await store.close()
  for (const noted of [700, 699, 600, 501, 500, 100, 1]) {
    expect([noted, ...loadQueue(root, { maxOffset: noted, maxPhysicalOffset: noted * 100 })]).toEqual([
      noted,
      700,
      70_000,
    ])
  }
  // a note that the units do not bear out is no help, and does no harm
  expect(loadQueue(root, { maxOffset: 650, maxPhysicalOffset: 64_990 })).toEqual([700, 70_000])
  expect(loadQueue(root, { maxOffset: 800, maxPhysicalOffset: 80_000 })).toEqual([700, 70_000])
})

/** Queue 3 of topic T with `count` units, of which those from 450 to `end` did not reach the disk. */
async function queueWithGap(count: number, end: number): Promise<{ root: string; path: string }> {
  const root = tempDir()
  const store = newStore(root)
  const queue = store.queueOf(store.topicOf('T'), 3)
  for (let i = 0; i < count; i++) queue.put(i * 100, 100, 0, i)
  await store.close()
  const path = join(root, 'consumequeue/T/3/00000000000000000000')
  const bytes = readFileSync(path)
  bytes.fill(0, 450 * 20, end * 20)
  writeFileSync(path, bytes)
  return { root, path }
}

test('what a crash left behind a gap goes, and comes back at no later start', async () => {
  const { root, path } = await queueWithGap(900, 460)
  expect(loadQueue(root, { maxOffset: 400, maxPhysicalOffset: 40_000 })).toEqual([450, 45_000])
  expect(readFileSync(path).subarray(450 * 20)).toEqual(Buffer.alloc(FILE_SIZE - 450 * 20))
  expect(loadQueue(root, { maxOffset: 900, maxPhysicalOffset: 90_000 })).toEqual([450, 45_000])
})

test('a queue that is as noted is taken over with one look at its file', async () => {
  const root = tempDir()
  const store = newStore(root)
  fill(store, 0, 3)
  await store.close()
  const opened: string[] = []
  const listed: string[] = []
  const disk: Disk = {
    ...systemDisk,
    openSync: (path, options) => {
      opened.push(path)
      return systemDisk.openSync(path, options)
    },
    list: folder => {
      listed.push(folder)
      return systemDisk.list(folder)
    },
    stat: path => expect.unreachable(`${path} was looked at`),
  }
  const reaches = Array.from({ length: QUEUES }, (_, id): [number, QueueReach] => [
    id,
    { maxOffset: 3, maxPhysicalOffset: (2 * QUEUES + id) * 100 + 100 },
  ])
  const again = newStore(root, disk)
  again.load({ expected: new Map([['T', new Map(reaches)]]), minPhysicalOffset: 0 })
  for (const [queueId, reach] of reaches) {
    const { minOffset, maxOffset, maxPhysicalOffset } = again.find('T', queueId)!
    expect([queueId, minOffset, { maxOffset, maxPhysicalOffset }]).toEqual([queueId, 0, reach])
  }
  expect(opened.length).toBe(QUEUES)
  expect(listed.filter(folder => /\/T\/\d/.test(folder))).toEqual([])
})

test('a queue that begins behind the first unit of its file is not taken for one that begins there', async () => {
  const root = tempDir()
  const store = newStore(root)
  const queue = store.queueOf(store.topicOf('T'), 3)
  for (let i = 40; i < 400; i++) queue.put(i * 100, 100, 0, i)
  await store.close()
  const reach = { maxOffset: 400, maxPhysicalOffset: 40_000 }
  for (const [minPhysicalOffset, minOffset] of [
    [0, 40],
    [4000, 40],
    [4001, 41],
    [30_000, 300],
    [50_000, 400],
  ] as const) {
    const again = newStore(root)
    again.load({ expected: new Map([['T', new Map([[3, reach]])]]), minPhysicalOffset })
    expect([minPhysicalOffset, again.find('T', 3)!.minOffset]).toEqual([minPhysicalOffset, minOffset])
  }
})

test('a queue of several files, or one that fills its last, is found to its end', async () => {
  for (const count of [999, 1000, 1001, 2000, 2300]) {
    const root = tempDir()
    const store = newStore(root)
    const queue = store.queueOf(store.topicOf('T'), 3)
    for (let i = 0; i < count; i++) queue.put(i * 100, 100, 0, i)
    await store.close()
    for (const noted of [count, 1000, 999, 500]) {
      const found = loadQueue(root, { maxOffset: noted, maxPhysicalOffset: noted * 100 })
      expect([count, noted, ...found]).toEqual([count, noted, count, count * 100])
    }
  }
})

test('what a crash left behind the noted end goes, however far behind it is', async () => {
  for (const left of [451, 460, 700, 990]) {
    const { root, path } = await queueWithGap(1000, left)
    const found = loadQueue(root, { maxOffset: 450, maxPhysicalOffset: 45_000 })
    expect([left, ...found]).toEqual([left, 450, 45_000])
    expect(readFileSync(path).subarray(450 * 20)).toEqual(Buffer.alloc(FILE_SIZE - 450 * 20))
  }
})
