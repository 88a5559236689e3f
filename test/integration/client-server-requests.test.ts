import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  PushConsumer,
  type PushConsumerOptions,
  TransactionProducer,
  type TransactionState,
} from '../../src/client/index.js'
import {
  createOffsetMessageId,
  decodeProperties,
  encodeHostAddress,
  encodeProperties,
  MESSAGE_MAGIC_V1,
  parseFastJson,
  RecordPosition,
  RequestCode,
  ResponseCode,
  readObject,
  retryTopic,
  stringifyFastJson,
} from '../../src/common/index.js'
import {
  type Connection,
  fail,
  Hold,
  OffsetResponseHeader,
  ok,
  okWith,
  PullMessageResponseHeader,
} from '../../src/remoting/index.js'
import { eventually } from '../support/eventually.js'
import { FakeBroker, FakeNameServer, type SeenRequest } from './client-fake-cluster.js'

const { PULL_MESSAGE, CONSUMER_SEND_MSG_BACK, SEND_MESSAGE_V2, UPDATE_CONSUMER_OFFSET } = RequestCode

let nameServer: FakeNameServer
let broker: FakeBroker
let queued: { queueOffset: number; body: string; properties?: Record<string, string>; reconsumeTimes?: number }[]
let consumer: PushConsumer | undefined
beforeEach(async () => {
  nameServer = new FakeNameServer()
  broker = new FakeBroker('broker-a')
  await Promise.all([nameServer.start(), broker.start()])
  nameServer.put('T', [broker], 1)
  queued = []
  broker.answers.set(RequestCode.GET_CONSUMER_LIST_BY_GROUP, () =>
    ok(Buffer.from(stringifyFastJson({ consumerIdList: [consumer!.instance.clientId] }))),
  )
  broker.answers.set(RequestCode.QUERY_CONSUMER_OFFSET, () => okWith(OffsetResponseHeader, { offset: 0 }))
  broker.answers.set(UPDATE_CONSUMER_OFFSET, () => ok())
  broker.answers.set(PULL_MESSAGE, pullQueued)
})
afterEach(async () => {
  await consumer?.stop()
  consumer = undefined
  await Promise.all([nameServer.stop(), broker.stop()])
})

/** Gives out what is queued at or behind the offset; holds the pull when there is nothing. */
function pullQueued({ ext }: SeenRequest): ReturnType<NonNullable<ReturnType<typeof broker.answers.get>>> {
  const found = queued.filter(message => message.queueOffset >= Number(ext.queueOffset))
  if (ext.topic !== 'T' || found.length === 0) return new Hold()
  const nextBeginOffset = found.at(-1)!.queueOffset + 1
  const header = { suggestWhichBrokerId: 0, nextBeginOffset, minOffset: 0, maxOffset: nextBeginOffset }
  return okWith(PullMessageResponseHeader, header, Buffer.concat(found.map(recordOf)))
}

const host = encodeHostAddress({ host: '127.0.0.1', port: 10911 })

/** A record as a broker stores it. */
function recordOf(message: (typeof queued)[number]): Buffer {
  const body = Buffer.from(message.body)
  const properties = Buffer.from(encodeProperties(Object.entries(message.properties ?? {})))
  const topic = Buffer.from('T')
  const head = Buffer.alloc(84)
  head.writeInt32BE(MESSAGE_MAGIC_V1, RecordPosition.MAGIC)
  head.writeInt32BE(message.queueOffset, RecordPosition.QUEUE_OFFSET + 4)
  head.writeInt32BE(message.queueOffset * 100, RecordPosition.PHYSICAL_OFFSET + 4)
  host.copy(head, RecordPosition.BORN_HOST)
  host.copy(head, 64)
  head.writeInt32BE(message.reconsumeTimes ?? 0, 72)
  const bodyLength = Buffer.alloc(4)
  bodyLength.writeInt32BE(body.length)
  const propertiesLength = Buffer.alloc(2)
  propertiesLength.writeInt16BE(properties.length)
  const record = Buffer.concat([head, bodyLength, body, Buffer.of(topic.length), topic, propertiesLength, properties])
  record.writeInt32BE(record.length)
  return record
}

async function consume(options: Partial<PushConsumerOptions>): Promise<PushConsumer> {
  consumer = new PushConsumer({ group: 'G', namesrvAddr: nameServer.address, ...options })
  await consumer.subscribe('T')
  await consumer.start()
  return consumer
}

/** The connection the client's pulls come by: what the broker pushes to. */
async function channel(): Promise<Connection> {
  await eventually(() => broker.of(PULL_MESSAGE).length > 0, 'a pull')
  return broker.of(PULL_MESSAGE)[0]!.connection
}

describe('a message that fails', () => {
  it('is sent back with where it lies, and its offset is committed', async () => {
    broker.answers.set(CONSUMER_SEND_MSG_BACK, () => ok())
    queued = [{ queueOffset: 0, body: 'bad' }]
    await consume({
      onMessages: (_, context) => {
        context.delayLevelWhenNextConsume = 5
        context.reason = 'no money'
        return 'RECONSUME_LATER'
      },
    })
    await eventually(() => broker.of(CONSUMER_SEND_MSG_BACK).length === 1)
    expect(broker.of(CONSUMER_SEND_MSG_BACK)[0]!.ext).toMatchObject({
      offset: '0',
      group: 'G',
      delayLevel: '5',
      reason: 'no money',
      originTopic: 'T',
      originMsgId: createOffsetMessageId(host, 0),
      maxReconsumeTimes: '16',
      bname: 'broker-a',
    })
    await eventually(() => consumer!.offsetsOf('T')[0]?.offset === 1)
  })

  it('is sent anew to the retry topic when the broker cannot take it back', async () => {
    broker.answers.set(CONSUMER_SEND_MSG_BACK, () =>
      fail(ResponseCode.SYSTEM_ERROR, 'look message by offset failed, 0'),
    )
    nameServer.put(retryTopic('G'), [broker], 1)
    queued = [
      {
        queueOffset: 0,
        body: 'bad',
        properties: { UNIQ_KEY: 'ID', color: 'red', TRAN_MSG: 'true' },
        reconsumeTimes: 2,
      },
    ]
    await consume({
      onMessages: () => {
        throw new Error('no')
      },
    })
    await eventually(() => broker.of(SEND_MESSAGE_V2).length === 1)
    const { ext, body } = broker.of(SEND_MESSAGE_V2)[0]!
    expect(body.toString()).toBe('bad')
    expect(ext).toMatchObject({ a: 'CLIENT_INNER_PRODUCER', b: '%RETRY%G', j: '3', l: '16' })
    const properties = Object.fromEntries(decodeProperties(ext.i!))
    expect(properties).toMatchObject({ color: 'red', ORIGIN_MESSAGE_ID: 'ID', RETRY_TOPIC: 'T', DELAY: '5' })
    expect(properties).not.toHaveProperty('TRAN_MSG')
    expect(properties).not.toHaveProperty('RECONSUME_TIME')
  })

  it('of a batch is sent back alone when the listener says how far it got', async () => {
    broker.answers.set(CONSUMER_SEND_MSG_BACK, () => ok())
    queued = [0, 1, 2].map(queueOffset => ({ queueOffset, body: `m${queueOffset}` }))
    await consume({
      consumeMessageBatchMaxSize: 3,
      onMessages: (_, context) => {
        context.ackIndex = 1
      },
    })
    await eventually(() => consumer!.offsetsOf('T')[0]?.offset === 3)
    expect(broker.of(CONSUMER_SEND_MSG_BACK).map(({ ext }) => ext.offset)).toEqual(['200'])
  })

  it('too often in order is sent to the retry topic, which makes it a dead letter', async () => {
    nameServer.put(retryTopic('G'), [broker], 1)
    broker.answers.set(RequestCode.LOCK_BATCH_MQ, ({ body }) =>
      ok(Buffer.from(stringifyFastJson({ lockOKMQSet: readObject(parseFastJson(body)).mqSet }))),
    )
    broker.answers.set(RequestCode.UNLOCK_BATCH_MQ, () => ok())
    queued = [
      { queueOffset: 0, body: 'bad' },
      { queueOffset: 1, body: 'good' },
    ]
    const seen: string[] = []
    await consume({
      maxReconsumeTimes: 2,
      suspendCurrentQueueTimeMillis: 10,
      onOrderedMessages: messages => {
        seen.push(messages[0]!.body.toString())
        return seen.at(-1) === 'bad' ? 'SUSPEND_CURRENT_QUEUE_A_MOMENT' : 'SUCCESS'
      },
    })
    await eventually(() => seen.includes('good'))
    expect(seen).toEqual(['bad', 'bad', 'bad', 'good'])
    expect(broker.of(SEND_MESSAGE_V2)[0]!.ext).toMatchObject({ b: '%RETRY%G', j: '3', l: '2' })
  })

  it('too often among others that did not is not offered again with them, and is a dead letter once', async () => {
    nameServer.put(retryTopic('G'), [broker], 1)
    broker.answers.set(RequestCode.LOCK_BATCH_MQ, ({ body }) =>
      ok(Buffer.from(stringifyFastJson({ lockOKMQSet: readObject(parseFastJson(body)).mqSet }))),
    )
    broker.answers.set(RequestCode.UNLOCK_BATCH_MQ, () => ok())
    queued = [
      { queueOffset: 0, body: 'early' },
      { queueOffset: 1, body: 'bad', reconsumeTimes: 2 },
    ]
    const seen: string[][] = []
    await consume({
      maxReconsumeTimes: 2,
      consumeMessageBatchMaxSize: 2,
      suspendCurrentQueueTimeMillis: 10,
      onOrderedMessages: messages => {
        seen.push(messages.map(({ body }) => body.toString()))
        if (seen.length === 1) throw new Error('account\u0001 closed')
      },
    })
    await eventually(() => consumer!.offsetsOf('T')[0]?.offset === 2)
    expect(seen).toEqual([['early', 'bad'], ['early']])
    const [sent, ...more] = broker.of(SEND_MESSAGE_V2)
    expect(more).toEqual([])
    expect(decodeProperties(sent!.ext.i!).get('DLQ_REASON')).toBe('account  closed')
  })
})

describe('the broker tells', () => {
  it('40: the group has changed, and the queues are looked at again', async () => {
    await consume({ onMessages: () => {} })
    const before = broker.of(RequestCode.GET_CONSUMER_LIST_BY_GROUP).length
    ;(await channel()).invokeOneway({
      code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED,
      extFields: { consumerGroup: 'G' },
    })
    await eventually(() => broker.of(RequestCode.GET_CONSUMER_LIST_BY_GROUP).length > before)
  })

  it('21: the offset has moved, and the queue is taken up there', async () => {
    let moved = false
    broker.answers.set(PULL_MESSAGE, request => {
      if (moved) return pullQueued(request)
      moved = true
      broker.answers.set(RequestCode.QUERY_CONSUMER_OFFSET, () => okWith(OffsetResponseHeader, { offset: 7 }))
      const reply = okWith(PullMessageResponseHeader, {
        suggestWhichBrokerId: 0,
        nextBeginOffset: 7,
        minOffset: 7,
        maxOffset: 8,
      })
      reply.code = ResponseCode.PULL_OFFSET_MOVED
      return reply
    })
    const bodies: string[] = []
    queued = [{ queueOffset: 7, body: 'seven' }]
    await consume({ onMessages: messages => void bodies.push(messages[0]!.body.toString()) })
    await eventually(() => bodies.length === 1)
    expect(broker.of(UPDATE_CONSUMER_OFFSET)[0]!.ext).toMatchObject({ commitOffset: '7', queueId: '0' })
  })

  it('221: what offsets do you have', async () => {
    queued = [{ queueOffset: 0, body: 'x' }]
    await consume({ onMessages: () => {} })
    await eventually(() => consumer!.offsetsOf('T')[0]?.offset === 1)
    const answer = await (await channel()).invoke(
      { code: RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, extFields: { topic: 'T', group: 'G' } },
      5000,
    )
    expect(answer.body.toString()).toBe(
      '{"consumerTable":{},"messageQueueTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:1}}',
    )
  })

  it('307: how are you, of a group that is not here', async () => {
    await consume({ onMessages: () => {} })
    const answer = await (await channel()).invoke(
      { code: RequestCode.GET_CONSUMER_RUNNING_INFO, extFields: { consumerGroup: 'Other', clientId: 'x' } },
      5000,
    )
    expect(answer.code).toBe(ResponseCode.SYSTEM_ERROR)
    expect(answer.remark).toBe('The Consumer Group <Other> not exist in this consumer')
  })

  it('309: handle this message', async () => {
    await consume({
      onMessages: () => {
        throw new Error('cannot')
      },
    })
    const answer = await (await channel()).invoke(
      {
        code: RequestCode.CONSUME_MESSAGE_DIRECTLY,
        extFields: { consumerGroup: 'G', brokerName: 'broker-a' },
        body: recordOf({ queueOffset: 3, body: 'x' }),
      },
      5000,
    )
    expect(parseFastJson(answer.body)).toMatchObject({
      consumeResult: 'CR_THROW_EXCEPTION',
      remark: 'cannot',
      order: false,
    })
  })

  it.each([
    ['COMMIT', '8'],
    ['ROLLBACK', '12'],
    ['UNKNOWN', '0'],
  ] as [TransactionState, string][])('39: what became of a transaction: %s', async (state, decision) => {
    const producer = new TransactionProducer({
      group: 'Tx',
      namesrvAddr: nameServer.address,
      execute: () => 'UNKNOWN',
      check: message => (message.body.toString() === 'half' ? state : 'UNKNOWN'),
    })
    await producer.start()
    await producer.send({ topic: 'T', body: 'x' })
    broker.of(SEND_MESSAGE_V2)[0]!.connection.invokeOneway({
      code: RequestCode.CHECK_TRANSACTION_STATE,
      extFields: { tranStateTableOffset: '5', commitLogOffset: '500', msgId: 'ID', transactionId: 'ID' },
      body: recordOf({ queueOffset: 5, body: 'half', properties: { PGROUP: 'Tx', UNIQ_KEY: 'ID' } }),
    })
    await eventually(() => broker.of(RequestCode.END_TRANSACTION).length === 1)
    expect(broker.of(RequestCode.END_TRANSACTION)[0]).toMatchObject({
      oneway: true,
      ext: {
        producerGroup: 'Tx',
        tranStateTableOffset: '5',
        commitLogOffset: '500',
        commitOrRollback: decision,
        fromTransactionCheck: 'true',
        msgId: 'ID',
      },
    })
    await producer.stop()
  })
})

describe('a consumer', () => {
  it('introduces itself again over a new connection, and looks at its queues', async () => {
    nameServer.put(retryTopic('G'), [broker], 1)
    await consume({ onMessages: () => {} })
    await eventually(() => consumer!.assignedQueues().length === 2)
    const first = await channel()
    const lists = broker.of(RequestCode.GET_CONSUMER_LIST_BY_GROUP).length
    const greetings = broker.of(RequestCode.HEART_BEAT).length
    first.close('the test cuts it')
    await eventually(() => broker.of(RequestCode.HEART_BEAT).length > greetings)
    expect(broker.of(RequestCode.HEART_BEAT).at(-1)!.connection).not.toBe(first)
    await eventually(() => broker.of(RequestCode.GET_CONSUMER_LIST_BY_GROUP).length > lists)
    expect(broker.seen.find(({ connection }) => connection !== first)!.code).toBe(RequestCode.HEART_BEAT)
  })

  it('that the broker has not heard of introduces itself before it gives up its queues', async () => {
    await consume({ onMessages: () => {} })
    // at the start, for the queue taken, and by the timer: the next one has a reason of its own
    await eventually(() => broker.of(RequestCode.HEART_BEAT).length === 3)
    const before = broker.of(RequestCode.HEART_BEAT).length
    broker.answers.set(RequestCode.GET_CONSUMER_LIST_BY_GROUP, () => {
      const known = broker.of(RequestCode.HEART_BEAT).length > before
      const consumerIdList = known ? [consumer!.instance.clientId] : ['somebody else']
      return ok(Buffer.from(stringifyFastJson({ consumerIdList })))
    })
    ;(await channel()).invokeOneway({
      code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED,
      extFields: { consumerGroup: 'G' },
    })
    await eventually(() => broker.of(RequestCode.HEART_BEAT).length > before)
    expect(consumer!.assignedQueues()).toHaveLength(1)
  })

  it('of ordered messages begins where its predecessor was when the lock became its own', async () => {
    const lockAll = ({ body }: SeenRequest) =>
      ok(Buffer.from(stringifyFastJson({ lockOKMQSet: readObject(parseFastJson(body)).mqSet })))
    broker.answers.set(RequestCode.LOCK_BATCH_MQ, lockAll)
    broker.answers.set(RequestCode.UNLOCK_BATCH_MQ, () => ok())
    let asked = 0
    broker.answers.set(RequestCode.QUERY_CONSUMER_OFFSET, () =>
      okWith(OffsetResponseHeader, { offset: asked++ === 0 ? 3 : 5 }),
    )
    await consume({ onOrderedMessages: () => {} })
    await channel()
    expect(broker.of(PULL_MESSAGE)[0]!.ext.queueOffset).toBe('5')
    const codes = broker.codes()
    expect(codes.indexOf(RequestCode.LOCK_BATCH_MQ)).toBeLessThan(codes.indexOf(RequestCode.QUERY_CONSUMER_OFFSET))
  })
})

it('signs off: offsets first, then itself', async () => {
  queued = [{ queueOffset: 0, body: 'x' }]
  await consume({ onMessages: () => {} })
  await eventually(() => consumer!.offsetsOf('T')[0]?.offset === 1)
  await consumer!.stop()
  const codes = broker.codes().filter(code => code === UPDATE_CONSUMER_OFFSET || code === RequestCode.UNREGISTER_CLIENT)
  expect(codes).toEqual([UPDATE_CONSUMER_OFFSET, RequestCode.UNREGISTER_CLIENT])
  expect(broker.of(UPDATE_CONSUMER_OFFSET)[0]).toMatchObject({ oneway: true, ext: { commitOffset: '1', topic: 'T' } })
})
