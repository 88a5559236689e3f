import { crc32 } from 'node:zlib'
import {
  encodeHostAddress,
  encodeProperties,
  type HostAddress,
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  MessageSysFlag,
} from '../../src/common/index.js'

export interface RecordValues {
  topic: string
  body: Buffer
  properties: ReadonlyMap<string, string>
  queueId: number
  flag: number
  queueOffset: number
  commitLogOffset: number
  sysFlag: number
  bornTimestamp: number
  bornHost: HostAddress
  storeTimestamp: number
  storeHost: HostAddress
  reconsumeTimes: number
  preparedTransactionOffset: number
}

const usual: RecordValues = {
  topic: 'TopicA',
  body: Buffer.from('hello'),
  properties: new Map([
    ['TAGS', 'TagA'],
    ['KEYS', 'k1 k2'],
    ['UNIQ_KEY', '0A000001'],
  ]),
  queueId: 1,
  flag: 0,
  queueOffset: 7,
  commitLogOffset: 4096,
  sysFlag: 0,
  bornTimestamp: 1_700_000_000_000,
  bornHost: { host: '10.0.0.1', port: 54321 },
  storeTimestamp: 1_700_000_000_123,
  storeHost: { host: '192.168.1.10', port: 10911 },
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
}

/** A stored record written field by field, apart from the code under test; host flags follow the hosts. */
export function makeRecord(values: Partial<RecordValues> = {}, version: 1 | 2 = 1): Buffer {
  const v = { ...usual, ...values }
  const bornHost = encodeHostAddress(v.bornHost)
  const storeHost = encodeHostAddress(v.storeHost)
  const v6 =
    (bornHost.length === 20 ? MessageSysFlag.BORNHOST_V6 : 0) |
    (storeHost.length === 20 ? MessageSysFlag.STOREHOSTADDRESS_V6 : 0)
  const topic = Buffer.from(v.topic)
  const properties = Buffer.from(encodeProperties(v.properties))
  const rest = [
    i32(version === 1 ? MESSAGE_MAGIC_V1 : MESSAGE_MAGIC_V2),
    i32(crc32(v.body) & 0x7fffffff),
    i32(v.queueId),
    i32(v.flag),
    i64(v.queueOffset),
    i64(v.commitLogOffset),
    i32(v.sysFlag | v6),
    i64(v.bornTimestamp),
    bornHost,
    i64(v.storeTimestamp),
    storeHost,
    i32(v.reconsumeTimes),
    i64(v.preparedTransactionOffset),
    i32(v.body.length),
    v.body,
    version === 1 ? Buffer.of(topic.length) : i16(topic.length),
    topic,
    i16(properties.length),
    properties,
  ]
  const length = 4 + rest.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([i32(length), ...rest])
}

function i16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function i64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}
