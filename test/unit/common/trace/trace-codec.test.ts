import { describe, expect, test } from 'vitest'
import { decodeTrace, encodeTrace, type TraceRecord, traceKeys } from '../../../../src/common/index.js'

const S = '\u0001'
const sent = { timestamp: 1700, regionId: 'DefaultRegion', group: 'G' }
const pub: TraceRecord = {
  type: 'Pub',
  ...sent,
  topic: 'T',
  msgId: 'ID1',
  tags: undefined,
  keys: 'k1 k2',
  storeHost: '1.2.3.4:10911',
  bodyLength: 5,
  costTime: 7,
  msgType: 'Delay_Msg',
  offsetMsgId: 'OFF',
  success: true,
}
const records: TraceRecord[] = [
  pub,
  { ...pub, clientHost: '9.9.9.9' },
  { type: 'SubBefore', ...sent, requestId: 'R', msgId: 'ID1', retryTimes: 2, keys: 'k1' },
  {
    type: 'SubAfter',
    requestId: 'R',
    msgId: 'ID1',
    costTime: 3,
    success: false,
    keys: 'k1',
    contextCode: 'FAILED',
    timestamp: 9,
    group: 'G',
  },
  {
    type: 'SubAfter',
    requestId: 'R',
    msgId: 'ID2',
    costTime: 3,
    success: true,
    keys: undefined,
    contextCode: 'SUCCESS',
  },
  {
    type: 'EndTransaction',
    ...sent,
    topic: 'T',
    msgId: 'ID1',
    tags: 'a',
    keys: 'k',
    storeHost: 'h',
    msgType: 'Trans_msg_Commit',
    transactionId: 'TX',
    transactionState: 'COMMIT_MESSAGE',
    fromTransactionCheck: true,
  },
  { type: 'Recall', ...sent, topic: 'T', msgId: 'ID3', success: true },
]

describe('trace bodies', () => {
  test('fields in the order of Java, null for what is missing', () => {
    const fields = ['Pub', 1700, 'DefaultRegion', 'G', 'T', 'ID1', 'null', 'k1 k2', '1.2.3.4:10911', 5, 7, 3, 'OFF']
    expect(encodeTrace([pub])).toBe(`${fields.join(S)}${S}true\u0002`)
  })

  test('every type, there and back', () => {
    expect(decodeTrace(encodeTrace(records))).toEqual(records)
  })

  test('older and longer records', () => {
    const old = ['Pub', 1, 'r', 'g', 't', 'id', 'tag', 'key', 'host', 5, 7, 0, 'true'].join(S)
    const long = ['SubAfter', 'R', 'id', 1, 'true', 'k', 1, 5, 'g', 'new'].join(S)
    const short = ['SubAfter', 'R', 'id', 1, 'true', 'k'].join(S)
    expect(decodeTrace([old, long, short].join('\u0002'))).toMatchObject([
      { type: 'Pub', success: true, offsetMsgId: undefined, msgType: 'Normal_Msg' },
      { type: 'SubAfter', contextCode: 'TIME_OUT', timestamp: 5, group: 'g' },
      { type: 'SubAfter', success: true },
    ])
  })

  test('what cannot be read does not hide the rest', () => {
    const odd = ['Pub', `Pub${S}x${S}r`, `Unknown${S}1`, 'toString', '', `Recall${S}abc${S}r${S}g${S}t${S}m${S}true`]
    expect(decodeTrace([...odd, encodeTrace([pub])].join('\u0002'))).toEqual([pub])
    expect(decodeTrace('')).toEqual([])
  })

  test('keys: ids and business keys, once each', () => {
    expect(traceKeys(records)).toBe('ID1 k1 k2 ID2 k ID3')
  })
})
