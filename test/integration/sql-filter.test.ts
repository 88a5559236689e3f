import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { bySql, MQClientError, Producer, PushConsumer } from '../../src/client/index.js'
import { decodeMessages, RequestCode } from '../../src/common/index.js'
import { type CometMQ, startCometMQ } from '../../src/embed.js'
import { BrokerDriver } from '../support/broker-driver.js'
import { eventually } from '../support/eventually.js'
import { runMqadmin } from '../support/run-mqadmin.js'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function driver(enablePropertyFilter: boolean): Promise<BrokerDriver> {
  const broker = await BrokerDriver.start({ enablePropertyFilter })
  stops.push(() => broker.stop())
  return broker
}

/** Bodies m0 to m5 with the property a = 0 to 5; m4 has none. */
async function fill(broker: BrokerDriver): Promise<void> {
  for (let i = 0; i < 6; i++) {
    const properties = { TAGS: i % 2 === 0 ? 'Even' : 'Odd', ...(i === 4 ? {} : { a: String(i) }) }
    expect((await broker.send({ topic: 'T', body: `m${i}`, properties })).code).toBe(0)
  }
}

function pull(broker: BrokerDriver, more: Record<string, unknown>) {
  return broker.call(RequestCode.PULL_MESSAGE, {
    consumerGroup: 'G',
    topic: 'T',
    queueId: 0,
    queueOffset: 0,
    maxMsgNums: 32,
    sysFlag: 4,
    commitOffset: 0,
    suspendTimeoutMillis: 1000,
    subVersion: 1,
    expressionType: 'SQL92',
    ...more,
  })
}

const bodies = (body: Buffer): string[] => decodeMessages(body).map(message => message.body.toString())

function check(broker: BrokerDriver, subString: string, expressionType = 'SQL92') {
  const subscriptionData = { topic: 'T', subString, expressionType, subVersion: 1, tagsSet: [], codeSet: [] }
  const body = JSON.stringify({ clientId: '10.0.0.1@1', group: 'G', subscriptionData })
  return broker.call(RequestCode.CHECK_CLIENT_CONFIG, {}, { body })
}

function heartbeat(broker: BrokerDriver, subString: string, subVersion: number) {
  const subscription = { topic: 'T', subString, expressionType: 'SQL92', subVersion, tagsSet: [], codeSet: [] }
  const consumer = {
    groupName: 'G',
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    subscriptionDataSet: [subscription],
    unitMode: false,
  }
  const body = JSON.stringify({ clientID: '10.0.0.1@1', producerDataSet: [], consumerDataSet: [consumer] })
  return broker.call(RequestCode.HEART_BEAT, {}, { body })
}

describe('a pull that carries its expression', () => {
  test.each([
    ['a > 2', ['m3', 'm5']],
    ['a BETWEEN 1 AND 3', ['m1', 'm2', 'm3']],
    ["a <> 3 AND TAGS = 'Odd'", ['m1', 'm5']],
    ['a IS NULL', ['m4']],
    ['NOT (a > 2)', ['m0', 'm1', 'm2']],
    ["a IN ('0', '5')", ['m0', 'm5']],
  ])('%s', async (subscription, expected) => {
    const broker = await driver(true)
    await fill(broker)
    const answer = await pull(broker, { subscription })
    expect(answer.code).toBe(0)
    expect(bodies(answer.body)).toEqual(expected)
    expect(answer.extFields?.nextBeginOffset).toBe('6')
  })

  test('that matches nothing goes on behind what was looked at', async () => {
    const broker = await driver(true)
    await fill(broker)
    const answer = await pull(broker, { subscription: 'a > 100' })
    expect(answer).toMatchObject({ code: 20, extFields: { nextBeginOffset: '6' } })
  })

  test('that does not compile is refused with 23', async () => {
    const broker = await driver(true)
    await fill(broker)
    const answer = await pull(broker, { subscription: 'a = NULL' })
    expect(answer).toMatchObject({ code: 23 })
    expect(answer.remark).toContain("parse the consumer's subscription failed")
  })

  test('that names a filter class is refused with 23, as is the class at the start of its consumer', async () => {
    const broker = await driver(true)
    await fill(broker)
    const answer = await pull(broker, { subscription: 'a.b.Filter', expressionType: 'TAG', sysFlag: 4 + 8 })
    expect(answer).toMatchObject({ code: 23 })
    expect(answer.remark).toContain('filter classes are not served')
    const subscriptionData = { topic: 'T', subString: 'a.b.Filter', classFilterMode: true, expressionType: 'TAG' }
    const body = JSON.stringify({ clientId: 'c', group: 'G', subscriptionData })
    const check = await broker.call(RequestCode.CHECK_CLIENT_CONFIG, {}, { body })
    expect(check).toMatchObject({ code: 23, remark: answer.remark })
  })

  test('of a type that does not exist is refused with 23', async () => {
    const broker = await driver(true)
    await fill(broker)
    expect((await pull(broker, { subscription: 'a > 1', expressionType: 'CLASS' })).code).toBe(23)
  })

  test('is refused without enablePropertyFilter', async () => {
    const broker = await driver(false)
    await fill(broker)
    expect(await pull(broker, { subscription: 'a > 1' })).toMatchObject({
      code: 1,
      remark: 'The broker does not support consumer to filter message by SQL92',
    })
  })
})

describe('a pull that relies on the heartbeat', () => {
  test('is filtered by what the heartbeat said', async () => {
    const broker = await driver(true)
    await fill(broker)
    expect((await heartbeat(broker, 'a >= 3', 7)).code).toBe(0)
    const answer = await pull(broker, { sysFlag: 0, subVersion: 7 })
    expect(bodies(answer.body)).toEqual(['m3', 'm5'])
    expect((await pull(broker, { sysFlag: 0, subVersion: 8 })).code).toBe(25)
  })

  test('gets 27 when the expression of the heartbeat did not compile', async () => {
    const broker = await driver(true)
    await fill(broker)
    await heartbeat(broker, 'a ==', 7)
    expect(await pull(broker, { sysFlag: 0, subVersion: 7 })).toMatchObject({
      code: 27,
      remark: "The broker's consumer filter data is not exist!Your expression may be wrong!",
    })
  })

  test('the expression outlives a restart in consumerFilter.json', async () => {
    const broker = await driver(true)
    await fill(broker)
    await heartbeat(broker, 'a >= 3', 7)
    await broker.stop()
    const file = join(broker.store, 'config', 'consumerFilter.json')
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      filterDataByTopic: {
        T: { groupFilterData: { G: { expression: 'a >= 3', expressionType: 'SQL92', clientVersion: 7, dead: true } } },
      },
    })
    await broker.start({ enablePropertyFilter: true })
    await heartbeat(broker, 'a >= 3', 7)
    expect(bodies((await pull(broker, { sysFlag: 0, subVersion: 7 })).body)).toEqual(['m3', 'm5'])
  })
})

describe('CHECK_CLIENT_CONFIG (46)', () => {
  test('tells what is wrong with an expression in the words of Java', async () => {
    const broker = await driver(true)
    expect((await check(broker, 'a > 5')).code).toBe(0)
    expect((await check(broker, 'A || B', 'TAG')).code).toBe(0)
    expect(await check(broker, 'a BETWEEN 5 AND 1')).toMatchObject({
      code: 23,
      remark:
        'java.lang.RuntimeException: Illegal values of between, left value(5) must less than or equal to right value(1)',
    })
    expect((await check(broker, 'new Filter()', 'CLASS')).code).toBe(23)
  })

  test('refuses SQL92 while enablePropertyFilter is off', async () => {
    const broker = await driver(false)
    expect(await check(broker, 'a > 5')).toMatchObject({
      code: 1,
      remark: 'The broker does not support consumer to filter message by SQL92',
    })
    expect((await check(broker, 'A || B', 'TAG')).code).toBe(0)
  })
})

describe('with the client library', () => {
  async function start(enablePropertyFilter: boolean): Promise<CometMQ> {
    const mq = await startCometMQ({ broker: { enablePropertyFilter } })
    stops.push(() => mq.stop())
    return mq
  }

  function consumerOf(mq: CometMQ, received: string[]): PushConsumer {
    const consumer = new PushConsumer({
      group: 'G',
      namesrvAddr: mq.namesrvAddr,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      onMessages: messages => {
        received.push(...messages.map(({ body }) => body.toString()))
      },
    })
    stops.push(() => consumer.stop())
    return consumer
  }

  async function sendAmounts(mq: CometMQ): Promise<void> {
    const producer = new Producer({ group: 'P', namesrvAddr: mq.namesrvAddr })
    await producer.start()
    stops.push(() => producer.stop())
    for (const amount of [1, 20, 300]) {
      await producer.send({ topic: 'Pay', body: String(amount), properties: { amount: String(amount) } })
    }
  }

  test('messages stored before and messages that come later are filtered', async () => {
    const mq = await start(true)
    await sendAmounts(mq)
    const received: string[] = []
    const consumer = consumerOf(mq, received)
    await consumer.subscribe('Pay', bySql('amount > 10'))
    await consumer.start()
    await eventually(() => received.length === 2, 'stored messages')
    await sendAmounts(mq)
    await eventually(() => received.length === 4, 'later messages')
    expect(received.sort()).toEqual(['20', '20', '300', '300'])
  })

  test('a bad expression ends the start of the consumer', async () => {
    const mq = await start(true)
    await sendAmounts(mq)
    const consumer = consumerOf(mq, [])
    await consumer.subscribe('Pay', bySql('amount >'))
    const failure = await consumer.start().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(MQClientError)
    expect(failure).toMatchObject({ responseCode: 23 })
    expect((failure as MQClientError).remark).toContain('ParseException')
  })

  test('filterTest tells which messages match and why others do not', async () => {
    const mq = await start(false)
    await sendAmounts(mq)
    const ask = (...argv: string[]) => runMqadmin(['filterTest', '-t', 'Pay', '-n', mq.namesrvAddr, ...argv])
    const { stdout } = await ask('-y', 'SQL92', '-x', "amount > 10 AND currency = 'EUR'")
    const lines = stdout.split('\n').map(line => line.replace(/ +/g, ' '))
    expect(lines[0]).toBe('#Message ID #Broker Name #QID #Offset #Match #Why not')
    expect(lines.filter(line => line.includes(' no '))).toHaveLength(3)
    expect(stdout).toContain("(amount > 10) is FALSE: amount is '1'; (currency == 'EUR') is NULL: currency is missing")
    expect(lines.at(-2)).toBe('0 of 3 messages match')
    const json = JSON.parse((await ask('-y', 'SQL92', '-x', 'amount > 10', '--json')).stdout)
    expect(json.result).toMatchObject({ matched: 2 })
    expect((await ask('-x', 'A || B')).stdout).toContain('its tag is missing')
    expect((await ask('-x', '*', '-c', '2')).stdout).toContain('2 of 2 messages match')
    const bad = await ask('-y', 'SQL92', '-x', 'amount = NULL')
    expect(bad.exitCode).toBe(1)
    expect(bad.stderr).toContain("the expression is not valid: java.lang.RuntimeException: 'NULL' cannot be compared.")
  })
})

describe.each([true, false])('filterSupportRetry=%s', filterSupportRetry => {
  test('a SQL subscription of the retry topic is told by that of the real topic', async () => {
    const broker = await BrokerDriver.start({ enablePropertyFilter: true, filterSupportRetry })
    stops.push(() => broker.stop())
    await heartbeat(broker, 'a > 2', 1)
    for (let i = 0; i < 6; i++) {
      const properties = { a: String(i), ...(i === 0 ? {} : { RETRY_TOPIC: i === 1 ? 'Unknown' : 'T' }) }
      expect((await broker.send({ topic: '%RETRY%G', body: `m${i}`, properties })).code).toBe(0)
    }
    const found = await pull(broker, { topic: '%RETRY%G', subscription: 'a <> 4' })
    // without an expression to go by, every message passes
    expect(bodies(found.body)).toEqual(
      filterSupportRetry ? ['m0', 'm1', 'm3', 'm4', 'm5'] : ['m0', 'm1', 'm2', 'm3', 'm5'],
    )
  })
})
