import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  clusterInfoFromJson,
  decodeBatch,
  decodeMessages,
  decodeProperties,
  encodeBatch,
  FilterCompileError,
  heartbeatDataFromJson,
  type JsonValue,
  type MessageExt,
  openMessages,
  parseFastJson,
  readArray,
  readObject,
  SqlFilter,
  stringifyFastJson,
  subscriptionDataFromJson,
  subscriptionGroupConfigFromJson,
  topicConfigFromJson,
  topicRouteDataFromJson,
} from '../../src/common/index.js'
import { frameBody, type GoldenMeta, goldenFrames } from '../support/golden-frames.js'

interface Side {
  name: string
  meta: GoldenMeta
  isRequest: boolean
  bytes: Buffer
  json: unknown
  text: string | undefined
}

/** Every body on the wire, with what the recorder made of it. */
const sides: Side[] = goldenFrames().flatMap(({ name, bytes, response, meta }) => {
  const sent = { name: `${name}.req`, meta, isRequest: true, bytes: frameBody(bytes), ...meta.request.body }
  const answered = { name: `${name}.res`, meta, isRequest: false, bytes: frameBody(response ?? bytes), ...meta.response?.body }
  return [sent, ...(response === null ? [] : [answered])].map(({ json, text, ...side }): Side => ({ ...side, json, text }))
})

function bodiesOf(codeName: string, isRequest: boolean): Side[] {
  return sides.filter(side => side.meta.codeName === codeName && side.isRequest === isRequest && side.bytes.length > 0)
}

/** As JSON that can be compared: without references and without precision beyond doubles. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v)) ?? 'null')
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

test('the recorder and this test cut bodies at the same place', () => {
  for (const { bytes, response, meta } of goldenFrames()) {
    for (const [frame, body] of [[bytes, meta.request.body], [response, meta.response?.body]] as const) {
      if (frame && body) expect(sha256(frameBody(frame))).toBe(body.sha256)
    }
  }
})

describe('JSON bodies', () => {
  const jsonBodies = sides.filter(side => side.json !== undefined)
  const dialect = sides.filter(side => side.text !== undefined && /^[[{]/.test(side.text))

  test('standard ones read as the recorder read them', () => {
    expect(jsonBodies.length).toBeGreaterThan(150)
    for (const { name, bytes, json } of jsonBodies) {
      const expected = parseFastJson(JSON.stringify(json))
      expect(plain(parseFastJson(bytes)), name).toEqual(plain(expected))
    }
  })

  test('those in the dialect of fastjson are read', () => {
    expect(dialect.length).toBeGreaterThan(35)
    for (const { name, bytes } of dialect) {
      expect(() => JSON.parse(bytes.toString()), name).toThrow()
      expect(Object.keys(parseFastJson(bytes) as object).length, name).toBeGreaterThan(0)
    }
  })

  test('all mean the same after being written again', () => {
    for (const { name, bytes } of [...jsonBodies, ...dialect]) {
      const value = parseFastJson(bytes)
      for (const options of [{}, { pretty: true }, { ascii: true }]) {
        expect(plain(parseFastJson(stringifyFastJson(value, options))), name).toEqual(plain(value))
      }
    }
  })

  test.each<[string, boolean, (json: JsonValue) => unknown]>([
    ['HEART_BEAT', true, heartbeatDataFromJson],
    ['GET_ROUTEINFO_BY_TOPIC', false, topicRouteDataFromJson],
    ['GET_BROKER_CLUSTER_INFO', false, clusterInfoFromJson],
    ['UPDATE_AND_CREATE_SUBSCRIPTIONGROUP', true, subscriptionGroupConfigFromJson],
  ])('%s: nothing is lost through our types', (codeName, isRequest, read) => {
    const bodies = bodiesOf(codeName, isRequest)
    expect(bodies.length).toBeGreaterThan(0)
    for (const { name, bytes } of bodies) {
      const json = parseFastJson(bytes)
      // releases before 5.0 have fewer members: what they do have stays
      expect(plain(parseFastJson(stringifyFastJson(read(json)))), name).toMatchObject(plain(json) as object)
    }
  })

  test.each<[string, string, (json: JsonValue) => unknown]>([
    ['GET_ALL_TOPIC_CONFIG', 'topicConfigTable', topicConfigFromJson],
    ['GET_ALL_SUBSCRIPTIONGROUP_CONFIG', 'subscriptionGroupTable', subscriptionGroupConfigFromJson],
  ])('%s: no entry of %s loses anything', (codeName, table, read) => {
    let count = 0
    for (const { bytes } of bodiesOf(codeName, false)) {
      for (const entry of Object.values(readObject(readObject(parseFastJson(bytes))[table]))) {
        expect(plain(parseFastJson(stringifyFastJson(read(entry))))).toEqual(plain(entry))
        count++
      }
    }
    expect(count).toBeGreaterThan(10)
  })
})

test('SQL92: what the Java broker says to an expression, we say', () => {
  const answers = new Set<number>()
  for (const { meta } of bodiesOf('CHECK_CLIENT_CONFIG', true)) {
    const body = readObject(meta.request.body?.json as JsonValue)
    const { subString } = subscriptionDataFromJson(body.subscriptionData)
    const header = meta.response!.header
    answers.add(header.code)
    if (header.code === 0) {
      expect(() => new SqlFilter(subString)).not.toThrow()
      continue
    }
    let message = ''
    try {
      new SqlFilter(subString)
    } catch (error) {
      if (error instanceof FilterCompileError) message = error.message
    }
    expect(message).toBe(header.remark)
  }
  expect([...answers].sort()).toEqual([0, 23])
})

describe('message bodies', () => {
  const delivering = ['PULL_MESSAGE', 'LITE_PULL_MESSAGE', 'QUERY_MESSAGE', 'VIEW_MESSAGE_BY_ID', 'POP_MESSAGE', 'PEEK_MESSAGE']
  const carrying = ['CHECK_TRANSACTION_STATE', 'CONSUME_MESSAGE_DIRECTLY']
  const delivered = [...delivering.flatMap(name => bodiesOf(name, false)), ...carrying.flatMap(name => bodiesOf(name, true))]

  /** The properties string of a send request; V2 headers call it `i`. */
  function sentProperties(meta: GoldenMeta): Map<string, string> {
    const fields = meta.request.header.extFields ?? {}
    return decodeProperties((meta.codeName === 'SEND_MESSAGE' ? fields.properties : fields.i) ?? '')
  }

  const sent = new Map(
    ['SEND_MESSAGE', 'SEND_MESSAGE_V2']
      .flatMap(name => bodiesOf(name, true))
      .map(side => [sentProperties(side.meta).get('UNIQ_KEY'), side]),
  )

  test('records decode to the end, each body has its CRC', () => {
    expect(delivered.length).toBeGreaterThan(35)
    for (const { name, bytes, meta } of delivered) {
      const messages = decodeMessages(bytes)
      expect(messages.reduce((sum, message) => sum + message.storeSize, 0), name).toBe(bytes.length)
      for (const message of messages) expect(crc32(message.body) & 0x7fffffff, name).toBe(message.bodyCrc)
      if (meta.codeName === 'PULL_MESSAGE') expectPulled(meta, messages)
    }
  })

  function expectPulled(meta: GoldenMeta, messages: MessageExt[]): void {
    const asked = meta.request.header.extFields ?? {}
    const answered = meta.response?.header.extFields ?? {}
    for (const message of messages) {
      expect(message).toMatchObject({ topic: asked.topic, queueId: Number(asked.queueId) })
      expect(message.queueOffset).toBeGreaterThanOrEqual(Number(asked.queueOffset))
      expect(message.queueOffset).toBeLessThan(Number(answered.nextBeginOffset))
    }
  }

  test('what arrives is what was sent', async () => {
    let compared = 0
    for (const { name, bytes } of delivered) {
      for (const message of decodeMessages(bytes)) {
        const source = sent.get(message.properties.get('UNIQ_KEY'))
        if (source === undefined) continue
        expect(message.body.equals(source.bytes), name).toBe(true)
        for (const [key, value] of sentProperties(source.meta)) {
          if (['TAGS', 'KEYS', 'color', 'a', 'region'].includes(key)) expect(message.properties.get(key)).toBe(value)
        }
        const fields = source.meta.response?.header.extFields
        // a transaction or a delay delivers another record than the one that was sent
        const isFirstRecord = !['TRAN_MSG', 'DELAY', 'REAL_TOPIC'].some(key => message.properties.has(key))
        if (isFirstRecord && fields?.msgId && message.topic === (source.meta.request.header.extFields?.b ?? '')) {
          expect(message.offsetMsgId).toBe(fields.msgId)
          expect(message.queueOffset).toBe(Number(fields.queueOffset))
        }
        expect((await openMessages([message])).length).toBe(1)
        compared++
      }
    }
    expect(compared).toBeGreaterThan(10)
  })

  test('batches of 5.3.3 are written again byte for byte, those of 4.9.7 but for the last separator', () => {
    const batches = bodiesOf('SEND_BATCH_MESSAGE', true)
    expect(new Set(batches.map(side => side.meta.senderVersion)).size).toBe(2)
    for (const { bytes, meta } of batches) {
      const elements = decodeBatch(bytes)
      expect(elements.length).toBeGreaterThan(1)
      const again = encodeBatch(elements)
      if (meta.senderVersion === '5.3.3') expect(again).toEqual(bytes)
      else expect(again.length).toBe(bytes.length + elements.length)
    }
  })

  test('subscriptions of heartbeats hash their tags as Java does', () => {
    let tags = 0
    for (const { bytes } of bodiesOf('HEART_BEAT', true)) {
      for (const consumer of readArray(readObject(parseFastJson(bytes)).consumerDataSet)) {
        for (const json of readArray(readObject(consumer).subscriptionDataSet)) {
          const data = subscriptionDataFromJson(json)
          tags += data.tagsSet.size
          expect(data.codeSet.size).toBe(data.tagsSet.size)
        }
      }
    }
    expect(tags).toBeGreaterThan(0)
  })
})
