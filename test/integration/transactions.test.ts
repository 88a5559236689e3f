import { afterEach, describe, expect, test } from 'vitest'
import { AdminClient, TransactionProducer, type TransactionState } from '../../src/client/index.js'
import {
  decodeOffsetMessageId,
  encodeProperties,
  type MessageExt,
  RequestCode,
  stringifyFastJson,
} from '../../src/common/index.js'
import { type CometMQ, startCometMQ } from '../../src/embed.js'
import {
  CheckTransactionStateRequestHeader,
  EndTransactionRequestHeader,
  ok,
  RemotingClient,
  ResumeCheckHalfMessageRequestHeader,
  route,
  SendMessageRequestHeader,
  SendMessageResponseHeader,
} from '../../src/remoting/index.js'
import { silentLogger, systemClock } from '../../src/util/index.js'
import { eventually } from '../support/eventually.js'
import { ManualClock } from '../support/manual-clock.js'
import { runMqadmin } from '../support/run-mqadmin.js'

/* Transactions over real sockets: the broker on a clock that the test turns, the clients on the system's. */

const TOPIC = 'Payments'
const GROUP = 'Payers'

const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

type BrokerKeys = NonNullable<Parameters<typeof startCometMQ>[0]>['broker']

/** Hours of the broker's clock may pass while a message crosses a socket: nobody is idle for too long. */
const PATIENT = { channelExpiredTimeout: 1_000_000_000, serverChannelMaxIdleTimeSeconds: 1_000_000 }
const SMALL = { mappedFileSizeCommitLog: 4 * 1024 * 1024 }

async function started(broker: BrokerKeys = {}): Promise<{ mq: CometMQ; clock: ManualClock }> {
  const clock = new ManualClock()
  const mq = await startCometMQ({ clock, broker: { ...PATIENT, ...SMALL, ...broker } })
  closers.push(() => mq.stop())
  return { mq, clock }
}

interface Half {
  transactionId: string
  msgId: string
  queueOffset: number
  commitLogOffset: number
  queueId: number
}

/** A producer that speaks the protocol by hand, so that it can send what clients do not. */
class RawProducer {
  readonly checks: Half[] = []
  private readonly remoting: RemotingClient

  constructor(
    private readonly address: string,
    private readonly clock: ManualClock,
  ) {
    this.remoting = new RemotingClient({
      clock: systemClock,
      logger: silentLogger,
      routes: [
        route({
          code: RequestCode.CHECK_TRANSACTION_STATE,
          request: CheckTransactionStateRequestHeader,
          lane: 'client',
          action: 'ANY',
          handle: header => {
            this.checks.push({
              transactionId: header.transactionId!,
              msgId: header.offsetMsgId!,
              queueOffset: header.tranStateTableOffset,
              commitLogOffset: header.commitLogOffset,
              queueId: 0,
            })
            return ok()
          },
        }),
      ],
    })
    closers.push(() => this.remoting.stop())
  }

  /** Comes online as a member of the group. */
  async join(group = GROUP): Promise<void> {
    const body = stringifyFastJson({ clientID: `raw@${group}`, producerDataSet: [{ groupName: group }] })
    await this.call({ code: RequestCode.HEART_BEAT, body: Buffer.from(body) })
  }

  async send(id: string, properties: Record<string, string> = {}): Promise<Half & { code: number; remark?: string }> {
    const all = { TRAN_MSG: 'true', PGROUP: GROUP, UNIQ_KEY: id, ...properties }
    const answer = await this.call({
      code: RequestCode.SEND_MESSAGE,
      extFields: SendMessageRequestHeader.encode({
        producerGroup: GROUP,
        topic: TOPIC,
        defaultTopic: 'TBW102',
        defaultTopicQueueNums: 4,
        queueId: 2,
        sysFlag: 4,
        bornTimestamp: this.clock.now(),
        flag: 0,
        properties: encodeProperties(Object.entries(all)),
      }),
      body: Buffer.from(`body of ${id}`),
    })
    if (answer.code !== 0) return { ...NO_HALF, code: answer.code, remark: answer.remark ?? '' }
    const header = SendMessageResponseHeader.decode(answer.extFields)
    return {
      code: 0,
      transactionId: header.transactionId!,
      msgId: header.msgId!,
      queueOffset: header.queueOffset!,
      queueId: header.queueId!,
      commitLogOffset: decodeOffsetMessageId(header.msgId!).commitLogOffset,
    }
  }

  end(half: Half, commitOrRollback: number, changes: { producerGroup?: string; fromTransactionCheck?: boolean } = {}) {
    return this.call({
      code: RequestCode.END_TRANSACTION,
      extFields: EndTransactionRequestHeader.encode({
        producerGroup: GROUP,
        tranStateTableOffset: half.queueOffset,
        commitLogOffset: half.commitLogOffset,
        commitOrRollback,
        fromTransactionCheck: false,
        msgId: half.transactionId,
        ...changes,
      }),
    })
  }

  resume(msgId: string) {
    const extFields = ResumeCheckHalfMessageRequestHeader.encode({ msgId })
    return this.call({ code: RequestCode.RESUME_CHECK_HALF_MESSAGE, extFields })
  }

  close(): void {
    this.remoting.stop()
  }

  private call(request: Parameters<RemotingClient['invoke']>[1]) {
    return this.remoting.invoke(this.address, request, 10_000)
  }
}

const NO_HALF: Half = { transactionId: '', msgId: '', queueOffset: -1, commitLogOffset: -1, queueId: -1 }

async function visible(mq: CometMQ, topic = TOPIC, queueId = 2): Promise<MessageExt[]> {
  const admin = new AdminClient({ namesrvAddr: mq.namesrvAddr })
  await admin.start()
  try {
    const { brokerDatas } = await admin.topicRoute(topic)
    const queue = { topic, brokerName: brokerDatas[0]!.brokerName, queueId }
    return (await admin.pull({ queue, offset: 0, maxNums: 32 })).messages
  } finally {
    await admin.stop()
  }
}

async function turn(clock: ManualClock, until: () => boolean | Promise<boolean>, stepMs = 30_000): Promise<void> {
  await eventually(async () => {
    if (await until()) return true
    await clock.advance(stepMs)
    return until()
  })
}

describe('scenario 92: a half message', () => {
  test('is answered with its real queue, its transaction id and the offsets of the half queue, and is invisible', async () => {
    const { mq, clock } = await started()
    const producer = new RawProducer(mq.brokerAddr, clock)
    const half = await producer.send('T1')
    expect(half).toMatchObject({ code: 0, transactionId: 'T1', queueId: 2, queueOffset: 0 })
    expect(await visible(mq)).toEqual([])
    expect((await producer.end(half, 8)).code).toBe(0)
    const [message, ...others] = await visible(mq)
    expect(others).toEqual([])
    expect(message).toMatchObject({ preparedTransactionOffset: half.commitLogOffset, sysFlag: 8 })
    expect(message!.body.toString()).toBe('body of T1')
  })
})

describe('scenarios 93 to 96: checks', () => {
  test('a check comes with the offsets of a new half message; its COMMIT publishes, once', async () => {
    const { mq, clock } = await started()
    const producer = new RawProducer(mq.brokerAddr, clock)
    await producer.join()
    const half = await producer.send('T1')
    await clock.advance(29_000)
    expect(producer.checks).toEqual([])
    await turn(clock, () => producer.checks.length > 0)
    const check = producer.checks[0]!
    expect(check).toMatchObject({ transactionId: 'T1', queueOffset: 1 })
    const answers = [
      await producer.end(check, 8, { fromTransactionCheck: true }),
      await producer.end(check, 8, { fromTransactionCheck: true }),
      await producer.end(half, 8),
    ]
    expect(answers.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(await visible(mq)).toHaveLength(1)
  })

  test('goes to a producer of the group that is alive', async () => {
    const { mq, clock } = await started()
    const [dead, alive] = [new RawProducer(mq.brokerAddr, clock), new RawProducer(mq.brokerAddr, clock)]
    await dead.join()
    await alive.join()
    await dead.send('T1')
    dead.close()
    await turn(clock, () => alive.checks.length > 0)
  })

  test('UNKNOWN for ever ends in TRANS_CHECK_MAX_TIME_TOPIC, from where it is resumed', async () => {
    const { mq, clock } = await started({ transactionCheckMax: 2, brokerName: 'broker-a' })
    const producer = new RawProducer(mq.brokerAddr, clock)
    await producer.join()
    await producer.send('T1')
    let answered = 0
    const kept = async (): Promise<MessageExt[]> => {
      while (answered < producer.checks.length) await producer.end(producer.checks[answered++]!, 0)
      return visible(mq, 'TRANS_CHECK_MAX_TIME_TOPIC', 0).catch(() => [])
    }
    await turn(clock, async () => (await kept()).length > 0)
    expect(producer.checks).toHaveLength(2)
    const [given] = await kept()
    expect(given!.properties.get('REAL_TOPIC')).toBe(TOPIC)
    expect(await producer.resume('nonsense')).toMatchObject({
      code: 1,
      remark: expect.stringContaining('RMQ_SYS_TRANS_HALF_TOPIC'),
    })
    expect((await producer.resume(given!.offsetMsgId)).code).toBe(0)
    expect(await producer.resume(given!.offsetMsgId)).toMatchObject({
      code: 1,
      remark: expect.stringContaining('open already'),
    })
    await turn(clock, () => producer.checks.length > 2)
    expect((await producer.end(producer.checks[2]!, 8, { fromTransactionCheck: true })).code).toBe(0)
    expect(await visible(mq)).toHaveLength(1)
    expect(await producer.resume(given!.offsetMsgId)).toMatchObject({
      code: 1,
      remark: expect.stringContaining('finished'),
    })
  })
})

describe('scenarios 94, 97, 98: decisions', () => {
  test('ROLLBACK is final; the wrong group, unknown offsets and a bad decision get code 1 and change nothing', async () => {
    const { mq, clock } = await started()
    const producer = new RawProducer(mq.brokerAddr, clock)
    await producer.join()
    const half = await producer.send('T1')
    const wrong = [
      await producer.end(half, 8, { producerGroup: 'Others' }),
      await producer.end({ ...half, queueOffset: 7 }, 8),
      await producer.end({ ...half, commitLogOffset: 999_999_999 }, 8),
      await producer.end(half, 5),
    ]
    expect(wrong.map(({ code }) => code)).toEqual([1, 1, 1, 1])
    expect(wrong.map(({ remark }) => remark)).toEqual([
      expect.stringMatching(/^The producer group wrong/),
      expect.stringMatching(/^The transaction state table offset wrong/),
      expect.stringMatching(/^Find prepared transaction message failed/),
      expect.stringMatching(/^commitOrRollback field wrong/),
    ])
    expect((await producer.end(half, 12)).code).toBe(0)
    expect(await producer.end(half, 8)).toMatchObject({
      code: 604,
      remark: expect.stringContaining('rolled back before'),
    })
    await clock.advance(90_000)
    expect(producer.checks).toEqual([])
    expect(await visible(mq)).toEqual([])
  })

  test('rejectTransactionMessage refuses half messages with code 16', async () => {
    const { mq, clock } = await started({ rejectTransactionMessage: true })
    const sent = await new RawProducer(mq.brokerAddr, clock).send('T1')
    expect(sent).toMatchObject({
      code: 16,
      remark: expect.stringContaining('sending transaction message is forbidden'),
    })
  })
})

describe('scenarios 99 and 100', () => {
  test('CHECK_IMMUNITY_TIME_IN_SECONDS=60 keeps the first check away for 60 s', async () => {
    const { mq, clock } = await started()
    const producer = new RawProducer(mq.brokerAddr, clock)
    await producer.join()
    const sentAt = clock.now()
    await producer.send('T1', { CHECK_IMMUNITY_TIME_IN_SECONDS: '60' })
    await turn(clock, () => producer.checks.length > 0, 5000)
    const { stdout } = await runMqadmin(['transactions', '-b', mq.brokerAddr, '--json'], {
      NAMESRV_ADDR: mq.namesrvAddr,
    })
    const { askedAt } = JSON.parse(stdout).result[0].transactions[0].checks.find((check: object) => 'client' in check)
    expect(askedAt - sentAt).toBeGreaterThan(60_000)
    expect(askedAt - sentAt).toBeLessThanOrEqual(95_000)
  })

  test.each([
    ['a delay level', { DELAY: '1' }, 1000],
    ['a timer', { TIMER_DELAY_MS: '2000' }, 4000],
  ])('with %s it is a half message first, and waits once it is committed', async (_what, properties, waitMs) => {
    const { mq, clock } = await started()
    const producer = new RawProducer(mq.brokerAddr, clock)
    const half = await producer.send('T1', properties)
    await clock.advance(waitMs * 2)
    expect(await visible(mq)).toEqual([])
    expect((await producer.end(half, 8)).code).toBe(0)
    expect(await visible(mq)).toEqual([])
    await turn(clock, async () => (await visible(mq)).length > 0, 500)
    expect(await visible(mq)).toHaveLength(1)
  })
})

describe('the TypeScript client', () => {
  test('commits, rolls back, and answers checks', async () => {
    const { mq, clock } = await started()
    const states = new Map<string, TransactionState>([
      ['commit', 'COMMIT'],
      ['rollback', 'ROLLBACK'],
      ['later', 'UNKNOWN'],
    ])
    const producer = new TransactionProducer<string>({
      group: GROUP,
      namesrvAddr: mq.namesrvAddr,
      execute: (_message, argument) => states.get(argument)!,
      check: () => 'COMMIT',
    })
    await producer.start()
    closers.push(() => producer.stop())
    for (const body of states.keys()) await producer.sendInTransaction({ topic: TOPIC, body }, body)
    const bodies = async (): Promise<string[]> => {
      const queues = await Promise.all([0, 1, 2, 3].map(queueId => visible(mq, TOPIC, queueId)))
      return queues.flat().map(message => message.body.toString())
    }
    await eventually(async () => (await bodies()).length === 1)
    expect(await bodies()).toEqual(['commit'])
    // the client stamps its messages with the time of the system, years behind the clock of the broker or ahead of it
    await turn(clock, async () => (await bodies()).length === 2)
    expect((await bodies()).sort()).toEqual(['commit', 'later'])
  })
})

describe('mqadmin transactions', () => {
  async function withOpen() {
    const { mq, clock } = await started({ brokerName: 'broker-a', brokerClusterName: 'C1' })
    const producer = new RawProducer(mq.brokerAddr, clock)
    await producer.join()
    await producer.send('T1', { KEYS: 'order-1' })
    await producer.send('T2')
    const admin = (...argv: string[]) => runMqadmin(['transactions', ...argv], { NAMESRV_ADDR: mq.namesrvAddr })
    return { mq, clock, producer, admin }
  }

  test('lists open ones with who was asked and what was answered', async () => {
    const { mq, clock, producer, admin } = await withOpen()
    await turn(clock, () => producer.checks.length > 1)
    await producer.end(producer.checks[0]!, 0, { fromTransactionCheck: true })
    const { stdout, exitCode } = await admin('-b', mq.brokerAddr)
    expect(exitCode).toBe(0)
    const rows = stdout
      .trim()
      .split('\n')
      .map(line => line.trim().split(/ {2,}/))
    expect(rows[0]!.map(name => name.replace('#', ''))).toEqual([
      'Transaction Id',
      'Topic',
      'Producer Group',
      'Broker',
      'Age',
      'Checks',
      'Last Asked',
      'Answer',
    ])
    expect(rows[1]).toEqual(['T1', TOPIC, GROUP, 'broker-a', '30s', '1', 'raw@Payers', 'UNKNOWN'])
    expect(rows[2]).toEqual(['T2', TOPIC, GROUP, 'broker-a', '30s', '1', 'raw@Payers', '-'])
    const one = await admin('-c', 'C1', '-i', 'T1')
    expect(one.stdout).toContain('order-1')
    expect(one.stdout).toMatch(/asked raw@Payers: UNKNOWN at .* from 127\.0\.0\.1:\d+/)
    const { result } = JSON.parse((await admin('-b', mq.brokerAddr, '-g', 'Nobody', '--json')).stdout)
    expect(result).toEqual([{ brokerName: 'broker-a', total: 0, transactions: [] }])
  })

  test('decides one, and says when there is none or the words are wrong', async () => {
    const { mq, producer, admin } = await withOpen()
    expect((await admin('-b', mq.brokerAddr, '-i', 'T1', '-d', 'commit')).stdout).toContain('T1 is committed at')
    expect((await admin('-c', 'C1', '-i', 'T2', '-d', 'ROLLBACK')).stdout).toContain('T2 is rolled back at')
    expect((await visible(mq)).map(message => message.properties.get('UNIQ_KEY'))).toEqual(['T1'])
    expect((await admin('-b', mq.brokerAddr)).stdout).toContain('No open transaction is like that.')
    const again = await admin('-b', mq.brokerAddr, '-i', 'T1', '-d', 'commit', '--strict')
    expect(again.exitCode).toBe(2)
    expect(again.stderr).toContain('no open transaction has the id T1')
    expect((await admin('-b', mq.brokerAddr, '-i', 'T1', '-d', 'maybe')).stderr).toContain('"maybe" is no decision')
    expect((await admin('-b', mq.brokerAddr, '-d', 'commit')).stderr).toContain('-d needs -i')
    expect(producer.checks).toEqual([])
  })

  test('wants the message id where two transactions have one id', async () => {
    const { mq, producer, admin } = await withOpen()
    const second = await producer.send('T1')
    const { stderr } = await admin('-b', mq.brokerAddr, '-i', 'T1', '-d', 'commit')
    expect(stderr).toContain(second.msgId)
    expect((await admin('-b', mq.brokerAddr, '-i', second.msgId, '-d', 'commit')).stdout).toContain('is committed')
    expect(await visible(mq)).toHaveLength(1)
  })
})
