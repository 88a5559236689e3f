import { expect, onTestFinished, test } from 'vitest'
import { AdminClient, PushConsumer, TransactionProducer, type TransactionState } from '../../src/client/index.js'
import type { MessageExt } from '../../src/common/index.js'
import { silentLogger } from '../../src/util/index.js'
import { Daemons } from '../support/daemons.js'
import { eventually } from '../support/eventually.js'
import { tempDir } from '../support/temp-dir.js'

/*
 * The daemon is killed (SIGKILL) again and again while messages wait: for a delay level, for a time of their own, for a
 * decision, for a retry. All that was acknowledged comes, nothing is early, every open transaction is asked for.
 */

const TOPIC = 'OpenWork'
const KILLS = 3
const PER_ROUND = 12
/** The levels of the broker: retries begin at the third. */
const LEVELS_MS = [1000, 3000, 2000, 4000]
const FIRST_RETRY_MS = LEVELS_MS[2]!
/** A delivery may be this late, counted from the last start: consumers find a broker again within 30 s. */
const LATE_MS = 40_000

/** Clients that notice soon that the broker is back. */
const often = { logger: silentLogger, pollNameServerIntervalMs: 1000, heartbeatBrokerIntervalMs: 500 }

interface Expected {
  readonly notBefore: number
  readonly decision?: TransactionState
  readonly fails?: boolean
}

interface Arrival {
  readonly at: number
  readonly offsetMsgId: string
  readonly isRetry: boolean
}

class Work {
  readonly expected = new Map<string, Expected>()
  readonly arrivals = new Map<string, Arrival[]>()
  /** Times each half message was asked for. */
  readonly checks = new Map<string, number>()
  /** The processes that decide know nothing while this is false. */
  isDecided = false
  private readonly failedOnce = new Map<string, number>()
  private producer: TransactionProducer<TransactionState> | undefined
  private consumer: PushConsumer | undefined

  constructor(private readonly namesrvAddr: string) {}

  async start(): Promise<void> {
    const { namesrvAddr } = this
    this.producer = new TransactionProducer<TransactionState>({
      namesrvAddr,
      group: 'OpenProducer',
      ...often,
      execute: (_message, state) => state,
      check: message => this.check(message.body.toString()),
    })
    await this.producer.start()
    this.consumer = new PushConsumer({
      namesrvAddr,
      group: 'OpenConsumer',
      ...often,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      onMessages: ([message]) => this.take(message!),
    })
    await this.consumer.subscribe(TOPIC)
    await this.consumer.start()
  }

  async stop(): Promise<void> {
    await this.consumer?.stop()
    await this.producer?.stop()
  }

  /** One round of each kind; what is not acknowledged is not expected. */
  async send(round: number): Promise<void> {
    for (let i = 0; i < PER_ROUND; i++) {
      const name = (kind: string): string => `${kind}-${round}-${i}`
      const level = 1 + (i % LEVELS_MS.length)
      await this.sendPlain(name('level'), { delayLevel: level }, LEVELS_MS[level - 1]!)
      await this.sendPlain(name('timer'), { deliverAt: Date.now() + 500 + i * 600 }, 500 + i * 600)
      await this.sendPlain(name('fails'), {}, 0, true)
      const decision = i % 3 === 0 ? 'ROLLBACK' : 'COMMIT'
      await this.sendHalf(name('open'), 'UNKNOWN', decision)
      if (i % 4 === 0) await this.sendHalf(name('decided'), decision, decision)
    }
  }

  missing(): string[] {
    const wanted = [...this.expected].filter(([, { decision }]) => decision !== 'ROLLBACK').map(([name]) => name)
    return wanted.filter(name => !this.arrivals.has(name) || this.isFailing(name))
  }

  unasked(): string[] {
    return [...this.expected.keys()].filter(name => name.startsWith('open') && !this.checks.has(name))
  }

  private isFailing(name: string): boolean {
    return this.expected.get(name)?.fails === true && this.arrivals.get(name)!.length < 2
  }

  private check(name: string): TransactionState {
    this.checks.set(name, (this.checks.get(name) ?? 0) + 1)
    return this.isDecided ? (this.expected.get(name)?.decision ?? 'ROLLBACK') : 'UNKNOWN'
  }

  private take(message: MessageExt): void {
    const name = message.body.toString()
    const { offsetMsgId, reconsumeTimes } = message
    const arrival = { at: Date.now(), offsetMsgId, isRetry: reconsumeTimes > 0 }
    this.arrivals.set(name, [...(this.arrivals.get(name) ?? []), arrival])
    if (!name.startsWith('fails') || arrival.isRetry) return
    // a kill may forget that it was given back: then it fails a second time
    if (!this.failedOnce.has(name)) this.failedOnce.set(name, Date.now())
    throw new Error('a failure of the test')
  }

  /** When a failed message may come again at the earliest. */
  failedAt(name: string): number {
    return this.failedOnce.get(name) ?? Number.POSITIVE_INFINITY
  }

  private async sendPlain(name: string, delay: object, delayMs: number, fails = false): Promise<void> {
    const notBefore = Date.now() + delayMs
    const sent = await this.producer!.send({ topic: TOPIC, body: name, ...delay }).catch(() => undefined)
    if (sent !== undefined) this.expected.set(name, { notBefore, fails })
  }

  private async sendHalf(name: string, now: TransactionState, decision: TransactionState): Promise<void> {
    const sending = this.producer!.sendInTransaction({ topic: TOPIC, body: name }, now)
    const sent = await sending.catch(() => undefined)
    if (sent !== undefined) this.expected.set(name, { notBefore: 0, decision })
  }
}

function checkArrivals(work: Work, lastStart: number): void {
  const early: string[] = []
  const late: string[] = []
  const twice: string[] = []
  for (const [name, list] of work.arrivals) {
    const expected = work.expected.get(name)
    const stored = new Set(list.map(({ offsetMsgId }) => offsetMsgId))
    for (const { at, isRetry } of list) {
      const due = isRetry ? work.failedAt(name) + FIRST_RETRY_MS : (expected?.notBefore ?? 0)
      if (at < due) early.push(`${name} by ${due - at} ms`)
      if (expected && at > Math.max(due, lastStart) + LATE_MS) late.push(name)
    }
    // a timer or a commit makes one copy, whatever happens in between; a delivery may be repeated
    if (/^(timer|open|decided)/.test(name) && stored.size > 1) twice.push(name)
  }
  expect({ early, late, twice }).toEqual({ early: [], late: [], twice: [] })
}

test('kill -9 with open transactions, delays, timers and retries: all is delivered, nothing early', async () => {
  const daemons = new Daemons(tempDir(), {
    mappedFileSizeCommitLog: 1 << 20,
    mappedFileSizeConsumeQueue: 20_000,
    maxHashSlotNum: 1000,
    maxIndexNum: 4000,
    diskMaxUsedSpaceRatio: 95,
    messageDelayLevel: LEVELS_MS.map(ms => `${ms / 1000}s`).join(' '),
    transactionTimeOut: 500,
    transactionCheckInterval: 700,
    transactionCheckMax: 100,
  })
  onTestFinished(() => daemons.stop())
  await daemons.startNamesrv()
  const admin = new AdminClient({ namesrvAddr: daemons.namesrvAddr, logger: silentLogger })
  await admin.start()
  onTestFinished(() => admin.stop())
  const isRegistered = async (): Promise<boolean> => (await admin.clusterInfo()).brokerAddrTable.size > 0
  await daemons.startBroker(isRegistered)
  await admin.createTopic(daemons.brokerAddr, { topicName: TOPIC, readQueueNums: 4, writeQueueNums: 4, perm: 6 })
  const work = new Work(daemons.namesrvAddr)
  await work.start()
  onTestFinished(() => work.stop())
  let lastStart = 0
  for (let round = 0; round < KILLS; round++) {
    const before = work.expected.size
    const sending = work.send(round)
    if (round % 2 === 0) await sending
    await eventually(() => work.expected.size > before + 10, 'the messages of the round')
    await daemons.killBroker()
    await sending
    await daemons.startBroker(isRegistered)
    lastStart = Date.now()
  }
  work.checks.clear()
  await eventually(() => work.unasked().length === 0, 'a check of each open transaction', 40_000).catch(() => {})
  expect(work.unasked()).toEqual([])
  work.isDecided = true
  await eventually(() => work.missing().length === 0, 'all messages', 40_000).catch(() => {})
  expect(work.missing()).toEqual([])
  const rolledBack = [...work.expected].filter(([, { decision }]) => decision === 'ROLLBACK').map(([name]) => name)
  expect(rolledBack.filter(name => work.arrivals.has(name))).toEqual([])
  checkArrivals(work, lastStart)
}, 150_000)
