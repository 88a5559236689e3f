import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { clientSettings } from '../../src/client/client-options.js'
import { Producer, PushConsumer, type PushConsumerOptions } from '../../src/client/index.js'
import { eventually } from '../support/eventually.js'
import { Inbox, TestSystem } from './client-system.js'

let system: TestSystem
let inbox: Inbox
const clients: { stop(): Promise<void> }[] = []
beforeEach(() => {
  inbox = new Inbox()
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map(client => client.stop()))
  await system.stop()
})

async function newProducer(): Promise<Producer> {
  const producer = new Producer({ group: 'P', namesrvAddr: system.namesrvAddr })
  clients.push(producer)
  await producer.start()
  return producer
}

async function newConsumer(options: Partial<PushConsumerOptions> = {}): Promise<PushConsumer> {
  const consumer = new PushConsumer({
    group: 'G',
    namesrvAddr: system.namesrvAddr,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    ...(options.onOrderedMessages ? {} : { onMessages: inbox.take }),
    ...options,
  })
  clients.push(consumer)
  await consumer.subscribe('T')
  await consumer.start()
  return consumer
}

/** Sends until it works: what an application does while a broker is away. */
async function sendStubbornly(producer: Producer, body: string): Promise<void> {
  await eventually(async () => {
    try {
      await producer.send({ topic: 'T', body })
      return true
    } catch {
      return false
    }
  }, `sending ${body}`)
}

describe('a broker restart under a running consumer', () => {
  it('loses nothing and repeats nothing that was stored', async () => {
    system = await new TestSystem().start()
    await system.createTopic('T')
    const producer = await newProducer()
    const consumer = await newConsumer()
    for (const body of ['a', 'b', 'c']) await producer.send({ topic: 'T', body })
    await eventually(() => inbox.texts.length === 3)
    await consumer.persistOffsets()
    await system.stopBroker()
    await expect(producer.send({ topic: 'T', body: 'nobody' })).rejects.toMatchObject({ responseCode: 10001 })
    await system.startBroker()
    await sendStubbornly(producer, 'd')
    await eventually(() => inbox.texts.includes('d'))
    expect(inbox.texts.sort()).toEqual(['a', 'b', 'c', 'd'])
    expect(consumer.assignedQueues().filter(queue => queue.topic === 'T')).toHaveLength(4)
  })

  it('lets ordered consumers lock their queues again', async () => {
    system = await new TestSystem().start()
    await system.createTopic('T', 1)
    const producer = await newProducer()
    await newConsumer({ onOrderedMessages: inbox.take })
    await producer.send({ topic: 'T', body: 'a' })
    await eventually(() => inbox.texts.length === 1)
    await system.stopBroker()
    await system.startBroker()
    await sendStubbornly(producer, 'b')
    await eventually(() => inbox.texts.includes('b'))
  })

  it('finds a broker that was not there when the consumer started', async () => {
    system = await new TestSystem().start()
    await system.createTopic('T')
    await system.stopBroker()
    await newConsumer({ pollNameServerIntervalMs: 100 })
    await system.startBroker()
    const producer = await newProducer()
    await sendStubbornly(producer, 'late')
    await eventually(() => inbox.texts.includes('late'), 'the message', 30_000)
  })
})

describe('a NameServer restart', () => {
  it('does not disturb clients that know their routes, and serves new ones once brokers are back', async () => {
    system = await new TestSystem({ registerNameServerPeriod: 10_000 }).start()
    await system.createTopic('T')
    const producer = await newProducer()
    await newConsumer({ pollNameServerIntervalMs: 100 })
    await producer.send({ topic: 'T', body: 'before' })
    await system.stopNameServer(0)
    await producer.send({ topic: 'T', body: 'without' })
    await eventually(() => inbox.texts.length === 2)
    await system.startNameServer(0)
    await producer.send({ topic: 'T', body: 'after' })
    await eventually(() => inbox.texts.length === 3)
    // the broker registers by its timer or with its next change
    const late = await newcomer()
    await eventually(async () => (await late.publishQueues('T').catch(() => [])).length === 4, 'the route', 30_000)
    await late.send({ topic: 'T', body: 'late' })
    await eventually(() => inbox.texts.includes('late'))
  })

  async function newcomer(): Promise<Producer> {
    const producer = new Producer({ group: 'P2', namesrvAddr: system.namesrvAddr })
    clients.push(producer)
    await producer.start()
    return producer
  }

  it('is an error for a consumer that starts meanwhile', async () => {
    system = await new TestSystem().start()
    await system.stopNameServer(0)
    const consumer = new PushConsumer({ group: 'G', namesrvAddr: system.namesrvAddr, onMessages: () => {} })
    await consumer.subscribe('T')
    await expect(consumer.start()).rejects.toMatchObject({ code: 'ERR_CLIENT_CONNECT' })
  })
})

describe('two NameServers', () => {
  it('serve clients while one of them is down', async () => {
    system = await new TestSystem().start(2)
    await system.createTopic('T')
    await system.stopNameServer(0)
    const producer = await newProducer()
    await newConsumer()
    await producer.send({ topic: 'T', body: 'x' })
    await eventually(() => inbox.texts.length === 1)
  })

  it('serve clients whose NameServer goes away', async () => {
    system = await new TestSystem().start(2)
    await system.createTopic('T')
    const producer = await newProducer()
    await newConsumer({ pollNameServerIntervalMs: 50 })
    for (const index of [0, 1]) {
      await system.stopNameServer(index)
      await producer.send({ topic: 'T', body: `without ${index}` })
      await eventually(() => inbox.texts.includes(`without ${index}`))
      await system.startNameServer(index)
    }
  })
})

describe('an address server', () => {
  it('tells a client without namesrvAddr where the NameServers are, now and later', async () => {
    system = await new TestSystem().start()
    await system.createTopic('T')
    let page: string | undefined
    const asked: (string | undefined)[] = []
    const server = createServer((request, response) => {
      asked.push(request.url)
      response.writeHead(page === undefined ? 500 : 200).end(page)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    clients.push({ stop: async () => void server.close() })
    const { port } = server.address() as AddressInfo
    vi.stubEnv('NAMESRV_ADDR', undefined)
    onTestFinished(() => void vi.unstubAllEnvs())
    const producer = new Producer({
      group: 'P',
      unitName: 'u1',
      addressServer: { domain: `127.0.0.1:${port}`, subGroup: 'mine' },
    })
    clients.push(producer)
    await producer.start()
    await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({ responseCode: 10004 })
    page = `${system.namesrvAddr}\n`
    expect((await producer.send({ topic: 'T', body: 'x' })).status).toBe('SEND_OK')
    expect(new Set(asked)).toEqual(new Set(['/rocketmq/mine-u1?nofix=1']))
  })

  it('is not asked when namesrvAddr is given', () => {
    const given = clientSettings({ namesrvAddr: 'a:1', addressServer: {} })
    expect([given.namesrvAddresses, given.addressServer]).toEqual([['a:1'], undefined])
  })
})
