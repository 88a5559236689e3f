import { inflateSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Producer, type ProducerOptions, TransactionProducer } from '../../src/client/index.js'
import {
  decodeBatch,
  decodeProperties,
  MessageSysFlag,
  parseFastJson,
  RequestCode,
  ResponseCode,
} from '../../src/common/index.js'
import { fail, Hold, ok, okWith, SendMessageResponseHeader } from '../../src/remoting/index.js'
import { eventually } from '../support/eventually.js'
import { FakeBroker, FakeNameServer } from './client-fake-cluster.js'

const { SEND_MESSAGE_V2, HEART_BEAT } = RequestCode

let nameServer: FakeNameServer
let a: FakeBroker
let b: FakeBroker
let producer: Producer
beforeEach(async () => {
  nameServer = new FakeNameServer()
  a = new FakeBroker('broker-a')
  b = new FakeBroker('broker-b')
  await Promise.all([nameServer.start(), a.start(), b.start()])
  nameServer.put('T', [a, b])
  producer = await started()
})
afterEach(async () => {
  await producer.stop()
  await Promise.all([nameServer.stop(), a.stop(), b.stop()])
})

async function started(options: Partial<ProducerOptions> = {}): Promise<Producer> {
  const made = new Producer({ group: 'P', namesrvAddr: nameServer.address, ...options })
  await made.start()
  return made
}

/** Requests of this code in the order in which both brokers got them is not known: this is how many. */
function sends(): number {
  return a.of(SEND_MESSAGE_V2).length + b.of(SEND_MESSAGE_V2).length
}

describe('a send', () => {
  it('carries everything in the short header, with an id of its own', async () => {
    const result = await producer.send({ topic: 'T', body: 'hello', tags: 'A', keys: 'k', flag: 3 })
    const [sent] = [...a.of(SEND_MESSAGE_V2), ...b.of(SEND_MESSAGE_V2)]
    const { ext, body } = sent!
    expect(body.toString()).toBe('hello')
    expect(ext).toMatchObject({ a: 'P', b: 'T', c: 'TBW102', d: '4', f: '0', h: '3', j: '0', k: 'false', m: 'false' })
    const properties = decodeProperties(ext.i!)
    expect(properties.get('UNIQ_KEY')).toBe(result.msgId)
    expect(properties.get('WAIT')).toBe('true')
    expect(result).toMatchObject({
      status: 'SEND_OK',
      offsetMsgId: '7F00000100002A9F0000000000000064',
      queueOffset: 7,
      queue: { topic: 'T', brokerName: ext.n },
      regionId: 'DefaultRegion',
      traceOn: true,
    })
  })

  it('introduces the producer before anything else goes over a connection', async () => {
    for (let i = 0; i < 8; i++) await producer.send({ topic: 'T', body: 'x' })
    for (const broker of [a, b]) {
      expect(broker.codes()[0]).toBe(HEART_BEAT)
      expect(parseFastJson(broker.seen[0]!.body)).toMatchObject({
        clientID: producer.instance.clientId,
        producerDataSet: [{ groupName: 'P' }],
        consumerDataSet: [],
      })
    }
  })

  it('packs a long body with zlib and says so', async () => {
    const body = 'x'.repeat(4096)
    await producer.send({ topic: 'T', body })
    const [sent] = [...a.of(SEND_MESSAGE_V2), ...b.of(SEND_MESSAGE_V2)]
    expect(Number(sent!.ext.f)).toBe(MessageSysFlag.COMPRESSED | MessageSysFlag.COMPRESSION_ZLIB_TYPE)
    expect(inflateSync(sent!.body).toString()).toBe(body)
  })

  it('goes to the queue that was named, or that its key chooses', async () => {
    const queue = { topic: 'T', brokerName: 'broker-b', queueId: 1 }
    const result = await producer.send({ topic: 'T', body: 'x' }, { queue })
    expect(result.queue).toEqual(queue)
    const keyed = await Promise.all(
      Array.from({ length: 4 }, () => producer.send({ topic: 'T', body: 'x' }, { queueKey: 'order-1' })),
    )
    expect(new Set(keyed.map(one => `${one.queue.brokerName}${one.queue.queueId}`)).size).toBe(1)
    await expect(producer.send({ topic: 'T', body: 'x' }, { queue: { ...queue, topic: 'U' } })).rejects.toThrow(
      "message's topic not equal mq's topic",
    )
    await expect(producer.send({ topic: 'T', body: 'x' }, { selector: () => undefined })).rejects.toThrow('return null')
  })

  it('spreads over all queues', async () => {
    const results = await Promise.all(Array.from({ length: 4 }, () => producer.send({ topic: 'T', body: 'x' })))
    expect(new Set(results.map(one => `${one.queue.brokerName}${one.queue.queueId}`)).size).toBe(4)
  })
})

describe('retries', () => {
  const refuse = (broker: FakeBroker, code: number): void => {
    broker.answers.set(SEND_MESSAGE_V2, () => fail(code, 'refused'))
  }

  it.each([
    ResponseCode.TOPIC_NOT_EXIST,
    ResponseCode.SERVICE_NOT_AVAILABLE,
    ResponseCode.SYSTEM_ERROR,
    ResponseCode.SYSTEM_BUSY,
    ResponseCode.NO_PERMISSION,
  ])('go to another broker after code %i, with the same id', async code => {
    refuse(a, code)
    const ids = new Set<string>()
    for (let i = 0; i < 4; i++) {
      const result = await producer.send({ topic: 'T', body: 'x' })
      expect(result.queue.brokerName).toBe('broker-b')
      ids.add(result.msgId)
    }
    const refused = a.of(SEND_MESSAGE_V2).map(({ ext }) => decodeProperties(ext.i!).get('UNIQ_KEY')!)
    expect(refused.length).toBeGreaterThan(0)
    for (const id of refused) expect(ids).toContain(id)
  })

  it("end with the broker's answer after three attempts", async () => {
    refuse(a, ResponseCode.SYSTEM_BUSY)
    refuse(b, ResponseCode.SYSTEM_BUSY)
    const failed = producer.send({ topic: 'T', body: 'x' })
    await expect(failed).rejects.toMatchObject({
      code: 'ERR_CLIENT_RESPONSE',
      responseCode: ResponseCode.SYSTEM_BUSY,
      remark: 'refused',
    })
    expect(sends()).toBe(3)
  })

  it('are not made when the message is at fault', async () => {
    refuse(a, ResponseCode.MESSAGE_ILLEGAL)
    refuse(b, ResponseCode.MESSAGE_ILLEGAL)
    await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({
      responseCode: ResponseCode.MESSAGE_ILLEGAL,
    })
    expect(sends()).toBe(1)
  })

  it('are not made for a chosen queue', async () => {
    refuse(a, ResponseCode.SYSTEM_BUSY)
    const queue = { topic: 'T', brokerName: 'broker-a', queueId: 0 }
    await expect(producer.send({ topic: 'T', body: 'x' }, { queue })).rejects.toMatchObject({
      responseCode: ResponseCode.SYSTEM_BUSY,
    })
    expect(sends()).toBe(1)
  })

  it('go elsewhere when a broker is gone', async () => {
    await a.stop()
    for (let i = 0; i < 4; i++)
      expect((await producer.send({ topic: 'T', body: 'x' })).queue.brokerName).toBe('broker-b')
  })

  it('end with 10001 when nobody listens', async () => {
    await Promise.all([a.stop(), b.stop()])
    await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({
      code: 'ERR_CLIENT_CONNECT',
      responseCode: 10001,
    })
  })

  it('stay within the time for the whole send', async () => {
    const holds: Hold[] = []
    for (const broker of [a, b]) {
      broker.answers.set(SEND_MESSAGE_V2, () => {
        holds.push(new Hold())
        return holds.at(-1)!
      })
    }
    const start = performance.now()
    const failed = producer.send({ topic: 'T', body: 'x' }, { timeoutMs: 300 })
    await expect(failed).rejects.toMatchObject({ code: 'ERR_CLIENT_TIMEOUT', responseCode: 10002 })
    expect(performance.now() - start).toBeLessThan(1500)
    expect(holds).toHaveLength(1)
  })

  it('follow GO_AWAY over a new connection to the same broker', async () => {
    nameServer.put('T', [a])
    let refused = 0
    const good = a.answers.get(SEND_MESSAGE_V2)!
    a.answers.set(SEND_MESSAGE_V2, request =>
      refused++ === 0 ? fail(ResponseCode.GO_AWAY, 'please go away') : good(request),
    )
    expect((await producer.send({ topic: 'T', body: 'x' })).status).toBe('SEND_OK')
    const [first, second] = a.of(SEND_MESSAGE_V2)
    expect(second!.connection).not.toBe(first!.connection)
  })

  it('look for a safer broker only when asked to', async () => {
    a.answers.set(SEND_MESSAGE_V2, ({ ext }) => {
      const reply = okWith(SendMessageResponseHeader, { msgId: 'x', queueId: Number(ext.e), queueOffset: 0 })
      reply.code = ResponseCode.FLUSH_DISK_TIMEOUT
      return reply
    })
    const queue = { topic: 'T', brokerName: 'broker-a', queueId: 0 }
    expect((await producer.send({ topic: 'T', body: 'x' }, { queue })).status).toBe('FLUSH_DISK_TIMEOUT')
    const careful = await started({ group: 'Careful', retryAnotherBrokerWhenNotStoreOK: true })
    for (let i = 0; i < 4; i++) expect((await careful.send({ topic: 'T', body: 'x' })).status).toBe('SEND_OK')
    await careful.stop()
  })
})

describe('topics', () => {
  it('that nobody knows are made from TBW102, with at most 4 queues', async () => {
    nameServer.put('TBW102', [a], 8)
    const queues = await producer.publishQueues('New')
    expect(queues).toHaveLength(4)
    expect((await producer.send({ topic: 'New', body: 'x' })).queue.topic).toBe('New')
    expect(nameServer.asked.filter(topic => topic === 'TBW102')).toHaveLength(1)
  })

  it('without any route fail with what to do', async () => {
    await expect(producer.send({ topic: 'Nowhere', body: 'x' })).rejects.toMatchObject({
      code: 'ERR_CLIENT_NO_ROUTE',
      responseCode: 10005,
      message: expect.stringContaining('autoCreateTopicEnable'),
    })
  })

  it('need a NameServer', async () => {
    const lost = new Producer({ group: 'Lost', namesrvAddr: [] })
    await lost.start()
    await expect(lost.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({ responseCode: 10004 })
    await lost.stop()
  })

  it('are found by the second NameServer when the first is down', async () => {
    const dead = new FakeNameServer()
    await dead.start()
    const namesrvAddr = [dead.address, nameServer.address]
    await dead.stop()
    // the first choice is random: of several producers some meet the dead one first
    for (let i = 0; i < 6; i++) {
      const other = await started({ group: `P${i}`, namesrvAddr })
      expect((await other.send({ topic: 'T', body: 'x' })).status).toBe('SEND_OK')
      await other.stop()
    }
  })
})

it('sends a batch as one request whose elements have ids of their own', async () => {
  const result = await producer.sendBatch([
    { topic: 'T', body: 'one', tags: 'A' },
    { topic: 'T', body: 'two', keys: 'k' },
  ])
  const [sent] = [...a.of(RequestCode.SEND_BATCH_MESSAGE), ...b.of(RequestCode.SEND_BATCH_MESSAGE)]
  expect(sent!.ext.m).toBe('true')
  const elements = decodeBatch(sent!.body)
  expect(elements.map(element => element.body.toString())).toEqual(['one', 'two'])
  expect(elements.map(element => element.properties.get('UNIQ_KEY')).join(',')).toBe(result.msgId)
})

it.each([
  [
    'different topics',
    [
      { topic: 'T', body: 'x' },
      { topic: 'U', body: 'x' },
    ],
    'should be the same',
  ],
  ['delays', [{ topic: 'T', body: 'x', delayLevel: 1 }], 'TimeDelayLevel is not supported for batching'],
  ['timers', [{ topic: 'T', body: 'x', delayMs: 5 }], 'TimeDelayLevel is not supported for batching'],
  ['retry topics', [{ topic: '%RETRY%g', body: 'x' }], 'Retry Group is not supported for batching'],
  ['nothing', [], 'messages can not be empty'],
])('refuses a batch of %s', async (_, messages, text) => {
  await expect(producer.sendBatch(messages)).rejects.toThrow(text)
})

it('sends one way without waiting', async () => {
  await producer.sendOneway({ topic: 'T', body: 'x' })
  await eventually(() => sends() === 1)
  expect([...a.of(SEND_MESSAGE_V2), ...b.of(SEND_MESSAGE_V2)][0]!.oneway).toBe(true)
})

it('calls a timer message back at the broker named in the handle', async () => {
  const handle = Buffer.from('v1 T broker-b 1795255200001 ID').toString('base64url')
  b.answers.set(RequestCode.RECALL_MESSAGE, () => ok().withExt({ msgId: 'ID' }))
  expect(await producer.recall('T', handle)).toBe('ID')
  await expect(producer.recall('T', undefined)).rejects.toMatchObject({ code: 'ERR_CLIENT_ARGUMENT' })
  expect(b.of(RequestCode.RECALL_MESSAGE)[0]!.ext).toMatchObject({
    topic: 'T',
    recallHandle: handle,
    bname: 'broker-b',
  })
})

describe('request and reply', () => {
  it('completes with the message a broker pushes', async () => {
    nameServer.put('T', [a])
    a.answers.set(SEND_MESSAGE_V2, ({ ext, connection }) => {
      const request = decodeProperties(ext.i!)
      void connection.invoke(
        {
          code: RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT,
          extFields: {
            producerGroup: 'R',
            topic: 'C_REPLY_TOPIC',
            defaultTopic: 'TBW102',
            defaultTopicQueueNums: '4',
            queueId: '0',
            sysFlag: '0',
            bornTimestamp: '1',
            flag: '0',
            bornHost: '127.0.0.1:1',
            storeHost: '127.0.0.1:2',
            storeTimestamp: '2',
            properties: `CORRELATION_ID\u0001${request.get('CORRELATION_ID')}\u0002`,
          },
          body: Buffer.from('the answer'),
        },
        1000,
      )
      return okWith(SendMessageResponseHeader, { msgId: 'x', queueId: 0, queueOffset: 0 })
    })
    const reply = await producer.request({ topic: 'T', body: 'the question' }, 5000)
    expect(reply.body.toString()).toBe('the answer')
    const properties = decodeProperties(a.of(SEND_MESSAGE_V2)[0]!.ext.i!)
    expect(properties.get('REPLY_TO_CLIENT')).toBe(producer.instance.clientId)
    expect(properties.get('TTL')).toBe('5000')
  })

  it("fails with 10006 when no reply comes, and with the broker's answer when the send fails", async () => {
    await expect(producer.request({ topic: 'T', body: 'x' }, 100)).rejects.toMatchObject({ responseCode: 10006 })
    for (const broker of [a, b]) broker.answers.set(SEND_MESSAGE_V2, () => fail(ResponseCode.MESSAGE_ILLEGAL, 'no'))
    await expect(producer.request({ topic: 'T', body: 'x' }, 5000)).rejects.toMatchObject({
      responseCode: ResponseCode.MESSAGE_ILLEGAL,
    })
  })
})

describe('transactions', () => {
  const { END_TRANSACTION } = RequestCode

  async function transactional(execute: () => 'COMMIT' | 'ROLLBACK' | 'UNKNOWN'): Promise<TransactionProducer> {
    nameServer.put('T', [a])
    const made = new TransactionProducer({
      group: 'Tx',
      namesrvAddr: nameServer.address,
      execute,
      check: () => 'COMMIT',
    })
    await made.start()
    return made
  }

  it.each([
    ['COMMIT', '8'],
    ['ROLLBACK', '12'],
    ['UNKNOWN', '0'],
  ] as const)('%s is told as %s', async (state, code) => {
    const tx = await transactional(() => state)
    const result = await tx.sendInTransaction({ topic: 'T', body: 'x', delayLevel: 2 })
    expect(result.state).toBe(state)
    const sent = a.of(SEND_MESSAGE_V2)[0]!
    expect(Number(sent.ext.f)).toBe(MessageSysFlag.TRANSACTION_PREPARED_TYPE)
    const properties = decodeProperties(sent.ext.i!)
    expect(properties.get('TRAN_MSG')).toBe('true')
    expect(properties.get('PGROUP')).toBe('Tx')
    expect(properties.has('DELAY')).toBe(false)
    await eventually(() => a.of(END_TRANSACTION).length === 1)
    expect(a.of(END_TRANSACTION)[0]).toMatchObject({
      oneway: true,
      ext: {
        commitOrRollback: code,
        tranStateTableOffset: '7',
        commitLogOffset: '100',
        msgId: result.msgId,
        fromTransactionCheck: 'false',
      },
    })
    await tx.stop()
  })

  it('an exception leaves the state unknown and travels with the answer', async () => {
    const tx = await transactional(() => {
      throw new Error('database down')
    })
    expect(await tx.sendInTransaction({ topic: 'T', body: 'x' })).toMatchObject({
      state: 'UNKNOWN',
      error: new Error('database down'),
    })
    await eventually(() => a.of(END_TRANSACTION).length === 1)
    expect(a.of(END_TRANSACTION)[0]!.remark).toBe('executeLocalTransactionBranch exception: database down')
    await tx.stop()
  })

  it('does not run the transaction of a half message that may get lost', async () => {
    let ran = false
    const tx = await transactional(() => {
      ran = true
      return 'COMMIT'
    })
    a.answers.set(SEND_MESSAGE_V2, ({ ext }) => {
      const reply = okWith(SendMessageResponseHeader, {
        msgId: '7F00000100002A9F0000000000000064',
        queueId: Number(ext.e),
        queueOffset: 0,
      })
      reply.code = ResponseCode.SLAVE_NOT_AVAILABLE
      return reply
    })
    expect((await tx.sendInTransaction({ topic: 'T', body: 'x' })).state).toBe('ROLLBACK')
    expect(ran).toBe(false)
    await tx.stop()
  })
})

describe('life', () => {
  it('starts once and stops for good', async () => {
    await expect(producer.start()).rejects.toMatchObject({ code: 'ERR_CLIENT_STATE' })
    await producer.stop()
    await producer.stop()
    await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({ code: 'ERR_CLIENT_STATE' })
  })

  it('signs off at the brokers it spoke to', async () => {
    nameServer.put('T', [a])
    await producer.send({ topic: 'T', body: 'x' })
    await producer.stop()
    expect(a.of(RequestCode.UNREGISTER_CLIENT)[0]!.ext).toEqual({
      clientID: producer.instance.clientId,
      producerGroup: 'P',
    })
  })

  it('lets two producers share connections, but not a group', async () => {
    const shared = await started({ group: 'Other', instance: producer.instance })
    expect((await shared.send({ topic: 'T', body: 'x' })).status).toBe('SEND_OK')
    await expect(started({ group: 'P', instance: producer.instance })).rejects.toThrow(
      'The producer group[P] has been created before',
    )
    await shared.stop()
    expect((await producer.send({ topic: 'T', body: 'x' })).status).toBe('SEND_OK')
  })
})
