import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ExtUnit, MessageFilter, MessageStore, StoreSettings } from '../../../src/store/index.js'
import { javaHash } from '../../../src/util/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { createStore, message, scratchFolder } from '../../support/store.js'

const FIRST = '00000000000000000000'
const extended = { enableConsumeQueueExt: true, mappedFileSizeConsumeQueueExt: 200 }

interface Opening {
  rootDir?: string
  settings?: Partial<StoreSettings>
  clock?: ManualClock
  bits?: Buffer
}

async function opened({ settings, bits, ...rest }: Opening = {}): Promise<MessageStore> {
  const store = createStore({
    ...rest,
    settings: { ...extended, ...settings },
    ...(bits && { bitMapOf: () => bits }),
  })
  await store.start()
  onTestFinished(() => store.shutdown())
  return store
}

const send = (store: MessageStore, tag: string, topic = 'TopicA'): void => {
  expect(store.append(message({ topic, properties: `TAGS\x01${tag}\x02` })).status).toBe('PUT_OK')
}

const filesIn = (store: MessageStore, topic = 'TopicA'): string =>
  join(store.folders.root, 'consumequeue_ext', topic, '0')
const codes = async (store: MessageStore): Promise<number[]> =>
  (await store.queries.units('TopicA', 0, 0, 1000)).map(unit => unit.tagsCode)
const tagged = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `T${from + i}`)

/** Offsets that a pull takes, however often it must be asked. */
async function pulled(store: MessageStore, filter: MessageFilter): Promise<number> {
  let count = 0
  for (let offset = 0; offset < store.maxOffset('TopicA', 0); ) {
    const found = (await store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset, maxMsgNums: 32, filter }))!
    count += found.messageCount
    found.release()
    offset = found.nextBeginOffset
  }
  return count
}

const byTag = (tag: string): MessageFilter => ({ matchesQueueUnit: code => code === javaHash(tag) })

/** What a kill -9 leaves. */
function image(store: MessageStore): string {
  const copy = join(scratchFolder(), 'image')
  cpSync(store.folders.root, copy, { recursive: true })
  return copy
}

test('unit and address have the bytes of the format', async () => {
  const store = await opened({ clock: new ManualClock(0x1a1fb7e6c6b) })
  send(store, 'TagA')
  send(store, 'TagA')
  await store.queues.writeOut()
  const unit = '0014000000000027a807000001a1fb7e6c6b0000'
  const file = readFileSync(join(filesIn(store), FIRST))
  expect(file.length).toBe(200)
  expect(file.subarray(0, 42).toString('hex')).toBe(`${unit}${unit}0000`)
  const queue = readFileSync(join(store.folders.root, 'consumequeue/TopicA/0', FIRST))
  expect(queue.subarray(12, 20).toString('hex')).toBe('8000000000000000')
  expect(queue.subarray(32, 40).toString('hex')).toBe('8000000000000014')
})

test('bits are kept behind the unit, and given to filters and arrivals', async () => {
  const bits = Buffer.from('0123456789abcdef', 'hex')
  const store = await opened({ bits, clock: new ManualClock(1_000_000) })
  const arrivals: (ExtUnit | undefined)[] = []
  store.onArrival = ({ extension }) => arrivals.push(extension)
  send(store, 'x')
  await store.queues.writeOut()
  const file = readFileSync(join(filesIn(store), FIRST))
  expect([file.readInt16BE(0), file.readInt16BE(18)]).toEqual([28, 8])
  expect(file.subarray(20, 28)).toEqual(bits)
  const seen: (ExtUnit | undefined)[] = []
  await pulled(store, {
    matchesQueueUnit: (_code, extension) => {
      seen.push(extension)
      return true
    },
  })
  const expected = { tagsCode: javaHash('x'), storeTimestamp: 1_000_000, bitMap: bits }
  expect([arrivals, seen]).toEqual([[expected], [expected]])
})

test('a file keeps four bytes free behind its last unit and says that it is full', async () => {
  const store = await opened()
  // 9 units of 20 bytes and the reserve fill a file of 200
  for (const tag of tagged(30)) send(store, tag)
  await store.queues.writeOut()
  const folder = filesIn(store)
  expect(readdirSync(folder).sort()).toEqual(['0', '200', '400', '600'].map(start => start.padStart(20, '0')))
  const first = readFileSync(join(folder, FIRST))
  expect(first.subarray(180, 184).toString('hex')).toBe('ffff0000')
  expect(await codes(store)).toEqual(tagged(30).map(javaHash))
})

test('what the files hold is read again, by blocks, after a clean stop', async () => {
  const size = { mappedFileSizeConsumeQueueExt: 1024 * 1024, mappedFileSizeCommitLog: 1024 * 1024 }
  // 240 bytes a unit: they lie across the ends of blocks of 64 KiB
  const bits = Buffer.alloc(220, 7)
  const first = await opened({ settings: size, bits })
  for (let i = 0; i < 900; i++) send(first, `T${i % 7}`)
  await first.shutdown()
  const store = await opened({ rootDir: first.folders.root, settings: size, bits })
  expect(store.recovery?.damages).toEqual([])
  expect(await pulled(store, byTag('T3'))).toBe(Math.ceil((900 - 3) / 7))
  send(store, 'last')
  const units = await store.queries.units('TopicA', 0, 0, 1000)
  expect(units.map(unit => unit.tagsCode)).toEqual([
    ...Array.from({ length: 900 }, (_, i) => javaHash(`T${i % 7}`)),
    javaHash('last'),
  ])
  expect(units.every(unit => unit.extension?.bitMap?.equals(bits))).toBe(true)
})

test('after a kill the extensions fit the queue again, and nothing is left behind its end', async () => {
  const first = await opened()
  for (const tag of tagged(12)) send(first, tag)
  await first.queues.flush()
  for (const tag of tagged(7, 12)) send(first, tag)
  await first.queues.writeOut()
  const copy = image(first)
  // what the log has lost: the last four messages
  const log = join(copy, 'commitlog', FIRST)
  const { physicalOffset } = (await first.queries.unitAt('TopicA', 0, 15))!
  const bytes = readFileSync(log)
  bytes.fill(0, physicalOffset)
  writeFileSync(log, bytes)
  const store = await opened({ rootDir: copy })
  expect(await codes(store)).toEqual(tagged(15).map(javaHash))
  send(store, 'T99')
  expect(await codes(store)).toEqual([...tagged(15), 'T99'].map(javaHash))
  await store.queues.writeOut()
  const second = readFileSync(join(filesIn(store), '200'.padStart(20, '0')))
  // units 9 to 15, then nothing of what was cut off
  expect(second.readInt16BE(6 * 20)).toBe(20)
  expect(second.subarray(7 * 20).every(byte => byte === 0)).toBe(true)
})

test('a lost extension hides no message: it passes, and the queue goes on behind it', async () => {
  const first = await opened()
  for (const tag of tagged(12)) send(first, tag)
  await first.shutdown()
  const folder = filesIn(first)
  writeFileSync(join(folder, FIRST), Buffer.alloc(200))
  const store = await opened({ rootDir: first.folders.root })
  // the nine of the damaged file, and the one that is wanted
  expect(await pulled(store, byTag('T10'))).toBe(10)
  await store.shutdown()
  rmSync(folder, { recursive: true })
  const again = await opened({ rootDir: first.folders.root })
  expect(await pulled(again, byTag('T10'))).toBe(12)
  send(again, 'T10')
  send(again, 'T11')
  expect(await pulled(again, byTag('T10'))).toBe(13)
  expect((await again.queries.unitAt('TopicA', 0, 12))?.tagsCode).toBe(javaHash('T10'))
})

test('without the key what is there is read, and new units hold their tags code again', async () => {
  const first = await opened()
  for (const tag of tagged(5)) send(first, tag)
  await first.shutdown()
  const off = await opened({ rootDir: first.folders.root, settings: { enableConsumeQueueExt: false } })
  for (const tag of tagged(5, 5)) send(off, tag)
  expect(await codes(off)).toEqual(tagged(10).map(javaHash))
  await off.queues.writeOut()
  const queue = readFileSync(join(off.folders.root, 'consumequeue/TopicA/0', FIRST))
  expect(queue.readBigInt64BE(5 * 20 + 12)).toBe(BigInt(javaHash('T5')))
  await off.shutdown()
  const on = await opened({ rootDir: first.folders.root })
  for (const tag of tagged(5, 10)) send(on, tag)
  expect(await codes(on)).toEqual(tagged(15).map(javaHash))
  await on.queues.writeOut()
  // the stream goes on where it was
  expect(readFileSync(join(on.folders.root, 'consumequeue/TopicA/0', FIRST)).readBigInt64BE(10 * 20 + 12)).toBe(
    -(2n ** 63n) + 100n,
  )
})

test('a deleted topic takes its extensions along; those without a queue go at the start', async () => {
  const first = await opened()
  send(first, 'x')
  send(first, 'y', 'TopicB')
  await first.queues.writeOut()
  await first.deleteTopic('TopicA')
  expect(existsSync(join(first.folders.root, 'consumequeue_ext/TopicA'))).toBe(false)
  expect(existsSync(filesIn(first, 'TopicB'))).toBe(true)
  await first.shutdown()
  mkdirSync(join(first.folders.root, 'consumequeue_ext/Gone/3'), { recursive: true })
  const store = await opened({ rootDir: first.folders.root })
  expect(existsSync(join(store.folders.root, 'consumequeue_ext/Gone/3'))).toBe(false)
  expect((await store.queries.unitAt('TopicB', 0, 0))?.tagsCode).toBe(javaHash('y'))
})

test('files of extensions go with the units that point there, the newest never', async () => {
  const store = await opened({ settings: { mappedFileSizeCommitLog: 4096 } })
  for (const tag of tagged(60)) send(store, tag)
  await store.queues.writeOut()
  const queue = store.queues.find('TopicA', 0)!
  const keepFrom = (await store.queries.unitAt('TopicA', 0, 30))!.physicalOffset
  store.queues.expire(queue, keepFrom)
  // unit 30 is the fourth of the file that begins at 600
  expect(readdirSync(filesIn(store)).sort()[0]).toBe('600'.padStart(20, '0'))
  const units = await store.queries.units('TopicA', 0, 0, 100)
  expect(units.map(unit => unit.tagsCode)).toEqual(tagged(30, 30).map(javaHash))
  store.queues.expire(queue, store.log.maxOffset)
  expect(readdirSync(filesIn(store)).length).toBe(1)
})

test('a file of another length: refused where it may be a setting, rebuilt where it is damage', async () => {
  const first = await opened()
  for (const tag of tagged(5)) send(first, tag)
  await first.shutdown()
  const { root } = first.folders
  const other = createStore({ rootDir: root, settings: { ...extended, mappedFileSizeConsumeQueueExt: 400 } })
  await expect(other.start()).rejects.toThrow(/mappedFileSizeConsumeQueueExt is 400/)
  truncateSync(join(filesIn(first), FIRST), 50)
  const store = await opened({ rootDir: root })
  expect(store.recovery?.damages.map(damage => damage.kind)).toContain('queue')
  expect(await codes(store)).toEqual(tagged(5).map(javaHash))
  await store.queues.writeOut()
  expect(statSync(join(filesIn(store), FIRST)).size).toBe(200)
})

test('what is written while the disk refuses comes later, extensions and units alike', async () => {
  const store = await opened()
  for (const tag of tagged(3)) send(store, tag)
  const queue = store.queues.find('TopicA', 0)!
  const { ext } = queue
  const write = ext!.writeOut.bind(ext)
  let refusals = 1
  ext!.writeOut = () => (refusals-- > 0 ? Promise.reject(new Error('EIO')) : write())
  await expect(store.queues.writeOut()).rejects.toThrow('EIO')
  expect(queue.isDirty).toBe(true)
  await store.queues.writeOut()
  expect(readFileSync(join(filesIn(store), FIRST)).readInt16BE(40)).toBe(20)
})
