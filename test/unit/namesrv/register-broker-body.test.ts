import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { decodeRegisterBrokerBody } from '../../../src/namesrv/register-broker-body.js'

const dataVersion = { counter: 3, stateVersion: 0, timestamp: 1_700_000_000_000 }
const topicA = {
  topicName: 'TopicA',
  readQueueNums: 8,
  writeQueueNums: 4,
  perm: 6,
  topicFilterType: 'SINGLE_TAG',
  topicSysFlag: 1,
  order: true,
  attributes: { '+message.type': 'NORMAL' },
}
const mapping =
  '{"bname":"broker-a","currIdMap":{0:0,1:5},"dirty":false,"epoch":100,"scope":"__global__","topic":"TopicS","totalQueues":8}'

const sized = (text: string): Buffer => Buffer.concat([int(Buffer.byteLength(text)), Buffer.from(text)])
function int(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const packedParts = [
  sized(JSON.stringify(dataVersion)),
  int(2),
  sized('TopicA 8 4 6 SINGLE_TAG {"+message.type":"NORMAL"}'),
  sized('主题 1 1 4 MULTI_TAG {}'),
  sized('["filter:1"]'),
]
const packed = (...parts: Buffer[]) => deflateSync(Buffer.concat(parts), { level: 9 })

describe('JSON form', () => {
  test('topics, mappings and filter servers', async () => {
    const json = `{"filterServerList":["f:1"],"topicConfigSerializeWrapper":{"dataVersion":${JSON.stringify(dataVersion)},"mappingDataVersion":{"$ref":"$.topicConfigSerializeWrapper.dataVersion"},"topicConfigTable":{"TopicA":${JSON.stringify(topicA)}},"topicQueueMappingInfoMap":{"TopicS":${mapping}}}}`
    const { topics, filterServerList } = await decodeRegisterBrokerBody(Buffer.from(json), {
      version: 479,
      compressed: false,
    })
    expect(filterServerList).toEqual(['f:1'])
    expect(topics.dataVersion).toEqual(dataVersion)
    expect(topics.topicConfigTable).toEqual(
      new Map([['TopicA', { ...topicA, attributes: new Map([['+message.type', 'NORMAL']]) }]]),
    )
    const ids = topics.topicQueueMappingInfoMap.get('TopicS')?.currIdMap
    expect(ids).toEqual(
      new Map([
        [0, 0],
        [1, 5],
      ]),
    )
  })

  test('before 3.0.11 the topics are all there is', async () => {
    const json = JSON.stringify({ dataVersion, topicConfigTable: { TopicA: topicA } })
    const body = await decodeRegisterBrokerBody(Buffer.from(json), { version: 36, compressed: false })
    expect(body.filterServerList).toBeUndefined()
    expect([...body.topics.topicConfigTable.keys()]).toEqual(['TopicA'])
    const misread = await decodeRegisterBrokerBody(Buffer.from(json), { version: 37, compressed: false })
    expect(misread.topics.topicConfigTable.size).toBe(0)
  })

  test.each([36, 479])('no body stands for no topics (version %i)', async version => {
    const body = await decodeRegisterBrokerBody(Buffer.alloc(0), { version, compressed: false })
    expect(body.topics).toEqual({
      dataVersion: { counter: 0, stateVersion: 0, timestamp: 0 },
      topicConfigTable: new Map(),
      topicQueueMappingInfoMap: new Map(),
    })
    expect(body.filterServerList).toEqual(version === 36 ? undefined : [])
  })

  test.each(['[]', '"text"', '{"topicConfigSerializeWrapper":', 'null'])('%s is refused', text => {
    expect(() => decodeRegisterBrokerBody(Buffer.from(text), { version: 479, compressed: false })).toThrow()
  })
})

describe('packed form', () => {
  test('topics and filter servers, and from 5.0 on mappings', async () => {
    const body = await decodeRegisterBrokerBody(packed(...packedParts, int(1), sized(mapping)), {
      version: 413,
      compressed: true,
    })
    expect(body.filterServerList).toEqual(['filter:1'])
    expect(body.topics.dataVersion).toEqual(dataVersion)
    expect(body.topics.topicConfigTable.get('TopicA')).toEqual({
      ...topicA,
      attributes: new Map([['+message.type', 'NORMAL']]),
      order: false,
      topicSysFlag: 0,
    })
    expect(body.topics.topicConfigTable.get('主题')).toMatchObject({
      readQueueNums: 1,
      perm: 4,
      topicFilterType: 'MULTI_TAG',
    })
    expect(body.topics.topicQueueMappingInfoMap.get('TopicS')?.totalQueues).toBe(8)

    const old = await decodeRegisterBrokerBody(packed(...packedParts), { version: 412, compressed: true })
    expect(old.topics.topicConfigTable.size).toBe(2)
    expect(old.topics.topicQueueMappingInfoMap.size).toBe(0)
  })

  test('cut or damaged bodies are refused, whatever is cut', async () => {
    const whole = Buffer.concat([...packedParts, int(0)])
    for (let end = 0; end < whole.length; end++) {
      const body = deflateSync(whole.subarray(0, end))
      await expect(async () => decodeRegisterBrokerBody(body, { version: 479, compressed: true })).rejects.toThrow()
    }
    const text = await Promise.resolve(
      decodeRegisterBrokerBody(Buffer.from('no zlib'), { version: 479, compressed: true }),
    ).catch(String)
    expect(text).toContain('cannot be unpacked')
  })

  test.each([
    ['a negative count', [sized('{}'), int(-1)]],
    ['a count beyond the body', [sized('{}'), int(1 << 30)]],
    ['a line that is no topic', [sized('{}'), int(1), sized('TopicA 8'), sized('[]'), int(0)]],
  ])('%s is refused', async (_what, parts) => {
    await expect(async () =>
      decodeRegisterBrokerBody(packed(...parts), { version: 479, compressed: true }),
    ).rejects.toThrow()
  })
})
