import { beforeEach, describe, expect, test } from 'vitest'
import { RequestCode, ResponseCode } from '../../src/common/index.js'
import type { BrokerValues } from './client-system.js'
import { ScenarioBroker, type ScenarioClient } from './scenarios-broker.js'

/** What the broker keeps of broadcast consumers, so that they can move between a proxy and the broker. */

const BROADCAST = { messageModel: 'BROADCASTING' }
const viaProxy = (proxyFrowardClientId: string) => ({ requestSource: 1, proxyFrowardClientId })

let broker: ScenarioBroker

async function start(values: BrokerValues = {}): Promise<void> {
  broker = await ScenarioBroker.start({ values })
  await broker.createTopic('T')
  await broker.call(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, JSON.stringify({ groupName: 'G' }))
  for (let i = 0; i < 10; i++) await broker.send({ body: `m${i}` })
}

/** Where a pull is sent, or that it gets what it asks for. */
async function pulled(client: ScenarioClient, queueOffset: number, more = {}): Promise<number | 'as asked'> {
  const { code, remark, extFields } = await client.pull({ queueOffset, ...more })
  if (remark !== 'OFFSET_RESET') return code === 0 ? 'as asked' : Number.NaN
  expect(code).toBe(ResponseCode.PULL_OFFSET_MOVED)
  return Number(extFields!.nextBeginOffset)
}

/** A consumer on a connection of its own. */
async function consumer(clientId: string): Promise<ScenarioClient> {
  const client = broker.client()
  await client.heartbeat(clientId, 'G', ['T'], BROADCAST)
  return client
}

/** What clients without a history start with. */
const committed = () => broker.offset(RequestCode.QUERY_CONSUMER_OFFSET, { consumerGroup: 'G@broadcast' })

describe('a broadcast consumer', () => {
  beforeEach(() => start())

  test('goes on behind a proxy where it was at the broker, and back', async () => {
    const direct = await consumer('c1')
    expect(await pulled(direct, 3)).toBe('as asked')
    expect(await pulled(direct, 7)).toBe('as asked')
    expect(await pulled(broker, 0, viaProxy('c1'))).toBe(7)
    expect(await pulled(broker, 8, viaProxy('c1'))).toBe('as asked')
    expect(await pulled(direct, 2)).toBe(8)
    expect(await pulled(direct, 2)).toBe('as asked')
  })

  test('new behind a proxy starts at the first message while that is young, else where the slowest is', async () => {
    expect(await pulled(broker, -1, viaProxy('c1'))).toBe(0)
    expect(await pulled(broker, 5, viaProxy('c1'))).toBe('as asked')
    const direct = await consumer('c2')
    expect(await pulled(direct, 3)).toBe('as asked')
    await broker.clock.advance(5000)
    expect(await committed()).toBe(3)
    expect(await pulled(broker, -1, viaProxy('c3'))).toBe(3)
  })

  test('is forgotten when it is gone for broadcastOffsetExpireSecond, there but silent for the longer time', async () => {
    expect(await pulled(broker, 2, viaProxy('gone'))).toBe('as asked')
    const there = await consumer('there')
    expect(await pulled(there, 6)).toBe('as asked')
    // a client that is known is moved to where it was when it comes the other way
    const known = (clientId: string, fromProxy: boolean) =>
      broker.controller.context.broadcasts.mayMove(
        { topic: 'T', consumerGroup: 'G', queueId: 0, queueOffset: 0, requestSource: undefined },
        { clientId, fromProxy },
      )
    const state = async () => [known('gone', false), known('there', true), await committed()]
    const pass = async (seconds: number) => {
      for (let passed = 0; passed < seconds; passed += 5) {
        await there.heartbeat('there', 'G', ['T'], BROADCAST)
        await broker.clock.advance(5000)
      }
    }
    await pass(115)
    expect(await state()).toEqual([true, true, 2])
    await pass(10)
    expect(await state()).toEqual([false, true, 6])
    await pass(170)
    expect(await state()).toEqual([false, true, 6])
    await pass(10)
    expect(await state()).toEqual([false, false, 6])
  })
})

test('a consumer of a cluster group gets what it asks for', async () => {
  await start()
  const client = broker.client()
  await client.heartbeat('c1', 'G', ['T'])
  expect(await pulled(client, 3)).toBe('as asked')
  await broker.clock.advance(5000)
  expect(await committed()).toBeLessThan(3)
})

test('nothing is kept with enableBroadcastOffsetStore=false', async () => {
  await start({ enableBroadcastOffsetStore: false })
  const direct = await consumer('c1')
  expect(await pulled(direct, 7)).toBe('as asked')
  expect(await pulled(broker, 0, viaProxy('c1'))).toBe('as asked')
})
