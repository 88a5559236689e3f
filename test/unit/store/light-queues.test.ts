import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { decodeProperties, encodeBatch, MessageSysFlag } from '../../../src/common/index.js'
import type { MessageStore, MessageToStore, StoreSettings } from '../../../src/store/index.js'
import { createStore, message, scratchFolder } from '../../support/store.js'

const light = { enableLmq: true, enableMultiDispatch: true }

async function opened(options: { rootDir?: string; settings?: Partial<StoreSettings> } = {}): Promise<MessageStore> {
  const store = createStore({ ...options, settings: { ...light, ...options.settings } })
  await store.start()
  onTestFinished(() => store.shutdown())
  return store
}

const named = (names: string, more: Partial<MessageToStore> = {}): MessageToStore =>
  message({ properties: `TAGS\x01t\x02INNER_MULTI_DISPATCH\x01${names}\x02WAIT\x01true\x02`, ...more })

async function propertiesOf(store: MessageStore, physicalOffset: number): Promise<Map<string, string>> {
  const record = (await store.queries.recordAt(physicalOffset))!
  return decodeProperties(record.toString('utf8', record.indexOf('TAGS')))
}

/** Bodies that a consumer of a light queue gets. */
async function pulled(store: MessageStore, topic: string): Promise<string[]> {
  const bodies: string[] = []
  for (let offset = store.minOffset(topic, 0); offset < store.maxOffset(topic, 0); ) {
    const found = (await store.getMessage({ group: 'g', topic, queueId: 0, offset, maxMsgNums: 32 }))!
    for (const slice of found.slices) {
      for (let at = 0; at < slice.length; at += slice.readInt32BE(at)) {
        bodies.push(slice.toString('utf8', at + 88, at + 88 + slice.readInt32BE(at + 84)))
      }
    }
    found.release()
    offset = found.nextBeginOffset
  }
  return bodies
}

/** What a kill -9 leaves. */
function image(store: MessageStore): string {
  const copy = join(scratchFolder(), 'image')
  cpSync(store.folders.root, copy, { recursive: true })
  return copy
}

const bodies = (from: number, to: number, step = 1): string[] =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => `b${from + i * step}`)

/** b0, b1, ...: all in %LMQ%all, the even ones in %LMQ%even too; they go to two queues of a topic. */
function fill(store: MessageStore, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const names = i % 2 === 0 ? '%LMQ%all,%LMQ%even' : '%LMQ%all'
    expect(store.append(named(names, { queueId: i % 3, body: Buffer.from(`b${i}`) })).status).toBe('PUT_OK')
  }
}

test('a message is in every light queue it names, under numbers of their own', async () => {
  const store = await opened()
  const arrivals: unknown[] = []
  store.onArrival = ({ topic, queueId, newMaxOffset }) => arrivals.push([topic, queueId, newMaxOffset])
  store.append(named('%LMQ%a', { queueId: 3 }))
  const { physicalOffset } = store.append(named('plain,%LMQ%a,%LMQ%b', { queueId: 3 }))
  const properties = await propertiesOf(store, physicalOffset)
  // as the Java broker: a name of another kind has no number
  expect(properties.get('INNER_MULTI_QUEUE_OFFSET')).toBe(',1,0')
  expect(properties.get('WAIT')).toBe('true')
  expect(arrivals).toEqual([
    ['TopicA', 3, 1],
    ['%LMQ%a', 0, 1],
    ['TopicA', 3, 2],
    ['%LMQ%a', 0, 2],
    ['%LMQ%b', 0, 1],
  ])
  const [main] = await store.queries.units('TopicA', 3, 1, 1)
  expect(await store.queries.units('%LMQ%b', 0, 0, 9)).toEqual([{ ...main, queueOffset: 0 }])
  expect(existsSync(join(store.folders.root, 'consumequeue/plain'))).toBe(false)
  await store.queues.writeOut()
  const file = readFileSync(join(store.folders.root, 'consumequeue/%LMQ%a/0/00000000000000000000'))
  expect(Number(file.readBigInt64BE(20))).toBe(physicalOffset)
})

test('what a client says of the numbers is replaced; a queue named twice takes the message once', async () => {
  const store = await opened()
  const properties = 'TAGS\x01t\x02INNER_MULTI_QUEUE_OFFSET\x0177\x02INNER_MULTI_DISPATCH\x01%LMQ%a,%LMQ%a\x02'
  const first = store.append(message({ properties: Buffer.from(properties) })).physicalOffset
  const text = (await store.queries.recordAt(first))!.toString('latin1')
  expect(text.match(/INNER_MULTI_QUEUE_OFFSET\x01[^\x02]*/g)).toEqual(['INNER_MULTI_QUEUE_OFFSET\x010,0'])
  store.append(named('%LMQ%a'))
  expect((await store.queries.units('%LMQ%a', 0, 0, 9)).map(unit => unit.queueOffset)).toEqual([0, 1])
})

test('topics of the system, batches and half messages take no part', async () => {
  const store = await opened()
  for (const topic of ['%RETRY%g', 'rmq_sys_x', 'SCHEDULE_TOPIC_XXXX']) store.append(named('%LMQ%a', { topic }))
  const element = { body: Buffer.from('x'), flag: 0, properties: new Map([['INNER_MULTI_DISPATCH', '%LMQ%a']]) }
  store.appendBatch(message({ body: encodeBatch([element]), properties: '' }))
  store.append(named('%LMQ%a', { sysFlag: MessageSysFlag.TRANSACTION_PREPARED_TYPE }))
  expect(store.maxOffset('%LMQ%a', 0)).toBe(0)
  store.append(named('%LMQ%a', { sysFlag: MessageSysFlag.TRANSACTION_COMMIT_TYPE }))
  expect(store.maxOffset('%LMQ%a', 0)).toBe(1)
})

test('both keys are needed: with one alone a message is in its own queue only', async () => {
  for (const settings of [{ enableLmq: false }, { enableMultiDispatch: false }]) {
    const store = await opened({ settings })
    const forged = `TAGS\x01t\x02INNER_MULTI_DISPATCH\x01%LMQ%a\x02INNER_MULTI_QUEUE_OFFSET\x01500000\x02`
    expect(store.append(message({ properties: forged })).status).toBe('PUT_OK')
    expect(store.maxOffset('%LMQ%a', 0)).toBe(0)
    // and not when the queues are built again, either
    const copy = image(store)
    const again = await opened({ rootDir: copy, settings })
    expect([again.maxOffset('TopicA', 0), again.maxOffset('%LMQ%a', 0)]).toEqual([1, 0])
  }
})

test('names that can be no folder, sizes beyond the limits and too many queues are refused', async () => {
  const store = await opened({ settings: { maxLmqConsumeQueueNum: 3, maxMessageSize: 1000 } })
  const statusOf = (names: string, more: Partial<MessageToStore> = {}): string =>
    store.append(named(names, more)).status
  expect(statusOf(`%LMQ%${'x'.repeat(251)}`)).toBe('MESSAGE_ILLEGAL')
  expect(statusOf('%LMQ%a/../../b')).toBe('PUT_OK')
  expect([...store.queues.topics.keys()]).toEqual(['TopicA'])
  expect(statusOf('%LMQ%a', { body: Buffer.alloc(900) })).toBe('MESSAGE_ILLEGAL')
  expect(store.append(message({ body: Buffer.alloc(900) })).status).toBe('PUT_OK')
  expect(statusOf('%LMQ%a,%LMQ%b')).toBe('PUT_OK')
  expect(statusOf('%LMQ%c,%LMQ%d')).toBe('LMQ_CONSUME_QUEUE_NUM_EXCEEDED')
  expect(statusOf('%LMQ%a,%LMQ%c')).toBe('PUT_OK')
  expect(statusOf('%LMQ%d')).toBe('LMQ_CONSUME_QUEUE_NUM_EXCEEDED')
  await store.deleteTopic('%LMQ%a')
  expect(statusOf('%LMQ%d')).toBe('PUT_OK')
  // what was refused has taken no number
  expect(['%LMQ%b', '%LMQ%c', '%LMQ%d'].map(name => store.maxOffset(name, 0))).toEqual([1, 1, 1])
})

test('a consumer of a light queue gets its messages, warm and from the disk', async () => {
  const warm = await opened()
  fill(warm, 0, 50)
  expect(await pulled(warm, '%LMQ%all')).toEqual(bodies(0, 50))
  expect(await pulled(warm, '%LMQ%even')).toEqual(bodies(0, 50, 2))
  await warm.shutdown()
  const cold = await opened({ rootDir: warm.folders.root, settings: { accessMessageInMemoryMaxRatio: 0 } })
  expect(await pulled(cold, '%LMQ%even')).toEqual(bodies(0, 50, 2))
  expect(cold.recovery?.damages).toEqual([])
  fill(cold, 50, 60)
  expect(await pulled(cold, '%LMQ%even')).toEqual(bodies(0, 60, 2))
})

test('after a kill light queues are whole again, and numbers go on', async () => {
  const store = await opened({ settings: { mappedFileSizeCommitLog: 4096 } })
  fill(store, 0, 60)
  await store.queues.flush()
  fill(store, 60, 100)
  const again = await opened({ rootDir: image(store), settings: { mappedFileSizeCommitLog: 4096 } })
  expect(again.recovery?.damages).toEqual([])
  fill(again, 100, 110)
  expect(await pulled(again, '%LMQ%all')).toEqual(bodies(0, 110))
  expect(await pulled(again, '%LMQ%even')).toEqual(bodies(0, 110, 2))
})

test('lost files of a light queue are built again from the log, with the keys off as well', async () => {
  const store = await opened()
  fill(store, 0, 40)
  await store.shutdown()
  const folder = join(store.folders.root, 'consumequeue/%LMQ%even')
  rmSync(folder, { recursive: true })
  const again = await opened({ rootDir: store.folders.root })
  expect(await pulled(again, '%LMQ%even')).toEqual(bodies(0, 40, 2))
  await again.shutdown()
  writeFileSync(join(folder, '0/00000000000000000000'), Buffer.alloc(2000))
  const off = await opened({ rootDir: store.folders.root, settings: { enableLmq: false } })
  expect(await pulled(off, '%LMQ%even')).toEqual(bodies(0, 40, 2))
})

test('a damaged unit of a light queue is put right from the log', async () => {
  const store = await opened()
  fill(store, 0, 20)
  await store.shutdown()
  const path = join(store.folders.root, 'consumequeue/%LMQ%even/0/00000000000000000000')
  const file = readFileSync(path)
  file.writeInt32BE(7, 4 * 20 + 8)
  writeFileSync(path, file)
  const again = await opened({ rootDir: store.folders.root })
  expect(await pulled(again, '%LMQ%even')).toEqual(bodies(0, 20, 2))
  expect(again.damage.total).toBe(1)
})

test('a damaged number in a record keeps neither its neighbours nor itself from being read', async () => {
  const store = await opened()
  fill(store, 0, 20)
  const { physicalOffset } = (await store.queries.unitAt('TopicA', 1, 3))!
  await store.shutdown()
  const log = join(store.folders.root, 'commitlog/00000000000000000000')
  const bytes = readFileSync(log)
  const at = bytes.indexOf('INNER_MULTI_QUEUE_OFFSET', physicalOffset) + 25
  // b10 has the numbers 10 and 5
  expect(bytes.toString('utf8', at, at + 4)).toBe('10,5')
  bytes.write('90,5', at)
  writeFileSync(log, bytes)
  rmSync(join(store.folders.root, 'consumequeue'), { recursive: true })
  const again = await opened({ rootDir: store.folders.root })
  expect(await pulled(again, '%LMQ%even')).toEqual(bodies(0, 20, 2))
  expect(await pulled(again, '%LMQ%all')).toEqual(bodies(0, 20).filter(body => body !== 'b10'))
  expect(again.maxOffset('%LMQ%all', 0)).toBe(20)
})

test('a message that waits for its flush while its topic is deleted is in its light queue all the same', async () => {
  const store = await opened({ settings: { flushDiskType: 'SYNC_FLUSH' } })
  const { endOffset } = store.append(named('%LMQ%a', { body: Buffer.from('waiting') }))
  await store.deleteTopic('TopicA')
  expect(await store.whenDurable(endOffset)).toBe('PUT_OK')
  const next = store.append(named('%LMQ%a', { topic: 'TopicB', body: Buffer.from('next') }))
  expect(await store.whenDurable(next.endOffset)).toBe('PUT_OK')
  expect(await pulled(store, '%LMQ%a')).toEqual(['waiting', 'next'])
})
