import { afterEach, expect, test } from 'vitest'
import { LitePullConsumer, Producer, PushConsumer, TransactionProducer } from '../../src/client/index.js'
import { decodeTrace, type MessageExt, type TraceRecord } from '../../src/common/index.js'
import { type CometMQ, startCometMQ } from '../../src/embed.js'
import { eventually } from '../support/eventually.js'
import { runMqadmin } from '../support/run-mqadmin.js'

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function start(broker: NonNullable<Parameters<typeof startCometMQ>[0]>['broker'] = {}): Promise<CometMQ> {
  const mq = await startCometMQ({ broker: { traceTopicEnable: true, ...broker } })
  stops.push(() => mq.stop())
  return mq
}

/** What a consumer of the trace topic reads. */
async function traces(mq: CometMQ): Promise<{ messages: MessageExt[]; records: TraceRecord[] }> {
  const found = { messages: [] as MessageExt[], records: [] as TraceRecord[] }
  const consumer = new PushConsumer({
    group: 'TraceReader',
    namesrvAddr: mq.namesrvAddr,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    onMessages: messages => {
      found.messages.push(...messages)
      found.records.push(...messages.flatMap(message => decodeTrace(message.body.toString())))
    },
  })
  await consumer.subscribe('RMQ_SYS_TRACE_TOPIC')
  await consumer.start()
  stops.push(() => consumer.stop())
  return found
}

/** Sends one message and consumes it, both traced; resolves when the traces have been sent. */
async function sendAndConsume(mq: CometMQ, outcome: 'ok' | 'fails'): Promise<string> {
  const { namesrvAddr } = mq
  const producer = new Producer({ group: 'P', namesrvAddr, enableTrace: true })
  await producer.start()
  const { msgId } = await producer.send({ topic: 'Pay', body: 'hello', tags: 'A', keys: ['order-1', 'order-2'] })
  let calls = 0
  const consumer = new PushConsumer({
    group: 'C',
    namesrvAddr,
    enableTrace: true,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    onMessages: () => {
      calls++
      if (outcome === 'fails') throw new Error('no money')
    },
  })
  await consumer.subscribe('Pay')
  await consumer.start()
  await eventually(() => calls > 0, 'consumption')
  await consumer.stop()
  await producer.stop()
  return msgId
}

test('116: the trace topic tells of the send and of the consumption', async () => {
  const mq = await start()
  const msgId = await sendAndConsume(mq, 'ok')
  const { messages, records } = await traces(mq)
  await eventually(() => records.length >= 3, 'three records')
  const of = (type: string): TraceRecord => records.find(record => record.type === type)!
  expect(records.map(({ type }) => type).sort()).toEqual(['Pub', 'SubAfter', 'SubBefore'])
  expect(of('Pub')).toMatchObject({
    regionId: 'DefaultRegion',
    group: 'P',
    topic: 'Pay',
    msgId,
    tags: 'A',
    keys: 'order-1 order-2',
    storeHost: mq.brokerAddr,
    bodyLength: 5,
    msgType: 'Normal_Msg',
    success: true,
  })
  const before = of('SubBefore')
  expect(before).toMatchObject({ group: 'C', msgId, retryTimes: 0, keys: 'order-1 order-2' })
  expect(of('SubAfter')).toMatchObject({
    msgId,
    success: true,
    contextCode: 'SUCCESS',
    group: 'C',
    requestId: 'requestId' in before ? before.requestId : '',
  })
  for (const message of messages) {
    expect(message.properties.get('KEYS')!.split(' ').sort()).toEqual([msgId, 'order-1', 'order-2'].sort())
  }
})

test('a message that is polled is traced as handled', async () => {
  const mq = await start()
  const { namesrvAddr } = mq
  const producer = new Producer({ group: 'P', namesrvAddr })
  await producer.start()
  stops.push(() => producer.stop())
  const { msgId } = await producer.send({ topic: 'Pay', body: 'hello', keys: 'order-1' })
  const consumer = new LitePullConsumer({
    group: 'L',
    namesrvAddr,
    enableTrace: true,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  })
  await consumer.subscribe('Pay')
  await consumer.start()
  const polled: MessageExt[] = []
  await eventually(async () => polled.push(...(await consumer.poll(100))) > 0, 'a message')
  await consumer.stop()
  const { records } = await traces(mq)
  await eventually(() => records.length >= 2, 'both records')
  const common = { group: 'L', msgId, keys: 'order-1' }
  expect(records).toMatchObject([
    { type: 'SubBefore', ...common, retryTimes: 0 },
    { type: 'SubAfter', ...common, success: true, contextCode: 'SUCCESS' },
  ])
})

test('queryMsgTraceById prints what Java prints', async () => {
  const mq = await start()
  const msgId = await sendAndConsume(mq, 'fails')
  const { stdout, stderr } = await runMqadmin(['queryMsgTraceById', '-i', msgId, '-n', mq.namesrvAddr])
  expect(stderr).toBe('')
  const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`
  expect(stdout).toMatch(
    new RegExp(
      String.raw`^#Type      #ProducerGroup       #ClientHost          #SendTime            #CostTimes #Status   \n` +
        String.raw`Pub        P                    127\.0\.0\.1            ${time}  \d+ms {6,8}success   \n\n` +
        String.raw`#Type      #ConsumerGroup       #ClientHost          #ConsumerTime        #CostTimes #Status   \n` +
        String.raw`Sub        C                    127\.0\.0\.1            ${time}  \d+ms {6,8}failed    \n\n$`,
    ),
  )
  const json = await runMqadmin(['queryMsgTraceById', '-i', msgId, '-n', mq.namesrvAddr, '--json'])
  const { result } = JSON.parse(json.stdout) as { result: TraceRecord[] }
  expect(result.find(({ type }) => type === 'SubAfter')).toMatchObject({ contextCode: 'EXCEPTION', success: false })
  const byKey = await runMqadmin(['queryMsgTraceById', '-i', 'NOSUCHID', '-n', mq.namesrvAddr])
  expect(byKey.stderr).toContain('QueryMsgTraceByIdSubCommandcommand failed')
  expect(byKey.stderr).toContain('CODE: 208  DESC: query message by key finished, but no message.')
})

test('the decision of a transaction is traced', async () => {
  const mq = await start()
  const producer = new TransactionProducer({
    group: 'Tx',
    namesrvAddr: mq.namesrvAddr,
    enableTrace: true,
    execute: () => 'COMMIT',
    check: () => 'COMMIT',
  })
  await producer.start()
  const { msgId } = await producer.sendInTransaction({ topic: 'Pay', body: 'x' }, undefined)
  await producer.stop()
  const { records } = await traces(mq)
  await eventually(() => records.length >= 2, 'both records')
  expect(records).toMatchObject([
    { type: 'Pub', msgType: 'Trans_Msg_Half', msgId },
    { type: 'EndTransaction', msgId, transactionState: 'COMMIT_MESSAGE', fromTransactionCheck: false },
  ])
})

test('with traceOn=false the broker tells clients to trace nothing', async () => {
  const mq = await start({ traceOn: false })
  await sendAndConsume(mq, 'ok')
  const status = await runMqadmin(['topicStatus', '-t', 'RMQ_SYS_TRACE_TOPIC', '-n', mq.namesrvAddr, '--json'])
  const { result } = JSON.parse(status.stdout) as { result: { queues: { maxOffset: number }[] } }
  expect(result.queues.map(({ maxOffset }) => maxOffset)).toEqual([0])
})
