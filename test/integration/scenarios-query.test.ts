import { cpSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AdminClient, Producer } from '../../src/client/index.js'
import {
  decodeMessage,
  decodeMessages,
  decodeOffsetMessageId,
  RequestCode,
  ResponseCode,
  VersionMark,
} from '../../src/common/index.js'
import {
  Hold,
  NoHeader,
  ok,
  RemotingServer,
  type Reply,
  RequestPipeline,
  RouteTable,
  route,
} from '../../src/remoting/index.js'
import { silentLogger, systemClock } from '../../src/util/index.js'
import { eventually } from '../support/eventually.js'
import { startTestNamesrv } from '../support/namesrv.js'
import { RawClient } from '../support/raw-client.js'
import { scratchFolder } from '../support/store.js'
import { ScenarioBroker } from './scenarios-broker.js'

/** Queries, statistics, crash and shutdown (broker-behaviour 18, scenarios 101 to 105 and 125 to 127). */

const { QUERY_MESSAGE, SEARCH_OFFSET_BY_TIMESTAMP, GET_MAX_OFFSET } = RequestCode

async function start(): Promise<ScenarioBroker> {
  const broker = await ScenarioBroker.start()
  await broker.createTopic('T')
  return broker
}

async function bodiesByKey(broker: ScenarioBroker, key: string): Promise<string[]> {
  const fields = { topic: 'T', key, maxNum: 32, beginTimestamp: 0, endTimestamp: broker.clock.now() + 10_000 }
  const answer = await broker.call(QUERY_MESSAGE, fields)
  return answer.code === 0 ? decodeMessages(answer.body).map(message => message.body.toString()) : []
}

describe('query', () => {
  test('S101 each of the keys "k1 k2" finds the message, the whole text does not', async () => {
    const broker = await start()
    await broker.send({ body: 'keyed', properties: { KEYS: 'k1 k2' } })
    await broker.send({ body: 'other', properties: { KEYS: 'k3' } })
    expect(await bodiesByKey(broker, 'k1')).toEqual(['keyed'])
    expect(await bodiesByKey(broker, 'k2')).toEqual(['keyed'])
    expect(await bodiesByKey(broker, 'k1 k2')).toEqual([])
  })

  test('S102 of two keys with one hash 12 gives what it finds, the client only what was asked for', async () => {
    const nameServer = await startTestNamesrv()
    onTestFinished(() => nameServer.stop())
    const broker = await ScenarioBroker.start({ values: { namesrvAddr: nameServer.address } })
    await broker.createTopic('T')
    for (const KEYS of ['Aa', 'BB']) await broker.send({ body: KEYS, properties: { KEYS } })
    expect((await bodiesByKey(broker, 'Aa')).sort()).toEqual(['Aa', 'BB'])
    const admin = new AdminClient({ namesrvAddr: nameServer.address })
    onTestFinished(() => admin.stop())
    await admin.start()
    const wish = { topic: 'T', key: 'Aa', maxNum: 32, beginTimestamp: 0, endTimestamp: broker.clock.now() + 10_000 }
    expect((await admin.queryMessages(wish)).map(message => message.body.toString())).toEqual(['Aa'])
  })

  test('S103 the msgId of a delayed message shows the record that waits', async () => {
    const broker = await start()
    const { extFields } = await broker.send({ properties: { DELAY: '3' } })
    const { commitLogOffset } = decodeOffsetMessageId(extFields!.msgId!)
    const found = await broker.call(RequestCode.VIEW_MESSAGE_BY_ID, { offset: commitLogOffset })
    const waiting = decodeMessage(found.body)
    expect(waiting).toMatchObject({ topic: 'SCHEDULE_TOPIC_XXXX', queueId: 2 })
    expect(waiting.properties.get('REAL_TOPIC')).toBe('T')
  })

  test('S104 a time after the last message is the end, a time before all leads to the oldest message', async () => {
    const broker = await start()
    await broker.send()
    await broker.send()
    const at = (timestamp: number): Promise<number> => broker.offset(SEARCH_OFFSET_BY_TIMESTAMP, { timestamp })
    expect(await at(broker.clock.now() + 1)).toBe(await broker.offset(GET_MAX_OFFSET))
    expect(await at(1)).toBe(0)
    expect(await broker.messages({ queueOffset: 0 })).toHaveLength(2)
  })

  test('S105 of messages of one millisecond LOWER is the first, UPPER the last', async () => {
    const broker = await start()
    await broker.send()
    await broker.clock.advance(1000)
    for (let i = 0; i < 3; i++) await broker.send()
    const timestamp = broker.clock.now()
    await broker.clock.advance(1000)
    await broker.send()
    const by = (boundaryType: string): Promise<number> =>
      broker.offset(SEARCH_OFFSET_BY_TIMESTAMP, { timestamp, boundaryType })
    expect([await by('LOWER'), await by('UPPER')]).toEqual([1, 3])
  })
})

test('S125 consume stats of a group that is 100 behind: diff 100 and the time of the last message it has', async () => {
  const broker = await start()
  await broker.heartbeat('c', 'G', ['T'])
  await broker.send()
  const lastTime = broker.clock.now()
  await broker.clock.advance(5000)
  for (let i = 0; i < 100; i++) await broker.send()
  const offset = { consumerGroup: 'G', topic: 'T', queueId: 0, commitOffset: 1 }
  expect((await broker.call(RequestCode.UPDATE_CONSUMER_OFFSET, offset)).code).toBe(0)
  const answer = await broker.call(RequestCode.GET_CONSUME_STATS, { consumerGroup: 'G', topic: 'T' })
  const text = answer.body.toString()
  expect(text).toContain('"brokerOffset":101')
  expect(text).toContain('"consumerOffset":1')
  expect(text).toContain(`"lastTimestamp":${lastTime}`)
})

test('S126 a broker on copied files of one that runs goes on without gap, reuse or torn record', async () => {
  const values = { flushDiskType: 'SYNC_FLUSH' } as const
  const broker = await ScenarioBroker.start({ values })
  await broker.createTopic('T')
  let sent = 0
  let isRunning = true
  let acknowledged = 0
  const sending = (async () => {
    while (isRunning) {
      const { code, extFields } = await broker.send({ body: `m${sent++}` })
      expect(code).toBe(0)
      acknowledged = Number(extFields!.queueOffset) + 1
    }
  })()
  await eventually(() => acknowledged >= 50, 'some messages')
  const store = scratchFolder()
  const atCopy = acknowledged
  cpSync(broker.store, store, { recursive: true })
  isRunning = false
  await sending
  const again = await ScenarioBroker.start({ values, store })
  const max = await again.offset(GET_MAX_OFFSET)
  expect(max).toBeGreaterThanOrEqual(atCopy)
  const bodies: string[] = []
  while (bodies.length < max) {
    const found = await again.messages({ queueOffset: bodies.length })
    expect(found.length).toBeGreaterThan(0)
    for (const message of found) {
      expect(message.queueOffset).toBe(bodies.length)
      bodies.push(message.body.toString())
    }
  }
  expect(bodies).toEqual(Array.from({ length: max }, (_, i) => `m${i}`))
  expect((await again.send()).extFields).toMatchObject({ queueOffset: String(max) })
})

test('S127 while a broker shuts down new clients are sent away with 1500, old ones are served', async () => {
  const nameServer = new SlowNameServer()
  await nameServer.start()
  const broker = await ScenarioBroker.start({ values: { namesrvAddr: nameServer.address } })
  await broker.createTopic('T')
  const old = await RawClient.open(broker.port)
  onTestFinished(() => old.close())
  const stopping = broker.controller.stop()
  await eventually(() => nameServer.goodbyes.length === 1, 'the goodbye to the NameServer')
  expect((await broker.send()).code).toBe(ResponseCode.GO_AWAY)
  const extFields = { topic: 'T', queueId: '0' }
  expect((await old.call({ code: GET_MAX_OFFSET, version: VersionMark.V5_3_1, extFields })).code).toBe(0)
  nameServer.goodbyes[0]!.resolve(ok())
  await stopping
})

test('S127 enableShutdownGracefully: for shutdownWaitTimeSeconds new clients send to another broker', async () => {
  const namesrv = await startTestNamesrv()
  onTestFinished(() => namesrv.stop())
  const values = { namesrvAddr: namesrv.address, enableShutdownGracefully: true, shutdownWaitTimeSeconds: 40 }
  const leaving = await ScenarioBroker.start({ values })
  const staying = await ScenarioBroker.start({ values: { namesrvAddr: namesrv.address, brokerName: 'broker-b' } })
  for (const broker of [leaving, staying]) await broker.createTopic('T')
  const producer = new Producer({ group: 'P', namesrvAddr: namesrv.address })
  onTestFinished(() => producer.stop())
  await producer.start()
  const target = async () => (await producer.send({ topic: 'T', body: 'x' })).queue.brokerName
  expect(new Set([await target(), await target()])).toEqual(new Set(['broker-a', 'broker-b']))
  let isStopped = false
  const stopping = leaving.controller.stop().finally(() => {
    isStopped = true
  })
  const newcomer = await RawClient.open(leaving.port)
  onTestFinished(() => newcomer.close())
  const ask = async (version: number) =>
    (await newcomer.call({ code: GET_MAX_OFFSET, version, extFields: { topic: 'T', queueId: '0' } })).code
  await eventually(async () => (await ask(VersionMark.V5_3_1 + 1)) === ResponseCode.GO_AWAY)
  for (let i = 0; i < 4; i++) expect(await target()).toBe('broker-b')
  await leaving.clock.advance(39_999)
  expect(await ask(VersionMark.V5_3_1)).toBe(0)
  expect(isStopped).toBe(false)
  await leaving.clock.advance(1)
  await stopping
  await expect(RawClient.open(leaving.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

/** Lets brokers register, and answers their goodbye when the test says so. */
class SlowNameServer {
  readonly goodbyes: Hold[] = []
  private readonly server: RemotingServer

  constructor() {
    const answers: [code: number, handle: () => Reply | Hold][] = [
      [RequestCode.REGISTER_BROKER, () => ok()],
      [RequestCode.UNREGISTER_BROKER, () => this.hold()],
    ]
    const routes = answers.map(([code, handle]) =>
      route({ code, request: NoHeader, lane: 'admin', action: 'ANY', handle }),
    )
    const parts = { clock: systemClock, logger: silentLogger }
    const pipeline = new RequestPipeline({ ...parts, routes: new RouteTable(routes) })
    this.server = new RemotingServer({ ...parts, host: '127.0.0.1', port: 0, pipeline, portSetting: 'test' })
  }

  get address(): string {
    return `127.0.0.1:${this.server.port}`
  }

  async start(): Promise<void> {
    await this.server.start()
    onTestFinished(() => this.server.stop())
  }

  private hold(): Hold {
    const hold = new Hold()
    this.goodbyes.push(hold)
    return hold
  }
}
