import { afterEach, expect, test } from 'vitest'
import { decodeMessages, RequestCode } from '../../src/common/index.js'
import { BrokerDriver } from '../support/broker-driver.js'
import { runMqadmin } from '../support/run-mqadmin.js'

const keys = { enablePropertyFilter: true, enableConsumeQueueExt: true, enableCalcFilterBitMap: true }
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function subscribe(broker: BrokerDriver, subString: string): Promise<void> {
  const subscription = { topic: 'T', subString, expressionType: 'SQL92', subVersion: 1, tagsSet: [], codeSet: [] }
  const consumer = {
    groupName: 'G',
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    subscriptionDataSet: [subscription],
    unitMode: false,
  }
  const body = JSON.stringify({ clientID: '10.0.0.1@1', producerDataSet: [], consumerDataSet: [consumer] })
  expect((await broker.call(RequestCode.HEART_BEAT, {}, { body })).code).toBe(0)
}

async function pulled(broker: BrokerDriver): Promise<string[]> {
  const answer = await broker.call(RequestCode.PULL_MESSAGE, {
    ...{ consumerGroup: 'G', topic: 'T', queueId: 0, queueOffset: 0, maxMsgNums: 32 },
    ...{ sysFlag: 0, commitOffset: 0, suspendTimeoutMillis: 1000, subVersion: 1, expressionType: 'SQL92' },
  })
  return answer.code === 0 ? decodeMessages(answer.body).map(message => message.body.toString()) : []
}

async function queueData(broker: BrokerDriver): Promise<Record<string, unknown>[]> {
  const fields = { topic: 'T', queueId: 0, index: 0, count: 10, consumerGroup: 'G' }
  const { body } = await broker.call(RequestCode.QUERY_CONSUME_QUEUE, fields)
  return (JSON.parse(body.toString()) as { queueData: Record<string, unknown>[] }).queueData
}

test('bits of a group stand in the extension of each message, before and after a restart', async () => {
  const broker = await BrokerDriver.start(keys)
  stops.push(() => broker.stop())
  await broker.send({ topic: 'T', body: 'early', properties: { TAGS: 'x', a: '9' } })
  await subscribe(broker, 'a > 2')
  for (let i = 0; i < 6; i++) await broker.send({ topic: 'T', body: `m${i}`, properties: { TAGS: 'x', a: String(i) } })
  expect(await pulled(broker)).toEqual(['early', 'm3', 'm4', 'm5'])
  const data = await queueData(broker)
  // what was there before the group has no bits: it has to be looked at
  expect(data.map(unit => unit.eval)).toEqual([true, false, false, false, true, true, true])
  expect(data[0]!.bitMap).toBeUndefined()
  expect(String(data[6]!.bitMap).replace(/[\n0]/g, '').length).toBe(3)
  expect(JSON.parse(String(data[6]!.extendDataJson))).toMatchObject({ size: 34, tagsCode: 'x'.charCodeAt(0) })
  await broker.stop()
  await broker.start(keys)
  await subscribe(broker, 'a > 2')
  expect(await pulled(broker)).toEqual(['early', 'm3', 'm4', 'm5'])
  expect((await queueData(broker)).map(unit => unit.eval)).toEqual([true, false, false, false, true, true, true])
  const { stdout } = await runMqadmin(['queryCq', '-b', broker.brokerAddr, '-t', 'T', '-q', '0', '-i', '6', '-c', '1'])
  expect(stdout).toMatch(/extendDataJson='\{"filterBitMap":"[\w+/]+=*",/)
})
