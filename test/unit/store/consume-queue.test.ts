import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ConsumeQueue } from '../../../src/store/consume-queue.js'
import { ConsumeQueueStore } from '../../../src/store/consume-queue-store.js'
import { silentLogger, systemClock, systemDisk } from '../../../src/util/index.js'
import { tempDir } from '../../support/temp-dir.js'

function open(rootDir: string): { store: ConsumeQueueStore; queue: ConsumeQueue } {
  const options = { disk: systemDisk, clock: systemClock, logger: silentLogger, rootDir, fileSize: 200 }
  const store = new ConsumeQueueStore(options)
  store.load()
  return { store, queue: store.queueOf(store.topicOf('T'), 3) }
}

const offsets = (queue: ConsumeQueue): (number | undefined)[] =>
  Array.from({ length: queue.maxOffset }, (_, i) => queue.readUnitSync(i)?.physicalOffset)

test('units have the bytes of the format, in files named after their first byte', async () => {
  const root = tempDir()
  const { store, queue } = open(root)
  queue.put(0, 0x8d, 2_598_919, 0)
  queue.put(0x8d, 0xa5, -1_352_294_148, 1)
  for (let i = 2; i < 11; i++) queue.put(i * 1000, 10, 0, i)
  await store.close()
  const first = readFileSync(join(root, 'consumequeue/T/3/00000000000000000000'))
  expect(first.length).toBe(200)
  expect(first.subarray(0, 40).toString('hex')).toBe(
    '00000000000000000000008d000000000027a807000000000000008d000000a5ffffffffaf65a0fc',
  )
  const second = readFileSync(join(root, 'consumequeue/T/3/00000000000000000200'))
  expect(second.readBigInt64BE(0)).toBe(10_000n)
  const again = open(root).queue
  expect([again.minOffset, again.maxOffset, again.maxPhysicalOffset]).toEqual([0, 11, 10_010])
})

test('a queue that begins in the middle is blank before it', async () => {
  const root = tempDir()
  const { store, queue } = open(root)
  expect(queue.put(5000, 100, 1, 29)).toBe('appended')
  expect([queue.minOffset, queue.maxOffset]).toEqual([29, 30])
  await store.close()
  const file = readFileSync(join(root, 'consumequeue/T/3/00000000000000000400'))
  expect(file.subarray(0, 20).toString('hex')).toBe('00000000000000007fffffff0000000000000000')
  expect(file.subarray(180, 200).toString('hex')).toBe('0000000000001388000000640000000000000001')
  const again = open(root).queue
  again.correctMinOffset(5000)
  expect([again.minOffset, again.maxOffset]).toEqual([29, 30])
})

test('a record that is there already changes nothing; a hole is filled with blanks and reported', () => {
  const { queue } = open(tempDir())
  expect(queue.put(0, 100, 0, 0)).toBe('appended')
  expect(queue.put(0, 100, 0, 0)).toBe('present')
  expect(queue.put(100, 100, 0, 1)).toBe('appended')
  expect(queue.put(0, 100, 0, 0)).toBe('present')
  expect(queue.put(500, 100, 0, 4)).toBe('gap')
  expect(offsets(queue)).toEqual([0, 100, 0, 0, 500])
})

test('units that point at or behind an offset are cut off, in the files too', async () => {
  const root = tempDir()
  const { store, queue } = open(root)
  for (let i = 0; i < 35; i++) queue.put(i * 100, 100, 0, i)
  await store.writeOut()
  queue.truncateTo(1250)
  expect([queue.maxOffset, queue.maxPhysicalOffset]).toEqual([13, 1300])
  queue.put(1300, 50, 0, 13)
  await store.close()
  const again = open(root).queue
  expect(offsets(again)).toEqual([...Array.from({ length: 13 }, (_, i) => i * 100), 1300])
})

test('the minimum follows the log, and files in front of it go', async () => {
  const { store, queue } = open(tempDir())
  for (let i = 0; i < 35; i++) queue.put(i * 100, 100, 0, i)
  await store.writeOut()
  expect(store.expire(queue, 2350)).toBe(2)
  expect([queue.minOffset, queue.maxOffset]).toEqual([24, 35])
  expect(queue.holds(19)).toBe(false)
  expect(store.expire(queue, 100_000)).toBe(1)
  expect([queue.minOffset, queue.maxOffset]).toEqual([35, 35])
  await store.close()
})

test('holes do not hide what stands in front of them', () => {
  const { queue } = open(tempDir())
  const at = [1, 4, 5, 6, 7, 8]
  for (const offset of at) queue.put(offset * 100, 100, 0, offset)
  queue.correctMinOffset(0)
  expect([queue.minOffset, queue.maxOffset]).toEqual([1, 9])
  for (const [min, expected] of [
    [101, 4],
    [401, 5],
    [801, 9],
  ] as const) {
    queue.correctMinOffset(min)
    expect([min, queue.minOffset]).toEqual([min, expected])
  }
})

test('units are read from memory, and from the file when memory was freed', async () => {
  const { store, queue } = open(tempDir())
  for (let i = 0; i < 25; i++) queue.put(i * 100, 100, 0, i)
  expect(queue.chunkAt(24)).toBeDefined()
  await store.writeOut()
  queue.dropWritten()
  const chunk = queue.chunkAt(7) ?? (await queue.loadChunk(7))
  expect(chunk.view.getInt32(7 * 20 - chunk.start + 4)).toBe(700)
  expect(queue.chunkAt(7)).toBe(chunk)
  queue.put(2500, 100, 0, 25)
  expect(queue.chunkAt(25)?.start).toBe(500)
  await store.close()
})

test('a file of another length is refused, and the text says what to do', () => {
  const root = tempDir()
  systemDisk.makeFolder(join(root, 'consumequeue/T/0'))
  writeFileSync(join(root, 'consumequeue/T/0/00000000000000000000'), Buffer.alloc(100))
  expect(() => open(root)).toThrow(/has 100 bytes but mappedFileSizeConsumeQueue is 200/)
})

test('an empty last file is deleted', () => {
  const root = tempDir()
  systemDisk.makeFolder(join(root, 'consumequeue/T/3'))
  writeFileSync(join(root, 'consumequeue/T/3/00000000000000000000'), '')
  expect(open(root).queue.maxOffset).toBe(0)
})
