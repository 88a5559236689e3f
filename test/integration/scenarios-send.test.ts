import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Producer } from '../../src/client/index.js'
import {
  decodeMessage,
  decodeOffsetMessageId,
  encodeBatch,
  hostAddressToString,
  RequestCode,
  ResponseCode,
} from '../../src/common/index.js'
import { fail } from '../../src/remoting/index.js'
import { eventually } from '../support/eventually.js'
import { FakeBroker, FakeNameServer } from './client-fake-cluster.js'
import type { BrokerValues } from './client-system.js'
import { ScenarioBroker } from './scenarios-broker.js'

/** Sending (broker-behaviour 18, scenarios 13 to 37). */

const MIB = 1024 * 1024
const TOO_LONG = 'The specified topic is longer than topic max length.'

let broker: ScenarioBroker

async function start(values: BrokerValues = {}): Promise<void> {
  broker = await ScenarioBroker.start({ values })
  await broker.createTopic('T', { readQueueNums: 4, writeQueueNums: 4 })
}

const maxOffset = (queueId = 0, topic = 'T'): Promise<number> =>
  broker.offset(RequestCode.GET_MAX_OFFSET, { topic, queueId })

const elements = (count: number) =>
  encodeBatch(Array.from({ length: count }, (_, i) => ({ flag: 0, body: Buffer.from(`m${i}`), properties: new Map() })))

describe('one message', () => {
  beforeEach(() => start())

  test('S013 the msgId names the address and the place at which 33 finds the message', async () => {
    await broker.send({ body: 'first' })
    const { extFields } = await broker.send({ body: 'second' })
    const { storeHost, commitLogOffset } = decodeOffsetMessageId(extFields!.msgId!)
    expect(hostAddressToString(storeHost)).toBe(broker.brokerAddr)
    const found = await broker.call(RequestCode.VIEW_MESSAGE_BY_ID, { offset: commitLogOffset })
    expect(decodeMessage(found.body).body.toString()).toBe('second')
  })

  test('S016 queueId -1: the broker chooses one of the queues and says which', async () => {
    for (let i = 0; i < 8; i++) {
      const { code, extFields } = await broker.send({ queueId: -1, body: `m${i}` })
      expect(code).toBe(0)
      const queueId = Number(extFields!.queueId)
      expect([0, 1, 2, 3]).toContain(queueId)
      const [stored] = await broker.messages({ queueId, queueOffset: Number(extFields!.queueOffset), maxMsgNums: 1 })
      expect(stored!.body.toString()).toBe(`m${i}`)
    }
  })

  test('S017 a queue that only readQueueNums has is sent to; one that neither has is refused', async () => {
    await broker.createTopic('Wide', { readQueueNums: 4, writeQueueNums: 2 })
    expect((await broker.send({ topic: 'Wide', queueId: 2 })).extFields).toMatchObject({ queueId: '2' })
    expect(await broker.messages({ topic: 'Wide', queueId: 2 })).toHaveLength(1)
    const refused = await broker.send({ topic: 'Wide', queueId: 4 })
    expect(refused.code).toBe(ResponseCode.INVALID_PARAMETER)
    expect(refused.remark).toContain('request queueId[4] is illegal, ')
  })

  test('S018 the queue holds the Java hash of the tag, 0 without one', async () => {
    await broker.send({ properties: { TAGS: 'TagA' } })
    await broker.send({ properties: { TAGS: 'A' } })
    await broker.send({ properties: { TAGS: 'polygenelubricants' } })
    await broker.send()
    const answer = await broker.call(RequestCode.QUERY_CONSUME_QUEUE, { topic: 'T', queueId: 0, index: 0, count: 9 })
    const { queueData } = JSON.parse(answer.body.toString()) as { queueData: { tagsCode: number }[] }
    expect(queueData.map(unit => unit.tagsCode)).toEqual([2598919, 65, -2147483648, 0])
  })

  test('S019 without UNIQ_KEY the broker makes one and gives it back as transactionId', async () => {
    const { extFields } = await broker.send()
    const [stored] = await broker.messages()
    expect(extFields!.transactionId).toMatch(/^[0-9A-F]{32}$/)
    expect(stored!.properties.get('UNIQ_KEY')).toBe(extFields!.transactionId)
    expect((await broker.send({ properties: { UNIQ_KEY: 'mine' } })).extFields!.transactionId).toBe('mine')
  })

  test('S020 POP_CK of a client is not stored', async () => {
    await broker.send({ properties: { a: '1', POP_CK: 'forged', b: '2' } })
    const [stored] = await broker.messages()
    expect(stored!.properties.has('POP_CK')).toBe(false)
    expect(Object.fromEntries(stored!.properties)).toMatchObject({ a: '1', b: '2' })
  })

  test('S021 MSG_REGION and TRACE_ON are the broker’s, stored and answered', async () => {
    const { extFields } = await broker.send({ properties: { MSG_REGION: 'Mars', TRACE_ON: 'false' } })
    expect(extFields).toMatchObject({ MSG_REGION: 'DefaultRegion', TRACE_ON: 'true' })
    const [stored] = await broker.messages()
    expect(Object.fromEntries(stored!.properties)).toMatchObject({ MSG_REGION: 'DefaultRegion', TRACE_ON: 'true' })
    expect((await broker.send({ topic: 'SELF_TEST_TOPIC' })).extFields).toMatchObject({ MSG_REGION: 'DefaultRegion' })
  })

  test.each([
    ['S028 SELF_TEST_TOPIC', 'SELF_TEST_TOPIC', 16, 'Sending message to topic[SELF_TEST_TOPIC] is forbidden.'],
    [
      'S028 SCHEDULE_TOPIC_XXXX',
      'SCHEDULE_TOPIC_XXXX',
      16,
      'Sending message to topic[SCHEDULE_TOPIC_XXXX] is forbidden.',
    ],
    [
      'S029 a blank in the name',
      'a b',
      29,
      'The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$',
    ],
    ['S030 a name of 127 characters', 'x'.repeat(127), 0, undefined],
    ['S030 a name of 128 characters', 'x'.repeat(128), 29, TOO_LONG],
    ['S031 a retry topic of 255 characters', `%RETRY%${'g'.repeat(248)}`, 0, undefined],
  ])('%s: topic %s gets %i', async (_name, topic, code, remark) => {
    const answer = await broker.send({ topic })
    expect(answer).toMatchObject({ code })
    expect(answer.remark).toBe(remark)
    if (code === 0) expect(await maxOffset(0, topic)).toBe(1)
    else expect(broker.controller.context.store.maxOffset(topic, 0)).toBe(0)
  })

  test('S031 a retry topic of 256 characters is too long', async () => {
    expect((await broker.send({ topic: `%RETRY%${'g'.repeat(249)}` })).code).toBe(ResponseCode.INVALID_PARAMETER)
  })

  test('S036 a topic that keeps the last message per key refuses messages without one', async () => {
    const made = await broker.createTopic('Kept', { attributes: '+cleanup.policy=COMPACTION' })
    expect(made.code).toBe(0)
    for (const properties of [{}, { KEYS: ' ' }]) {
      expect(await broker.send({ topic: 'Kept', properties })).toMatchObject({
        code: ResponseCode.MESSAGE_ILLEGAL,
        remark: 'Required message key is missing',
      })
    }
    expect((await broker.send({ topic: 'Kept', properties: { KEYS: 'k' } })).code).toBe(0)
    expect(await maxOffset(0, 'Kept')).toBe(1)
  })

  test('S037 queue offsets rise by one without gaps, whatever is refused between', async () => {
    const offsets: string[] = []
    for (let i = 0; i < 5; i++) {
      offsets.push((await broker.send()).extFields!.queueOffset!)
      expect((await broker.send({ properties: { DELAY: 'soon' } })).code).not.toBe(0)
    }
    expect(offsets).toEqual(['0', '1', '2', '3', '4'])
  })
})

describe('sizes', () => {
  beforeEach(() => start({ mappedFileSizeCommitLog: 16 * MIB }))

  test('S014 a body of 4 MiB is stored, a byte more is refused with 13, and the connection goes on', async () => {
    expect((await broker.send({ body: Buffer.alloc(4 * MIB, 1) })).code).toBe(0)
    const refused = await broker.send({ body: Buffer.alloc(4 * MIB + 1, 1) })
    expect(refused.code).toBe(ResponseCode.MESSAGE_ILLEGAL)
    expect(refused.remark).toContain('msg body length limit 4194304B, msg properties length limit 32KB.')
    expect(await maxOffset()).toBe(1)
  })

  test('S015 properties of 33000 bytes are refused with 13', async () => {
    const refused = await broker.send({ properties: { p: 'x'.repeat(33_000) } })
    expect(refused.code).toBe(ResponseCode.MESSAGE_ILLEGAL)
    expect(await maxOffset()).toBe(0)
    expect((await broker.send({ properties: { p: 'x'.repeat(32_000) } })).code).toBe(0)
  })
})

describe('a batch', () => {
  beforeEach(() => start())

  test('S025 of 32 has 32 offsets in a row and 32 ids', async () => {
    await broker.send()
    const { code, extFields } = await broker.send({ code: RequestCode.SEND_BATCH_MESSAGE, body: elements(32) })
    expect({ code, queueOffset: extFields!.queueOffset }).toEqual({ code: 0, queueOffset: '1' })
    const stored = await broker.messages({ queueOffset: 1 })
    expect(stored.map(message => message.queueOffset)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1))
    expect(extFields!.msgId!.split(',')).toEqual(stored.map(message => message.offsetMsgId))
  })

  test('S026 to a retry topic is refused with 13', async () => {
    const topic = '%RETRY%G'
    expect(await broker.send({ topic, code: RequestCode.SEND_BATCH_MESSAGE, body: elements(2) })).toMatchObject({
      code: ResponseCode.MESSAGE_ILLEGAL,
      remark: 'batch request does not support retry group %RETRY%G',
    })
  })
})

describe('what the broker forbids or cannot promise', () => {
  test('S022 brokerPermission 4: sends to order topics get 16, others are taken from a client that insists', async () => {
    await start({ brokerPermission: 4 })
    await broker.createTopic('Ordered', { order: true })
    expect(await broker.send({ topic: 'Ordered' })).toMatchObject({
      code: ResponseCode.NO_PERMISSION,
      remark: 'the broker[127.0.0.1] sending message is forbidden',
    })
    expect((await broker.send()).code).toBe(0)
  })

  test('S023 SYNC_FLUSH on a disk that does not answer: code 10 after syncFlushTimeout, with everything filled', async () => {
    await start({ flushDiskType: 'SYNC_FLUSH' })
    let open = (): void => undefined
    broker.faults.gate = new Promise(resolve => {
      open = resolve
    })
    onTestFinished(() => open())
    let isAnswered = false
    const sending = broker.send().finally(() => {
      isAnswered = true
    })
    await eventually(() => broker.faults.flushes > 0 && broker.controller.context.store.log.maxOffset > 0)
    await broker.clock.advance(4000)
    expect(isAnswered).toBe(false)
    await broker.clock.advance(1000)
    const { code, extFields } = await sending
    expect(code).toBe(ResponseCode.FLUSH_DISK_TIMEOUT)
    expect(extFields).toMatchObject({ queueId: '0', queueOffset: '0', msgId: expect.stringMatching(/^[0-9A-F]{32}$/) })
    // who does not want to wait is answered at once
    expect((await broker.send({ properties: { WAIT: 'false' } })).code).toBe(0)
    open()
  })
})

describe('a producer', () => {
  let nameServer: FakeNameServer
  let brokers: FakeBroker[]
  let producer: Producer
  beforeEach(async () => {
    nameServer = new FakeNameServer()
    brokers = [new FakeBroker('broker-a'), new FakeBroker('broker-b')]
    await Promise.all([nameServer, ...brokers].map(server => server.start()))
    nameServer.put('T', brokers)
    producer = new Producer({ group: 'P', namesrvAddr: nameServer.address })
    await producer.start()
  })
  afterEach(async () => {
    await producer.stop()
    await Promise.all([nameServer, ...brokers].map(server => server.stop()))
  })

  const sends = (): number => brokers.reduce((sum, one) => sum + one.of(RequestCode.SEND_MESSAGE_V2).length, 0)

  test('S027 refuses a batch with a delayed message before anything is sent', async () => {
    const delayed = { topic: 'T', body: 'x', delayLevel: 3 }
    await expect(producer.sendBatch([{ topic: 'T', body: 'x' }, delayed])).rejects.toThrow(
      'TimeDelayLevel is not supported for batching',
    )
    expect(brokers.flatMap(one => one.of(RequestCode.SEND_BATCH_MESSAGE))).toEqual([])
  })

  test.each([2, 14, 1, 17, 16])('S034 code %i: the second broker is tried', async code => {
    brokers[0]!.answers.set(RequestCode.SEND_MESSAGE_V2, () => fail(code, 'refused'))
    for (let i = 0; i < 4; i++) {
      expect((await producer.send({ topic: 'T', body: 'x' })).queue.brokerName).toBe('broker-b')
    }
    expect(brokers[0]!.of(RequestCode.SEND_MESSAGE_V2).length).toBeGreaterThan(0)
  })

  test.each([13, 26, 29])('S034 code %i: the message is at fault, no other broker is tried', async code => {
    for (const one of brokers) one.answers.set(RequestCode.SEND_MESSAGE_V2, () => fail(code, 'refused'))
    await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({ responseCode: code })
    expect(sends()).toBe(1)
  })
})

describe('a store that stalls', () => {
  /** The next append takes so long; nothing else runs meanwhile. */
  function stallNextAppend(ms: number): void {
    const { store } = broker.controller.context
    vi.spyOn(store, 'append').mockImplementationOnce(message => {
      broker.clock.stall(ms)
      return store.append(message)
    })
  }

  const sendMany = (count: number) => Promise.all(Array.from({ length: count }, () => broker.send()))

  test('S032 sends that waited more than 200 ms get 2 [TIMEOUT_CLEAN_QUEUE], and are not stored', async () => {
    await start()
    stallNextAppend(250)
    const answers = await sendMany(40)
    const refused = answers.filter(({ code }) => code !== 0)
    // the clock is not read for every request
    expect(refused.length).toBeGreaterThanOrEqual(40 - 17)
    for (const { code, remark } of refused) {
      expect({ code, remark }).toEqual({
        code: ResponseCode.SYSTEM_BUSY,
        remark:
          '[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: 250ms, size of queue: 0',
      })
    }
    expect(await maxOffset()).toBe(40 - refused.length)
    expect((await broker.send()).code).toBe(0)
  })

  test('S032 a send on another connection has waited as well', async () => {
    await start()
    const other = broker.client()
    await other.send()
    stallNextAppend(200)
    const [first, second] = await Promise.all([broker.send(), other.send()])
    expect([first.code, second.code]).toEqual([0, ResponseCode.SYSTEM_BUSY])
  })

  test('what waits less than its limit is served, and all is with brokerFastFailureEnable=false', async () => {
    await start({ waitTimeMillsInSendQueue: 300 })
    stallNextAppend(299)
    const served = await sendMany(40)
    expect(served.every(({ code }) => code === 0)).toBe(true)
    await broker.call(RequestCode.UPDATE_BROKER_CONFIG, {}, 'brokerFastFailureEnable=false')
    stallNextAppend(9000)
    expect((await sendMany(40)).every(({ code }) => code === 0)).toBe(true)
  })
})

test('sends that wait for the disk fill sendThreadPoolQueueCapacity: more are refused, none is lost', async () => {
  await start({ flushDiskType: 'SYNC_FLUSH', sendThreadPoolQueueCapacity: 3 })
  await broker.send()
  let open = (): void => undefined
  broker.faults.gate = new Promise(resolve => {
    open = resolve
  })
  onTestFinished(() => open())
  const waiting = [broker.send(), broker.send(), broker.send()]
  const refused = await broker.send()
  expect(refused).toMatchObject({
    code: ResponseCode.SYSTEM_BUSY,
    remark: '[OVERLOAD]system busy, start flow control for a while',
  })
  const info = await broker.call(RequestCode.GET_BROKER_RUNTIME_INFO)
  expect(JSON.parse(info.body.toString()).table).toMatchObject({
    sendThreadPoolQueueSize: '3',
    sendThreadPoolQueueCapacity: '3',
  })
  open()
  expect((await Promise.all(waiting)).map(({ code }) => code)).toEqual([0, 0, 0])
})
