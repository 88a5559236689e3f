import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { decodeMessages, RequestCode } from '../../src/common/index.js'
import { BrokerDriver } from '../support/broker-driver.js'
import { RawClient } from '../support/raw-client.js'

const light = { enableLmq: true, enableMultiDispatch: true }
const GROUP = '%LMQ%client-1'
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function driver(keys: Parameters<typeof BrokerDriver.start>[0] = light): Promise<BrokerDriver> {
  const broker = await BrokerDriver.start(keys)
  stops.push(() => broker.stop())
  return broker
}

const send = (broker: BrokerDriver, body: string, names: string) =>
  broker.send({ topic: 'Parent', body, properties: { TAGS: 't', INNER_MULTI_DISPATCH: names } })

const bodies = async (broker: BrokerDriver, topic: string, offset = 0): Promise<string[]> =>
  (await broker.pull(topic, 0, offset)).map(message => message.body.toString())

const commit = (broker: BrokerDriver, commitOffset: number) =>
  broker.call(RequestCode.UPDATE_CONSUMER_OFFSET, { consumerGroup: GROUP, topic: '%LMQ%a', queueId: 0, commitOffset })

async function committed(broker: BrokerDriver): Promise<string | undefined> {
  const fields = { consumerGroup: GROUP, topic: '%LMQ%a', queueId: 0 }
  return (await broker.call(RequestCode.QUERY_CONSUMER_OFFSET, fields)).extFields?.offset
}

test('a light queue is read without a topic, by a group of its own whose offset is kept', async () => {
  const broker = await driver()
  for (const body of ['b0', 'b1', 'b2']) await send(broker, body, body === 'b1' ? '%LMQ%a' : '%LMQ%a,%LMQ%b')
  expect(await bodies(broker, '%LMQ%a')).toEqual(['b0', 'b1', 'b2'])
  expect(await bodies(broker, '%LMQ%b')).toEqual(['b0', 'b2'])
  // messages say where they were sent
  const [message] = await broker.pull('%LMQ%b', 0, 1)
  expect([message?.topic, message?.properties.get('INNER_MULTI_QUEUE_OFFSET')]).toEqual(['Parent', '2,1'])
  expect((await commit(broker, 2)).code).toBe(0)
  await broker.stop()
  const file = join(broker.store, 'config', 'lmqConsumerOffset.json')
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ lmqOffsetTable: { [`%LMQ%a@${GROUP}`]: 2 } })
  await broker.start(light)
  expect(await committed(broker)).toBe('2')
  expect(await bodies(broker, '%LMQ%a', 2)).toEqual(['b2'])
})

test('a held pull of a light queue is answered by the message that names it', async () => {
  const broker = await driver()
  await send(broker, 'b0', '%LMQ%a')
  const consumer = await RawClient.open(Number(broker.brokerAddr.split(':')[1]))
  stops.push(async () => consumer.close())
  const fields = {
    consumerGroup: GROUP,
    topic: '%LMQ%a',
    queueId: 0,
    queueOffset: 1,
    maxMsgNums: 32,
    // suspend, and the subscription comes along
    sysFlag: 6,
    commitOffset: 0,
    suspendTimeoutMillis: 60_000,
    subscription: '*',
    subVersion: 1,
    expressionType: 'TAG',
  }
  const extFields = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]))
  const held = consumer.call({ code: RequestCode.PULL_MESSAGE, extFields })
  await send(broker, 'other', '%LMQ%b')
  await send(broker, 'b1', '%LMQ%a')
  const answer = await held
  expect([answer.code, decodeMessages(answer.body).map(message => message.body.toString())]).toEqual([0, ['b1']])
})

test('one queue too many is refused with the code and text of the Java broker', async () => {
  const broker = await driver({ ...light, maxLmqConsumeQueueNum: 1 })
  expect((await send(broker, 'b0', '%LMQ%a')).code).toBe(0)
  const refused = await send(broker, 'b1', '%LMQ%b')
  expect(refused.code).toBe(1)
  expect(refused.remark).toMatch(/^\[LMQ_CONSUME_QUEUE_NUM_EXCEEDED\]broker config enableLmq and enableMultiDispatch/)
})

test('groups and offsets of before go on when the keys are set', async () => {
  const broker = await driver({})
  await broker.send({ topic: 'Parent', body: 'b0' })
  expect((await broker.pull('Parent', 0, 0, { consumerGroup: 'G' })).length).toBe(1)
  const fields = { consumerGroup: 'G', topic: 'Parent', queueId: 0 }
  expect(await broker.call(RequestCode.UPDATE_CONSUMER_OFFSET, { ...fields, commitOffset: 1 })).toMatchObject({
    code: 0,
  })
  expect((await broker.call(RequestCode.QUERY_CONSUMER_OFFSET, fields)).extFields?.offset).toBe('1')
  expect((await broker.call(RequestCode.PULL_MESSAGE, { ...fields, topic: '%LMQ%a' })).code).not.toBe(0)
  await broker.stop()
  await broker.start(light)
  expect((await broker.call(RequestCode.QUERY_CONSUMER_OFFSET, fields)).extFields?.offset).toBe('1')
  await send(broker, 'b1', '%LMQ%a')
  expect(await bodies(broker, '%LMQ%a')).toEqual(['b1'])
})

test('statistics count all light queues as one unless told otherwise', async () => {
  const view = async (broker: BrokerDriver, key: string): Promise<unknown> => {
    const fields = { statsName: 'GROUP_GET_NUMS', statsKey: key }
    const answer = await broker.call(RequestCode.VIEW_BROKER_STATS_DATA, fields)
    return answer.code === 0 ? JSON.parse(answer.body.toString()).statsMinute.sum : 'unknown'
  }
  for (const enableLmqStats of [false, true]) {
    const broker = await driver({ ...light, enableLmqStats })
    await send(broker, 'b0', '%LMQ%a,%LMQ%b')
    for (const topic of ['%LMQ%a', '%LMQ%b'])
      expect((await broker.pull(topic, 0, 0, { consumerGroup: GROUP })).length).toBe(1)
    await broker.clock.advance(61_000)
    expect(await view(broker, '%LMQ%@%LMQ%')).toBe(enableLmqStats ? 'unknown' : 2)
    expect(await view(broker, `%LMQ%a@${GROUP}`)).toBe(enableLmqStats ? 1 : 'unknown')
  }
})
