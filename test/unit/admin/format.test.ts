import { describe, expect, test } from 'vitest'
import { doubleText, format, front, mapText, millisText, secondsText } from '../../../src/admin/format.js'
import { groupText } from '../../../src/admin/group-text.js'
import { messageText } from '../../../src/admin/message-text.js'
import { timestampOf } from '../../../src/admin/read-values.js'
import { type MessageExt, newSubscriptionGroupConfig } from '../../../src/common/index.js'

describe('templates of printf', () => {
  test.each([
    ['%-6s|', ['ab'], 'ab    |'],
    ['%6s|', ['ab'], '    ab|'],
    ['%-3s|', ['longer'], 'longer|'],
    ['%04d', [7], '0007'],
    ['%.2f', [1.005], '1.00'],
    ['%9.2f(%s)', [12.5, 'x'], '    12.50(x)'],
    ['%d%% of %s', [5, 'it'], '5% of it'],
    ['%s %s', ['%d', '%s'], '%d %s'],
  ])('%s', (template, values, text) => {
    expect(format(template, ...values)).toBe(text)
  })
})

test('values are written as Java writes them', () => {
  expect([0, 1, 0.25].map(doubleText)).toEqual(['0.0', '1.0', '0.25'])
  expect(
    mapText(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    ),
  ).toBe('{a=1, b=2}')
  expect(front('abcdef', 3)).toBe('abc')
  const time = new Date(2026, 10, 21, 9, 5, 6, 7).getTime()
  expect([secondsText(time), millisText(time)]).toEqual(['2026-11-21 09:05:06', '2026-11-21 09:05:06,007'])
})

test('a group with retry delays', () => {
  const text = groupText(
    newSubscriptionGroupConfig('G', {
      groupRetryPolicy: {
        type: 'EXPONENTIAL',
        exponentialRetryPolicy: { initial: 5000, max: 7_200_000, multiplier: 2 },
      },
    }),
  )
  expect(text).toContain(
    'groupRetryPolicy=GroupRetryPolicy{type=EXPONENTIAL, exponentialRetryPolicy=ExponentialRetryPolicy{initial=5000, ' +
      'max=7200000, multiplier=2}, customizedRetryPolicy=null}, brokerId=0',
  )
})

test('a message from an IPv6 host, with bytes that are negative in Java', () => {
  const message: MessageExt = {
    topic: 'T',
    flag: 0,
    body: Buffer.from([0, 127, 128, 255]),
    properties: new Map([['TAGS', 'A']]),
    queueId: 1,
    storeSize: 91,
    queueOffset: 2,
    commitLogOffset: 3,
    sysFlag: 16,
    bornTimestamp: 4,
    bornHost: { host: '0:0:0:0:0:0:0:1', port: 43_714 },
    storeTimestamp: 5,
    storeHost: { host: '127.0.0.1', port: 20_911 },
    bodyCrc: 6,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    offsetMsgId: 'ID',
  }
  expect(messageText(message)).toBe(
    'MessageExt [brokerName=null, queueId=1, storeSize=91, queueOffset=2, sysFlag=16, bornTimestamp=4, ' +
      'bornHost=/[0:0:0:0:0:0:0:1]:43714, storeTimestamp=5, storeHost=/127.0.0.1:20911, msgId=ID, commitLogOffset=3, ' +
      "bodyCRC=6, reconsumeTimes=0, preparedTransactionOffset=0, toString()=Message{topic='T', flag=0, " +
      "properties={TAGS=A}, body=[0, 127, -128, -1], transactionId='null'}]",
  )
})

test('times are given in ms, as a date, or as now', () => {
  expect(timestampOf('1700000000000', 5)).toBe(1_700_000_000_000)
  expect(timestampOf('now', 5)).toBe(5)
  expect(timestampOf('2026-11-21#09:05:06:007', 5)).toBe(new Date(2026, 10, 21, 9, 5, 6, 7).getTime())
  expect(() => timestampOf('yesterday', 5)).toThrow('"yesterday" is no time')
})
