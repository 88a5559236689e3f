import { describe, expect, test } from 'vitest'
import { RunningFlag } from '../../../../src/store/index.js'
import { GROUP, REAL_TOPIC, TransactionBroker } from '../../../support/transaction-broker.js'

const failure = (code: number, remark: string) => ({ code, remark: expect.stringContaining(remark) })

async function withBroker(run: (broker: TransactionBroker) => Promise<void>, settings = {}): Promise<void> {
  const broker = await TransactionBroker.open({ settings })
  await run(broker)
  await broker.stop()
}

describe('COMMIT', () => {
  test('delivers a new message to the real queue, which keeps body, flag, birth and properties', () =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1', { TAGS: 'TagA' })
      const born = broker.clock.now()
      await broker.clock.advance(1000)
      expect(await broker.commit(half)).toMatchObject({ endOffset: expect.any(Number) })
      const [message] = await broker.messages(REAL_TOPIC, 3)
      expect(message).toMatchObject({
        sysFlag: 8,
        flag: 7,
        queueOffset: 0,
        bornTimestamp: born,
        storeTimestamp: born + 1000,
        preparedTransactionOffset: half.commitLogOffset,
        body: Buffer.from('body of T1'),
      })
      const properties = Object.fromEntries(message!.properties)
      expect(properties).toMatchObject({ TRAN_MSG: 'true', REAL_TOPIC, REAL_QID: '3', PGROUP: GROUP, TAGS: 'TagA' })
      expect(properties.COMET_FIRST_HALF_OFFSET).toBeUndefined()
    }))

  test('twice, or after a restart, delivers once and succeeds', () =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1')
      await Promise.all([broker.commit(half), broker.commit(half)])
      expect(await broker.commit(half)).toEqual({ remark: 'transaction T1 was committed before: nothing was done' })
      const again = await broker.restart()
      expect(await again.commit(half)).toEqual({ remark: 'transaction T1 was committed before: nothing was done' })
      expect(await again.delivered()).toEqual(['T1'])
      await again.stop()
    }))

  test('after ROLLBACK is refused with 604 and delivers nothing', () =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1')
      await broker.rollback(half)
      await expect(broker.commit(half)).rejects.toMatchObject(failure(604, 'was rolled back before and stays so'))
      const again = await broker.restart()
      await expect(again.commit(half)).rejects.toMatchObject(
        failure(604, 'it was rolled back, or the message has expired'),
      )
      expect(await again.delivered()).toEqual([])
      await again.stop()
    }))

  test('that the store refuses gets its code and leaves the transaction open', () =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1')
      broker.store.flags.set(RunningFlag.NOT_WRITABLE, 'test')
      await expect(broker.commit(half)).rejects.toMatchObject({ code: 14, remark: 'Service not available now.' })
      expect(await broker.openIds()).toEqual(['T1'])
      broker.store.flags.clear(RunningFlag.NOT_WRITABLE)
      await broker.commit(half)
      expect(await broker.delivered()).toEqual(['T1'])
    }))
})

describe('ROLLBACK', () => {
  test('delivers nothing and ends the transaction: it is not checked any more', () =>
    withBroker(async broker => {
      broker.join()
      await broker.rollback(broker.sendHalf('T1'))
      expect(await broker.round()).toEqual([])
      expect(await broker.delivered()).toEqual([])
      expect(await broker.halfMessages()).toHaveLength(1)
    }))

  test('after COMMIT is refused with 604', () =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1')
      await broker.commit(half)
      await expect(broker.rollback(half)).rejects.toMatchObject(failure(604, 'was committed before'))
      const again = await broker.restart()
      await expect(again.rollback(half)).rejects.toMatchObject(failure(604, 'was committed before'))
      await again.stop()
    }))
})

describe('UNKNOWN', () => {
  test('changes nothing and is remembered as the answer', () =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1')
      const { remark } = await broker.end(half, 0, { remark: 'no database' })
      expect(remark).toContain('stays open')
      const { transactions } = await broker.transactions.open.list({ maxNum: 10 })
      expect(transactions[0]!.checks).toMatchObject([{ answer: 'UNKNOWN', remark: 'no database' }])
      expect(await broker.delivered()).toEqual([])
    }))
})

describe('a decision that names something wrong changes nothing', () => {
  test.each([
    ['an offset where no message begins', { commitLogOffset: 999_999_999 }, 'Find prepared transaction message failed'],
    ['an offset inside a message', { commitLogOffset: 3 }, 'Find prepared transaction message failed'],
    ['a negative offset', { commitLogOffset: -1 }, 'Find prepared transaction message failed'],
    ['another queue offset', { queueOffset: 5 }, 'The transaction state table offset wrong'],
  ])('%s', (_what, wrong, remark) =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1')
      await expect(broker.commit({ ...half, ...wrong })).rejects.toMatchObject(failure(1, remark))
      expect(await broker.delivered()).toEqual([])
      expect(await broker.openIds()).toEqual(['T1'])
    }),
  )

  test('another producer group', () =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1')
      const asked = broker.end(half, 8, { group: 'Others' })
      await expect(asked).rejects.toMatchObject(failure(1, 'The producer group wrong'))
      expect(await broker.openIds()).toEqual(['T1'])
    }))

  test('a message that is no half message', () =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1')
      await broker.commit(half)
      const [message] = await broker.messages(REAL_TOPIC, 3)
      const named = { id: 'T1', queueOffset: 0, commitLogOffset: message!.commitLogOffset }
      await expect(broker.commit(named)).rejects.toMatchObject(failure(1, `a message of ${REAL_TOPIC} begins there`))
      expect(await broker.delivered()).toEqual(['T1'])
    }))

  test('a decision that is none', () =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1')
      await expect(broker.end(half, 4)).rejects.toMatchObject(failure(1, 'commitOrRollback field wrong'))
    }))

  test('a slave', () =>
    withBroker(
      async broker => {
        const half = { id: 'T1', queueOffset: 0, commitLogOffset: 0 }
        await expect(broker.commit(half)).rejects.toMatchObject(failure(11, 'this broker is a slave'))
      },
      { brokerRole: 'SLAVE' },
    ))
})

describe('CHECK_IMMUNITY_TIME_IN_SECONDS', () => {
  test('lets a producer decide until it is over, then answers of checks only (604)', () =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1', { CHECK_IMMUNITY_TIME_IN_SECONDS: '20' })
      const other = broker.sendHalf('T2', { CHECK_IMMUNITY_TIME_IN_SECONDS: '20' })
      await broker.clock.advance(20_000)
      await broker.commit(other)
      await broker.clock.advance(1)
      await expect(broker.commit(half)).rejects.toMatchObject(failure(604, 'CHECK_IMMUNITY_TIME_IN_SECONDS'))
      expect(await broker.delivered()).toEqual(['T2'])
      await broker.commit(half, true)
      expect(await broker.delivered()).toEqual(['T2', 'T1'])
    }))

  test('is never shorter than transactionTimeOut', () =>
    withBroker(async broker => {
      const half = broker.sendHalf('T1', { CHECK_IMMUNITY_TIME_IN_SECONDS: '1' })
      await broker.clock.advance(5000)
      await broker.commit(half)
      expect(await broker.delivered()).toEqual(['T1'])
    }))
})
