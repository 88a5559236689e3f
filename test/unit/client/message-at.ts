import type { MessageExt } from '../../../src/common/index.js'

const host = { host: '127.0.0.1', port: 10911 }

/** A stored message at an offset of queue 0 of topic T. */
export function messageAt(queueOffset: number, values: Partial<MessageExt> = {}): MessageExt {
  return {
    topic: 'T',
    flag: 0,
    body: Buffer.from('body'),
    properties: new Map(),
    queueId: 0,
    storeSize: 100,
    queueOffset,
    commitLogOffset: queueOffset * 100,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: host,
    storeTimestamp: 1,
    storeHost: host,
    bodyCrc: 0,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    offsetMsgId: `7F00000100002A9F${queueOffset.toString(16).toUpperCase().padStart(16, '0')}`,
    ...values,
  }
}
