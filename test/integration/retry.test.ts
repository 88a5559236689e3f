import { afterEach, describe, expect, test } from 'vitest'
import { encodeProperties, type MessageExt, RequestCode } from '../../src/common/index.js'
import { BrokerDriver, type DrivenSendBack } from '../support/broker-driver.js'
import { eventually } from '../support/eventually.js'

let broker: BrokerDriver
afterEach(() => broker.stop())

const RETRY = '%RETRY%G'
const DLQ = '%DLQ%G'

async function stored(topic: string, count = 1, queueId = 0): Promise<MessageExt[]> {
  let found: MessageExt[] = []
  await eventually(async () => {
    found = await broker.pull(topic, queueId)
    return found.length >= count
  }, `${count} messages of ${topic}`)
  return found
}

async function firstMessage(properties: Record<string, string> = { TAGS: 'A', UNIQ_KEY: 'U1' }): Promise<MessageExt> {
  expect((await broker.send({ topic: 'T', body: 'pay', properties })).code).toBe(0)
  return (await stored('T'))[0]!
}

const backTo = (message: MessageExt, more: Partial<DrivenSendBack> = {}) =>
  broker.sendBack({ message, group: 'G', ...more })

/** Code 200. */
async function setGroup(group: object): Promise<void> {
  const body = JSON.stringify({ groupName: 'G', consumeEnable: true, retryQueueNums: 1, retryMaxTimes: 16, ...group })
  expect((await broker.call(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, { body })).code).toBe(0)
}

describe('CONSUMER_SEND_MSG_BACK (36)', () => {
  test('75: the message comes back after 10 s, with reconsumeTimes 1 and all that says where it came from', async () => {
    broker = await BrokerDriver.start()
    const message = await firstMessage()
    const answer = await backTo(message)
    expect(answer).toMatchObject({ code: 0 })
    expect(answer.remark).toBeUndefined()
    await broker.clock.advance(9_999)
    expect(await broker.pull(RETRY)).toEqual([])
    await broker.clock.advance(1)
    const [retry] = await stored(RETRY)
    expect(retry).toMatchObject({
      topic: RETRY,
      reconsumeTimes: 1,
      flag: 7,
      bornTimestamp: message.bornTimestamp,
      bornHost: message.bornHost,
      body: Buffer.from('pay'),
    })
    expect(Object.fromEntries(retry!.properties)).toMatchObject({
      TAGS: 'A',
      UNIQ_KEY: 'U1',
      RETRY_TOPIC: 'T',
      ORIGIN_MESSAGE_ID: message.offsetMsgId,
      DELAY: '3',
      WAIT: 'false',
      REAL_TOPIC: RETRY,
      REAL_QID: '0',
    })
  })

  test('76: 16 retries, each a level later, then the dead letters; the first id and topic are kept all the way', async () => {
    broker = await BrokerDriver.start()
    const first = await firstMessage()
    let message = first
    const waits: number[] = []
    for (let times = 1; times <= 16; times++) {
      const start = broker.clock.now()
      expect((await backTo(message, { maxReconsumeTimes: 16 })).code).toBe(0)
      broker.clock.jump(levelsMs[times + 1]! - 1000)
      await broker.clock.advance(1000)
      message = (await stored(RETRY, times)).at(-1)!
      waits.push(message.storeTimestamp - start)
      expect(message.reconsumeTimes).toBe(times)
    }
    expect(waits).toEqual(levelsMs.slice(2, 18))
    expect((await backTo(message, { maxReconsumeTimes: 16 })).code).toBe(0)
    const [dead] = await stored(DLQ)
    expect(dead!.reconsumeTimes).toBe(17)
    // nothing else is set: seen on 5.3.3
    expect(Object.fromEntries(dead!.properties)).toMatchObject({
      RETRY_TOPIC: 'T',
      ORIGIN_MESSAGE_ID: first.offsetMsgId,
      DELAY: '0',
      REAL_TOPIC: RETRY,
      UNIQ_KEY: 'U1',
    })
    expect([...dead!.properties.keys()].filter(name => name.startsWith('DLQ'))).toEqual([])
    expect(await broker.pull(RETRY)).toHaveLength(16)
  }, 60_000)

  test('77: maxReconsumeTimes 0 makes a dead letter of the first failure', async () => {
    broker = await BrokerDriver.start()
    expect((await backTo(await firstMessage(), { maxReconsumeTimes: 0 })).code).toBe(0)
    expect((await stored(DLQ))[0]).toMatchObject({ reconsumeTimes: 1, body: Buffer.from('pay') })
  })

  test('clients before 3.4.9 do not set the limit: the group does', async () => {
    broker = await BrokerDriver.start()
    await setGroup({ retryMaxTimes: 1 })
    const message = await firstMessage()
    await backTo(message, { maxReconsumeTimes: 0, version: 120 })
    await broker.clock.advance(10_000)
    const [retry] = await stored(RETRY)
    await backTo(retry!, { maxReconsumeTimes: 50, version: 120 })
    expect(await stored(DLQ)).toHaveLength(1)
  })

  test('78: delayLevel -1 makes a dead letter at once; a level above 0 is the wait', async () => {
    broker = await BrokerDriver.start()
    const message = await firstMessage()
    await backTo(message, { delayLevel: -1 })
    await stored(DLQ)
    await backTo(message, { delayLevel: 1 })
    await broker.clock.advance(1_000)
    expect((await stored(RETRY))[0]!.properties.get('DELAY')).toBe('1')
  })

  test('79: a group without retry queues: success, and the message is gone', async () => {
    broker = await BrokerDriver.start()
    await setGroup({ retryQueueNums: 0 })
    expect((await backTo(await firstMessage(), { delayLevel: -1 })).code).toBe(0)
    const topics = await broker.call(RequestCode.GET_ALL_TOPIC_CONFIG, {})
    expect(topics.body.toString()).not.toContain('%RETRY%G')
    expect(topics.body.toString()).not.toContain('%DLQ%G')
  })

  test('a retry goes to a queue that its topic has, however many the group was given later', async () => {
    broker = await BrokerDriver.start()
    const message = await firstMessage()
    await backTo(message, { delayLevel: 1 })
    await setGroup({ retryQueueNums: 8 })
    for (let i = 0; i < 12; i++) await backTo(message, { delayLevel: 1 })
    await broker.clock.advance(1_000)
    expect(await stored(RETRY, 13)).toHaveLength(13)
  })

  test('refusals, in the order of the checks, with the words clients know', async () => {
    broker = await BrokerDriver.start({ autoCreateSubscriptionGroup: false, brokerPermission: 4 })
    const message = { commitLogOffset: 4711, offsetMsgId: 'X', topic: 'T' }
    const back = () => broker.sendBack({ message, group: 'G' })
    expect(await back()).toMatchObject({
      code: 26,
      remark: expect.stringMatching(/^subscription group not exist, G \nSee https:/),
    })
    await setGroup({})
    expect(await back()).toMatchObject({ code: 16, remark: 'the broker[127.0.0.1] sending message is forbidden' })
    await broker.call(RequestCode.UPDATE_BROKER_CONFIG, {}, { body: 'brokerPermission=6' })
    expect(await back()).toMatchObject({ code: 1, remark: 'look message by offset failed, 4711' })
    await broker.call(RequestCode.UPDATE_AND_CREATE_TOPIC, {
      topic: RETRY,
      defaultTopic: 'TBW102',
      readQueueNums: 1,
      writeQueueNums: 1,
      perm: 4,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: 0,
      order: false,
    })
    expect(await back()).toMatchObject({ code: 16, remark: `the topic[${RETRY}] sending message is forbidden` })
  })

  test('82: the dead letter topic has one queue, may be read and written, and is read like any other', async () => {
    broker = await BrokerDriver.start()
    await backTo(await firstMessage(), { delayLevel: -1 })
    const config = await broker.call(RequestCode.GET_TOPIC_CONFIG, { topic: DLQ })
    expect(JSON.parse(config.body.toString())).toMatchObject({ readQueueNums: 1, writeQueueNums: 1, perm: 6 })
    expect((await broker.pull(DLQ)).map(dead => dead.body.toString())).toEqual(['pay'])
  })

  test('83: a retry is delivered whatever the SQL filter of its group says', async () => {
    broker = await BrokerDriver.start({ enablePropertyFilter: true })
    const message = await firstMessage({ amount: '9', UNIQ_KEY: 'U1' })
    await backTo(message, { delayLevel: 1 })
    await broker.clock.advance(1_000)
    await stored(RETRY)
    // what every client says in its heartbeat: the group's own filter, and all of its retry topic
    const ofTopic = { topic: 'T', subString: 'amount < 5', expressionType: 'SQL92', subVersion: 1 }
    const ofRetry = { topic: RETRY, subString: '*', expressionType: 'TAG', subVersion: 1 }
    const consumer = {
      groupName: 'G',
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      subscriptionDataSet: [ofTopic, ofRetry],
    }
    const body = JSON.stringify({ clientID: 'c1', consumerDataSet: [consumer], producerDataSet: [] })
    await broker.call(RequestCode.HEART_BEAT, {}, { body })
    const asGroup = { consumerGroup: 'G', sysFlag: '0', subVersion: '1' }
    expect(await broker.pull('T', 0, 0, asGroup)).toEqual([])
    expect(await broker.pull(RETRY, 0, 0, asGroup)).toHaveLength(1)
  })

  test('the reason a client gives stays with the dead letter, cut to 1024 characters and without separators', async () => {
    broker = await BrokerDriver.start()
    const message = await firstMessage()
    await backTo(message, { delayLevel: -1, reason: 'no such\u0001 account\u0002' })
    await backTo(message, { delayLevel: -1, reason: 'x'.repeat(5000) })
    const reasons = (await stored(DLQ, 2)).map(dead => dead.properties.get('DLQ_REASON'))
    expect(reasons).toEqual(['no such  account', 'x'.repeat(1024)])
    expect((await broker.pull(DLQ))[0]!.properties.get('RETRY_TOPIC')).toBe('T')
  })

  test('a delayed message that is given back waits for its retry, not for its old delay', async () => {
    broker = await BrokerDriver.start()
    await broker.send({ topic: 'T', body: 'late', properties: { DELAY: '1', UNIQ_KEY: 'U2' } })
    await broker.clock.advance(1_000)
    const [delayed] = await stored('T')
    await backTo(delayed!, { delayLevel: -1 })
    const [dead] = await stored(DLQ)
    expect(dead!.properties.get('DELAY')).toBe('0')
    await backTo(delayed!, {})
    await broker.clock.advance(9_999)
    expect(await broker.pull(RETRY)).toEqual([])
    await broker.clock.advance(1)
    expect((await stored(RETRY))[0]!.properties.get('RETRY_TOPIC')).toBe('T')
  })

  test('retries and dead letters are counted under their Java names', async () => {
    broker = await BrokerDriver.start()
    const message = await firstMessage()
    await backTo(message)
    await backTo(message, { delayLevel: -1 })
    const sum = async (statsName: string, statsKey: string): Promise<unknown> => {
      await broker.clock.advance(10_000)
      const answer = await broker.call(RequestCode.VIEW_BROKER_STATS_DATA, { statsName, statsKey })
      return answer.code === 0 ? JSON.parse(answer.body.toString()).statsMinute.sum : answer.remark
    }
    expect(await sum('SNDBCK_PUT_NUMS', 'T@G')).toBe(2)
    expect(await sum('SNDBCK2DLQ_TIMES', 'null@T@G@SEND_BACK_TO_DLQ')).toBe(1)
  })

  test('with SYNC_FLUSH the answer means that the retry is on the disk, and a restart keeps it', async () => {
    broker = await BrokerDriver.start({ flushDiskType: 'SYNC_FLUSH' })
    expect((await backTo(await firstMessage())).code).toBe(0)
    await broker.stop()
    await broker.start({ flushDiskType: 'SYNC_FLUSH' })
    await broker.clock.advance(10_000)
    expect(await stored(RETRY)).toHaveLength(1)
  })
})

describe('sends to a retry topic', () => {
  const sendToRetry = (more: object) =>
    broker.send({ topic: RETRY, body: 'pay', properties: { DELAY: '4', RETRY_TOPIC: 'T' }, ...more })

  test('80: what a client sends itself is delayed by its DELAY', async () => {
    broker = await BrokerDriver.start()
    expect((await sendToRetry({ reconsumeTimes: 1, maxReconsumeTimes: 16 })).code).toBe(0)
    await broker.clock.advance(29_999)
    expect(await broker.pull(RETRY)).toEqual([])
    await broker.clock.advance(1)
    expect((await stored(RETRY))[0]).toMatchObject({ reconsumeTimes: 1 })
  })

  test('more retries than the limit go to the dead letters, with DELAY -1 and no other; as many do not', async () => {
    broker = await BrokerDriver.start()
    await sendToRetry({ reconsumeTimes: 3, maxReconsumeTimes: 3 })
    const answer = await sendToRetry({ reconsumeTimes: 4, maxReconsumeTimes: 3, queueId: 0 })
    expect(answer.extFields).toMatchObject({ queueId: '0' })
    const [dead] = await stored(DLQ)
    expect(dead!.properties.get('DELAY')).toBe('-1')
    expect(encodeProperties(dead!.properties).match(/DELAY\u0001/g)).toHaveLength(1)
    expect(await broker.pull(DLQ)).toHaveLength(1)
  })

  test('81: a group that owns a queue lock is ordered: what it sends to its retry topic is a dead letter', async () => {
    broker = await BrokerDriver.start()
    await broker.send({ topic: 'T' })
    const lock = { consumerGroup: 'G', clientId: 'c1', mqSet: [{ topic: 'T', brokerName: 'any', queueId: 0 }] }
    await broker.call(RequestCode.LOCK_BATCH_MQ, {}, { body: JSON.stringify(lock) })
    await sendToRetry({ reconsumeTimes: 0, maxReconsumeTimes: 3 })
    expect(await stored(DLQ)).toHaveLength(1)
    await broker.clock.advance(61_000)
    await sendToRetry({ reconsumeTimes: 0, maxReconsumeTimes: 3 })
    await broker.clock.advance(30_000)
    expect(await stored(RETRY)).toHaveLength(1)
  })

  test('the group must be there', async () => {
    broker = await BrokerDriver.start({ autoCreateSubscriptionGroup: false })
    expect(await sendToRetry({})).toMatchObject({ code: 26 })
  })
})

const levelsMs = [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200].map(
  seconds => seconds * 1000,
)
