import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SystemTopic } from '../../../../src/common/index.js'
import { RunningFlag } from '../../../../src/store/index.js'
import { goldenStore } from '../../../support/golden.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { TransactionBroker } from '../../../support/transaction-broker.js'

const JAVA_SIZES = {
  mappedFileSizeCommitLog: 1024 * 1024,
  mappedFileSizeConsumeQueue: 2000,
  mapperFileSizeBatchConsumeQueue: 4600,
  maxHashSlotNum: 100,
  maxIndexNum: 400,
}

describe('after a restart', () => {
  test('open transactions are open, decided ones stay decided, checks go on counting', async () => {
    let broker = await TransactionBroker.open()
    broker.join()
    const [one, two] = [broker.sendHalf('T1'), broker.sendHalf('T2')]
    await broker.commit(one)
    const [check] = await broker.round()
    expect(check!.half.id).toBe('T2')
    broker = await broker.restart()
    expect(await broker.openIds()).toEqual(['T2'])
    broker.join()
    const [second] = await broker.round()
    expect(second!.message.properties.get('TRANSACTION_CHECK_TIMES')).toBe('2')
    await broker.commit(two)
    expect(await broker.delivered()).toEqual(['T1', 'T2'])
    await broker.stop()
  })
})

describe('after kill -9', () => {
  test('a decided transaction is neither checked nor delivered again, though no offset was saved', async () => {
    let broker = await TransactionBroker.open()
    broker.join()
    const [one, two, three] = ['T1', 'T2', 'T3'].map(id => broker.sendHalf(id))
    await broker.round()
    await broker.commit(one!)
    await broker.rollback(two!)
    broker = await broker.killed()
    expect(await broker.openIds()).toEqual(['T3'])
    broker.join()
    expect((await broker.round()).map(check => check.half.id)).toEqual(['T3'])
    await broker.commit(one!)
    await broker.rollback(two!)
    await broker.commit(three!)
    expect(await broker.delivered()).toEqual(['T1', 'T3'])
    await broker.stop()
  })

  test('a given-up transaction that was rolled back late is neither delivered nor resumed', async () => {
    let broker = await TransactionBroker.open({ settings: { transactionCheckMax: 1 } })
    broker.join()
    const half = broker.sendHalf('T1')
    for (let i = 0; i < 2; i++) await broker.round()
    const [kept] = await broker.givenUp()
    await broker.rollback(half)
    broker = await broker.killed()
    await expect(broker.commit(half)).rejects.toMatchObject({ code: 604 })
    await expect(broker.transactions.resume(kept!.commitLogOffset)).rejects.toMatchObject({ code: 1 })
    expect((await broker.rollback(half)).remark).toContain('was rolled back before')
    expect(await broker.delivered()).toEqual([])
    await broker.stop()
  })

  test('between a copy and its mark the transaction is open once', async () => {
    let broker = await TransactionBroker.open()
    broker.join()
    const half = broker.sendHalf('T1')
    const append = broker.store.append.bind(broker.store)
    // the store takes the copy and no mark: as if the process had ended in between
    broker.store.append = message =>
      message.topic === SystemTopic.TRANS_OP_HALF
        ? { ...append({ ...message, topic: 'x'.repeat(200) }), status: 'SERVICE_NOT_AVAILABLE' }
        : append(message)
    await broker.round()
    expect(await broker.opMessages()).toEqual([])
    expect(await broker.halfMessages()).toHaveLength(2)
    broker = await broker.killed()
    expect(await broker.openIds()).toEqual(['T1'])
    broker.join()
    expect(await broker.round()).toHaveLength(1)
    await broker.commit(half)
    expect(await broker.delivered()).toEqual(['T1'])
    expect(await broker.openIds()).toEqual([])
    await broker.stop()
  })
})

describe('marks of finished transactions', () => {
  test('are offsets with commas under tag d, those of one turn in one message', async () => {
    const broker = await TransactionBroker.open()
    const halves = ['T1', 'T2', 'T3'].map(id => broker.sendHalf(id))
    await Promise.all(halves.map(half => broker.rollback(half)))
    const [marks, ...others] = await broker.opMessages()
    expect(others).toEqual([])
    expect(marks!.body.toString()).toBe('0,1,2,')
    expect(Object.fromEntries(marks!.properties)).toEqual({ TAGS: 'd', WAIT: 'true' })
    expect(marks).toMatchObject({ topic: 'RMQ_SYS_TRANS_OP_HALF_TOPIC', queueId: 0, sysFlag: 0 })
    expect(marks!.bornHost).toEqual(marks!.storeHost)
    await broker.stop()
  })

  test('fill messages of transactionOpMsgMaxSize', async () => {
    const broker = await TransactionBroker.open({ settings: { transactionOpMsgMaxSize: 10 } })
    const halves = Array.from({ length: 12 }, (_, i) => broker.sendHalf(`T${i}`))
    await Promise.all(halves.map(half => broker.rollback(half)))
    const bodies = (await broker.opMessages()).map(op => op.body.toString())
    expect(bodies).toEqual(['0,1,2,3,4,', '5,6,7,8,9,', '10,11,'])
    await broker.stop()
  })

  test('that the store refuses are kept, obeyed, and stored after transactionOpBatchInterval', async () => {
    const broker = await TransactionBroker.open()
    broker.join()
    const half = broker.sendHalf('T1')
    const rolledBack = broker.rollback(half)
    broker.store.flags.set(RunningFlag.NOT_WRITABLE, 'test')
    await rolledBack
    expect(await broker.opMessages()).toEqual([])
    expect(await broker.openIds()).toEqual([])
    broker.store.flags.clear(RunningFlag.NOT_WRITABLE)
    await broker.clock.advance(3000)
    expect((await broker.opMessages()).map(op => op.body.toString())).toEqual(['0,'])
    await broker.stop()
  })
})

describe('a store of the Java broker', () => {
  async function openJava(name: 'clean' | 'crashed'): Promise<TransactionBroker> {
    const folder = mkdtempSync(join(tmpdir(), 'cometmq-java-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    cpSync(goldenStore(name), folder, { recursive: true })
    return TransactionBroker.open({ folder, clock: new ManualClock(1_795_254_700_000), settings: JAVA_SIZES })
  }

  test('that was stopped has what it had: nothing open, one given up', async () => {
    const broker = await openJava('clean')
    expect(await broker.openIds()).toEqual([])
    expect(await broker.givenUp()).toHaveLength(1)
    expect(broker.transactions.metrics.total).toBe(0)
    await broker.stop()
  })

  test('that was killed goes on: what no op message marks is checked and decided', async () => {
    const broker = await openJava('crashed')
    const open = await broker.openIds()
    expect(open.length).toBeGreaterThan(0)
    broker.join('java', 'StoreTxProducer')
    const checks = await broker.round()
    expect(checks.map(check => check.half.id)).toEqual(open)
    for (const check of checks) await broker.end(check.half, 8, { group: 'StoreTxProducer', check: true })
    expect(await broker.openIds()).toEqual([])
    const delivered = await broker.messages('StoreTx', 0)
    expect(delivered.map(message => message.properties.get('UNIQ_KEY'))).toEqual(expect.arrayContaining(open))
    await broker.stop()
  })
})
