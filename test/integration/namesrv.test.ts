import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { loadNamesrvSettings } from '../../src/config/index.js'
import {
  type ExtFields,
  NotifyMinBrokerIdChangeRequestHeader,
  ok,
  RegisterBrokerRequestHeader,
  RemotingClient,
  RemotingServer,
  RequestPipeline,
  RouteTable,
  route,
} from '../../src/remoting/index.js'
import { readProperties, silentLogger, systemClock } from '../../src/util/index.js'
import { eventually } from '../support/eventually.js'
import { ManualClock } from '../support/manual-clock.js'
import { startTestNamesrv, type TestNamesrv, type TestNamesrvOptions } from '../support/namesrv.js'
import { RawClient, rawFrame } from '../support/raw-client.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(options?: TestNamesrvOptions): Promise<TestNamesrv> {
  const server = await startTestNamesrv(options)
  cleanups.push(() => server.stop())
  return server
}

async function openRaw(server: TestNamesrv): Promise<RawClient> {
  const client = await RawClient.open(server.port)
  cleanups.push(() => client.close())
  return client
}

/** A client with connections of its own. */
function newClient(): RemotingClient {
  const client = new RemotingClient({ clock: systemClock, logger: silentLogger })
  cleanups.push(() => client.stop())
  return client
}

const broker = {
  brokerName: 'broker-a',
  brokerAddr: '10.0.0.1:10911',
  clusterName: 'C',
  brokerId: 0,
  haServerAddr: '10.0.0.1:10912',
}
const topicConfig = (topicName: string) => ({ topicName, readQueueNums: 4, writeQueueNums: 4, perm: 6 })
const tables = (...names: string[]) =>
  Buffer.from(
    JSON.stringify({
      filterServerList: [],
      topicConfigSerializeWrapper: {
        dataVersion: { counter: names.length, stateVersion: 0, timestamp: 1 },
        topicConfigTable: Object.fromEntries(names.map(name => [name, topicConfig(name)])),
      },
    }),
  )

type Registration = Partial<Parameters<typeof RegisterBrokerRequestHeader.encode>[0]>
const registration = (given: Registration = {}, body = tables('TopicA', 'TopicB')) => ({
  code: 103,
  extFields: RegisterBrokerRequestHeader.encode({ ...broker, ...given }),
  body,
})

/** Calls one server; keys of the answer that tests look at. */
function caller(client: RemotingClient, { address }: TestNamesrv) {
  return async (code: number, extFields?: ExtFields, body?: Buffer | string) => {
    const answer = await client.invoke(
      address,
      { code, extFields, body: body === undefined ? undefined : Buffer.from(body) },
      5000,
    )
    return { code: answer.code, remark: answer.remark, extFields: answer.extFields, body: answer.body.toString() }
  }
}

const routeCode = async (client: RemotingClient, server: TestNamesrv, topic = 'TopicA') =>
  (await client.invoke(server.address, { code: 105, extFields: { topic } }, 5000)).code

describe('brokers come and go', () => {
  test('routes go with the connection that registered them', async () => {
    const server = await start()
    const [one, two, reader] = [newClient(), newClient(), newClient()]
    await one.invoke(server.address, registration(), 5000)
    await two.invoke(
      server.address,
      registration({ brokerName: 'broker-b', brokerAddr: 'b:1' }, tables('TopicB', 'TopicC')),
      5000,
    )
    expect(await routeCode(reader, server)).toBe(0)
    one.drop(server.address, 'test')
    await eventually(async () => (await routeCode(reader, server)) === 17, 'the route is gone')
    expect(await routeCode(reader, server, 'TopicB')).toBe(0)
    expect(JSON.parse((await caller(reader, server)(106)).body).clusterAddrTable).toEqual({ C: ['broker-b'] })
  })

  test('a broker that is back by a new connection outlives the old one', async () => {
    const server = await start()
    const [old, fresh, reader] = [await openRaw(server), newClient(), newClient()]
    await old.call(registration())
    await fresh.invoke(server.address, registration(), 5000)
    old.close()
    // an unrelated broker whose connection goes after that one shows that both have been noticed
    const witness = await openRaw(server)
    await witness.call(registration({ brokerName: 'w', brokerAddr: 'w:1' }, tables('W1', 'W2')))
    witness.close()
    await eventually(async () => (await routeCode(reader, server, 'W1')) === 17)
    expect(await routeCode(reader, server)).toBe(0)
  })

  test('a silent broker goes when its time is over, and so does its connection', async () => {
    const clock = new ManualClock()
    const server = await start({ clock })
    const [silent, lively, reader] = [await openRaw(server), newClient(), newClient()]
    let isClosed = false
    silent.socket.on('close', () => (isClosed = true))
    await silent.call(registration({ heartbeatTimeoutMillis: 10_000 }))
    await lively.invoke(
      server.address,
      registration({ brokerName: 'b', brokerAddr: 'b:1', heartbeatTimeoutMillis: 10_000 }, tables('B1', 'B2')),
      5000,
    )
    await clock.advance(10_000)
    expect(await routeCode(reader, server)).toBe(0)
    const heartbeat = { clusterName: 'C', brokerName: 'b', brokerAddr: 'b:1' }
    expect((await caller(lively, server)(904, heartbeat)).code).toBe(0)
    await clock.advance(5000)
    await eventually(() => isClosed, 'the connection is closed')
    expect(await routeCode(reader, server)).toBe(17)
    expect(await routeCode(reader, server, 'B1')).toBe(0)
    await clock.advance(10_000)
    await eventually(async () => (await routeCode(reader, server, 'B1')) === 17)
  })

  test('a sign-off is done before what comes after it, even in one piece', async () => {
    const server = await start()
    const client = await openRaw(server)
    await client.call(registration())
    const { brokerName, brokerAddr, clusterName } = broker
    const signOff = rawFrame({ code: 104, extFields: { brokerName, brokerAddr, clusterName, brokerId: '0' } }, 1)
    client.socket.cork()
    const [signedOff, registered] = [client.exchange(signOff), client.exchange(rawFrame(registration(), 2))]
    client.socket.uncork()
    expect([(await signedOff).code, (await registered).code]).toEqual([0, 0])
    const reader = newClient()
    expect(await routeCode(reader, server)).toBe(0)
    expect((await client.exchange(signOff)).code).toBe(0)
    await eventually(async () => (await routeCode(reader, server)) === 17)
  })

  test('the others hear of another lowest id, by joining and by leaving', async () => {
    const heard: ExtFields[] = []
    const listener = route({
      code: 905,
      request: NotifyMinBrokerIdChangeRequestHeader,
      lane: 'admin',
      action: 'UPDATE',
      handle(_header, command) {
        expect(command.isOneway).toBe(true)
        heard.push(command.extFields!)
        return ok()
      },
    })
    const pipeline = new RequestPipeline({
      routes: new RouteTable([listener]),
      clock: systemClock,
      logger: silentLogger,
    })
    const slave = new RemotingServer({
      host: '127.0.0.1',
      port: 0,
      pipeline,
      clock: systemClock,
      logger: silentLogger,
      portSetting: 'port',
    })
    await slave.start()
    cleanups.push(() => slave.stop())
    const server = await start({ values: { notifyMinBrokerIdChanged: true } })
    const client = newClient()
    const slaveAddr = `127.0.0.1:${slave.port}`
    await client.invoke(
      server.address,
      registration({ brokerId: 1, brokerAddr: slaveAddr, enableActingMaster: true }),
      5000,
    )
    const master = newClient()
    await master.invoke(server.address, registration({ enableActingMaster: true }), 5000)
    await eventually(() => heard.length === 1)
    master.drop(server.address, 'test')
    await eventually(() => heard.length === 2)
    expect(heard).toEqual([
      { minBrokerId: '0', minBrokerAddr: broker.brokerAddr, haBrokerAddr: broker.haServerAddr },
      { minBrokerId: '1', minBrokerAddr: slaveAddr, offlineBrokerAddr: broker.brokerAddr },
    ])
  })
})

test('two NameServers know their brokers independently; one that restarts keeps its key-value configuration only', async () => {
  const [one, two] = [await startTestNamesrv(), await start()]
  const client = newClient()
  for (const server of [one, two]) await client.invoke(server.address, registration(), 5000)
  await caller(client, one)(100, { namespace: 'NS', key: 'k', value: 'v' })
  expect(await caller(client, two)(101, { namespace: 'NS', key: 'k' })).toMatchObject({
    code: 22,
    remark: 'No config item, Namespace: NS Key: k',
  })

  await one.controller.stop()
  await expect(routeCode(client, one)).rejects.toThrow(one.address)
  expect(await routeCode(client, two)).toBe(0)

  cleanups.push(() => one.stop())
  const { kvConfigPath } = one.settings.values
  const again = await start({ values: { listenPort: one.port, kvConfigPath } })
  expect(again.port).toBe(one.port)
  expect(await routeCode(client, again)).toBe(17)
  expect((await caller(client, again)(101, { namespace: 'NS', key: 'k' })).extFields).toEqual({ value: 'v' })
  await client.invoke(again.address, registration(), 5000)
  expect(await routeCode(client, again)).toBe(0)
})

describe('registrations', () => {
  test('a sum that does not match is refused, one that does or is absent is not', async () => {
    const server = await start()
    const client = newClient()
    const body = tables('TopicA', 'TopicB')
    const sum = crc32(body) & 0x7fffffff
    const answer = async (bodyCrc32: number) =>
      (await client.invoke(server.address, registration({ bodyCrc32 }, body), 5000)).remark
    expect(await answer(sum + 1)).toBe('crc32 not match')
    expect(await routeCode(client, server)).toBe(17)
    expect([await answer(sum), await answer(0)]).toEqual([undefined, undefined])
    expect(await routeCode(client, server)).toBe(0)
  })

  test('packed, of an old version, and without a body', async () => {
    const server = await start()
    const client = await openRaw(server)
    const text = (value: string) =>
      Buffer.concat([Buffer.from([0, 0, 0, Buffer.byteLength(value)]), Buffer.from(value)])
    const count = (value: number) => Buffer.from([0, 0, 0, value])
    const packed = deflateSync(
      Buffer.concat([
        text('{"counter":1}'),
        count(2),
        text('P1 1 2 6 SINGLE_TAG {}'),
        text('P2 1 2 6 SINGLE_TAG {}'),
        text('[]'),
        count(0),
      ]),
    )
    const old = JSON.stringify({
      dataVersion: { counter: 1 },
      topicConfigTable: { O1: topicConfig('O1'), O2: topicConfig('O2') },
    })
    const forms = [
      {
        header: registration({ brokerName: 'packed', brokerAddr: 'p:1', compressed: true }),
        version: 479,
        body: packed,
      },
      { header: registration({ brokerName: 'old', brokerAddr: 'o:1' }), version: 36, body: old },
      { header: registration({ brokerName: 'bare', brokerAddr: 'n:1' }), version: 479, body: '' },
    ]
    for (const { header, version, body } of forms) {
      expect(await client.call({ ...header, version, body })).toMatchObject({ code: 0 })
    }
    const reader = newClient()
    const info = JSON.parse((await caller(reader, server)(106)).body)
    expect(Object.keys(info.brokerAddrTable)).toEqual(['bare', 'old', 'packed'])
    expect(JSON.parse((await caller(reader, server)(206)).body).topicList).toEqual(['P1', 'P2', 'O1', 'O2'])
  })

  test('a body that cannot be read costs that request only', async () => {
    const server = await start()
    const call = caller(newClient(), server)
    const { extFields } = registration()
    for (const [fields, body] of [
      [extFields, '{"topicConfigSerializeWrapper":'],
      [{ ...extFields, compressed: 'true' }, 'not packed'],
    ] as const) {
      const { code, remark } = await call(103, fields, body)
      expect(code).toBe(1)
      expect(remark).toMatch(/^the body of REGISTER_BROKER cannot be read: /)
    }
    const { extFields: changed } = await call(322, extFields, JSON.stringify({ counter: 1 }))
    expect(changed).toEqual({ changed: 'true' })
  })

  test('brokers get the order configuration, and whether they have to come again', async () => {
    const server = await start()
    const client = newClient()
    const call = caller(client, server)
    const { extFields, body } = registration()
    expect(await call(103, extFields, body)).toMatchObject({ code: 0, body: '' })
    await call(100, { namespace: 'ORDER_TOPIC_CONFIG', key: 'TopicA', value: 'broker-a:8' })
    expect((await call(103, extFields, body)).body).toBe('{"table":{"TopicA":"broker-a:8"}}')
    const known = '{"counter":2,"stateVersion":0,"timestamp":1}'
    expect(await call(322, extFields, known)).toMatchObject({ extFields: { changed: 'false' }, body: known })
    expect(await call(322, extFields, '{"counter":3}')).toMatchObject({ extFields: { changed: 'true' }, body: known })
    expect(await call(322, extFields)).toMatchObject({ extFields: { changed: 'true' } })
    await call(318, undefined, 'returnOrderTopicConfigToBroker=false')
    expect((await call(103, extFields, body)).body).toBe('')
    expect(await call(103, { ...extFields, brokerName: 'new' }, tables('Single').toString())).toMatchObject({
      code: 1,
      remark: 'register broker failed',
    })
  })
})

describe('routes', () => {
  test('the dialect follows version, wish and zone', async () => {
    const server = await start()
    const client = await openRaw(server)
    await client.call(registration({ zoneName: 'z1' }))
    const shown = async (version: number, extFields: ExtFields = {}) =>
      (await client.call({ code: 105, version, extFields: { topic: 'TopicA', ...extFields } })).body.toString()
    const [legacy, standard] = ['{0:"10.0.0.1:10911"}', '{"0":"10.0.0.1:10911"}']
    expect(await shown(400)).toContain(legacy)
    expect(await shown(401)).toContain(standard)
    expect(await shown(317, { acceptStandardJsonOnly: 'true' })).toContain(standard)
    expect(await shown(479, { __ZONE_MODE: 'true', __ZONE_NAME: 'Z1' })).toContain(legacy)
    expect(await shown(479, { __ZONE_MODE: 'true', __ZONE_NAME: 'z2' })).toBe(
      '{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}',
    )
    expect(await shown(479, { __ZONE_MODE: 'true', __ZONE_NAME: ' ' })).toContain(standard)
    expect(await shown(479, { __ZONE_MODE: 'false', __ZONE_NAME: 'z2' })).toContain(standard)
  })

  test('order configuration is shown while orderMessageEnable is on', async () => {
    const server = await start()
    const call = caller(newClient(), server)
    const { extFields, body } = registration()
    await call(103, extFields, body)
    await call(100, { namespace: 'ORDER_TOPIC_CONFIG', key: 'TopicA', value: 'broker-a:8' })
    const conf = async (topic: string) => JSON.parse((await call(105, { topic })).body).orderTopicConf
    expect(await conf('TopicA')).toBeUndefined()
    await call(318, undefined, 'orderMessageEnable=true')
    expect([await conf('TopicA'), await conf('TopicB')]).toEqual(['broker-a:8', undefined])
    await call(102, { namespace: 'ORDER_TOPIC_CONFIG', key: 'TopicA' })
    expect(await conf('TopicA')).toBeUndefined()
  })

  test('no routes until the warm-up is over', async () => {
    const clock = new ManualClock()
    const server = await start({ clock, values: { needWaitForService: true, waitSecondsForService: 45 } })
    const call = caller(newClient(), server)
    const { extFields, body } = registration()
    await call(103, extFields, body)
    await clock.advance(44_999)
    expect(await call(105, { topic: 'TopicA' })).toMatchObject({ code: 1, remark: 'name server not ready' })
    await clock.advance(1)
    expect(await call(105, { topic: 'TopicA' })).toMatchObject({ code: 0 })
  })

  test('topics are added, listed and forgotten', async () => {
    const server = await start()
    const call = caller(newClient(), server)
    const { extFields, body } = registration()
    await call(103, extFields, body)
    const queues = { perm: 6, readQueueNums: 8, topicSysFlag: 2, writeQueueNums: 8 }
    const add = (topic: string, brokerName: string) =>
      call(217, { topic }, JSON.stringify({ queueDatas: [{ ...queues, brokerName }] }))
    expect((await add('TopicX', 'broker-a')).code).toBe(0)
    expect((await add('TopicY', 'nobody')).code).toBe(0)
    const list = async (code: number, fields?: ExtFields) => JSON.parse((await call(code, fields)).body).topicList
    expect(await list(206)).toEqual(['TopicA', 'TopicB', 'TopicX'])
    expect(await list(224, { cluster: 'C' })).toEqual(['TopicA', 'TopicB', 'TopicX'])
    expect(await list(224, { cluster: 'nowhere' })).toEqual([])
    expect([await list(311), await list(312), await list(313)]).toEqual([[], ['TopicX'], ['TopicX']])
    expect(JSON.parse((await call(304)).body)).toEqual({ topicList: ['C', 'broker-a'], brokerAddr: broker.brokerAddr })
    expect((await call(205, { brokerName: 'broker-a' })).extFields).toEqual({ wipeTopicCount: '3' })
    expect((await call(105, { topic: 'TopicX' })).body).toContain('"perm":4')
    expect((await call(327, { brokerName: 'broker-a' })).extFields).toEqual({ addTopicCount: '3' })
    expect((await call(105, { topic: 'TopicX' })).body).toContain('"perm":6')
    await call(216, { topic: 'TopicX', clusterName: 'nowhere' })
    expect(await list(206)).toContain('TopicX')
    await call(216, { topic: 'TopicX', clusterName: 'C' })
    await call(216, { topic: 'TopicA', clusterName: '' })
    expect(await list(206)).toEqual(['TopicB'])
    expect(JSON.parse((await call(901, { clusterName: 'C', brokerName: 'broker-a' })).body)).toEqual({
      brokerMemberGroup: { brokerAddrs: { '0': broker.brokerAddr }, brokerName: 'broker-a', cluster: 'C' },
    })
    await call(318, undefined, 'enableTopicList=false\nenableAllTopicList=false')
    for (const code of [206, 224, 311, 312, 313])
      expect(await call(code, { cluster: 'C' })).toMatchObject({ code: 1, remark: 'disable' })
  })
})

describe('bad requests', () => {
  test.each([102, 104, 205, 216, 217, 224, 327, 901])('code %i without any field is an empty success', async code => {
    const server = await start()
    const client = newClient()
    await client.invoke(server.address, registration(), 5000)
    expect(await caller(client, server)(code)).toMatchObject({ code: 0, remark: undefined })
    expect(await routeCode(client, server)).toBe(0)
  })

  test.each([
    [100, { namespace: 'n', key: 'k' }, 'value'],
    [101, {}, 'namespace'],
    [102, { namespace: 'n' }, 'key'],
    [103, { brokerName: 'b' }, 'brokerAddr'],
    [104, { brokerName: 'b', brokerAddr: 'b:1', clusterName: 'C', brokerId: 'first' }, 'brokerId'],
    [105, {}, 'topic'],
    [216, { clusterName: 'C' }, 'topic'],
    [219, {}, 'namespace'],
    [322, {}, 'brokerName'],
    [904, { clusterName: 'C' }, 'brokerAddr'],
  ])('code %i with %j names the field %s', async (code, extFields, field) => {
    const server = await start()
    const answer = await caller(newClient(), server)(code, extFields as ExtFields)
    expect(answer.code).toBe(1)
    expect(answer.remark).toContain(`the field ${field} of `)
  })

  test('unknown codes get 3, and the connection goes on', async () => {
    const server = await start()
    const client = await openRaw(server)
    expect(await client.call({ code: 9998 })).toMatchObject({ code: 3, remark: ' request type 9998 not supported' })
    expect(await client.call({ code: 905 })).toMatchObject({ code: 3 })
    expect(await client.call({ code: 206 })).toMatchObject({ code: 0 })
  })
})

describe('settings', () => {
  async function startWithFile(): Promise<{ server: TestNamesrv; file: string; call: ReturnType<typeof caller> }> {
    const { folder } = await start()
    const file = join(folder, 'namesrv.conf')
    writeFileSync(file, `# mine\nlistenPort=0\nkvConfigPath=${folder}/kv2.json\nmyOwnKey=1\n`)
    const loaded = loadNamesrvSettings(['-c', file], { stdout: () => undefined })
    if (loaded.kind === 'exit') throw new Error('the settings were refused')
    const server = await start({ settings: loaded.settings })
    return { server, file, call: caller(newClient(), server) }
  }

  test('an update counts at once and is written to the file', async () => {
    const { file, call } = await startWithFile()
    const before = readFileSync(file, 'utf8')
    expect(await call(318, undefined, 'orderMessageEnable=true\nnoSuchKey=1\n')).toMatchObject({
      code: 0,
      remark: undefined,
    })
    const shown = readProperties((await call(319)).body)
    expect(shown.get('orderMessageEnable')).toBe('true')
    expect(shown.get('configStorePath')).toBe(file)
    expect(readProperties(readFileSync(file, 'utf8')).get('orderMessageEnable')).toBe('true')
    expect(readFileSync(file, 'utf8')).toContain('# mine')
    expect(readFileSync(`${file}.bak`, 'utf8')).toBe(before)
  })

  test.each(['configBlackList', 'configStorePath', 'kvConfigPath', 'rocketmqHome'])(
    '%s is on the black list',
    async key => {
      const { file, call } = await startWithFile()
      const before = readFileSync(file, 'utf8')
      expect(await call(318, undefined, `orderMessageEnable=true\n${key}=/x\n`)).toMatchObject({
        code: 16,
        remark: 'Can not update config in black list.',
      })
      expect(readProperties((await call(319)).body).get('orderMessageEnable')).toBe('false')
      expect(readFileSync(file, 'utf8')).toBe(before)
    },
  )

  test('a bad value is refused with its key; an empty update is a success', async () => {
    const { call } = await startWithFile()
    const { code, remark } = await call(318, undefined, 'orderMessageEnable=perhaps\n')
    expect(code).toBe(1)
    expect(remark).toContain('orderMessageEnable')
    expect((await call(318)).code).toBe(0)
  })
})

test('key-value configuration that cannot be saved is an error that says where', async () => {
  const server = await start()
  const call = caller(newClient(), server)
  await call(100, { namespace: 'NS', key: 'k', value: 'v' })
  expect(JSON.parse((await call(219, { namespace: 'NS' })).body)).toEqual({ table: { k: 'v' } })
  expect(await call(219, { namespace: 'none' })).toMatchObject({ code: 22, remark: 'No config item, Namespace: none' })
  const { kvConfigPath } = server.settings.values
  mkdirSync(`${kvConfigPath}.tmp`)
  const { code, remark } = await call(100, { namespace: 'NS', key: 'k', value: 'w' })
  expect(code).toBe(1)
  expect(remark).toContain(kvConfigPath)
  expect((await call(101, { namespace: 'NS', key: 'k' })).extFields).toEqual({ value: 'v' })
})
