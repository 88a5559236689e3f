import { describe, expect, test } from 'vitest'
import { delayByLevel } from '../../../../src/broker/schedule/delay-level-rule.js'
import { decodeProperties, encodeProperties, MessageSysFlag } from '../../../../src/common/index.js'
import { DelayLevels, type MessageToStore } from '../../../../src/store/index.js'
import { message } from '../../../support/store.js'

const levels = new DelayLevels('1s 5s 10s')

function delayed(properties: Record<string, string>, more: Partial<MessageToStore> = {}): MessageToStore {
  const made = message({ topic: 'T', queueId: 3, properties: encodeProperties(Object.entries(properties)), ...more })
  delayByLevel(made, levels)
  return made
}

describe('messages with a delay level', () => {
  test('wait in the queue of their level and remember where they belong', () => {
    const made = delayed({ DELAY: '2', TAGS: 'A', TIMER_DELIVER_MS: '5', TIMER_DELAY_MS: '5', TIMER_DELAY_SEC: '5' })
    expect(made).toMatchObject({ topic: 'SCHEDULE_TOPIC_XXXX', queueId: 1 })
    expect(Object.fromEntries(decodeProperties(String(made.properties)))).toEqual({
      DELAY: '2',
      TAGS: 'A',
      REAL_TOPIC: 'T',
      REAL_QID: '3',
    })
  })

  test.each([
    ['above the highest', '99', '3', 2],
    ['with a sign and zeros, as Java reads it', '+02', '2', 1],
  ])('%s', (_name, sent, stored, queueId) => {
    const made = delayed({ DELAY: sent })
    expect(made.queueId).toBe(queueId)
    expect(decodeProperties(String(made.properties)).get('DELAY')).toBe(stored)
  })

  test('of earlier delays nothing is left', () => {
    const made = delayed({ DELAY: '1', REAL_TOPIC: 'Old', REAL_QID: '9' })
    expect(String(made.properties).match(/REAL_/g)).toHaveLength(2)
    expect(decodeProperties(String(made.properties)).get('REAL_TOPIC')).toBe('T')
  })

  test('properties may come as bytes', () => {
    expect(delayed({}, { properties: Buffer.from(encodeProperties([['DELAY', '1']])) }).queueId).toBe(0)
  })
})

describe('what is not delayed', () => {
  test.each([
    ['no level', {}, {}],
    ['level 0', { DELAY: '0' }, {}],
    ['a negative level', { DELAY: '-1' }, {}],
    ['a half message', { DELAY: '1' }, { topic: 'RMQ_SYS_TRANS_HALF_TOPIC' }],
    ['a transaction not decided', { DELAY: '1', TRAN_MSG: 'true' }, {}],
    ['a prepared one', { DELAY: '1' }, { sysFlag: MessageSysFlag.TRANSACTION_PREPARED_TYPE }],
    ['a rolled back one', { DELAY: '1' }, { sysFlag: MessageSysFlag.TRANSACTION_ROLLBACK_TYPE }],
  ])('%s', (_name, properties: Record<string, string>, more) => {
    const made = delayed(properties, more)
    expect(made).toMatchObject({ topic: 'T', queueId: 3, ...more })
    expect(made.properties).toBe(encodeProperties(Object.entries(properties)))
  })

  test('a retry of a committed transaction is, whatever it still carries', () => {
    const more = { sysFlag: MessageSysFlag.TRANSACTION_COMMIT_TYPE, reconsumeTimes: 1 }
    expect(delayed({ DELAY: '1', TRAN_MSG: 'true' }, more).topic).toBe('SCHEDULE_TOPIC_XXXX')
    // clients before 4.6.1 leave TRAN_MSG in what they send to a retry topic
    expect(delayed({ DELAY: '1', TRAN_MSG: 'true' }, { reconsumeTimes: 1 }).topic).toBe('SCHEDULE_TOPIC_XXXX')
  })

  test.each(['soon', '', '1.5', '99999999999', '1s'])('DELAY "%s" is refused', text => {
    const properties = encodeProperties([['DELAY', text || ' ']])
    expect(() => delayByLevel(message({ properties }), levels)).toThrow(expect.objectContaining({ code: 13 }))
  })
})
