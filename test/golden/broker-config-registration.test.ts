import { crc32 } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { BrokerOuterApi } from '../../src/broker/out/broker-outer-api.js'
import { dataVersionFromJson, topicConfigFromJson } from '../../src/common/index.js'
import {
  type ExtFields,
  NoHeader,
  ok,
  RemotingServer,
  RequestPipeline,
  RouteTable,
  route,
} from '../../src/remoting/index.js'
import { silentLogger, systemClock } from '../../src/util/index.js'
import { brokerParts } from '../support/broker-parts.js'
import { goldenFrames } from '../support/golden-frames.js'

const identity = {
  clusterName: 'GoldenCluster',
  brokerName: 'golden-a',
  brokerId: 0,
  address: '127.0.0.1:20911',
  haAddress: '127.0.0.1:20912',
}

interface Received {
  code: number
  extFields: ExtFields
  body: Buffer
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A server that keeps what it is asked and answers `answer`. */
async function listener(answer = '') {
  const received: Received[] = []
  const clock = systemClock
  const routes = [103, 104, 322].map(code =>
    route({
      code,
      request: NoHeader,
      lane: 'admin',
      action: 'ANY',
      handle(_header, command) {
        received.push({ code, extFields: command.extFields ?? {}, body: Buffer.from(command.body) })
        return ok(Buffer.from(answer)).withExt(code === 322 ? { changed: 'false' } : {})
      },
    }),
  )
  const pipeline = new RequestPipeline({ routes: new RouteTable(routes), clock, logger: silentLogger })
  const server = new RemotingServer({ host: '127.0.0.1', port: 0, pipeline, clock, logger: silentLogger, portSetting: 'p' })
  await server.start()
  const address = `127.0.0.1:${server.port}`
  const out = new BrokerOuterApi({ clock, logger: silentLogger, policy: brokerParts().settings })
  cleanups.push(() => server.stop())
  cleanups.push(() => out.stop())
  return { out, address, received }
}

interface RecordedBody {
  topicConfigSerializeWrapper: { dataVersion: Record<string, number>; topicConfigTable: Record<string, object> }
}

describe('what a broker tells a NameServer', () => {
  const recorded = goldenFrames().filter(frame => frame.meta.codeName === 'REGISTER_BROKER').slice(0, 5)

  it.each(recorded.map(frame => [frame.name, frame] as const))('is what Java told: %s', async (_name, { meta }) => {
    const { out, address, received } = await listener()
    const body = meta.request.body?.json as RecordedBody
    const wrapper = body.topicConfigSerializeWrapper
    const result = await out.registerBroker(address, {
      identity,
      topics: Object.values(wrapper.topicConfigTable).map(json => topicConfigFromJson(JSON.parse(JSON.stringify(json)))),
      dataVersion: dataVersionFromJson(wrapper.dataVersion),
      compressed: false,
      timeoutMs: 5000,
    })
    expect(result).toEqual({ orderTopics: [] })
    const [request] = received
    const { bodyCrc32, ...fields } = meta.request.header.extFields ?? {}
    expect(Number(bodyCrc32)).toBeLessThan(2 ** 31)
    expect(request?.extFields).toEqual({ ...fields, bodyCrc32: String(crc32(request!.body) & 0x7fffffff) })
    expect(JSON.parse(request!.body.toString())).toEqual({
      ...body,
      topicConfigSerializeWrapper: { ...wrapper, mappingDataVersion: expect.objectContaining({ counter: 0, stateVersion: 0 }) },
    })
  })

  it('sums the body as Java does', () => {
    for (const { meta, bytes } of recorded) {
      const body = bytes.subarray(bytes.length - (meta.request.body?.length ?? 0))
      expect(String(crc32(body) & 0x7fffffff)).toBe(meta.request.header.extFields?.bodyCrc32)
    }
  })

  it('asks for the version and says goodbye with the fields of Java', async () => {
    const { out, address, received } = await listener('{"counter":18,"stateVersion":0,"timestamp":5}')
    const version = { counter: 18, stateVersion: 0, timestamp: 5 }
    expect(await out.needRegister(address, identity, version, 5000)).toBe(false)
    expect(await out.needRegister(address, identity, { ...version, counter: 19 }, 5000)).toBe(true)
    await out.unregisterBroker(address, identity, 5000)
    const field = (codeName: string) =>
      goldenFrames().find(frame => frame.meta.codeName === codeName)?.meta.request.header.extFields
    expect(received.map(request => request.extFields)).toEqual([
      field('QUERY_DATA_VERSION'),
      field('QUERY_DATA_VERSION'),
      field('UNREGISTER_BROKER'),
    ])
    expect(JSON.parse(received[0]!.body.toString())).toEqual(version)
  })

  it('takes the ordered topics from the answer', async () => {
    const { out, address } = await listener('{"table":{"A":"golden-a:4","B":"golden-a:8"}}')
    const version = { counter: 0, stateVersion: 0, timestamp: 0 }
    const registration = { identity, topics: [], dataVersion: version, compressed: false, timeoutMs: 5000 }
    expect((await out.registerBroker(address, registration)).orderTopics).toEqual(['A', 'B'])
  })
})
