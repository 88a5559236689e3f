import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  bySql,
  type MessageListener,
  type OrderedMessageListener,
  Producer,
  PushConsumer,
  type PushConsumerOptions,
} from '../../src/client/index.js'
import { retryTopic } from '../../src/common/index.js'
import { eventually } from '../support/eventually.js'
import { tempDir } from '../support/temp-dir.js'
import { Inbox, TestSystem } from './client-system.js'

const system = new TestSystem({ enablePropertyFilter: true })
beforeAll(() => system.start())
afterAll(() => system.stop())

let names = 0
let topic: string
let group: string
let producer: Producer
const running: PushConsumer[] = []
beforeEach(async () => {
  names++
  topic = `Topic${names}`
  group = `Group${names}`
  await system.createTopic(topic)
  producer = new Producer({ group: `Producer${names}`, namesrvAddr: system.namesrvAddr })
  await producer.start()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map(consumer => consumer.stop()))
  await producer.stop()
})

type Listener = { onMessages: MessageListener } | { onOrderedMessages: OrderedMessageListener }

async function consume(
  listener: Listener,
  options: Partial<PushConsumerOptions> = {},
  selector?: string,
): Promise<PushConsumer> {
  const consumer = new PushConsumer({
    group,
    namesrvAddr: system.namesrvAddr,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    ...listener,
    ...options,
  })
  running.push(consumer)
  await consumer.subscribe(topic, selector)
  await consumer.start()
  return consumer
}

async function send(...bodies: string[]): Promise<void> {
  for (const body of bodies) await producer.send({ topic, body })
}

function numbered(count: number, prefix = 'm'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(3, '0')}`)
}

function queuesOf(consumer: PushConsumer): number[] {
  return consumer
    .assignedQueues()
    .filter(queue => queue.topic === topic)
    .map(queue => queue.queueId)
    .sort()
}

describe('messages', () => {
  it('arrive as they were sent', async () => {
    const inbox = new Inbox()
    const body = 'тело 你好 🚀'.repeat(1000)
    const sent = await producer.send({
      topic,
      body,
      tags: '标签',
      keys: ['k1', 'k2'],
      properties: { 名前: '値 🎉' },
      flag: 5,
    })
    await consume({ onMessages: inbox.take })
    await eventually(() => inbox.messages.length === 1)
    const [message] = inbox.messages
    expect(message!.body.toString()).toBe(body)
    expect(message).toMatchObject({
      topic,
      flag: 5,
      brokerName: 'broker-a',
      queueId: sent.queue.queueId,
      offsetMsgId: sent.offsetMsgId,
    })
    expect(Object.fromEntries(message!.properties)).toMatchObject({
      TAGS: '标签',
      KEYS: 'k1 k2',
      名前: '値 🎉',
      UNIQ_KEY: sent.msgId,
      MIN_OFFSET: '0',
      MAX_OFFSET: '1',
    })
  })

  it('of a batch arrive one by one', async () => {
    const inbox = new Inbox()
    await consume({ onMessages: inbox.take })
    await producer.sendBatch(['a', 'b', 'c'].map(body => ({ topic, body })))
    await eventually(() => inbox.texts.length === 3)
    expect(inbox.texts.sort()).toEqual(['a', 'b', 'c'])
  })

  it('come in batches when the listener takes them', async () => {
    const sizes: number[] = []
    await producer.sendBatch(numbered(20).map(body => ({ topic, body })))
    await consume({ onMessages: messages => void sizes.push(messages.length) }, { consumeMessageBatchMaxSize: 8 })
    await eventually(() => sizes.reduce((a, b) => a + b, 0) === 20)
    expect(Math.max(...sizes)).toBe(8)
  })

  it('are chosen by tag', async () => {
    const inbox = new Inbox()
    for (const tags of ['A', 'B', 'C']) await producer.send({ topic, body: tags, tags })
    await producer.send({ topic, body: 'none' })
    // the same Java hash as "Aa": the broker cannot tell them apart, the client must
    await producer.send({ topic, body: 'BB', tags: 'BB' })
    await producer.send({ topic, body: 'Aa', tags: 'Aa' })
    await consume({ onMessages: inbox.take }, {}, 'A || C || Aa')
    await eventually(() => inbox.texts.length >= 3)
    expect(inbox.distinct).toEqual(['A', 'Aa', 'C'])
  })

  it('that a listener throws at are not lost for the ones behind them', async () => {
    const inbox = new Inbox()
    await consume({
      onMessages: messages => {
        if (messages[0]!.body.toString() === 'bad') throw new Error('cannot')
        inbox.take(messages)
      },
    })
    await send('bad', 'good')
    await eventually(() => inbox.texts.includes('good'))
  })
})

describe('SQL subscriptions', () => {
  it('choose by property', async () => {
    const inbox = new Inbox()
    for (const price of ['5', '15', '25']) await producer.send({ topic, body: price, properties: { price } })
    const consumer = new PushConsumer({
      group,
      namesrvAddr: system.namesrvAddr,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      onMessages: inbox.take,
    })
    running.push(consumer)
    await consumer.subscribe(topic, bySql('price BETWEEN 10 AND 20'))
    await consumer.start()
    await eventually(() => inbox.texts.length > 0)
    expect(inbox.distinct).toEqual(['15'])
  })

  it('that do not parse stop the start', async () => {
    const consumer = new PushConsumer({ group, namesrvAddr: system.namesrvAddr, onMessages: () => {} })
    await consumer.subscribe(topic, bySql('price >'))
    await expect(consumer.start()).rejects.toMatchObject({ responseCode: 23 })
  })
})

describe('offsets', () => {
  it('are stored when a consumer stops, and taken up by the next one', async () => {
    const first = new Inbox()
    const one = await consume({ onMessages: first.take })
    await send(...numbered(10, 'a'))
    await eventually(() => first.texts.length === 10)
    await one.stop()
    await send(...numbered(10, 'b'))
    const second = new Inbox()
    await consume({ onMessages: second.take })
    await eventually(() => second.texts.length >= 10)
    expect(second.distinct).toEqual(numbered(10, 'b'))
    expect(first.texts.sort()).toEqual(numbered(10, 'a'))
  })

  it('wait for the listener: what it had not finished comes again', async () => {
    const one = await consume({ onMessages: () => new Promise(() => {}) }, { awaitTerminationMillisWhenShutdown: 0 })
    await send('stuck')
    await eventually(() => one.owned().some(queue => queue.count > 0))
    await one.stop()
    const inbox = new Inbox()
    await consume({ onMessages: inbox.take })
    await eventually(() => inbox.texts.length === 1)
  })

  it('of a new group begin at the first message, or at a time', async () => {
    await send('old')
    await new Promise(resolve => setTimeout(resolve, 20))
    const between = Date.now()
    await send('new')
    const fromTime = new Inbox()
    // the broker would answer 0 for a young topic: only what lies behind the time may be asked for
    await consume(
      { onMessages: fromTime.take },
      { consumeFromWhere: 'CONSUME_FROM_TIMESTAMP', consumeTimestamp: between },
    )
    await eventually(() => fromTime.texts.includes('new'))
    const fromFirst = new Inbox()
    await consume({ onMessages: fromFirst.take }, { group: `${group}First` })
    await eventually(() => fromFirst.texts.length === 2)
  })
})

describe('a group of two', () => {
  it('shares the queues when a member joins, and gives them back when it leaves', async () => {
    const inbox = new Inbox()
    const one = await consume({ onMessages: inbox.take })
    await eventually(() => queuesOf(one).length === 4)
    const two = await consume({ onMessages: inbox.take })
    await eventually(() => queuesOf(one).length === 2 && queuesOf(two).length === 2)
    expect([...queuesOf(one), ...queuesOf(two)].sort()).toEqual([0, 1, 2, 3])
    await send(...numbered(40))
    await eventually(() => inbox.distinct.length === 40)
    await two.stop()
    await eventually(() => queuesOf(one).length === 4)
    await send('after')
    await eventually(() => inbox.texts.includes('after'))
  })

  it('leaves the queues to the others when a member vanishes without a word', async () => {
    const one = await consume({ onMessages: () => {} })
    const two = await consume({ onMessages: () => {} })
    await eventually(() => queuesOf(one).length === 2 && queuesOf(two).length === 2)
    two.instance.remoting.stop()
    await eventually(() => queuesOf(one).length === 4)
  })
})

describe('ordered consumption', () => {
  it('keeps the order of each queue, through failures', async () => {
    const byKey = new Map<string, string[]>()
    let failures = 3
    await consume(
      {
        onOrderedMessages: messages => {
          for (const message of messages) {
            if (message.body.toString().endsWith('5') && failures-- > 0) throw new Error('not yet')
            const key = message.properties.get('KEYS')!
            byKey.set(key, [...(byKey.get(key) ?? []), message.body.toString()])
          }
        },
      },
      { suspendCurrentQueueTimeMillis: 20 },
    )
    for (const body of numbered(20)) {
      for (const key of ['x', 'y', 'z']) await producer.send({ topic, body, keys: key }, { queueKey: key })
    }
    await eventually(() => [...byKey.values()].flat().length === 60)
    for (const key of ['x', 'y', 'z']) expect(byKey.get(key)).toEqual(numbered(20))
  })

  it('hands a queue over only when its listener is done', async () => {
    let inListener = 0
    let most = 0
    const seen: string[] = []
    const readers: string[] = []
    const listenerOf =
      (name: string): OrderedMessageListener =>
      async messages => {
        most = Math.max(most, ++inListener)
        await new Promise(resolve => setTimeout(resolve, 5))
        for (const message of messages) seen.push(message.body.toString())
        readers.push(name)
        inListener--
      }
    await system.createTopic(topic, 1)
    await consume({ onOrderedMessages: listenerOf('old') }, { instanceName: 'z' })
    await send(...numbered(300))
    // its id sorts before the other's, so the only queue becomes its own
    const newcomer = await consume({ onOrderedMessages: listenerOf('new') }, { instanceName: 'a' })
    await eventually(() => queuesOf(newcomer).length === 1)
    await send(...numbered(30, 'n'))
    await eventually(() => new Set(seen).size === 330)
    expect(most).toBe(1)
    const firsts = seen.filter((text, i) => seen.indexOf(text) === i)
    expect(firsts).toEqual([...numbered(300), ...numbered(30, 'n')])
    expect(new Set(readers)).toEqual(new Set(['old', 'new']))
  })
})

describe('broadcasting', () => {
  it('gives every member every message, and each its own place in a file', async () => {
    const directories = [tempDir(), tempDir()]
    const inboxes = [new Inbox(), new Inbox()]
    const members = await Promise.all(
      inboxes.map((inbox, i) =>
        consume({ onMessages: inbox.take }, { messageModel: 'BROADCASTING', offsetStoreDirectory: directories[i]! }),
      ),
    )
    await send(...numbered(10))
    await eventually(() => inboxes.every(inbox => inbox.distinct.length === 10))
    await members[0]!.stop()
    await send('more')
    const again = new Inbox()
    await consume({ onMessages: again.take }, { messageModel: 'BROADCASTING', offsetStoreDirectory: directories[0]! })
    await eventually(() => again.texts.length > 0)
    expect(again.distinct).toEqual(['more'])
  })
})

describe('what an operator asks through the broker', () => {
  it('shows the state of a running consumer', async () => {
    const inbox = new Inbox()
    const consumer = await consume({ onMessages: inbox.take })
    await send('x')
    await eventually(() => inbox.texts.length === 1)
    const { clientId } = consumer.instance
    await system.asAdmin(async admin => {
      const info = await admin.consumerRunningInfo(system.brokerAddr, group, clientId)
      expect(info.queues.filter(({ queue }) => queue.topic === topic)).toHaveLength(4)
      expect(info.properties.get('PROP_CLIENT_VERSION')).toBe('V5_3_3')
      expect(info.subscriptionSet.map(subscription => subscription.topic).sort()).toEqual(
        [retryTopic(group), topic].sort(),
      )
      const connection = await admin.consumerConnection(system.brokerAddr, group)
      expect(connection).toMatchObject({
        consumeType: 'CONSUME_PASSIVELY',
        messageModel: 'CLUSTERING',
        connections: [{ clientId, language: 'OTHER' }],
      })
    })
  })

  it('has a message handled once more', async () => {
    const inbox = new Inbox()
    const consumer = await consume({ onMessages: inbox.take })
    const { offsetMsgId: msgId } = await producer.send({ topic, body: 'again' })
    await eventually(() => inbox.texts.length === 1)
    const { clientId } = consumer.instance
    const result = await system.asAdmin(admin =>
      admin.consumeMessageDirectly(system.brokerAddr, { group, clientId, topic, msgId }),
    )
    expect(result).toMatchObject({ consumeResult: 'CR_SUCCESS', order: false })
    expect(inbox.texts).toEqual(['again', 'again'])
  })
})
