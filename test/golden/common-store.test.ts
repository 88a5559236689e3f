import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  bodyLengthPosition,
  decodeMessage,
  decompressMessage,
  hostAddressToString,
  isCompressed,
  MESSAGE_MAGIC_V2,
  type MessageExt,
  PropertyName,
  parseHostAddress,
  RecordPosition,
  recordLength,
} from '../../src/common/index.js'
import { type GoldenStoreName, goldenManifest, goldenStore } from '../support/golden.js'
import { makeRecord } from '../support/record.js'

interface ManifestMessage {
  physicalOffset: number
  size: number
  version: 1 | 2
  topic: string
  queueId: number
  queueOffset: number
  sysFlag: number
  flag: number
  bodyCrc: number
  bornTimestamp: number
  bornHost: string
  storeTimestamp: number
  storeHost: string
  reconsumeTimes: number
  preparedTransactionOffset: number
  offsetMsgId: string
  uniqueKey?: string
  tags?: string
  properties: Record<string, string>
  storedBodySha256: string
  bodySha256: string
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** The records of a store's commit log, by physical offset. */
function readRecords(name: GoldenStoreName): Map<number, Buffer> {
  const folder = join(goldenStore(name), 'commitlog')
  const files = readdirSync(folder).map(file => ({ start: Number(file), bytes: readFileSync(join(folder, file)) }))
  const { messages } = goldenManifest(name) as { messages: ManifestMessage[] }
  return new Map(
    messages.map(({ physicalOffset, size }) => {
      const { start, bytes } = files.find(f => f.start <= physicalOffset && physicalOffset < f.start + f.bytes.length)!
      return [physicalOffset, bytes.subarray(physicalOffset - start, physicalOffset - start + size)]
    }),
  )
}

/** IPv6 hosts of the manifest come in another spelling than ours. */
function sameHost(ours: MessageExt['bornHost'], theirs: string): void {
  const host = parseHostAddress(theirs)!
  const made = decodeMessage(makeRecord({ bornHost: host })).bornHost
  expect(hostAddressToString(ours)).toBe(hostAddressToString(made))
}

describe.each<GoldenStoreName>(['clean', 'crashed', 'rolled', 'trimmed'])('store %s', name => {
  const records = readRecords(name)
  const { messages } = goldenManifest(name) as { messages: ManifestMessage[] }

  test('every record decodes to what the manifest says', async () => {
    expect(messages.length).toBeGreaterThan(4)
    for (const expected of messages) {
      const message = decodeMessage(records.get(expected.physicalOffset)!)
      const { topic, queueId, queueOffset, sysFlag, flag, bodyCrc, bornTimestamp, storeTimestamp } = expected
      const { reconsumeTimes, preparedTransactionOffset, offsetMsgId, physicalOffset, size } = expected
      expect(message).toMatchObject({ topic, queueId, queueOffset, sysFlag, flag, bodyCrc, bornTimestamp, storeTimestamp })
      expect(message).toMatchObject({ reconsumeTimes, preparedTransactionOffset, offsetMsgId })
      expect(message).toMatchObject({ commitLogOffset: physicalOffset, storeSize: size })
      expect(Object.fromEntries(message.properties)).toEqual(expected.properties)
      expect(message.properties.get(PropertyName.UNIQ_KEY)).toBe(expected.uniqueKey ?? undefined)
      sameHost(message.bornHost, expected.bornHost)
      sameHost(message.storeHost, expected.storeHost)
      expect(sha256(message.body)).toBe(expected.storedBodySha256)
      expect(sha256((await decompressMessage(message)).body)).toBe(expected.bodySha256)
    }
  })

  test('the layout in the tests writes the same bytes, but for the order of properties', () => {
    for (const expected of messages) {
      const record = records.get(expected.physicalOffset)!
      const message = decodeMessage(record)
      const magic = record.readInt32BE(RecordPosition.MAGIC)
      expect(magic === MESSAGE_MAGIC_V2 ? 2 : 1).toBe(expected.version)
      const again = makeRecord(message, expected.version)
      const end = bodyLengthPosition(message.sysFlag) + 4 + message.body.length
      expect(again.subarray(4, end)).toEqual(record.subarray(4, end))
      const bodyLength = message.body.length
      const topicLength = Buffer.byteLength(message.topic)
      const without = recordLength({ sysFlag: message.sysFlag, magic, bodyLength, topicLength, propertiesLength: 0 })
      expect(record.readInt16BE(without - 2)).toBe(record.length - without)
    }
  })
})

test('bodies of all three compressions were among them', () => {
  const { messages } = goldenManifest('clean') as { messages: ManifestMessage[] }
  const types = messages.filter(message => isCompressed(message.sysFlag)).map(message => message.sysFlag & 0x700)
  expect([...new Set(types)].sort()).toEqual([0x100, 0x200, 0x300])
})
