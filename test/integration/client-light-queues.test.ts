import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { LitePullConsumer, Producer } from '../../src/client/index.js'
import { eventually } from '../support/eventually.js'
import { Inbox, TestSystem } from './client-system.js'

const TOPIC = 'Devices'
const system = new TestSystem({ enableLmq: true, enableMultiDispatch: true })
const stops: (() => Promise<void>)[] = []
let producer: Producer
beforeAll(async () => {
  await system.start()
  await system.createTopic(TOPIC)
  producer = new Producer({ group: 'devices', namesrvAddr: system.namesrvAddr })
  await producer.start()
})
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})
afterAll(async () => {
  await producer.stop()
  await system.stop()
})

const send = (body: string, ...lightQueues: string[]) => producer.send({ topic: TOPIC, body, lightQueues })

async function reader(name: string, group: string) {
  const { namesrvAddr } = system
  const consumer = new LitePullConsumer({ group, namesrvAddr, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
  await consumer.start()
  stops.push(() => consumer.stop())
  const queues = await consumer.fetchLightQueue(TOPIC, name)
  await consumer.assign(queues)
  const inbox = new Inbox()
  const read = (count: number): Promise<void> =>
    eventually(async () => {
      inbox.take(await consumer.poll(100))
      return inbox.texts.length >= count
    }, `${count} messages of ${name}`)
  return { consumer, queues, inbox, read }
}

it('a message is read in each light queue that it names, in order, and in those alone', async () => {
  await send('both-1', '%LMQ%a', '%LMQ%b')
  await send('a-2', '%LMQ%a')
  await send('none')
  await send('both-3', '%LMQ%a', '%LMQ%b')
  const a = await reader('%LMQ%a', 'ReaderA')
  const b = await reader('%LMQ%b', 'ReaderB')
  await Promise.all([a.read(3), b.read(2)])
  expect(a.inbox.texts).toEqual(['both-1', 'a-2', 'both-3'])
  expect(b.inbox.texts).toEqual(['both-1', 'both-3'])
  expect(a.queues).toEqual([{ brokerName: 'broker-a', queueId: 0, topic: '%LMQ%a' }])
  expect([a.inbox.messages[0]?.topic, a.inbox.messages[0]?.properties.get('INNER_MULTI_DISPATCH')]).toEqual([
    TOPIC,
    '%LMQ%a,%LMQ%b',
  ])
})

it('the property by its name does the same', async () => {
  await producer.send({ topic: TOPIC, body: 'named', properties: { INNER_MULTI_DISPATCH: '%LMQ%c,%LMQ%d' } })
  for (const name of ['%LMQ%c', '%LMQ%d']) {
    const { inbox, read } = await reader(name, `Reader${name.at(-1)}`)
    await read(1)
    expect(inbox.texts).toEqual(['named'])
  }
})

it('a group goes on where it stopped, and waits for new messages', async () => {
  for (const body of ['1', '2', '3']) await send(body, '%LMQ%e')
  const first = await reader('%LMQ%e', '%LMQ%client-e')
  await first.read(3)
  await first.consumer.stop()
  await send('4', '%LMQ%e')
  const second = await reader('%LMQ%e', '%LMQ%client-e')
  await second.read(1)
  const next = second.consumer.poll(10_000)
  await send('5', '%LMQ%e')
  second.inbox.take(await next)
  expect(second.inbox.texts).toEqual(['4', '5'])
})

it('the broker is found again by the topic when it was not there for a while', async () => {
  const { inbox, read, consumer } = await reader('%LMQ%f', 'ReaderF')
  expect([...consumer.topics()]).toEqual([TOPIC])
  await system.stopBroker()
  await system.startBroker()
  await eventually(async () => (await send('after', '%LMQ%f').catch(() => undefined)) !== undefined, 'a send')
  await read(1)
  expect(new Set(inbox.texts)).toEqual(new Set(['after']))
})

it('misuse is said', async () => {
  const { consumer } = await reader('%LMQ%a', 'ReaderX')
  await expect(consumer.fetchLightQueue(TOPIC, 'a')).rejects.toThrow('The name of a light queue begins with %LMQ%: a')
  await expect(consumer.fetchLightQueue('NoSuchTopic', '%LMQ%a')).rejects.toMatchObject({ code: 'ERR_CLIENT_NO_ROUTE' })
  const batch = [{ topic: TOPIC, body: 'x', lightQueues: ['%LMQ%a'] }]
  await expect(producer.sendBatch(batch)).rejects.toThrow('Light queues are not supported for batching')
})
