import { describe, expect, test } from 'vitest'
import { maxReconsumeTimes } from '../../../../src/broker/retry/max-reconsume-times.js'
import { retryCopy } from '../../../../src/broker/retry/retry-copy.js'
import { decodeMessage, decodeProperties, MessageSysFlag } from '../../../../src/common/index.js'
import { makeRecord } from '../../../support/record.js'

const retry = { topic: '%RETRY%G', queueId: 1, delayLevel: 5, isDeadLetter: false, reason: undefined }
const properties = (copy: { properties: string | Buffer }) =>
  Object.fromEntries(decodeProperties(String(copy.properties)))

describe('the copy of a message that was given back', () => {
  test('keeps what the sender said, down to the packed body and the commit mark', () => {
    const sysFlag = MessageSysFlag.COMPRESSED | MessageSysFlag.TRANSACTION_COMMIT_TYPE
    const message = decodeMessage(
      makeRecord({ sysFlag, preparedTransactionOffset: 77, reconsumeTimes: 2, bornHost: { host: '::1', port: 9 } }),
    )
    const copy = retryCopy(message, retry)
    expect(copy).toMatchObject({ topic: '%RETRY%G', queueId: 1, reconsumeTimes: 3, preparedTransactionOffset: 0 })
    expect(copy.sysFlag & sysFlag).toBe(sysFlag)
    expect(copy.body.equals(message.body)).toBe(true)
    expect(copy.bornHost).toHaveLength(20)
    expect(properties(copy)).toEqual({
      TAGS: 'TagA',
      KEYS: 'k1 k2',
      UNIQ_KEY: '0A000001',
      RETRY_TOPIC: 'TopicA',
      ORIGIN_MESSAGE_ID: message.offsetMsgId,
      WAIT: 'false',
      DELAY: '5',
    })
  })

  test('keeps the first topic and the first id', () => {
    const before = new Map([
      ['RETRY_TOPIC', 'First'],
      ['ORIGIN_MESSAGE_ID', 'F1'],
      ['WAIT', 'true'],
      ['DELAY', '3'],
    ])
    const copy = retryCopy(decodeMessage(makeRecord({ topic: '%RETRY%G', properties: before })), retry)
    expect(properties(copy)).toEqual({ RETRY_TOPIC: 'First', ORIGIN_MESSAGE_ID: 'F1', WAIT: 'false', DELAY: '5' })
  })

  test('a reason stays with dead letters only', () => {
    const message = decodeMessage(makeRecord())
    expect(properties(retryCopy(message, { ...retry, reason: 'why' })).DLQ_REASON).toBeUndefined()
    expect(properties(retryCopy(message, { ...retry, isDeadLetter: true, reason: 'why' })).DLQ_REASON).toBe('why')
    expect(properties(retryCopy(message, { ...retry, isDeadLetter: true, reason: ' \u0001' }))).not.toHaveProperty(
      'DLQ_REASON',
    )
  })
})

test('the limit of retries is the client’s from 3.4.9 on, 0 included; else the group’s', () => {
  const group = { retryMaxTimes: 16 }
  expect(maxReconsumeTimes(group, { maxReconsumeTimes: 0 }, 121)).toBe(0)
  expect(maxReconsumeTimes(group, { maxReconsumeTimes: 0 }, 120)).toBe(16)
  expect(maxReconsumeTimes(group, {}, 479)).toBe(16)
})
