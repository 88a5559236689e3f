import { afterEach, describe, expect, test } from 'vitest'
import { MQClientError, Producer, PushConsumer } from '../../src/client/index.js'
import { encodeProperties, RequestCode } from '../../src/common/index.js'
import { type CometMQ, startCometMQ } from '../../src/embed.js'
import { ok, RemotingClient, type RemotingCommand, ReplyMessageRequestHeader, route } from '../../src/remoting/index.js'
import { silentLogger, systemClock } from '../../src/util/index.js'
import { eventually } from '../support/eventually.js'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function start(broker: Parameters<typeof startCometMQ>[0] = {}): Promise<CometMQ> {
  const mq = await startCometMQ(broker)
  stops.push(() => mq.stop())
  return mq
}

async function producerOf(mq: CometMQ, group: string): Promise<Producer> {
  const producer = new Producer({ group, namesrvAddr: mq.namesrvAddr })
  await producer.start()
  stops.push(() => producer.stop())
  return producer
}

/** A consumer that answers each request with its body in capitals. */
async function replier(mq: CometMQ): Promise<void> {
  const producer = await producerOf(mq, 'Replier')
  const consumer = new PushConsumer({
    group: 'G',
    namesrvAddr: mq.namesrvAddr,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    onMessages: async ([message]) => {
      await producer.reply(message!, message!.body.toString().toUpperCase())
    },
  })
  await consumer.subscribe('Rpc')
  await consumer.start()
  stops.push(() => consumer.stop())
}

describe('request and reply with clients', () => {
  test('117: the reply arrives; without a replier the request times out', async () => {
    const mq = await start()
    const producer = await producerOf(mq, 'Requester')
    const late = producer.request({ topic: 'Rpc', body: 'nobody' }, 300)
    await expect(late).rejects.toMatchObject({ code: 'ERR_CLIENT_TIMEOUT', responseCode: 10006 })
    await replier(mq)
    const reply = await producer.request({ topic: 'Rpc', body: 'hello' }, 20_000)
    expect(reply.body.toString()).toBe('HELLO')
    expect(reply.topic).toBe('DefaultCluster_REPLY_TOPIC')
    expect(Number(reply.properties.get('PUSH_REPLY_TIME'))).toBeGreaterThan(Date.now() - 60_000)
    expect(reply.properties.has('ARRIVE_TIME')).toBe(true)
  })
})

/** A client that registers as a producer and keeps what is pushed to it. */
class Requester {
  readonly pushed: { header: ReturnType<typeof ReplyMessageRequestHeader.decode>; body: string }[] = []
  private readonly remoting: RemotingClient

  constructor(
    readonly address: string,
    answer: () => ReturnType<typeof ok> = ok,
  ) {
    this.remoting = new RemotingClient({
      clock: systemClock,
      logger: silentLogger,
      routes: [
        route({
          code: RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT,
          request: ReplyMessageRequestHeader,
          lane: 'client',
          action: 'ANY',
          handle: (header, command) => {
            this.pushed.push({ header, body: command.body.toString() })
            return answer()
          },
        }),
      ],
    })
  }

  async register(clientId: string): Promise<void> {
    const body = JSON.stringify({
      clientID: clientId,
      producerDataSet: [{ groupName: 'Requester' }],
      consumerDataSet: [],
    })
    const answer = await this.call(RequestCode.HEART_BEAT, {}, body)
    expect(answer.code).toBe(0)
  }

  call(code: number, extFields: Record<string, string>, body = ''): Promise<RemotingCommand> {
    return this.remoting.invoke(this.address, { code, extFields, body: Buffer.from(body) }, 15_000)
  }

  stop(): void {
    this.remoting.stop()
  }
}

/** A reply as V1 header (324), or V2 (325). */
function replyFields(properties: Record<string, string>, isV2 = false): Record<string, string> {
  const v1 = {
    producerGroup: 'P',
    topic: 'DefaultCluster_REPLY_TOPIC',
    defaultTopic: 'TBW102',
    defaultTopicQueueNums: '4',
    queueId: '0',
    sysFlag: '0',
    bornTimestamp: '1700000000000',
    flag: '0',
    properties: encodeProperties(Object.entries(properties)),
    reconsumeTimes: '0',
    unitMode: 'false',
  }
  if (!isV2) return v1
  return Object.fromEntries(Object.values(v1).map((value, i) => [String.fromCharCode(97 + i), value]))
}

describe('SEND_REPLY_MESSAGE (324, 325)', () => {
  async function pair(options: Parameters<typeof startCometMQ>[0] = {}, answer?: () => ReturnType<typeof ok>) {
    const mq = await start(options)
    const requester = new Requester(mq.brokerAddr, answer)
    const replying = new Requester(mq.brokerAddr)
    stops.push(
      () => requester.stop(),
      () => replying.stop(),
    )
    await requester.register('10.0.0.1@requester')
    return { mq, requester, replying }
  }

  const toRequester = { REPLY_TO_CLIENT: '10.0.0.1@requester', CORRELATION_ID: 'c1', MSG_TYPE: 'reply' }

  test.each([
    [RequestCode.SEND_REPLY_MESSAGE, false],
    [RequestCode.SEND_REPLY_MESSAGE_V2, true],
  ])('%s is pushed as 326 and stored; the answer names the stored message', async (code, isV2) => {
    const { mq, requester, replying } = await pair()
    const answer = await replying.call(code, replyFields(toRequester, isV2), 'pong')
    expect(answer.code).toBe(0)
    expect(answer.extFields).toMatchObject({ queueId: '0', queueOffset: '0', TRACE_ON: 'true' })
    expect(answer.extFields?.msgId).toMatch(/^[0-9A-F]{32}$/)
    const [{ header, body }] = requester.pushed as [(typeof requester.pushed)[number]]
    expect(body).toBe('pong')
    expect(header).toMatchObject({ producerGroup: 'P', topic: 'DefaultCluster_REPLY_TOPIC', storeHost: mq.brokerAddr })
    expect(header.bornHost).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(header.properties).toMatch(/CORRELATION_ID\u0001c1.*PUSH_REPLY_TIME\u0001\d+/)
    const second = await replying.call(code, replyFields(toRequester, isV2), 'pong')
    expect(second.extFields).toMatchObject({ queueOffset: '1' })
  })

  test('an empty reply is delivered', async () => {
    const { requester, replying } = await pair()
    expect((await replying.call(RequestCode.SEND_REPLY_MESSAGE, replyFields(toRequester))).code).toBe(0)
    expect(requester.pushed.map(({ body }) => body)).toEqual([''])
  })

  test('118: when the requester is gone the replier is told so', async () => {
    const { requester, replying } = await pair()
    requester.stop()
    await eventually(async () => {
      const answer = await replying.call(RequestCode.SEND_REPLY_MESSAGE, replyFields(toRequester), 'pong')
      return (
        answer.remark === 'push reply message fail, channel of <10.0.0.1@requester> not found.' && answer.code === 1
      )
    }, 'the channel is forgotten')
  })

  test('a requester that refuses the reply makes it fail', async () => {
    const { replying } = await pair({}, () => {
      const refusal = ok()
      refusal.code = 1
      return refusal
    })
    const answer = await replying.call(RequestCode.SEND_REPLY_MESSAGE, replyFields(toRequester), 'pong')
    expect(answer).toMatchObject({ code: 1, remark: 'push reply message to 10.0.0.1@requesterfail.' })
  })

  test('without REPLY_TO_CLIENT there is nobody to push to', async () => {
    const { replying } = await pair()
    const answer = await replying.call(RequestCode.SEND_REPLY_MESSAGE, replyFields({ MSG_TYPE: 'reply' }), 'pong')
    expect(answer).toMatchObject({ code: 1, remark: 'reply message properties[REPLY_TO_CLIENT] is null' })
  })

  test('with storeReplyMessageEnable=false nothing is stored', async () => {
    const { replying } = await pair({ broker: { storeReplyMessageEnable: false } })
    for (let i = 0; i < 2; i++) {
      const answer = await replying.call(RequestCode.SEND_REPLY_MESSAGE, replyFields(toRequester), 'pong')
      expect(answer.extFields).toMatchObject({ msgId: '0', queueOffset: '0' })
    }
    const max = await replying.call(RequestCode.GET_MAX_OFFSET, { topic: 'DefaultCluster_REPLY_TOPIC', queueId: '0' })
    expect(max.extFields).toMatchObject({ offset: '0' })
  })

  test('a reply to a topic that does not exist is refused like a send', async () => {
    const { replying } = await pair({ broker: { autoCreateTopicEnable: false } })
    const fields = { ...replyFields(toRequester), topic: 'NoSuch_REPLY_TOPIC' }
    const answer = await replying.call(RequestCode.SEND_REPLY_MESSAGE, fields, 'pong')
    expect(answer.code).toBe(17)
    expect(answer.remark).toContain('topic[NoSuch_REPLY_TOPIC] not exist')
  })

  test('MQClientError carries the remark to the replying application', async () => {
    const { mq } = await pair()
    const producer = await producerOf(mq, 'App')
    const request = {
      properties: new Map([
        ['CLUSTER', 'DefaultCluster'],
        ['REPLY_TO_CLIENT', 'gone'],
      ]),
    }
    const failure = await producer
      .reply(request as Parameters<Producer['reply']>[0], 'x')
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(MQClientError)
    expect(failure).toMatchObject({ responseCode: 1, remark: 'push reply message fail, channel of <gone> not found.' })
  })
})
