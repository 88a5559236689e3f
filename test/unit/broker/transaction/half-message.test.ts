import { describe, expect, test } from 'vitest'
import { GROUP, REAL_TOPIC, TransactionBroker } from '../../../support/transaction-broker.js'

const refused = { code: 16, remark: expect.stringContaining('sending transaction message is forbidden') }

describe('a half message', () => {
  test('is stored in the half topic, its transaction bits cleared, with its real place in properties', async () => {
    const broker = await TransactionBroker.open()
    broker.sendHalf('T1', { TAGS: 'TagA' })
    const [half] = await broker.halfMessages()
    expect(half).toMatchObject({ topic: 'RMQ_SYS_TRANS_HALF_TOPIC', queueId: 0, queueOffset: 0, sysFlag: 0, flag: 7 })
    expect(Object.fromEntries(half!.properties)).toEqual({
      TRAN_MSG: 'true',
      PGROUP: GROUP,
      UNIQ_KEY: 'T1',
      KEYS: 'key-T1',
      TAGS: 'TagA',
      __transactionId__: 'T1',
      REAL_TOPIC,
      REAL_QID: '3',
    })
    expect(await broker.delivered()).toEqual([])
    await broker.stop()
  })

  test('is known by TRAN_MSG in any case; other values make a plain message', async () => {
    const broker = await TransactionBroker.open()
    broker.sendHalf('T1', { TRAN_MSG: 'True' })
    broker.sendHalf('T2', { TRAN_MSG: 'yes' })
    expect((await broker.halfMessages()).map(half => half.properties.get('UNIQ_KEY'))).toEqual(['T1'])
    await broker.stop()
  })

  test('is refused with code 16 and stored nowhere when rejectTransactionMessage is set', async () => {
    const broker = await TransactionBroker.open({ settings: { rejectTransactionMessage: true } })
    expect(() => broker.sendHalf('T1')).toThrow(expect.objectContaining(refused))
    expect(broker.store.log.maxOffset).toBe(0)
    await broker.stop()
  })

  test('brings no marks of another transaction with it', async () => {
    const broker = await TransactionBroker.open()
    const first = broker.sendHalf('T1')
    broker.sendHalf('T2', { COMET_FIRST_HALF_OFFSET: String(first.commitLogOffset), TRAN_PREPARED_QUEUE_OFFSET: '0' })
    const again = await broker.restart()
    expect(await again.openIds()).toEqual(['T1', 'T2'])
    await again.stop()
  })

  test('with a delay level is not delayed as a half message but when it is committed', async () => {
    const broker = await TransactionBroker.open()
    const half = broker.sendHalf('T1', { DELAY: '3', TRAN_MSG: 'TRUE' })
    expect(await broker.halfMessages()).toHaveLength(1)
    expect(await broker.messages('SCHEDULE_TOPIC_XXXX', 2)).toEqual([])
    await broker.commit(half)
    const [waiting] = await broker.messages('SCHEDULE_TOPIC_XXXX', 2)
    expect(Object.fromEntries(waiting!.properties)).toMatchObject({ REAL_TOPIC, REAL_QID: '3', DELAY: '3' })
    expect(waiting!.sysFlag & 12).toBe(8)
    expect(await broker.openIds()).toEqual([])
    await broker.stop()
  })
})
