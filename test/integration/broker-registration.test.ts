import { afterEach, describe, expect, it } from 'vitest'
import { BrokerOuterApi } from '../../src/broker/out/broker-outer-api.js'
import { BrokerRegistration } from '../../src/broker/out/broker-registration.js'
import type { BrokerSettings } from '../../src/broker/settings.js'
import { TopicConfigManager } from '../../src/broker/topic/topic-config-manager.js'
import { parseFastJson, RequestCode, ResponseCode, topicRouteDataFromJson } from '../../src/common/index.js'
import { silentLogger, systemClock } from '../../src/util/index.js'
import { brokerParts } from '../support/broker-parts.js'
import { eventually } from '../support/eventually.js'
import { ManualClock } from '../support/manual-clock.js'
import { startTestNamesrv, type TestNamesrv } from '../support/namesrv.js'
import { routeOf, ScenarioBroker, ScenarioClient } from './scenarios-broker.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** The registering half of a broker, with NameServers that are really there. */
function broker(namesrvAddr: string, overrides: Partial<BrokerSettings> = {}) {
  const parts = { ...brokerParts(overrides), clock: systemClock }
  const topics = new TopicConfigManager(parts)
  const out = new BrokerOuterApi({ clock: systemClock, logger: silentLogger, policy: parts.settings })
  out.updateNamesrvAddr(namesrvAddr.split(';'))
  const registration = new BrokerRegistration({ ...parts, out, topics })
  cleanups.push(() => out.stop())
  cleanups.push(() => registration.stop())
  const wish = { defaultTopic: 'TBW102', defaultTopicQueueNums: 4, topicSysFlag: 0, producer: 'x' }
  return {
    ...parts,
    out,
    topics,
    registration,
    create: (topic: string) => topics.createTopicInSendMessage(topic, wish),
  }
}

async function namesrv(): Promise<TestNamesrv> {
  const server = await startTestNamesrv()
  cleanups.push(() => server.stop())
  return server
}

/** The queues a NameServer says the topic has, undefined when it knows no such topic. */
async function queuesOf(out: BrokerOuterApi, address: string, topic: string): Promise<number | undefined> {
  const request = { code: RequestCode.GET_ROUTEINFO_BY_TOPIC, extFields: { topic } }
  const answer = await out.invoke(address, request, 5000)
  if (answer.code === ResponseCode.TOPIC_NOT_EXIST) return undefined
  return topicRouteDataFromJson(parseFastJson(answer.body)).queueDatas[0]?.readQueueNums
}

describe.each([
  ['plain', {}],
  ['compressed', { compressedRegister: true }],
  ['split', { enableSplitRegistration: true, splitRegistrationSize: 5 }],
  ['single topics', { enableSingleTopicRegister: true }],
])('a broker that registers (%s)', (_what, overrides) => {
  it('is known to two NameServers with all its topics, new ones at once, until it stops', async () => {
    const servers = [await namesrv(), await namesrv()]
    const { out, registration, create } = broker(servers.map(server => server.address).join(';'), overrides)
    await registration.start()
    create('Orders')
    await registration.whenSettled()
    for (const { address } of servers) {
      expect(await queuesOf(out, address, 'BenchmarkTest')).toBe(1024)
      expect(await queuesOf(out, address, 'TBW102')).toBe(8)
      expect(await queuesOf(out, address, 'Orders')).toBe(4)
    }
    await registration.stop()
    for (const { address } of servers) {
      await eventually(async () => (await queuesOf(out, address, 'Orders')) === undefined, 'the broker to be forgotten')
    }
  })
})

describe('a NameServer that is restarted', () => {
  it('knows the broker again soon, and with it what changed meanwhile', async () => {
    const first = await startTestNamesrv()
    const { out, registration, create } = broker(first.address)
    await registration.start()
    await first.stop()
    create('Meanwhile')
    const second = await startTestNamesrv({ values: { listenPort: first.port } })
    cleanups.push(() => second.stop())
    await eventually(async () => (await queuesOf(out, second.address, 'Meanwhile')) === 4, 'the broker to be known')
    expect(await queuesOf(out, second.address, 'TBW102')).toBe(8)
  })
})

describe('namesrvAddr changed at run time', () => {
  it('registers with the new NameServers before the answer and leaves the old ones', async () => {
    const [first, second] = [await namesrv(), await namesrv()]
    const running = await ScenarioBroker.start({ values: { namesrvAddr: first.address }, clock: systemClock })
    await running.createTopic('Orders')
    const known = async (server: TestNamesrv) => {
      const client = new ScenarioClient(server.address)
      cleanups.push(() => client.close())
      return (await routeOf(client, 'Orders')) !== undefined
    }
    expect([await known(first), await known(second)]).toEqual([true, false])
    const update = (namesrvAddr: string) =>
      running.call(RequestCode.UPDATE_BROKER_CONFIG, {}, `namesrvAddr=${namesrvAddr}`)
    expect(await update('nowhere')).toMatchObject({
      code: ResponseCode.SYSTEM_ERROR,
      remark: 'namesrvAddr=nowhere: nowhere is no address, write host:port;host:port',
    })
    expect((await update(second.address)).code).toBe(0)
    expect(await known(second)).toBe(true)
    await eventually(async () => !(await known(first)), 'the goodbye to the first NameServer')
  })
})

describe('a NameServer with enableShutdownGracefully', () => {
  it('sends brokers away, and those that follow find its successor', async () => {
    const clock = new ManualClock()
    const values = { enableShutdownGracefully: true, shutdownWaitTimeSeconds: 5 }
    const leaving = await startTestNamesrv({ clock, values })
    const { out } = broker(leaving.address)
    expect(await queuesOf(out, leaving.address, 'None')).toBeUndefined()
    const stopping = leaving.stop()
    const ask = { code: RequestCode.GET_ROUTEINFO_BY_TOPIC, extFields: { topic: 'None' } }
    expect((await out.invoke(leaving.address, ask, 5000)).code).toBe(ResponseCode.GO_AWAY)
    await clock.advance(5000)
    await stopping
    await expect(out.invoke(leaving.address, ask, 5000)).rejects.toMatchObject({ code: 'ERR_REMOTING_CONNECT' })
  })
})
