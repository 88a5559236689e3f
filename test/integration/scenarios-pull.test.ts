import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { pullMessageRoutes } from '../../src/broker/processors/pull-message.js'
import { PullService } from '../../src/broker/pull/pull-service.js'
import { Producer, PushConsumer } from '../../src/client/index.js'
import { encodeBatch, RequestCode, ResponseCode } from '../../src/common/index.js'
import type { RemotingCommand } from '../../src/remoting/index.js'
import { callRoute } from '../support/call-route.js'
import { eventually } from '../support/eventually.js'
import { startTestNamesrv } from '../support/namesrv.js'
import { type BrokerValues, Inbox } from './client-system.js'
import { ScenarioBroker } from './scenarios-broker.js'

/** Pulling and offsets (broker-behaviour 18, scenarios 38 to 62). */

const { QUERY_CONSUMER_OFFSET, UPDATE_CONSUMER_OFFSET, SEARCH_OFFSET_BY_TIMESTAMP, GET_MAX_OFFSET } = RequestCode

let broker: ScenarioBroker

async function start(values: BrokerValues = {}): Promise<void> {
  broker = await ScenarioBroker.start({ values })
  await broker.createTopic('T')
}

async function send(count: number, tag?: string): Promise<void> {
  for (let i = 0; i < count; i++) await broker.send({ properties: tag === undefined ? {} : { TAGS: tag } })
}

/** Stores many at once. */
async function sendBatch(count: number, tag: string): Promise<void> {
  const element = { flag: 0, body: Buffer.from('x'), properties: new Map([['TAGS', tag]]) }
  const body = encodeBatch(Array.from({ length: count }, () => element))
  expect((await broker.send({ code: RequestCode.SEND_BATCH_MESSAGE, body })).code).toBe(0)
}

const commit = (commitOffset: number): Promise<RemotingCommand> =>
  broker.call(UPDATE_CONSUMER_OFFSET, { consumerGroup: 'G', topic: 'T', queueId: 0, commitOffset })

/** Of the group; a negative number is the code of a refusal. */
const committed = (more: { setZeroIfNotFound?: boolean } = {}): Promise<number> =>
  broker.offset(QUERY_CONSUMER_OFFSET, more)

/** Lets the oldest of the messages go with their file, as a full disk does. */
async function loseOldest(): Promise<number> {
  const { store } = broker.controller.context
  const big = Buffer.alloc(60_000, 1)
  for (let i = 0; i < 30; i++) await broker.send({ body: big })
  broker.faults.diskUsage = { totalBytes: 1000, usedBytes: 870, usableBytes: 130 }
  await broker.clock.advance(20_000)
  await eventually(async () => {
    await broker.clock.advance(1000)
    return store.minOffset('T', 0) > 0
  }, 'the oldest file to go')
  return store.minOffset('T', 0)
}

describe('where a new group begins', () => {
  beforeEach(() => start())

  test('S038 with CONSUME_FROM_LAST_OFFSET at 0 while message 0 is at hand, else where the client chooses', async () => {
    await send(10)
    expect(await committed()).toBe(0)
    const min = await loseOldest()
    expect(await committed()).toBe(-ResponseCode.QUERY_NOT_FOUND)
    expect(await broker.offset(GET_MAX_OFFSET)).toBe(40)
    expect(min).toBeLessThan(40)
  })

  test('S039 with CONSUME_FROM_FIRST_OFFSET behind deleted files: 21 sends it to the oldest message there is', async () => {
    await send(1)
    const min = await loseOldest()
    const first = await broker.pull({ queueOffset: 0 })
    expect(first).toMatchObject({ code: 21, remark: 'OFFSET_TOO_SMALL', extFields: { nextBeginOffset: String(min) } })
    const next = await broker.messages({ queueOffset: min, maxMsgNums: 1 })
    expect(next.map(message => message.queueOffset)).toEqual([min])
  })

  test('S040 with CONSUME_FROM_TIMESTAMP at the first message stored at or after the time', async () => {
    const times: number[] = []
    for (let i = 0; i < 4; i++) {
      await broker.clock.advance(1000)
      times.push(broker.clock.now())
      await send(1)
    }
    const at = (timestamp: number): Promise<number> => broker.offset(SEARCH_OFFSET_BY_TIMESTAMP, { timestamp })
    expect(await at(times[2]!)).toBe(2)
    expect(await at(times[2]! + 1)).toBe(3)
    expect(await at(times[2]! - 1)).toBe(2)
  })
})

describe('offsets outside the queue', () => {
  beforeEach(() => start())

  test.each([
    ['S045 far beyond the end of 3 messages', 3, { queueOffset: 1000 }, 21, '3'],
    ['S046 above 0 in an empty queue', 0, { queueOffset: 7 }, 21, '0'],
    ['S046 of 0 in an empty queue', 0, { queueOffset: 0 }, 19, '0'],
    ['S045 at the end', 3, { queueOffset: 3 }, 19, '3'],
  ])('%s', async (_name, count, fields, code, nextBeginOffset) => {
    await send(count)
    expect(await broker.pull(fields)).toMatchObject({ code, extFields: { nextBeginOffset } })
  })

  test('S047 a queueId that readQueueNums does not have gets 29', async () => {
    const refused = await broker.pull({ queueId: 1 })
    expect(refused.code).toBe(ResponseCode.INVALID_PARAMETER)
    expect(refused.remark).toContain(
      'queueId[1] is illegal, topic:[T] topicConfig.readQueueNums:[1] consumer:[127.0.0.1:',
    )
  })

  test('S041 a stored offset beyond the end of a log that was cut: 21 sends the group to the end', async () => {
    await send(5)
    await broker.pull()
    await commit(5)
    await broker.controller.stop()
    for (const folder of ['commitlog', 'consumequeue', 'checkpoint', 'cometmq']) {
      rmSync(join(broker.store, folder), { recursive: true })
    }
    await broker.startBroker()
    await send(2)
    expect(await committed()).toBe(5)
    const told = await broker.pull({ queueOffset: 5 })
    expect(told).toMatchObject({ code: 21, remark: 'OFFSET_OVERFLOW_BADLY', extFields: { nextBeginOffset: '2' } })
  })
})

describe('a pull that waits', () => {
  beforeEach(() => start())

  test('S042 is answered when a message arrives, not when its time is up', async () => {
    const held = await broker.client().heldPull()
    await broker.clock.advance(3000)
    expect(held.answer).toBeUndefined()
    await send(1)
    expect((await held.done).code).toBe(0)
  })

  test('S043 is answered 19 after 15 s, at most 5 s later', async () => {
    const held = await broker.client().heldPull()
    await broker.clock.advance(14_000)
    expect(held.answer).toBeUndefined()
    await broker.clock.advance(6000)
    expect(await held.done).toMatchObject({ code: 19, extFields: { nextBeginOffset: '0' } })
  })

  test('S044 is not woken by another tag; within 5 s it is told where to go on', async () => {
    const held = await broker.client().heldPull({ subscription: 'A' })
    await broker.clock.advance(1000)
    await send(1, 'B')
    await broker.clock.advance(1000)
    expect(held.answer).toBeUndefined()
    await broker.clock.advance(4000)
    expect(await held.done).toMatchObject({ code: 20, extFields: { nextBeginOffset: '1' } })
  })
})

describe('filters', () => {
  test('S048 1000 messages that do not match: 20 with 800 more, then the match', async () => {
    await start()
    for (let i = 0; i < 10; i++) await sendBatch(100, 'B')
    await send(1, 'A')
    const first = await broker.pull({ subscription: 'A' })
    expect(first).toMatchObject({ code: 20, extFields: { nextBeginOffset: '800' } })
    const found = await broker.messages({ subscription: 'A', queueOffset: 800 })
    expect(found.map(message => message.queueOffset)).toEqual([1000])
  })

  test.each([
    ['S050 a number above 5 is none that is written 5.5', 'a > 5', { a: '5.5' }, false],
    ['S050 a whole number is', 'a > 5', { a: '6' }, true],
    ['S051 a missing property is not unequal', 'a <> 5', {}, false],
    ['S051 it is NULL', 'a IS NULL OR a <> 5', {}, true],
    ['S052 LIKE is accepted and matches nothing', "a LIKE 'x%'", { a: 'xy' }, false],
  ] as const)('%s: %s', async (_name, subscription, properties, matches) => {
    await start({ enablePropertyFilter: true })
    await broker.send({ properties })
    const answer = await broker.pull({ subscription, expressionType: 'SQL92' })
    expect(answer).toMatchObject({ code: matches ? 0 : 20, extFields: { nextBeginOffset: '1' } })
  })
})

describe('offsets of a group', () => {
  beforeEach(() => start())

  test('S055 a pull with the commit flag stores its offset, before it is held as well', async () => {
    await send(3)
    await broker.pull({ sysFlag: 5, commitOffset: 2 })
    expect(await committed()).toBe(2)
    await broker.client().heldPull({ sysFlag: 7, queueOffset: 3, commitOffset: 3 })
    expect(await committed()).toBe(3)
    await broker.pull({ sysFlag: 4, commitOffset: 1 })
    expect(await committed()).toBe(3)
  })

  test('S059 none stored and setZeroIfNotFound=false: 22', async () => {
    await send(1)
    const fields = { consumerGroup: 'G', topic: 'T', queueId: 0, setZeroIfNotFound: false }
    expect(await broker.call(QUERY_CONSUMER_OFFSET, fields)).toMatchObject({
      code: ResponseCode.QUERY_NOT_FOUND,
      remark: 'Not found, do not set to zero, maybe this group boot first',
    })
  })

  test('S062 a commit below the stored offset is taken', async () => {
    await broker.pull()
    for (const offset of [9, 3]) {
      expect((await commit(offset)).code).toBe(0)
      expect(await committed()).toBe(offset)
    }
  })
})

test('S054 a consumer that crashes with messages in hand: the next one gets all from the last commit on', async () => {
  const nameServer = await startTestNamesrv()
  onTestFinished(() => nameServer.stop())
  await start({ namesrvAddr: nameServer.address })
  const producer = new Producer({ group: 'P', namesrvAddr: nameServer.address })
  onTestFinished(() => producer.stop())
  await producer.start()
  const bodies = Array.from({ length: 100 }, (_, i) => `m${String(i).padStart(3, '0')}`)
  await producer.sendBatch(bodies.map(body => ({ topic: 'T', body })))
  const consume = async (inbox: Inbox, hangFrom: string): Promise<PushConsumer> => {
    const consumer = new PushConsumer({
      group: 'G',
      namesrvAddr: nameServer.address,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      persistConsumerOffsetIntervalMs: 20,
      awaitTerminationMillisWhenShutdown: 0,
      onMessages: messages => {
        inbox.take(messages)
        return messages[0]!.body.toString() >= hangFrom ? new Promise<undefined>(() => undefined) : undefined
      },
    })
    onTestFinished(() => consumer.stop())
    await consumer.subscribe('T')
    await consumer.start()
    return consumer
  }
  const first = new Inbox()
  const crashing = await consume(first, 'm040')
  await eventually(async () => (await committed()) === 40, 'the commit of what is done')
  crashing.instance.remoting.stop()
  const second = new Inbox()
  await consume(second, 'z')
  await eventually(() => second.distinct.length >= 60, 'the rest')
  expect(second.distinct).toEqual(bodies.slice(40))
})

test('S060 a pull to the fast port gets 3', async () => {
  await start()
  const answer = await broker.client(broker.port - 2).pull()
  expect(answer.code).toBe(ResponseCode.REQUEST_CODE_NOT_SUPPORTED)
})

test('S061 slaveReadEnable: a consumer that lags beyond the memory is sent to id 1, one that keeps up to 0', async () => {
  await start({ slaveReadEnable: true })
  await send(3)
  const { context } = broker.controller
  let lags = true
  const store = Object.create(context.store, {
    getMessage: {
      value: async (request: Parameters<typeof context.store.getMessage>[0]) => {
        const result = (await context.store.getMessage(request))!
        await broker.clock.advance(7)
        return Object.create(result, { suggestPullingFromSlave: { value: lags } }) as typeof result
      },
    },
  }) as typeof context.store
  const [pull] = pullMessageRoutes(new PullService({ ...context, store }))
  const fields = { consumerGroup: 'G', topic: 'T', queueId: '0', queueOffset: '0', maxMsgNums: '32', sysFlag: '4' }
  const rest = {
    commitOffset: '0',
    suspendTimeoutMillis: '0',
    subscription: '*',
    subVersion: '0',
    expressionType: 'TAG',
  }
  const suggested = async (): Promise<unknown> =>
    (await callRoute(pull!, { extFields: { ...fields, ...rest } })).extFields.suggestWhichBrokerId
  expect(await suggested()).toBe('1')
  lags = false
  expect(await suggested()).toBe('0')
  expect(context.stats.store.getMessageEntireTimeMax).toBe(7)
  // what lay too far back for the memory is counted as read from the disk
  await broker.clock.advance(20_000)
  const disk = context.stats.view('GROUP_GET_FROM_DISK_NUMS', 'T@G', '')
  expect(disk?.statsMinute.sum).toBe(3)
})

test('reads that find nothing, and how long puts and reads take, are counted for the runtime info', async () => {
  await start()
  await send(33)
  await broker.pull()
  await broker.pull({ queueOffset: 33 })
  // the first sample was taken at the start, the rate over 10 s is there with the eleventh
  await broker.clock.advance(10_000)
  const { body } = await broker.call(RequestCode.GET_BROKER_RUNTIME_INFO)
  const { table } = JSON.parse(body.toString()) as { table: Record<string, string> }
  // of 33 sends the first and the last are timed
  expect(table.putMessageDistributeTime).toContain('[<=0ms]:2 ')
  expect(table.getMissTps).toBe('0.1  ')
  expect(table.getFoundTps).toBe('0.1  ')
})
