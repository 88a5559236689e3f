import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeMessages, encodeBatch, MessageSysFlag, openMessages } from '../../../src/common/index.js'
import type { MessageStore, MessageToStore } from '../../../src/store/index.js'
import { createStore, message, scratchFolder } from '../../support/store.js'

const isBatchQueue = (topic: string): boolean => topic === 'BatchTopic'

async function opened(rootDir: string): Promise<MessageStore> {
  const store = createStore({ rootDir, isBatchQueue, settings: { mappedFileSizeCommitLog: 8192 } })
  await store.start()
  return store
}

/** `count` messages as one record, as the broker makes it of a batch for such a topic. */
function batch(first: number, count: number): MessageToStore {
  const elements = Array.from({ length: count }, (_, i) => ({
    flag: 0,
    body: Buffer.from(`m${first + i}`),
    properties: new Map([['UNIQ_KEY', `u${first + i}`]]),
  }))
  return message({
    topic: 'BatchTopic',
    sysFlag: MessageSysFlag.INNER_BATCH | MessageSysFlag.NEED_UNWRAP,
    body: encodeBatch(elements),
    properties: `UNIQ_KEY\x01b${first}\x02INNER_NUM\x01${count}\x02`,
  })
}

async function fill(store: MessageStore): Promise<void> {
  for (let next = 0, i = 0; i < 60; i++) {
    const count = (i % 4) + 1
    const result = store.append(
      i % 5 === 4 ? message({ topic: 'BatchTopic', body: Buffer.from(`m${next}`) }) : batch(next, count),
    )
    expect(result).toMatchObject({ status: 'PUT_OK', queueOffset: next, messageCount: i % 5 === 4 ? 1 : count })
    next += result.messageCount
  }
  await store.queues.writeOut()
}

async function bodiesFrom(store: MessageStore, offset: number): Promise<string[]> {
  const bodies: string[] = []
  for (let at = offset; ; ) {
    const found = (await store.getMessage({ group: 'g', topic: 'BatchTopic', queueId: 0, offset: at, maxMsgNums: 32 }))!
    const opened = await openMessages(found.slices.flatMap(slice => decodeMessages(Buffer.from(slice))))
    found.release()
    bodies.push(...opened.filter(one => one.queueOffset >= at).map(one => one.body!.toString()))
    if (found.status !== 'FOUND') return bodies
    at = found.nextBeginOffset
  }
}

const total = 132
const expected = (from: number): string[] => Array.from({ length: total - from }, (_, i) => `m${from + i}`)

test('batches are stored undivided and read from any of their messages on', async () => {
  const store = await opened(scratchFolder())
  await fill(store)
  expect([store.minOffset('BatchTopic', 0), store.maxOffset('BatchTopic', 0)]).toEqual([0, total])
  for (let from = 0; from < total; from++) expect(await bodiesFrom(store, from)).toEqual(expected(from))
  const units = await store.queries.units('BatchTopic', 0, 10, 20)
  expect(units[0]!.queueOffset).toBeLessThanOrEqual(10)
  expect(units.at(-1)!.queueOffset).toBeLessThan(30)
  await store.shutdown()
})

test('units have the bytes of the format', async () => {
  const rootDir = scratchFolder()
  const store = await opened(rootDir)
  const first = store.append(batch(0, 3))
  const firstSize = first.wroteBytes
  const second = store.append(batch(3, 3))
  const { physicalOffset, wroteBytes, storeTimestamp } = second
  await store.shutdown()
  expect(physicalOffset).toBe(firstSize)
  const bytes = readFileSync(join(rootDir, 'batchconsumequeue/BatchTopic/0/00000000000000000000'))
  expect(bytes.length).toBe(4600)
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
  expect(bytes.subarray(46, 92).toString('hex')).toBe(
    `${hex(physicalOffset, 16)}${hex(wroteBytes, 8)}${hex(0, 16)}${hex(storeTimestamp, 16)}00000000000000030003ffffffff00000000`,
  )
})

test('queues of batches come back after a stop, a kill, and the loss of their folder', async () => {
  const rootDir = scratchFolder()
  const store = await opened(rootDir)
  await fill(store)
  const killed = join(scratchFolder(), 'image')
  cpSync(rootDir, killed, { recursive: true })
  await store.shutdown()
  const lost = join(scratchFolder(), 'image')
  cpSync(rootDir, lost, { recursive: true })
  rmSync(join(lost, 'batchconsumequeue'), { recursive: true })
  for (const root of [rootDir, killed, lost]) {
    const again = await opened(root)
    expect(again.maxOffset('BatchTopic', 0)).toBe(total)
    expect(await bodiesFrom(again, 0)).toEqual(expected(0))
    expect(again.append(batch(total, 2)).queueOffset).toBe(total)
    expect(again.maxOffset('BatchTopic', 0)).toBe(total + 2)
    await again.shutdown()
    expect(existsSync(join(root, 'consumequeue/BatchTopic'))).toBe(false)
  }
})

test('offsets by time, and cleaning, count messages and not batches', async () => {
  const store = await opened(scratchFolder())
  await fill(store)
  const { queries } = store
  expect(await queries.offsetByTimestamp('BatchTopic', 0, 0, 'LOWER')).toBe(0)
  expect(await queries.offsetByTimestamp('BatchTopic', 0, Date.now() + 1000, 'LOWER')).toBe(total)
  store.log.files.deleteFirst()
  await store.retention.run()
  const min = store.minOffset('BatchTopic', 0)
  expect(min).toBeGreaterThan(0)
  expect(await bodiesFrom(store, min)).toEqual(expected(min))
  await store.shutdown()
})

test('a batch for another topic, or one that does not say its size, is refused', async () => {
  const store = await opened(scratchFolder())
  expect(store.append({ ...batch(0, 2), topic: 'TopicA' }).status).toBe('MESSAGE_ILLEGAL')
  expect(store.append({ ...batch(0, 2), properties: '' }).status).toBe('MESSAGE_ILLEGAL')
  expect(store.append({ ...batch(0, 2), sysFlag: 0 }).status).toBe('MESSAGE_ILLEGAL')
  expect(store.append(batch(0, 2))).toMatchObject({ status: 'PUT_OK', queueOffset: 0 })
  await store.shutdown()
})
