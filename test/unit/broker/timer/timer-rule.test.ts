import { describe, expect, test } from 'vitest'
import { decodeRecallHandle, encodeRecallHandle, recallHandleOf } from '../../../../src/broker/timer/recall-handle.js'
import { timerRule, timerSlotTime } from '../../../../src/broker/timer/timer-rule.js'
import { decodeProperties, encodeProperties } from '../../../../src/common/index.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { message } from '../../../support/store.js'

const NOW = 1_700_000_000_123
const settings = {
  timerWheelEnable: true,
  timerMaxDelaySec: 259_200,
  timerPrecisionMs: 1000,
  timerCongestNumEachSlot: 10,
}

function put(properties: Record<string, string>, more: { num?: number; random?: number; topic?: string } = {}) {
  const wheel = { precisionMs: 1000, numAt: () => more.num ?? 0 }
  const rule = timerRule({ settings, clock: new ManualClock(NOW), wheel, random: () => more.random ?? 0 })
  const stored = message({
    topic: more.topic ?? 'T',
    queueId: 3,
    properties: encodeProperties(Object.entries(properties)),
  })
  const status = rule(stored)
  return {
    status,
    topic: stored.topic,
    queueId: stored.queueId,
    properties: decodeProperties(String(stored.properties)),
  }
}

describe('the rule for timer messages', () => {
  test('moves the message to the timer topic and notes where it belongs', () => {
    const { status, topic, queueId, properties } = put({ TIMER_DELAY_SEC: '10', KEYS: 'k' })
    expect([status, topic, queueId]).toEqual([undefined, 'rmq_sys_wheel_timer', 0])
    expect(Object.fromEntries(properties)).toEqual({
      TIMER_DELAY_SEC: '10',
      KEYS: 'k',
      TIMER_OUT_MS: '1700000010000',
      REAL_TOPIC: 'T',
      REAL_QID: '3',
    })
  })

  test.each([
    ['a delay level', { DELAY: '2', TIMER_DELAY_SEC: '10' }, undefined],
    ['a message that has been through the timer', { TIMER_OUT_MS: '1', TIMER_DELAY_SEC: '10' }, undefined],
    ['the timer topic', { TIMER_DELAY_SEC: '10' }, 'rmq_sys_wheel_timer'],
    ['the schedule topic', { TIMER_DELAY_SEC: '10' }, 'SCHEDULE_TOPIC_XXXX'],
    ['a half message', { TIMER_DELAY_SEC: '10' }, 'RMQ_SYS_TRANS_HALF_TOPIC'],
    ['a message that will be one', { TIMER_DELAY_SEC: '10', TRAN_MSG: 'true' }, undefined],
    ['a time that is past', { TIMER_DELIVER_MS: String(NOW) }, undefined],
    ['a message without timer properties', { TIMER_DEL_UNIQKEY: 'T+K' }, undefined],
  ])('leaves %s alone', (_, properties, topic = 'T') => {
    expect(put(properties, { topic })).toMatchObject({ status: undefined, topic, queueId: 3 })
  })

  test.each([
    [{ TIMER_DELAY_SEC: '259201' }],
    [{ TIMER_DELAY_MS: 'x' }],
    [{ TIMER_DELIVER_MS: '', TIMER_DELAY_MS: '1.5' }],
    [{ TIMER_DELIVER_MS: '9'.repeat(30) }],
    [{ TIMER_DELIVER_MS: String(NOW), TIMER_DEL_UNIQKEY: 'T+K' }],
  ])('refuses %o as illegal', properties => {
    expect(put(properties)).toMatchObject({ status: 'WHEEL_TIMER_MSG_ILLEGAL', topic: 'T', queueId: 3 })
  })

  test('259200 s are just allowed', () => {
    expect(put({ TIMER_DELAY_SEC: '259200' }).status).toBeUndefined()
  })

  test.each([
    [10, 0.999, undefined],
    [11, 0, undefined],
    [15, 0.49, undefined],
    [15, 0.51, 'WHEEL_TIMER_FLOW_CONTROL'],
    [20, 0, 'WHEEL_TIMER_FLOW_CONTROL'],
  ])('%i in the slot, chance %f: %s', (num, random, status) => {
    expect(put({ TIMER_DELAY_SEC: '10' }, { num, random }).status).toBe(status)
  })

  test.each([
    [1000, 0],
    [1001, 1000],
    [1999, 1000],
    [2000, 1000],
  ])('a deliver time of %i belongs to slot %i', (deliverTime, slotTime) => {
    expect(timerSlotTime(deliverTime, 1000)).toBe(slotTime)
  })
})

describe('recall handles', () => {
  const handle = { topic: 'T', brokerName: 'b', timestamp: '17', uniqKey: 'K?>' }

  test('are base64url with padding, and are read with and without it', () => {
    const text = encodeRecallHandle(handle)
    expect(text).toMatch(/^[A-Za-z0-9_-]+=*$/)
    expect(text.length % 4).toBe(0)
    expect(decodeRecallHandle(text)).toEqual(handle)
    expect(decodeRecallHandle(text.replaceAll('=', ''))).toEqual(handle)
  })

  test('are given to timer messages only, not to retries', () => {
    const properties = (topic: string) =>
      encodeProperties([
        ['TIMER_OUT_MS', '1000'],
        ['REAL_TOPIC', topic],
        ['UNIQ_KEY', 'K'],
      ])
    const of = (topic: string, real: string) => recallHandleOf(message({ topic, properties: properties(real) }), 'b')
    expect(decodeRecallHandle(of('rmq_sys_wheel_timer', 'T')!)).toMatchObject({ timestamp: '1001', topic: 'T' })
    expect(of('T', 'T')).toBeUndefined()
    expect(of('rmq_sys_wheel_timer', '%RETRY%g')).toBeUndefined()
    expect(recallHandleOf(message({ topic: 'rmq_sys_wheel_timer' }), 'b')).toBeUndefined()
  })
})
