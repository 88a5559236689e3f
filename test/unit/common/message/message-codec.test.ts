import { describe, expect, test } from 'vitest'
import {
  BadBatchError,
  BadRecordError,
  bodyLengthPosition,
  compressBody,
  countBatch,
  decodeBatch,
  decodeMessage,
  decodeMessages,
  decompressBody,
  encodeBatch,
  isSealed,
  locateRecord,
  MessageSysFlag,
  openMessages,
  recordLength,
  withCompression,
} from '../../../../src/common/index.js'
import { makeRecord } from '../../../support/record.js'

/** The worked example of the store's description. */
const example = Buffer.from(
  '0000008ddaa320a73610a68600000001000000000000000000000007000000000000100000000000' +
    '0000018bcfe568000a0000010000d4310000018bcfe5687bc0a8010a00002a9f00000000' +
    '00000000000000000000000568656c6c6f06546f70696341' +
    '00275441475301546167410' +
    '24b455953016b31206b3202554e49515f4b455901304130303030303102',
  'hex',
)

describe('records', () => {
  test('the worked example', () => {
    expect(makeRecord().toString('hex')).toBe(example.toString('hex'))
    expect(decodeMessage(example)).toEqual({
      topic: 'TopicA',
      flag: 0,
      body: Buffer.from('hello'),
      properties: new Map([
        ['TAGS', 'TagA'],
        ['KEYS', 'k1 k2'],
        ['UNIQ_KEY', '0A000001'],
      ]),
      queueId: 1,
      storeSize: 141,
      queueOffset: 7,
      commitLogOffset: 4096,
      sysFlag: 0,
      bornTimestamp: 1_700_000_000_000,
      bornHost: { host: '10.0.0.1', port: 54321 },
      storeTimestamp: 1_700_000_000_123,
      storeHost: { host: '192.168.1.10', port: 10911 },
      bodyCrc: 0x3610a686,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      offsetMsgId: 'C0A8010A00002A9F0000000000001000',
    })
  })

  test('IPv6 hosts shift what follows', () => {
    const hosts = { bornHost: { host: '2001:db8::1', port: 1 }, storeHost: { host: '::1', port: 2 } }
    const message = decodeMessage(makeRecord({ ...hosts, reconsumeTimes: 3, preparedTransactionOffset: 99 }))
    expect(message).toMatchObject({
      bornHost: { host: '2001:db8:0:0:0:0:0:1', port: 1 },
      storeHost: { host: '0:0:0:0:0:0:0:1', port: 2 },
      sysFlag: MessageSysFlag.BORNHOST_V6 | MessageSysFlag.STOREHOSTADDRESS_V6,
      storeTimestamp: 1_700_000_000_123,
      reconsumeTimes: 3,
      preparedTransactionOffset: 99,
      topic: 'TopicA',
      offsetMsgId: '00000000000000000000000000000001000000020000000000001000',
    })
  })

  test('version 2 has room for a long topic', () => {
    const topic = `%RETRY%${'g'.repeat(200)}`
    const record = makeRecord({ topic }, 2)
    expect(decodeMessage(record).topic).toBe(topic)
    const parts = { sysFlag: 0, magic: record.readInt32BE(4), bodyLength: 5, topicLength: 207, propertiesLength: 39 }
    expect(recordLength(parts)).toBe(record.length)
  })

  test('many in one buffer; without bodies when asked', () => {
    const buffer = Buffer.concat([makeRecord(), makeRecord({ queueOffset: 8, body: Buffer.alloc(0) }), makeRecord()])
    expect(decodeMessages(buffer).map(m => m.queueOffset)).toEqual([7, 8, 7])
    expect(decodeMessages(buffer, { readBody: false }).map(m => m.body.length)).toEqual([0, 0, 0])
    expect(decodeMessages(Buffer.alloc(0))).toEqual([])
  })

  test.each<[string, (record: Buffer) => void]>([
    ['magic', record => record.writeInt32BE(0, 4)],
    ['size', record => record.writeInt32BE(142, 0)],
    ['size', record => record.writeInt32BE(-1, 0)],
    ['parts end', record => record.writeInt16BE(38, 100)],
    ['properties', record => record.writeInt16BE(40, 100)],
    ['properties', record => record.writeInt16BE(-1, 100)],
    ['topic', record => record.writeInt8(-1, 93)],
    ['topic', record => record.writeInt8(120, 93)],
    ['body', record => record.writeInt32BE(-5, bodyLengthPosition(0))],
    ['body', record => record.writeInt32BE(2 ** 31 - 1, bodyLengthPosition(0))],
  ])('a bad %s is noticed', (reason, spoil) => {
    const record = makeRecord()
    spoil(record)
    expect(() => locateRecord(record)).toThrow(BadRecordError)
    expect(() => locateRecord(record)).toThrow(reason)
  })

  test('a record cut anywhere is noticed', () => {
    for (let length = 0; length < example.length; length++) {
      expect(() => decodeMessage(example.subarray(0, length))).toThrow(BadRecordError)
    }
  })
})

describe('batches', () => {
  const elements = [
    { flag: 1, body: Buffer.from('a'), properties: new Map([['TAGS', 'x']]) },
    { flag: 0, body: Buffer.alloc(0), properties: new Map<string, string>() },
  ]

  test('element bytes, there and back', () => {
    const body = encodeBatch(elements)
    expect(body.toString('hex')).toBe(
      `0000001e${'00'.repeat(8)}00000001000000016100075441475301780200000016${'00'.repeat(18)}`,
    )
    expect(decodeBatch(body)).toEqual(elements)
    expect(countBatch(body)).toBe(2)
  })

  test('cut anywhere or with lengths that disagree: refused', () => {
    const body = encodeBatch(elements)
    const first = body.readInt32BE(0)
    for (let length = 1; length < body.length; length++) {
      if (length !== first) expect(() => decodeBatch(body.subarray(0, length))).toThrow(BadBatchError)
    }
    for (const [at, value] of [
      [0, 0],
      [0, -1],
      [16, -1],
      [16, 2 ** 31 - 1],
      [16, 9],
    ] as const) {
      const spoiled = Buffer.from(body)
      spoiled.writeInt32BE(value, at)
      expect(() => countBatch(spoiled)).toThrow(BadBatchError)
    }
  })

  test('properties too long for their length field are refused', () => {
    const properties = new Map([['a', 'x'.repeat(32_765)]])
    expect(() => encodeBatch([{ flag: 0, body: Buffer.alloc(0), properties }])).toThrow('more than 32767')
  })
})

describe('bodies', () => {
  const body = Buffer.from('compress me '.repeat(1000))

  test.each(['ZLIB', 'LZ4', 'ZSTD'] as const)('%s there and back', async type => {
    const packed = await compressBody(body, type)
    expect(packed.length).toBeLessThan(body.length / 4)
    const sysFlag = withCompression(0, type)
    const message = decodeMessage(makeRecord({ body: packed, sysFlag }))
    expect(isSealed(message)).toBe(true)
    const [opened] = await openMessages([message])
    expect(opened?.body.equals(body)).toBe(true)
    expect(opened?.sysFlag).toBe(sysFlag & ~MessageSysFlag.COMPRESSED)
  })

  test.each(['ZLIB', 'LZ4', 'ZSTD'] as const)('%s refuses garbage and what grows too large', async type => {
    await expect(decompressBody(Buffer.from('garbage, not packed'), type)).rejects.toMatchObject({
      code: 'ERR_BAD_COMPRESSED_BODY',
    })
    const bomb = await compressBody(Buffer.alloc(20_000_000), type)
    await expect(decompressBody(bomb, type, 1_000_000)).rejects.toMatchObject({ code: 'ERR_BAD_COMPRESSED_BODY' })
  })

  test('a compression type nobody defined', async () => {
    const message = decodeMessage(makeRecord({ sysFlag: MessageSysFlag.COMPRESSED | 0x700 }))
    await expect(openMessages([message])).rejects.toMatchObject({ code: 'ERR_UNKNOWN_COMPRESSION' })
  })

  test('an inner batch is taken apart, a body that is merely a batch is not', async () => {
    const inner = encodeBatch([
      { flag: 5, body: Buffer.from('a'), properties: new Map([['TAGS', 'x']]) },
      { flag: 6, body: Buffer.from('b'), properties: new Map() },
    ])
    const sysFlag = MessageSysFlag.NEED_UNWRAP | MessageSysFlag.INNER_BATCH
    const [wrapped, plain] = [
      decodeMessage(makeRecord({ body: inner, sysFlag })),
      decodeMessage(makeRecord({ body: inner })),
    ]
    const opened = await openMessages([wrapped, plain])
    expect(opened.map(m => [m.queueOffset, m.flag, m.body.length, m.commitLogOffset])).toEqual([
      [7, 5, 1, 4096],
      [8, 6, 1, 4096],
      [7, 0, inner.length, 4096],
    ])
    expect(opened[0]).toMatchObject({ sysFlag, properties: new Map([['TAGS', 'x']]) })
  })
})
