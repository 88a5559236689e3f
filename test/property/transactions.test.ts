import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { ResponseError } from '../../src/common/index.js'
import { type SentHalf, TransactionBroker } from '../support/transaction-broker.js'

/*
 * Transactions against a model of a few lines, under decisions by any offsets a producer ever learnt, twice and late,
 * kills, restarts, producers that come and go, and a wall clock that is set forward and back.
 */

const CHECK_MAX = 3
const RESERVED_HOURS = 72
const HOUR_MS = 3_600_000

interface Transaction {
  state: 'open' | 'committed' | 'rolled back'
  isGivenUp: boolean
  timesGivenUp: number
  born: number
  /** Every name the producer knows it by. */
  names: SentHalf[]
  checks: number
}

type Step =
  | { do: 'send'; immunity: number | undefined }
  | { do: 'decide'; which: number; name: number; decision: 0 | 8 | 12 }
  | { do: 'advance'; ms: number }
  | { do: 'resume'; which: number }
  | { do: 'jump'; ms: number }
  | { do: 'kill' | 'restart' | 'online' | 'offline' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('send' as const), immunity: fc.option(fc.nat(120), { nil: undefined }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('decide' as const),
      which: fc.nat(1000),
      name: fc.nat(10),
      decision: fc.constantFrom<0 | 8 | 12>(0, 8, 12),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(500, 7000, 30_000, 90_000) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resume' as const), which: fc.nat(1000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('jump' as const),
      ms: fc.constantFrom(-80 * HOUR_MS, -60_000, -1000, 60_000, 2 * HOUR_MS, 80 * HOUR_MS),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('kill' as const, 'restart' as const, 'online' as const, 'offline' as const),
    }),
  },
)

class World {
  readonly transactions = new Map<string, Transaction>()
  private isOnline = false

  constructor(public broker: TransactionBroker) {}

  async run(one: Step): Promise<void> {
    switch (one.do) {
      case 'send':
        return this.send(one.immunity)
      case 'decide':
        return this.decide(one)
      case 'advance':
        return this.advance(one.ms)
      case 'resume':
        return this.resume(one)
      case 'jump':
        return this.broker.clock.jump(one.ms)
      case 'online':
        return this.setOnline(true)
      case 'offline':
        return this.setOnline(false)
      default:
        this.broker = one.do === 'kill' ? await this.broker.killed() : await this.broker.restart()
        if (this.isOnline) this.broker.join()
    }
  }

  private send(immunity: number | undefined): void {
    const id = `T${this.transactions.size}`
    const properties = immunity === undefined ? {} : { CHECK_IMMUNITY_TIME_IN_SECONDS: String(immunity) }
    const names = [this.broker.sendHalf(id, properties)]
    const born = this.broker.clock.now()
    this.transactions.set(id, { state: 'open', isGivenUp: false, timesGivenUp: 0, born, names, checks: 0 })
  }

  private async decide({ which, name, decision }: Step & { do: 'decide' }): Promise<void> {
    const all = [...this.transactions.values()]
    const transaction = all[which % Math.max(1, all.length)]
    if (transaction === undefined) return
    const half = transaction.names[name % transaction.names.length]!
    const wanted = decision === 8 ? 'committed' : 'rolled back'
    const before = transaction.state
    const code = await this.broker.end(half, decision, { check: true }).then(
      () => 0,
      (error: unknown) => (error instanceof ResponseError ? error.code : Promise.reject(error)),
    )
    if (decision === 0) expect(code).toBe(0)
    else if (before !== 'open')
      expect([half.id, before, wanted, code]).toEqual([half.id, before, wanted, before === wanted ? 0 : 604])
    else {
      expect(code).toBe(0)
      transaction.state = wanted
    }
  }

  private setOnline(isOnline: boolean): void {
    if (isOnline === this.isOnline) return
    this.isOnline = isOnline
    if (isOnline) this.broker.join()
    else for (const client of this.broker.clients) client.close('gone')
  }

  async advance(ms: number): Promise<void> {
    for (const { half } of await this.broker.round(ms)) {
      const transaction = this.transactions.get(half.id)!
      expect([half.id, transaction.state], 'only open transactions are checked').toEqual([half.id, 'open'])
      transaction.names.push(half)
      transaction.checks++
      expect(transaction.checks).toBeLessThanOrEqual(CHECK_MAX)
    }
    await this.noteGivenUp()
  }

  private async noteGivenUp(): Promise<void> {
    const times = new Map<string, number>()
    for (const { properties } of await this.broker.givenUp()) {
      const id = properties.get('UNIQ_KEY')!
      times.set(id, (times.get(id) ?? 0) + 1)
    }
    for (const [id, count] of times) {
      const transaction = this.transactions.get(id)!
      if (count === transaction.timesGivenUp) continue
      expect([count, transaction.state, transaction.isGivenUp]).toEqual([transaction.timesGivenUp + 1, 'open', false])
      const age = this.broker.clock.now() - transaction.born
      expect(transaction.checks === CHECK_MAX || age > RESERVED_HOURS * HOUR_MS, 'given up for a reason').toBe(true)
      transaction.isGivenUp = true
      transaction.timesGivenUp++
    }
  }

  /** An operator has a given-up transaction checked again; one that is decided stays as it is. */
  private async resume({ which }: Step & { do: 'resume' }): Promise<void> {
    const kept = await this.broker.givenUp()
    const message = kept[which % Math.max(1, kept.length)]
    if (message === undefined) return
    const transaction = this.transactions.get(message.properties.get('UNIQ_KEY')!)!
    const isPossible = transaction.state === 'open' && transaction.isGivenUp
    const isDone = await this.broker.transactions.resume(message.commitLogOffset).then(
      () => true,
      (error: unknown) => (error instanceof ResponseError ? false : Promise.reject(error)),
    )
    expect(isDone).toBe(isPossible)
    if (!isDone) return
    transaction.isGivenUp = false
    transaction.checks = 0
  }

  async verify(): Promise<void> {
    const ids = (wanted: (transaction: Transaction) => boolean): string[] =>
      [...this.transactions].filter(([, transaction]) => wanted(transaction)).map(([id]) => id)
    const delivered = await this.broker.delivered()
    expect([...delivered].sort()).toEqual(ids(({ state }) => state === 'committed').sort())
    const open = ids(({ state, isGivenUp }) => state === 'open' && !isGivenUp)
    expect((await this.broker.openIds()).sort()).toEqual(open.sort())
    expect(this.broker.transactions.metrics.total).toBe(open.length)
  }

  /** Whatever happened, a producer that answers brings every transaction to an end. */
  async settle(): Promise<void> {
    this.setOnline(true)
    for (let i = 0; i < 10; i++) {
      const checks = await this.broker.round()
      await this.noteGivenUp()
      for (const { half } of checks) {
        await this.broker.commit(half, true)
        this.transactions.get(half.id)!.state = 'committed'
      }
    }
    await this.noteGivenUp()
    await this.verify()
    expect(await this.broker.openIds()).toEqual([])
  }
}

let world: World | undefined

afterEach(() => world?.broker.stop())

test('transactions end as decided, once, and every open one is asked for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async steps => {
      await world?.broker.stop()
      world = new World(await TransactionBroker.open({ settings: { transactionCheckMax: CHECK_MAX } }))
      for (const one of steps) await world.run(one)
      await world.verify()
      await world.settle()
    }),
    { numRuns: 40 },
  )
}, 120_000)
