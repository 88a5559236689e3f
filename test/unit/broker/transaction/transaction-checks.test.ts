import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decodeMessage, SystemTopic } from '../../../../src/common/index.js'
import { CheckTransactionStateRequestHeader } from '../../../../src/remoting/index.js'
import { RunningFlag } from '../../../../src/store/index.js'
import { eventually } from '../../../support/eventually.js'
import { frameBody, goldenFrames } from '../../../support/golden-frames.js'
import { REAL_TOPIC, TransactionBroker } from '../../../support/transaction-broker.js'

const HOUR_MS = 3_600_000

async function withBroker(run: (broker: TransactionBroker) => Promise<void>, settings = {}): Promise<void> {
  const broker = await TransactionBroker.open({ settings })
  await run(broker)
  await broker.stop()
}

describe('a transaction without a decision', () => {
  test('is checked 6 to 36 s after it was sent, with the offsets of a new half message', () =>
    withBroker(async broker => {
      broker.join()
      const half = broker.sendHalf('T1')
      await broker.clock.advance(25_000)
      const young = broker.sendHalf('T2')
      const [check, ...others] = await broker.round(5000)
      expect(others).toEqual([])
      expect(check!.half).toMatchObject({ id: 'T1', queueOffset: 2 })
      expect(check!.half.commitLogOffset).toBeGreaterThan(young.commitLogOffset)
      expect(check!.message).toMatchObject({
        topic: REAL_TOPIC,
        queueId: 3,
        flag: 7,
        queueOffset: 2,
        commitLogOffset: check!.half.commitLogOffset,
        body: Buffer.from('body of T1'),
      })
      expect(check!.message.properties.get('TRANSACTION_CHECK_TIMES')).toBe('1')
      await broker.commit(check!.half, true)
      expect(await broker.delivered()).toEqual(['T1'])
      const [message] = await broker.messages(REAL_TOPIC, 3)
      expect(message!.preparedTransactionOffset).toBe(check!.half.commitLogOffset)
      expect(message!.properties.get('TRANSACTION_CHECK_TIMES')).toBe('1')
      expect(half.queueOffset).toBe(0)
    }))

  test('decided by the offsets of its first half message while a check is under way is decided once', () =>
    withBroker(async broker => {
      broker.join()
      const half = broker.sendHalf('T1')
      const [check] = await broker.round()
      await broker.commit(half)
      expect((await broker.commit(check!.half, true)).remark).toContain('was committed before')
      expect(await broker.round()).toEqual([])
      expect(await broker.delivered()).toEqual(['T1'])
    }))

  test('is found by the offsets of an older copy without an index too', () =>
    withBroker(
      async broker => {
        broker.join()
        const half = broker.sendHalf('T1')
        const [first] = await broker.round()
        const [second] = await broker.round()
        expect(second!.half.queueOffset).toBe(2)
        await broker.commit(first!.half, true)
        expect((await broker.commit(half)).remark).toContain('was committed before')
        expect(await broker.openIds()).toEqual([])
        expect(await broker.delivered()).toEqual(['T1'])
      },
      { messageIndexEnable: false },
    ))

  test('answered by a check is not checked again although the mark is fresh', () =>
    withBroker(async broker => {
      broker.join()
      for (const id of ['T1', 'T2', 'T3']) broker.sendHalf(id)
      const checks = await broker.round()
      expect(checks.map(check => check.half.id)).toEqual(['T1', 'T2', 'T3'])
      await broker.commit(checks[0]!.half, true)
      await broker.rollback(checks[2]!.half, true)
      expect((await broker.round()).map(check => check.half.id)).toEqual(['T2'])
    }))

  test('is asked of a producer that is alive, in turn', () =>
    withBroker(async broker => {
      const [dead, one, two] = [broker.join('dead'), broker.join('one'), broker.join('two')]
      dead.close('gone')
      broker.sendHalf('T1')
      const asked = [...(await broker.round()), ...(await broker.round()), ...(await broker.round())]
      expect(asked).toHaveLength(3)
      expect(new Set(asked.map(check => check.client))).toEqual(new Set([one, two]))
    }))

  test('is not asked of another group', () =>
    withBroker(async broker => {
      broker.join('other', 'Others')
      broker.sendHalf('T1')
      expect(await broker.round()).toEqual([])
    }))

  test('answered UNKNOWN for ever is given up after transactionCheckMax checks', () =>
    withBroker(
      async broker => {
        broker.join()
        const half = broker.sendHalf('T1')
        const times: string[] = []
        for (let i = 0; i < 6; i++) {
          for (const check of await broker.round()) {
            times.push(check.message.properties.get('TRANSACTION_CHECK_TIMES')!)
            await broker.end(check.half, 0, { check: true })
          }
        }
        expect(times).toEqual(['1', '2', '3'])
        const [kept, ...others] = await broker.givenUp()
        expect(others).toEqual([])
        expect(Object.fromEntries(kept!.properties)).toMatchObject({
          REAL_TOPIC,
          UNIQ_KEY: 'T1',
          TRANSACTION_CHECK_TIMES: '3',
        })
        expect(broker.topics.selectTopicConfig(SystemTopic.TRANS_CHECK_MAX_TIME)).toMatchObject({
          readQueueNums: 1,
          writeQueueNums: 1,
          perm: 6,
        })
        expect(await broker.openIds()).toEqual([])
        expect(await broker.delivered()).toEqual([])
        // the producer knows now: nothing is lost
        await broker.commit(half)
        expect((await broker.commit(half)).remark).toContain('was committed before')
        expect(await broker.delivered()).toEqual(['T1'])
      },
      { transactionCheckMax: 3 },
    ))

  test('of a group that is offline is not checked, so not given up, until the group comes back', () =>
    withBroker(
      async broker => {
        broker.sendHalf('T1')
        for (let i = 0; i < 40; i++) await broker.round()
        expect(await broker.givenUp()).toEqual([])
        broker.join()
        const [check] = await broker.round()
        expect(check!.message.properties.get('TRANSACTION_CHECK_TIMES')).toBe('1')
      },
      { transactionCheckMax: 3 },
    ))

  test('older than fileReservedTime is given up once it was checked, or when nobody is there to be asked', () =>
    withBroker(
      async broker => {
        const old = { bornTimestamp: broker.clock.now() - HOUR_MS - 1 }
        broker.sendHalf('T1', {}, old)
        broker.sendHalf('T2', { PGROUP: 'Nobody' }, old)
        broker.join()
        expect((await broker.round()).map(check => check.half.id)).toEqual(['T1'])
        expect((await broker.givenUp()).map(kept => kept.properties.get('UNIQ_KEY'))).toEqual(['T2'])
        await broker.round()
        expect((await broker.givenUp()).map(kept => kept.properties.get('UNIQ_KEY'))).toEqual(['T2', 'T1'])
      },
      { fileReservedTime: 1 },
    ))

  test('without a place to go is given up, not asked for', () =>
    withBroker(async broker => {
      broker.join()
      const { folder } = broker
      expect(folder).not.toBe('')
      broker.puts.put({ ...brokenHalf(broker) }, false)
      expect(await broker.round()).toEqual([])
      expect(await broker.givenUp()).toHaveLength(1)
    }))
})

describe('immunity', () => {
  test('of CHECK_IMMUNITY_TIME_IN_SECONDS comes first, costs no checks and makes nobody wait', () =>
    withBroker(
      async broker => {
        broker.join()
        broker.sendHalf('T1', { CHECK_IMMUNITY_TIME_IN_SECONDS: '600' })
        broker.sendHalf('T2')
        expect((await broker.round()).map(check => check.half.id)).toEqual(['T2'])
        for (let i = 1; i < 20; i++) await broker.round()
        expect((await broker.givenUp()).map(kept => kept.properties.get('UNIQ_KEY'))).toEqual(['T2'])
        const [check] = await broker.round()
        expect(check!.half.id).toBe('T1')
        expect(check!.message.properties.get('TRANSACTION_CHECK_TIMES')).toBe('1')
      },
      { transactionCheckMax: 3 },
    ))

  test('of -1, or of no number, is transactionTimeOut', () =>
    withBroker(async broker => {
      broker.join()
      broker.sendHalf('T1', { CHECK_IMMUNITY_TIME_IN_SECONDS: '-1' })
      broker.sendHalf('T2', { CHECK_IMMUNITY_TIME_IN_SECONDS: 'soon' })
      expect((await broker.round()).map(check => check.half.id)).toEqual(['T1', 'T2'])
    }))

  test('is judged by the record when the producer has its clock ahead', () =>
    withBroker(async broker => {
      broker.join()
      await broker.clock.advance(28_000)
      broker.sendHalf('T1', {}, { bornTimestamp: broker.clock.now() + HOUR_MS })
      expect(await broker.round(2000)).toEqual([])
      expect(await broker.round()).toHaveLength(1)
    }))
})

describe('rounds', () => {
  test('follow transactionCheckInterval and transactionTimeOut', () =>
    withBroker(
      async broker => {
        broker.join()
        broker.sendHalf('T1')
        expect(await broker.round(1000)).toEqual([])
        expect(await broker.round(1001)).toHaveLength(1)
      },
      { transactionCheckInterval: 1000, transactionTimeOut: 1500 },
    ))

  test('try again when the store refuses the copy: nobody is asked with offsets that are not there', () =>
    withBroker(async broker => {
      broker.join()
      broker.sendHalf('T1')
      broker.store.flags.set(RunningFlag.NOT_WRITABLE, 'test')
      expect(await broker.round()).toEqual([])
      broker.store.flags.clear(RunningFlag.NOT_WRITABLE)
      expect(await broker.round()).toHaveLength(1)
    }))

  test('move the saved offsets past what is finished', () =>
    withBroker(async broker => {
      for (let i = 0; i < 100; i++) await broker.rollback(broker.sendHalf(`T${i}`))
      const open = broker.sendHalf('open')
      const saved = (topic: string): number => broker.offsets.queryOffset('CID_RMQ_SYS_TRANS', topic, 0)
      // not before the log is on the disk, which takes its time
      await eventually(async () => {
        await broker.round()
        return saved(SystemTopic.TRANS_HALF) === open.queueOffset && saved(SystemTopic.TRANS_OP_HALF) > 0
      })
    }))

  test('store what is old once more, so that the log may drop its file', () =>
    withBroker(async broker => {
      broker.sendHalf('T1')
      for (let i = 0; i < 25; i++) await broker.round()
      const halves = await broker.halfMessages()
      expect(halves).toHaveLength(2)
      expect(halves[1]!.properties.get('TRANSACTION_CHECK_TIMES')).toBe('0')
      expect(await broker.openIds()).toEqual(['T1'])
    }))
})

describe('the check request', () => {
  test('is laid out as those of the Java broker', async () => {
    const frames = goldenFrames().filter(frame => frame.meta.code === 39)
    expect(frames.length).toBeGreaterThan(1)
    for (const frame of frames) {
      const body = frameBody(frame.bytes)
      const message = decodeMessage(body)
      const header = CheckTransactionStateRequestHeader.decode(frame.meta.request.header.extFields)
      expect(header).toMatchObject({ topic: SystemTopic.TRANS_HALF, msgId: message.properties.get('UNIQ_KEY') })
      expect(message.storeSize).toBe(body.length)
      const { checkRequest } = await import('../../../../src/broker/transaction/check-request.js')
      const again = checkRequest({
        half: message,
        target: { topic: message.topic, queueId: message.queueId },
        queueOffset: message.queueOffset,
        physicalOffset: message.commitLogOffset,
        offsetMsgId: header.offsetMsgId!,
        checkTimes: Number(message.properties.get('TRANSACTION_CHECK_TIMES')),
        brokerName: 'golden-a',
      })
      expect(again.extFields).toEqual(frame.meta.request.header.extFields)
      expect(decodeMessage(again.body as Buffer)).toEqual(message)
      expect((again.body as Buffer).length).toBe(body.length)
    }
  })
})

describe('config/transactionMetrics', () => {
  test('holds the open transactions of each topic in the form of Java', () =>
    withBroker(async broker => {
      const { metrics } = broker.transactions
      for (const id of ['T1', 'T2', 'T3']) broker.sendHalf(id)
      expect(metrics.countOf(REAL_TOPIC)).toBe(3)
      await broker.commit(broker.sendHalf('T4'))
      await broker.stop()
      const file = JSON.parse(readFileSync(join(broker.folder, 'config', 'transactionMetrics'), 'utf8'))
      expect(file).toEqual({
        dataVersion: { counter: 5, stateVersion: 0, timestamp: broker.clock.now() },
        transactionCount: { [REAL_TOPIC]: { count: 3, timeStamp: broker.clock.now() } },
      })
      const again = await TransactionBroker.open({ folder: broker.folder, clock: broker.clock })
      expect(again.transactions.metrics.countOf(REAL_TOPIC)).toBe(3)
      await again.stop()
    }))
})

function brokenHalf(broker: TransactionBroker) {
  return {
    topic: SystemTopic.TRANS_HALF,
    queueId: 0,
    sysFlag: 0,
    flag: 0,
    bornTimestamp: broker.clock.now(),
    bornHost: Buffer.alloc(8),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from('x'),
    properties: 'TRAN_MSG\u0001true\u0002PGROUP\u0001Payers\u0002UNIQ_KEY\u0001B1\u0002',
  }
}
