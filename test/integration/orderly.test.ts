import { afterEach, describe, expect, test } from 'vitest'
import { Producer, PushConsumer, type PushConsumerOptions } from '../../src/client/index.js'
import { messageQueueFromJson, parseFastJson, RequestCode, readArray, readObject } from '../../src/common/index.js'
import { startCometMQ } from '../../src/embed.js'
import { BrokerDriver } from '../support/broker-driver.js'
import { eventually } from '../support/eventually.js'
import { runMqadmin } from '../support/run-mqadmin.js'
import { TestSystem } from './client-system.js'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function driver(): Promise<BrokerDriver> {
  const broker = await BrokerDriver.start({ brokerName: 'broker-a' })
  stops.push(() => broker.stop())
  return broker
}

const queue = (queueId: number) => ({ topic: 'T', brokerName: 'broker-a', queueId })

async function lock(broker: BrokerDriver, clientId: string, ...queueIds: number[]): Promise<number[]> {
  const body = JSON.stringify({ consumerGroup: 'G', clientId, onlyThisBroker: false, mqSet: queueIds.map(queue) })
  const answer = await broker.call(RequestCode.LOCK_BATCH_MQ, {}, { body })
  expect(answer.code).toBe(0)
  const granted = readArray(readObject(parseFastJson(answer.body)).lockOKMQSet)
  return granted.map(json => messageQueueFromJson(json).queueId).sort()
}

async function unlock(broker: BrokerDriver, clientId: string, ...queueIds: number[]): Promise<void> {
  const body = JSON.stringify({ consumerGroup: 'G', clientId, onlyThisBroker: false, mqSet: queueIds.map(queue) })
  expect((await broker.call(RequestCode.UNLOCK_BATCH_MQ, {}, { body })).code).toBe(0)
}

describe('queue locks (41, 42) on a turned clock', () => {
  test('70: a lock belongs to one client until it gives it back', async () => {
    const broker = await driver()
    expect(await lock(broker, 'A', 0, 1)).toEqual([0, 1])
    expect(await lock(broker, 'B', 0, 1, 2)).toEqual([2])
    await unlock(broker, 'B', 0)
    expect(await lock(broker, 'B', 0)).toEqual([])
    await unlock(broker, 'A', 0)
    expect(await lock(broker, 'B', 0, 1)).toEqual([0])
  })

  test('70: one that is not renewed is free after 60 s, one that is renewed is not', async () => {
    const broker = await driver()
    await lock(broker, 'A', 0, 1)
    await broker.clock.advance(40_000)
    expect(await lock(broker, 'A', 1)).toEqual([1])
    await broker.clock.advance(20_000)
    expect(await lock(broker, 'B', 0, 1)).toEqual([])
    await broker.clock.advance(1)
    expect(await lock(broker, 'B', 0, 1)).toEqual([0])
    await broker.clock.advance(40_000)
    expect(await lock(broker, 'B', 1)).toEqual([1])
  })

  test('71: a restart forgets the locks, so that members take them anew', async () => {
    const broker = await driver()
    await lock(broker, 'A', 0)
    await broker.stop()
    await broker.start({ brokerName: 'broker-a' })
    expect(await lock(broker, 'B', 0)).toEqual([0])
  })
})

const KEYS = 8
const ROUNDS = 25

/** Orders of several keys, numbered per key; equal keys go to one queue. */
class Orders {
  private readonly next = new Map<string, number>()

  constructor(private readonly producer: Producer) {}

  async send(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (let k = 0; k < KEYS; k++) {
        const key = `key-${k}`
        const number = this.next.get(key) ?? 0
        this.next.set(key, number + 1)
        await this.producer.send({ topic: 'Orders', body: `${key} ${number}` }, { queueKey: key })
      }
    }
  }

  /** Whether messages can be sent now. */
  ping(): Promise<boolean> {
    return this.producer.send({ topic: 'Ping', body: 'ping' }).then(
      () => true,
      () => false,
    )
  }

  get total(): number {
    return [...this.next.values()].reduce((sum, count) => sum + count, 0)
  }
}

/** What all members of a group handled, in the order of their calls. */
class Handled {
  readonly texts: string[] = []
  private readonly running = new Map<number, number>()
  overlaps = 0

  options(system: TestSystem, more: Partial<PushConsumerOptions> = {}): PushConsumerOptions {
    return {
      group: 'G',
      namesrvAddr: system.namesrvAddr,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      consumeMessageBatchMaxSize: 4,
      persistConsumerOffsetIntervalMs: 500,
      onOrderedMessages: async (messages, context) => {
        const { queueId } = context.queue
        const others = this.running.get(queueId) ?? 0
        if (others > 0) this.overlaps++
        this.running.set(queueId, others + 1)
        await new Promise(resolve => setImmediate(resolve))
        for (const { body } of messages) this.texts.push(body.toString())
        this.running.set(queueId, this.running.get(queueId)! - 1)
      },
      ...more,
    }
  }

  get distinct(): number {
    return new Set(this.texts).size
  }

  /** Keys whose messages, each taken when it came first, are not in order. */
  disordered(): string[] {
    const last = new Map<string, number>()
    const seen = new Set<string>()
    const bad: string[] = []
    for (const text of this.texts) {
      if (seen.has(text)) continue
      seen.add(text)
      const [key = '', number] = text.split(' ')
      if (Number(number) !== (last.get(key) ?? -1) + 1) bad.push(text)
      last.set(key, Number(number))
    }
    return bad
  }
}

async function member(options: PushConsumerOptions): Promise<PushConsumer> {
  const consumer = new PushConsumer(options)
  await consumer.subscribe('Orders')
  await consumer.start()
  stops.push(() => consumer.stop())
  return consumer
}

async function systemOf(): Promise<TestSystem> {
  const system = new TestSystem()
  stops.push(() => system.stop())
  return system.start()
}

async function ordersOf(system: TestSystem): Promise<Orders> {
  const producer = new Producer({ group: 'P', namesrvAddr: system.namesrvAddr, sendTimeoutMs: 15_000 })
  await producer.start()
  stops.push(() => producer.stop())
  return new Orders(producer)
}

/** What queue 0 of a topic holds. */
function bodiesOf(system: TestSystem, topic: string): Promise<string[]> {
  return system.asAdmin(async admin => {
    await admin.topicRoute(topic)
    const { messages } = await admin.pull({
      queue: { topic, brokerName: 'broker-a', queueId: 0 },
      offset: 0,
      maxNums: 32,
    })
    return messages.map(({ body }) => body.toString())
  })
}

describe('ordered consumption', () => {
  test('order is kept while members come and go', async () => {
    const system = await systemOf()
    const orders = await ordersOf(system)
    const handled = new Handled()
    await orders.send(ROUNDS)
    const first = await member(handled.options(system))
    await eventually(() => handled.distinct >= KEYS * 5, 'the first member works')
    await member(handled.options(system))
    await orders.send(ROUNDS)
    await first.stop()
    await orders.send(ROUNDS)
    await eventually(() => handled.distinct === orders.total, 'all orders', 40_000)
    expect(handled.disordered()).toEqual([])
    expect(handled.overlaps).toBe(0)
  })

  test('71: order is kept over a restart of the broker, and nothing is lost', async () => {
    const system = await systemOf()
    const orders = await ordersOf(system)
    const handled = new Handled()
    await orders.send(ROUNDS)
    await member(handled.options(system))
    await eventually(() => handled.distinct >= KEYS * 5, 'the member works')
    await system.stopBroker()
    await system.startBroker()
    await eventually(() => orders.ping(), 'the broker is back', 40_000)
    await orders.send(1)
    await eventually(() => handled.distinct >= orders.total, 'all orders', 50_000)
    expect(handled.disordered()).toEqual([])
  })

  test('a suspended queue offers the same message again, in place, and nothing behind it', async () => {
    const system = await systemOf()
    const orders = await ordersOf(system)
    await orders.send(3)
    const handled = new Handled()
    const times: number[] = []
    let refusals = 3
    await member(
      handled.options(system, {
        consumeMessageBatchMaxSize: 1,
        suspendCurrentQueueTimeMillis: 50,
        onOrderedMessages: ([message]) => {
          const text = message!.body.toString()
          if (text === 'key-0 1' && refusals-- > 0) {
            times.push(message!.reconsumeTimes)
            return 'SUSPEND_CURRENT_QUEUE_A_MOMENT'
          }
          handled.texts.push(text)
          return 'SUCCESS'
        },
      }),
    )
    await eventually(() => handled.distinct === orders.total, 'all orders')
    expect(times).toEqual([0, 1, 2])
    expect(handled.disordered()).toEqual([])
    expect(handled.texts).toHaveLength(orders.total)
    // in place: nothing went to the retry topic
    expect(await bodiesOf(system, '%RETRY%G')).toEqual([])
  })

  test('81: a message that fails too often becomes a dead letter and the queue goes on', async () => {
    const system = await systemOf()
    const orders = await ordersOf(system)
    await orders.send(3)
    const handled = new Handled()
    await member(
      handled.options(system, {
        consumeMessageBatchMaxSize: 1,
        maxReconsumeTimes: 2,
        suspendCurrentQueueTimeMillis: 20,
        onOrderedMessages: ([message]) => {
          const text = message!.body.toString()
          if (text === 'key-0 1') throw new Error('never')
          handled.texts.push(text)
        },
      }),
    )
    await eventually(() => handled.distinct === orders.total - 1, 'all other orders')
    let dead: string[] = []
    await eventually(async () => {
      dead = await bodiesOf(system, '%DLQ%G').catch(() => [])
      return dead.length > 0
    }, 'the dead letter')
    expect(dead).toEqual(['key-0 1'])
  })

  test('an order topic tells producers its queues', async () => {
    const mq = await startCometMQ({ broker: { brokerName: 'broker-a' }, namesrv: { orderMessageEnable: true } })
    stops.push(() => mq.stop())
    const mqadmin = (...argv: string[]) => runMqadmin([...argv, '-n', mq.namesrvAddr])
    await mqadmin('updateTopic', '-t', 'OrderTopic', '-b', mq.brokerAddr, '-r', '8', '-w', '8', '-o', 'true')
    await mqadmin('updateOrderConf', '-t', 'OrderTopic', '-m', 'put', '-v', 'broker-a:3')
    const { stdout } = await mqadmin('topicRoute', '-t', 'OrderTopic', '--json')
    expect(JSON.parse(stdout).result).toMatchObject({ orderTopicConf: 'broker-a:3' })
    const producer = new Producer({ group: 'P2', namesrvAddr: mq.namesrvAddr })
    await producer.start()
    stops.push(() => producer.stop())
    expect((await producer.publishQueues('OrderTopic')).map(({ queueId }) => queueId)).toEqual([0, 1, 2])
  })
})
