import { afterEach, describe, expect, test } from 'vitest'
import { type JsonValue, parseFastJson, queueDataFromJson, readArray, readObject, readString, stringifyFastJson } from '../../src/common/index.js'
import type { RemotingCommand } from '../../src/remoting/index.js'
import { readProperties } from '../../src/util/index.js'
import { frameBody, type GoldenFrame, goldenFrames } from '../support/golden-frames.js'
import { startTestNamesrv, type TestNamesrv } from '../support/namesrv.js'
import { RawClient } from '../support/raw-client.js'

const ROUTE = 105
const DATA_VERSION = 322
const UPDATE_CONFIG = 318
const GET_CONFIG = 319
const namesrvCodes = new Set([
  100, 101, 102, 103, 104, ROUTE, 106, 205, 206, 216, 219, 224, 304, 311, 312, 313, UPDATE_CONFIG, GET_CONFIG, DATA_VERSION, 327, 901, 904,
])

/** The recordings were made in four sittings, each with a NameServer of its own. */
const sittings = ['', 'bin-', 'adm-', 'extra-'] as const
const sittingOf = ({ name }: GoldenFrame) => sittings.find(sitting => sitting !== '' && name.slice(4).startsWith(sitting)) ?? ''
const framesOf = (sitting: string) =>
  goldenFrames().filter(frame => namesrvCodes.has(frame.meta.code) && frame.response !== null && sittingOf(frame) === sitting)

let server: TestNamesrv
let client: RawClient
afterEach(async () => {
  client.close()
  await server.stop()
})

async function open(): Promise<void> {
  server = await startTestNamesrv()
  client = await RawClient.open(server.port)
}

/** Brings the server to where Java's was: background registrations were left out of the recording. */
async function catchUp({ meta, response }: GoldenFrame): Promise<void> {
  const body = parseFastJson(meta.response?.body?.json === undefined && meta.code !== ROUTE ? '' : frameBody(response!))
  if (meta.code === ROUTE && body !== null) {
    const queueDatas = readArray(readObject(body).queueDatas).map(queueDataFromJson)
    const topic = meta.request.header.extFields!.topic!
    await client.call({ code: 217, extFields: { topic }, body: stringifyFastJson({ queueDatas }) })
  }
  if (meta.code === DATA_VERSION && body !== null) {
    const { brokerName, clusterName, brokerAddr, brokerId } = meta.request.header.extFields!
    const extFields = { brokerName: brokerName!, clusterName: clusterName!, brokerAddr: brokerAddr!, brokerId: brokerId!, haServerAddr: 'h:1' }
    await client.call({ code: 103, extFields, body: stringifyFastJson({ topicConfigSerializeWrapper: { dataVersion: body } }) })
  }
}

/** Keys and kinds of values; elements of a list are one kind. */
function shape(value: JsonValue | undefined): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])]
  if (value === null || typeof value !== 'object') return typeof value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shape(item)]).sort())
}

function expectLikeJava(frame: GoldenFrame, answer: RemotingCommand): void {
  const { response, code } = frame.meta
  const { header, serializeType } = response!
  expect({ code: answer.code, opaque: answer.opaque, flag: answer.flag, version: answer.version }).toEqual({
    code: header.code,
    opaque: header.opaque,
    flag: 1,
    version: 479,
  })
  expect(answer.serializeType).toBe(serializeType === 'JSON' ? 0 : 1)
  // Java forgets to clear this one in answers of success
  expect(answer.remark).toBe(header.remark === 'not set any response code' ? undefined : header.remark)
  expect(Object.keys(answer.extFields ?? {}).sort()).toEqual(Object.keys(header.extFields ?? {}).sort())
  const expected = frameBody(frame.response!)
  if (code === ROUTE) expect(answer.body.toString()).toBe(expected.toString())
  else if (code === GET_CONFIG) {
    const keys = (text: Buffer) => [...readProperties(text.toString()).keys()].sort()
    expect(keys(answer.body).filter(key => key !== 'rocketmqHome')).toEqual(keys(expected).filter(key => key !== 'rocketmqHome'))
  } else expect(shape(parseFastJson(answer.body))).toEqual(shape(parseFastJson(expected)))
}

describe.each(sittings)('the recorded requests %s...', sitting => {
  test('are answered as Java did, one after the other', async () => {
    await open()
    const frames = framesOf(sitting)
    expect(frames.length).toBeGreaterThan(sitting === 'extra-' ? 1 : 10)
    for (const frame of frames) {
      await catchUp(frame)
      const answer = await client.exchange(frame.bytes)
      try {
        expectLikeJava(frame, answer)
      } catch (error) {
        throw new Error(`${frame.name}: ${(error as Error).message}`, { cause: error })
      }
    }
  })
})

test("a first registration gives the routes and lists that Java's gave", async () => {
  await open()
  const byName = (name: string) => goldenFrames().find(frame => frame.name === name)!
  const registration = byName('001-init-register-broker')
  expect((await client.exchange(registration.bytes)).code).toBe(0)
  const table = readObject(readObject(readObject(parseFastJson(frameBody(registration.bytes))).topicConfigSerializeWrapper).topicConfigTable)
  const listed = readObject(parseFastJson((await client.call({ code: 206 })).body)).topicList
  expect(readArray(listed).map(name => readString(name)).sort()).toEqual(Object.keys(table).sort())
  const info = await client.exchange(byName('002-init-get-broker-cluster-info').bytes)
  expect(parseFastJson(info.body)).toEqual(parseFastJson(frameBody(byName('002-init-get-broker-cluster-info').response!)))
  const template = await client.exchange(byName('022-send-auto-create-topic-get-routeinfo-by-topic').bytes)
  expect(template.body).toEqual(frameBody(byName('022-send-auto-create-topic-get-routeinfo-by-topic').response!))
})
