import { afterEach, describe, expect, test } from 'vitest'
import { decodeRecallHandle, encodeRecallHandle } from '../../src/broker/timer/recall-handle.js'
import { RequestCode } from '../../src/common/index.js'
import { BrokerDriver } from '../support/broker-driver.js'
import { eventually } from '../support/eventually.js'

const TIMER_TOPIC = 'rmq_sys_wheel_timer'
// hours pass between two requests of a test
const FILES = { mappedFileSizeTimerLog: 5216, serverChannelMaxIdleTimeSeconds: 1_000_000 }

let broker: BrokerDriver
afterEach(() => broker.stop())

const start = async (keys: Parameters<typeof BrokerDriver.start>[0] = {}): Promise<void> => {
  broker = await BrokerDriver.start({ ...FILES, ...keys })
}
const bodies = async (topic: string, queueId = 0): Promise<string[]> =>
  (await broker.pull(topic, queueId)).map(message => message.body.toString())
const arrived = (topic: string, count: number, queueId = 0): Promise<void> =>
  eventually(async () => (await bodies(topic, queueId)).length >= count, `${count} messages of ${topic}`)
/** Turns the clock in small steps, so that every poll of the timer has its turn. */
const pass = async (ms: number): Promise<void> => {
  for (let left = ms; left > 0; left -= 100) await broker.clock.advance(Math.min(100, left))
}
const timerState = async (): Promise<{ queueOffset: number; readTime: number }> => {
  const { body } = await broker.call(RequestCode.GET_TIMER_CHECK_POINT, {})
  return { readTime: Number(body.readBigInt64BE(0)), queueOffset: Number(body.readBigInt64BE(16)) }
}
const counts = async (): Promise<Record<string, number>> => {
  const { body } = await broker.call(RequestCode.GET_TIMER_METRICS, {})
  const { timingCount } = JSON.parse(body.toString()) as { timingCount: Record<string, { count: number }> }
  return Object.fromEntries(Object.entries(timingCount).map(([topic, { count }]) => [topic, count]))
}
const recall = (handle: string | undefined, topic = 'T') =>
  broker.call(RequestCode.RECALL_MESSAGE, { producerGroup: 'P', topic, recallHandle: handle })

describe('timer messages', () => {
  test('89: now+10300 ms is delivered not earlier, and within a second, to the queue it was sent to', async () => {
    await start()
    const dueAt = broker.clock.now() + 10_300
    const properties = { TIMER_DELIVER_MS: String(dueAt), KEYS: 'k1', TAGS: 'a' }
    const sent = await broker.send({ topic: 'T', queueId: 2, body: 'later', properties })
    expect(sent).toMatchObject({ code: 0, extFields: { queueId: '2' } })
    await pass(10_200)
    expect(await bodies('T', 2)).toEqual([])
    await pass(1_000)
    await arrived('T', 1, 2)
    const [message] = await broker.pull('T', 2)
    expect(message!.storeTimestamp).toBeGreaterThanOrEqual(dueAt)
    expect(message!.storeTimestamp).toBeLessThanOrEqual(dueAt + 1_000)
    const outMs = Math.floor(dueAt / 1000) * 1000
    expect(Object.fromEntries(message!.properties)).toMatchObject({
      ...properties,
      TIMER_OUT_MS: String(outMs),
      TIMER_ENQUEUE_MS: expect.stringMatching(/^\d{13}$/),
      TIMER_DEQUEUE_MS: String(message!.storeTimestamp),
      REAL_TOPIC: 'T',
      REAL_QID: '2',
    })
    expect(message).toMatchObject({ topic: 'T', queueId: 2, flag: 7 })
  })

  test.each([
    ['TIMER_DELAY_SEC', '5'],
    ['TIMER_DELAY_MS', '5000'],
  ])('%s=%s is counted from the arrival at the broker', async (name, value) => {
    await start()
    const dueAt = broker.clock.now() + 5_000
    await broker.send({ topic: 'T', properties: { [name]: value } })
    await pass(4_900)
    expect(await bodies('T')).toEqual([])
    await pass(1_100)
    await arrived('T', 1)
    const [message] = await broker.pull('T')
    expect(message!.storeTimestamp - dueAt).toBeGreaterThanOrEqual(0)
    expect(message!.storeTimestamp - dueAt).toBeLessThanOrEqual(1_000)
  })

  test('an exact multiple of the precision is delivered at that time, not a second later', async () => {
    await start()
    const dueAt = Math.ceil(broker.clock.now() / 1000) * 1000 + 3_000
    await broker.send({ topic: 'T', properties: { TIMER_DELIVER_MS: String(dueAt) } })
    await pass(dueAt - broker.clock.now() + 100)
    await arrived('T', 1)
    const [message] = await broker.pull('T')
    expect(message!.storeTimestamp - dueAt).toBeGreaterThanOrEqual(0)
    expect(message!.storeTimestamp - dueAt).toBeLessThan(100)
  })

  test('SEC counts before MS, MS before DELIVER_MS', async () => {
    await start()
    const dueAt = String(broker.clock.now() + 60_000)
    const properties = { TIMER_DELAY_SEC: '2', TIMER_DELAY_MS: '30000', TIMER_DELIVER_MS: dueAt }
    await broker.send({ topic: 'T', body: 'sec', properties })
    await broker.send({ topic: 'T', body: 'ms', properties: { TIMER_DELAY_MS: '4000', TIMER_DELIVER_MS: dueAt } })
    await pass(6_000)
    await arrived('T', 2)
    expect(await bodies('T')).toEqual(['sec', 'ms'])
  })

  test('87: beyond timerMaxDelaySec: 13 with the limit in the remark, nothing stored', async () => {
    await start()
    const dueAt = broker.clock.now() + 4 * 86_400_000
    const refused = await broker.send({ topic: 'T', properties: { TIMER_DELIVER_MS: String(dueAt) } })
    expect(refused.code).toBe(13)
    expect(refused.remark).toBe(
      'timer message illegal, the delay time should not be bigger than the max delay 259200000ms; ' +
        'or if set del msg, the delay time should be bigger than the current time',
    )
    expect(await broker.pull(TIMER_TOPIC)).toEqual([])
  })

  test('a time that is no number is refused as illegal', async () => {
    await start()
    expect(await broker.send({ topic: 'T', properties: { TIMER_DELAY_SEC: 'soon' } })).toMatchObject({ code: 13 })
    expect(await broker.send({ topic: 'T', properties: { TIMER_DELIVER_MS: '12x' } })).toMatchObject({ code: 13 })
  })

  test('88: a time in the past is delivered at once; a delete marker for the past is refused', async () => {
    await start()
    await broker.send({ topic: 'T', body: 'now', properties: { TIMER_DELIVER_MS: String(broker.clock.now() - 1) } })
    expect(await bodies('T')).toEqual(['now'])
    const properties = { TIMER_DELIVER_MS: String(broker.clock.now() - 1), TIMER_DEL_UNIQKEY: 'T+K' }
    expect(await broker.send({ topic: 'T', properties })).toMatchObject({ code: 13 })
  })

  test('timerWheelEnable=false: code 1 in Java words, and the timer states say there is none', async () => {
    await start({ timerWheelEnable: false })
    const refused = await broker.send({ topic: 'T', properties: { TIMER_DELAY_SEC: '3' } })
    expect(refused).toMatchObject({
      code: 1,
      remark: 'accurate timer message is not enabled, timerWheelEnable is false',
    })
    expect(await broker.call(RequestCode.GET_TIMER_CHECK_POINT, {})).toMatchObject({ code: 1 })
    expect(await broker.call(RequestCode.GET_TIMER_METRICS, {})).toMatchObject({ code: 1 })
  })

  test('a full slot refuses by flow control', async () => {
    await start({ timerCongestNumEachSlot: 2 })
    const dueAt = String(broker.clock.now() + 30_500)
    for (let i = 0; i < 4; i++) {
      expect((await broker.send({ topic: 'T', properties: { TIMER_DELIVER_MS: dueAt } })).code).toBe(0)
    }
    await pass(500)
    const refused = await broker.send({ topic: 'T', properties: { TIMER_DELIVER_MS: dueAt } })
    expect(refused.code).toBe(1)
    expect(refused.remark).toContain('timer message is under flow control, max num limit is 4')
    expect(await counts()).toEqual({ T: 4 })
  })

  test('90: a restart in the middle of the delay; what fell due meanwhile comes at once, and nothing twice', async () => {
    await start()
    await broker.send({ topic: 'T', body: 'five', properties: { TIMER_DELAY_SEC: '5' } })
    await broker.send({ topic: 'T', body: 'ten', properties: { TIMER_DELAY_SEC: '10' } })
    await broker.send({ topic: 'T', body: 'hour', properties: { TIMER_DELAY_SEC: '3600' } })
    await pass(6_100)
    await arrived('T', 1)
    await broker.stop()
    await broker.clock.advance(20_000)
    await broker.start(FILES)
    await arrived('T', 2)
    await pass(2_000)
    expect(await bodies('T')).toEqual(['five', 'ten'])
    expect(await counts()).toEqual({ T: 1 })
    broker.clock.jump(3_600_000)
    await pass(1_000)
    await arrived('T', 3)
    await broker.stop()
    await broker.start(FILES)
    await pass(3_000)
    expect(await bodies('T')).toEqual(['five', 'ten', 'hour'])
  })

  test('the poison of observed 18: messages in the timer topic without timer properties are left out', async () => {
    await start()
    const dueAt = String(broker.clock.now() + 1_000)
    const send = (properties: Record<string, string>) => broker.send({ topic: TIMER_TOPIC, properties })
    expect((await send({})).code).toBe(0)
    await send({ TIMER_OUT_MS: 'soon', REAL_TOPIC: 'T', REAL_QID: '0' })
    await send({ TIMER_OUT_MS: dueAt, REAL_QID: '0' })
    await send({ TIMER_OUT_MS: dueAt, REAL_TOPIC: 'T', REAL_QID: '-1' })
    await send({ TIMER_OUT_MS: dueAt, REAL_TOPIC: '../../etc', REAL_QID: '0' })
    await send({ TIMER_OUT_MS: dueAt, REAL_TOPIC: 'RMQ_SYS_TRANS_HALF_TOPIC', REAL_QID: '0' })
    await send({ TIMER_OUT_MS: '1000', REAL_TOPIC: TIMER_TOPIC, REAL_QID: '0' })
    await broker.send({ topic: 'T', body: 'good', properties: { TIMER_DELAY_SEC: '3' } })
    await pass(5_000)
    await arrived('T', 1)
    expect(await bodies('T')).toEqual(['good'])
    expect(await broker.pull('RMQ_SYS_TRANS_HALF_TOPIC')).toEqual([])
    // none of them came round again
    expect((await broker.pull(TIMER_TOPIC)).length).toBe(8)
  })

  test('far ahead: rolled on its way, delivered once and on time', async () => {
    await start({ timerRollWindowSlot: 60, timerMaxDelaySec: 3600 })
    const dueAt = broker.clock.now() + 250_000
    await broker.send({ topic: 'T', body: 'far', properties: { TIMER_DELIVER_MS: String(dueAt) } })
    await pass(249_900)
    expect(await bodies('T')).toEqual([])
    await pass(1_200)
    await arrived('T', 1)
    const [message] = await broker.pull('T')
    expect(message!.storeTimestamp).toBeGreaterThanOrEqual(dueAt)
    expect(message!.storeTimestamp).toBeLessThanOrEqual(dueAt + 1_000)
    const rolls = (await broker.pull(TIMER_TOPIC)).length - 1
    expect(rolls).toBeGreaterThanOrEqual(4)
    const names = [...message!.properties.keys()]
    expect(message!.properties.get('TIMER_ROLL_TIMES')).toBe(String(rolls))
    expect(names.filter(name => name === 'TIMER_ENQUEUE_MS')).toHaveLength(1)
    expect(await counts()).toEqual({ T: 0 })
  })

  test('a half message with timer properties stays a half message', async () => {
    await start()
    const properties = { TRAN_MSG: 'true', PGROUP: 'P', TIMER_DELAY_SEC: '3' }
    await broker.send({ topic: 'T', body: 'half', properties, sysFlag: 4 })
    expect(await broker.pull(TIMER_TOPIC)).toEqual([])
  })
})

describe('clock jumps', () => {
  test('forward: what is due by the new time comes within a second', async () => {
    await start()
    await broker.send({ topic: 'T', properties: { TIMER_DELAY_SEC: '7200' } })
    await pass(500)
    broker.clock.jump(7_200_000)
    await pass(1_000)
    await arrived('T', 1)
  })

  test('back: nothing early, nothing lost, nothing twice, also over a restart', async () => {
    await start()
    await broker.send({ topic: 'T', body: 'delivered', properties: { TIMER_DELAY_SEC: '2' } })
    await broker.send({ topic: 'T', body: 'waits', properties: { TIMER_DELAY_SEC: '60' } })
    const waitsUntil = broker.clock.now() + 60_000
    await pass(4_000)
    await arrived('T', 1)
    broker.clock.jump(-3_600_000)
    await pass(1_500)
    // into the seconds that were read before the jump
    broker.clock.jump(0)
    const dueAt = broker.clock.now() + 5_000
    await broker.send({ topic: 'T', body: 'new', properties: { TIMER_DELIVER_MS: String(dueAt) } })
    await pass(4_800)
    expect(await bodies('T')).toEqual(['delivered'])
    await pass(1_300)
    await arrived('T', 2)
    await broker.stop()
    await broker.start(FILES)
    broker.clock.jump(waitsUntil - broker.clock.now() - 3_000)
    await pass(2_900)
    expect(await bodies('T')).toEqual(['delivered', 'new'])
    await pass(1_200)
    await arrived('T', 3)
    expect(await bodies('T')).toEqual(['delivered', 'new', 'waits'])
  })

  test('back while the broker is down: new messages for times that were read before still come', async () => {
    await start()
    await broker.send({ topic: 'T', body: 'first', properties: { TIMER_DELAY_SEC: '2' } })
    await pass(10_000)
    await arrived('T', 1)
    await broker.stop()
    broker.clock.jump(-9_000)
    await broker.start(FILES)
    await broker.send({ topic: 'T', body: 'second', properties: { TIMER_DELAY_SEC: '2' } })
    await pass(1_900)
    expect(await bodies('T')).toEqual(['first'])
    await pass(1_200)
    await arrived('T', 2)
    await pass(10_000)
    expect(await bodies('T')).toEqual(['first', 'second'])
  })
})

describe('recall', () => {
  test('91: a recalled message is not delivered, its neighbours are; the count says so', async () => {
    await start({ recallMessageEnable: true })
    const dueAt = String(broker.clock.now() + 20_500)
    await broker.send({ topic: 'T', body: 'keep', properties: { TIMER_DELIVER_MS: dueAt } })
    const sent = await broker.send({
      topic: 'T',
      body: 'gone',
      properties: { TIMER_DELIVER_MS: dueAt, UNIQ_KEY: 'U1' },
    })
    const handle = decodeRecallHandle(String(sent.extFields?.recallHandle))
    expect(handle).toEqual({
      topic: 'T',
      brokerName: handle.brokerName,
      timestamp: String(Math.floor(Number(dueAt) / 1000) * 1000 + 1),
      uniqKey: 'U1',
    })
    expect(await recall(String(sent.extFields?.recallHandle))).toMatchObject({ code: 0, extFields: { msgId: 'U1' } })
    await pass(500)
    expect(await counts()).toEqual({ T: 1 })
    await pass(21_500)
    await arrived('T', 1)
    expect(await bodies('T')).toEqual(['keep'])
    expect(await counts()).toEqual({ T: 0 })
    expect(await recall(String(sent.extFields?.recallHandle))).toMatchObject({
      code: 604,
      remark: 'recall failed, timestamp invalid',
    })
  })

  test('a message that is rolled can be recalled', async () => {
    await start({ recallMessageEnable: true, timerRollWindowSlot: 60, timerMaxDelaySec: 3600 })
    const sent = await broker.send({ topic: 'T', body: 'gone', properties: { TIMER_DELAY_SEC: '300' } })
    await pass(3_000)
    expect(await recall(String(sent.extFields?.recallHandle))).toMatchObject({ code: 0 })
    await pass(310_000)
    expect(await bodies('T')).toEqual([])
    expect(await counts()).toEqual({ T: 0 })
  })

  test('only timer messages get a handle', async () => {
    await start()
    expect((await broker.send({ topic: 'T' })).extFields).not.toHaveProperty('recallHandle')
    expect((await broker.send({ topic: 'T', properties: { DELAY: '3' } })).extFields).not.toHaveProperty('recallHandle')
  })

  test('7: the handle comes although recallMessageEnable is off; the recall is refused then', async () => {
    await start()
    const sent = await broker.send({ topic: 'T', properties: { TIMER_DELAY_SEC: '30' } })
    expect(sent.extFields?.recallHandle).toEqual(expect.any(String))
    expect(await recall(String(sent.extFields?.recallHandle))).toMatchObject({
      code: 16,
      remark: 'recall failed, operation is forbidden',
    })
  })

  test('a handle of another topic or broker, a broken one, an unknown topic: Java codes and remarks', async () => {
    await start({ recallMessageEnable: true })
    await broker.send({ topic: 'T' })
    await broker.send({ topic: 'U' })
    const { brokerName } = decodeRecallHandle(
      String((await broker.send({ topic: 'T', properties: { TIMER_DELAY_SEC: '9' } })).extFields?.recallHandle),
    )
    const timestamp = String(broker.clock.now() + 60_000)
    const of = (more: object) => encodeRecallHandle({ topic: 'T', brokerName, timestamp, uniqKey: 'K', ...more })
    const cases: [string, string, number, string][] = [
      [of({}), 'Nowhere', 17, 'recall failed, the topic[Nowhere] not exist'],
      [of({}), 'U', 604, 'recall failed, topic not match'],
      [of({ brokerName: 'other' }), 'T', 604, 'recall failed, broker service not available'],
      [of({ timestamp: '1' }), 'T', 604, 'recall failed, timestamp invalid'],
      [of({ timestamp: String(broker.clock.now() + 259_200_000) }), 'T', 604, 'recall failed, timestamp invalid'],
      ['%%%', 'T', 604, 'recall handle is invalid'],
      [Buffer.from('v2 a b c d').toString('base64url'), 'T', 604, 'recall handle is invalid'],
    ]
    for (const [handle, topic, code, remark] of cases) {
      expect(await recall(handle, topic)).toMatchObject({ code, remark })
    }
  })

  test('a recall in the last moment still counts: the topic is read before the slot', async () => {
    await start({ recallMessageEnable: true })
    const dueAt = Math.ceil(broker.clock.now() / 1000) * 1000 + 5_000
    const sent = await broker.send({ topic: 'T', properties: { TIMER_DELIVER_MS: String(dueAt - 1) } })
    await pass(dueAt - 1_000 - broker.clock.now())
    expect(await recall(String(sent.extFields?.recallHandle))).toMatchObject({ code: 0 })
    await pass(3_000)
    expect(await bodies('T')).toEqual([])
  })
})

test('the check point moves with the queue', async () => {
  await start()
  await broker.send({ topic: 'T', properties: { TIMER_DELAY_SEC: '30' } })
  await pass(2_500)
  await eventually(async () => (await timerState()).queueOffset === 1, 'the queue offset in the check point')
})
