import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LitePullConsumer, type LitePullConsumerOptions, Producer } from '../../src/client/index.js'
import { eventually } from '../support/eventually.js'
import { TestSystem } from './client-system.js'

const system = new TestSystem()
beforeAll(() => system.start())
afterAll(() => system.stop())

let names = 0
let topic: string
let group: string
let producer: Producer
const running: LitePullConsumer[] = []
beforeEach(async () => {
  names++
  topic = `Lite${names}`
  group = `LiteGroup${names}`
  await system.createTopic(topic, 2)
  producer = new Producer({ group: `Producer${names}`, namesrvAddr: system.namesrvAddr })
  await producer.start()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map(consumer => consumer.stop()))
  await producer.stop()
})

function newConsumer(options: Partial<LitePullConsumerOptions> = {}): LitePullConsumer {
  const consumer = new LitePullConsumer({
    group,
    namesrvAddr: system.namesrvAddr,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    ...options,
  })
  running.push(consumer)
  return consumer
}

async function sendTo(queueId: number, ...bodies: string[]): Promise<void> {
  for (const body of bodies) await producer.send({ topic, body }, { queue: { topic, brokerName: 'broker-a', queueId } })
}

/** Polls until so many messages have come. */
async function pollTexts(consumer: LitePullConsumer, count: number): Promise<string[]> {
  const texts: string[] = []
  await eventually(async () => {
    for (const message of await consumer.poll(100)) texts.push(message.body.toString())
    return texts.length >= count
  }, `${count} messages`)
  return texts.sort()
}

describe('subscribe', () => {
  it('polls the messages of its share of the queues', async () => {
    const consumer = newConsumer()
    await consumer.subscribe(topic)
    await consumer.start()
    await sendTo(0, 'a', 'b')
    await sendTo(1, 'c')
    expect(await pollTexts(consumer, 3)).toEqual(['a', 'b', 'c'])
    expect(consumer.instance.clientId).toMatch(/@STREAM$/)
    expect(await consumer.poll(10)).toEqual([])
  })

  it('shares queues with a second member', async () => {
    const [one, two] = [newConsumer(), newConsumer()]
    for (const consumer of [one, two]) {
      await consumer.subscribe(topic)
      await consumer.start()
    }
    await eventually(() => one.assignment().length === 1 && two.assignment().length === 1)
  })

  it('goes on where the group was, once positions are committed', async () => {
    const first = newConsumer({ autoCommit: false })
    await first.subscribe(topic)
    await first.start()
    await sendTo(0, 'a')
    await pollTexts(first, 1)
    await first.commit()
    await sendTo(0, 'b')
    await pollTexts(first, 1)
    await first.stop()
    // b was polled and not committed
    const second = newConsumer()
    await second.subscribe(topic)
    await second.start()
    expect(await pollTexts(second, 1)).toEqual(['b'])
    await second.stop()
    // autoCommit stores what was polled
    const third = newConsumer()
    await third.subscribe(topic)
    await third.start()
    await sendTo(0, 'c')
    expect(await pollTexts(third, 1)).toEqual(['c'])
  })

  it('is iterated over until it is stopped', async () => {
    const consumer = newConsumer()
    await consumer.subscribe(topic)
    await consumer.start()
    await sendTo(0, 'a', 'b', 'c')
    const texts: string[] = []
    for await (const messages of consumer) {
      texts.push(...messages.map(message => message.body.toString()))
      if (texts.length === 3) await consumer.stop()
    }
    expect(texts).toEqual(['a', 'b', 'c'])
  })
})

describe('assign', () => {
  it('reads just the queues named', async () => {
    const consumer = newConsumer()
    await consumer.start()
    const [first] = await consumer.fetchMessageQueues(topic)
    await consumer.assign([first!])
    await sendTo(1, 'other')
    await sendTo(0, 'mine')
    expect(await pollTexts(consumer, 1)).toEqual(['mine'])
    await expect(consumer.subscribe(topic)).rejects.toThrow('Subscribe and assign are mutually exclusive.')
  })

  it('seeks, within what there is', async () => {
    const queue = { topic, brokerName: 'broker-a', queueId: 0 }
    const consumer = newConsumer()
    await consumer.assign([queue])
    await consumer.start()
    await sendTo(0, 'a', 'b', 'c')
    expect(await pollTexts(consumer, 3)).toEqual(['a', 'b', 'c'])
    await consumer.seek(queue, 1)
    expect(await pollTexts(consumer, 2)).toEqual(['b', 'c'])
    await sendTo(0, 'd')
    expect(await pollTexts(consumer, 1)).toEqual(['d'])
    expect(await consumer.poll(100)).toEqual([])
    await consumer.seekToBegin(queue)
    expect(await pollTexts(consumer, 4)).toEqual(['a', 'b', 'c', 'd'])
    await consumer.seekToEnd(queue)
    expect(await consumer.poll(50)).toEqual([])
    await expect(consumer.seek(queue, 5)).rejects.toThrow(
      'Seek offset illegal, seek offset = 5, min offset = 0, max offset = 4',
    )
    await expect(consumer.seek({ ...queue, queueId: 1 }, 0)).rejects.toThrow('not in assigned list')
  })

  it('keeps messages of a paused queue until it goes on', async () => {
    const queue = { topic, brokerName: 'broker-a', queueId: 0 }
    const consumer = newConsumer()
    await consumer.assign([queue])
    await consumer.start()
    await eventually(() => consumer.assignment().length === 1)
    consumer.pause([queue])
    await sendTo(0, 'a')
    expect(await consumer.poll(200)).toEqual([])
    consumer.resume([queue])
    expect(await pollTexts(consumer, 1)).toEqual(['a'])
  })
})

it('ends a waiting poll when it is stopped', async () => {
  const consumer = newConsumer()
  await consumer.subscribe(topic)
  await consumer.start()
  const waiting = consumer.poll(60_000)
  await consumer.stop()
  expect(await waiting).toEqual([])
  await expect(consumer.poll()).rejects.toMatchObject({ code: 'ERR_CLIENT_STATE' })
})
