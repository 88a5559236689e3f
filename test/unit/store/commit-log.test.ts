import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { encodeBatch, encodeHostAddress, MessageSysFlag } from '../../../src/common/index.js'
import type { MessageStore, StoreSettings } from '../../../src/store/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { createStore, message } from '../../support/store.js'

async function started(settings: Partial<StoreSettings> = {}, storeHost?: Buffer): Promise<MessageStore> {
  const clock = new ManualClock(1_700_000_000_123)
  const store = createStore({ clock, settings, ...(storeHost && { storeHost }) })
  await store.start()
  onTestFinished(() => store.shutdown())
  return store
}

const text = (...lines: string[]): string => lines.join('').replaceAll(' ', '')

test('a record has the bytes of the worked example', async () => {
  const store = await started({}, encodeHostAddress({ host: '192.168.1.10', port: 10_911 }))
  for (let i = 0; i < 8; i++) {
    const properties = 'TAGS\x01TagA\x02KEYS\x01k1 k2\x02UNIQ_KEY\x010A000001\x02'
    expect(store.append(message({ queueId: 1, properties })).queueOffset).toBe(i)
  }
  const record = await store.queries.recordAt(7 * 141)
  expect(record?.toString('hex')).toBe(
    text(
      '0000008d daa320a7 3610a686 00000001 00000000 0000000000000007 00000000000003db 00000000',
      '0000018bcfe56800 0a0000010000d431 0000018bcfe5687b c0a8010a00002a9f 00000000 0000000000000000',
      '00000005 68656c6c6f 06 546f70696341 0027 5441475301546167410 2',
      '4b45595301 6b31206b32 02 554e49515f4b455901 3041303030303031 02',
    ),
  )
})

test('a record in memory is given without a copy, and only where one begins', async () => {
  const store = await started()
  store.append(message({}))
  const { physicalOffset, wroteBytes, endOffset } = store.append(message({}))
  const record = store.queries.recordInMemory(physicalOffset)!
  expect(record).toHaveLength(wroteBytes)
  expect(record).toEqual(await store.queries.recordAt(physicalOffset))
  expect(record.buffer).toBe(store.queries.recordInMemory(0)!.buffer)
  for (const at of [physicalOffset + 1, endOffset, -1, 0.5, 1e12]) {
    expect([at, store.queries.recordInMemory(at)]).toEqual([at, undefined])
  }
})

test('IPv6 hosts take 16 bytes and set their flags', async () => {
  const v6 = encodeHostAddress({ host: 'fe80::1', port: 1 })
  const store = await started({}, v6)
  const { physicalOffset, wroteBytes } = store.append(message({ bornHost: v6 }))
  const record = await store.queries.recordAt(physicalOffset)
  expect(record?.readInt32BE(36)).toBe(MessageSysFlag.BORNHOST_V6 | MessageSysFlag.STOREHOSTADDRESS_V6)
  expect(wroteBytes).toBe(91 + 24 + 'TopicA'.length + 'hello'.length)
})

test('a long retry topic makes a record of version 2', async () => {
  const store = await started()
  const topic = `%RETRY%${'g'.repeat(200)}`
  const { physicalOffset } = store.append(message({ topic }))
  const record = await store.queries.recordAt(physicalOffset)
  expect(record?.readInt32BE(4)).toBe(0xdaa320ab | 0)
  expect(store.maxOffset(topic, 0)).toBe(1)
})

test.each([
  ['a topic of 128 bytes', { topic: 't'.repeat(128) }, 'MESSAGE_ILLEGAL'],
  ['a retry topic of 256 bytes', { topic: `%RETRY%${'t'.repeat(249)}` }, 'MESSAGE_ILLEGAL'],
  ['a body over the limit', { body: Buffer.alloc(4 * 1024 * 1024 + 1) }, 'MESSAGE_ILLEGAL'],
  ['a message larger than a file', { body: Buffer.alloc(64 * 1024) }, 'MESSAGE_ILLEGAL'],
  ['properties of 32768 bytes', { properties: 'x'.repeat(32_768) }, 'PROPERTIES_SIZE_EXCEEDED'],
  ['properties of 32769 bytes in wide characters', { properties: '\u4e2d'.repeat(10_923) }, 'PROPERTIES_SIZE_EXCEEDED'],
])('%s is refused and changes nothing', async (_what, part, status) => {
  const store = await started()
  expect(store.append(message(part))).toMatchObject({ status, messageCount: 0 })
  expect(store.log.maxOffset).toBe(0)
  expect(store.append(message())).toMatchObject({ status: 'PUT_OK', queueOffset: 0 })
})

test('properties of 32767 bytes in wide characters are taken', async () => {
  const store = await started()
  expect(store.append(message({ properties: `${'\u4e2d'.repeat(10_922)}x` })).status).toBe('PUT_OK')
})

test('a record that leaves fewer than 8 bytes goes to the next file behind a blank record', async () => {
  const store = await started({ mappedFileSizeCommitLog: 4096 })
  const overhead = 91 + 'TopicA'.length
  store.append(message({ body: Buffer.alloc(3198 - overhead) }))
  // 898 bytes are left: one byte more than fits
  const second = store.append(message({ body: Buffer.alloc(891 - overhead) }))
  expect(second.physicalOffset).toBe(4096)
  await store.shutdown()
  const first = readFileSync(join(store.folders.commitLog[0]!, '00000000000000000000'))
  expect(first.subarray(3198, 3206).toString('hex')).toBe('00000382cbd43194')
})

test('a record that leaves exactly 8 bytes stays in the file', async () => {
  const store = await started({ mappedFileSizeCommitLog: 4096 })
  expect(store.append(message({ body: Buffer.alloc(4096 - 8 - 91 - 6) })).physicalOffset).toBe(0)
  expect(store.append(message()).physicalOffset).toBe(4096)
})

test('the elements of a batch become records, with the properties of the batch behind their own', async () => {
  const store = await started()
  const body = encodeBatch([
    { flag: 3, body: Buffer.from('b0'), properties: new Map([['TAGS', 'Tr']]) },
    { flag: 0, body: Buffer.from('b1'), properties: new Map() },
  ])
  const result = store.appendBatch(message({ body, properties: 'UNIQ_KEY\x01outer\x02', bornTimestamp: 5 }))
  expect(result).toMatchObject({ status: 'PUT_OK', messageCount: 2, queueOffset: 0 })
  const [first, second] = await Promise.all(result.physicalOffsets.map(at => store.queries.recordAt(at)))
  expect(first?.toString('latin1').endsWith('b0\x06TopicA\x00\x17TAGS\x01Tr\x02UNIQ_KEY\x01outer\x02')).toBe(true)
  expect(first?.readInt32BE(16)).toBe(3)
  expect(second?.toString('latin1')).toContain('b1\x06TopicA\x00\x0fUNIQ_KEY\x01outer\x02')
  expect(second?.readBigInt64BE(20)).toBe(1n)
  expect(store.append(message()).queueOffset).toBe(2)
})

test('a separator is put between the properties of an element and those of its batch', async () => {
  const store = await started()
  // size 25, magic 0, CRC 0, flag 0, no body, properties of 3 bytes: X 0x01 Y, without a last 0x02
  const body = Buffer.from('0000001900000000000000000000000000000000 0003580159'.replace(' ', ''), 'hex')
  const { physicalOffset, status } = store.appendBatch(message({ body, properties: 'A\x01B\x02' }))
  expect(status).toBe('PUT_OK')
  const record = await store.queries.recordAt(physicalOffset)
  expect(record?.toString('latin1').endsWith('\x00\x08X\x01Y\x02A\x01B\x02')).toBe(true)
})

test.each([
  ['nothing', Buffer.alloc(0)],
  ['half an element', encodeBatch([{ flag: 0, body: Buffer.from('x'), properties: new Map() }]).subarray(0, -1)],
  ['a negative size', Buffer.from('ffffffff00000000000000000000000000000000 0000'.replace(' ', ''), 'hex')],
])('a batch of %s is refused', async (_what, body) => {
  const store = await started()
  expect(store.appendBatch(message({ body })).status).toBe('MESSAGE_ILLEGAL')
  expect(store.log.maxOffset).toBe(0)
})

test('a batch never spans two files', async () => {
  const store = await started({ mappedFileSizeCommitLog: 4096 })
  store.append(message({ body: Buffer.alloc(3500) }))
  const body = encodeBatch(
    Array.from({ length: 5 }, () => ({ flag: 0, body: Buffer.alloc(30), properties: new Map() })),
  )
  const result = store.appendBatch(message({ body }))
  expect(result.physicalOffsets[0]).toBe(4096)
  expect(result.endOffset).toBe(4096 + result.wroteBytes)
})

test('a prepared transaction gets offset 0, no queue entry, and moves no counter', async () => {
  const store = await started()
  store.append(message())
  const prepared = store.append(message({ sysFlag: MessageSysFlag.TRANSACTION_PREPARED_TYPE }))
  expect(prepared.queueOffset).toBe(0)
  expect(store.maxOffset('TopicA', 0)).toBe(1)
  expect(store.append(message()).queueOffset).toBe(1)
})

test('with enabledAppendPropCRC a record ends with the CRC of the worked example', async () => {
  const store = await started({ enabledAppendPropCRC: true }, encodeHostAddress({ host: '192.168.1.10', port: 10_911 }))
  const properties = 'TAGS\x01TagA\x02__CRC32#\x01forged\x02'
  const { physicalOffset, wroteBytes } = store.append(message({ queueId: 1, properties }))
  expect(wroteBytes).toBe(132)
  const record = await store.queries.recordAt(physicalOffset)
  expect(record?.subarray(-32).toString('latin1')).toMatch(/^\x00\x1eTAGS\x01TagA\x02__CRC32#\x01\d{10}\x02$/)
})
