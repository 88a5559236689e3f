import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { ManualClock } from '../support/manual-clock.js'
import { passTime, TimerBroker } from '../support/timer-broker.js'

/*
 * Timer messages against a model of a few lines, under recalls, kills, restarts and a clock that is set forward and back.
 * Nothing is early, nothing is lost, what was taken back stays so, and nothing comes twice.
 */

const WINDOW_SLOTS = 30
const MOST_DELAY_MS = 120_000

interface Sent {
  readonly deliverAt: number
  readonly outTime: number
  isRecalled: boolean
  deliveries: number
}

type Step =
  | { do: 'send'; delayMs: number }
  | { do: 'recall'; which: number }
  | { do: 'advance'; ms: number }
  | { do: 'jump'; ms: number }
  | { do: 'kill' | 'restart' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('send' as const), delayMs: fc.nat(MOST_DELAY_MS) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('recall' as const), which: fc.nat(1000) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(50, 700, 1_000, 5_300, 40_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('jump' as const),
      ms: fc.constantFrom(-86_400_000, -30_000, -1_700, -40, 900, 45_000, 3_600_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('kill' as const, 'restart' as const) }) },
)

class World {
  private readonly sent = new Map<string, Sent>()
  private seen = 0

  constructor(public broker: TimerBroker) {}

  async run(one: Step): Promise<void> {
    const { broker } = this
    if (one.do === 'send') this.send(one.delayMs)
    else if (one.do === 'recall') await this.recall(one.which)
    else if (one.do === 'advance') await this.advance(one.ms)
    else if (one.do === 'jump') await this.jump(one.ms)
    else {
      await this.note()
      this.broker = one.do === 'kill' ? await broker.killed() : await broker.restart()
    }
  }

  private send(delayMs: number): void {
    const id = `M${this.sent.size}`
    const now = this.broker.clock.now()
    const deliverAt = now + delayMs
    expect(this.broker.send(id, { TIMER_DELIVER_MS: String(deliverAt) })).toBe('PUT_OK')
    const outTime = (Math.ceil(deliverAt / 1000) - 1) * 1000
    this.sent.set(id, { deliverAt, outTime, isRecalled: false, deliveries: 0 })
  }

  private async recall(which: number): Promise<void> {
    await this.note()
    const [id, message] = [...this.sent][which % Math.max(1, this.sent.size)] ?? []
    if (id === undefined || message === undefined || message.deliveries > 0) return
    if (this.broker.recall(id, message.outTime) === 'PUT_OK') message.isRecalled = true
  }

  private async advance(ms: number): Promise<void> {
    await passTime(this.broker.clock, ms)
    await this.note()
  }

  /** The timer looks at the clock ten times a second. */
  private async jump(ms: number): Promise<void> {
    this.broker.clock.jump(ms)
    await this.advance(100)
  }

  /** Looks at what has come since the last time. */
  async note(): Promise<void> {
    for (const delivered of await this.broker.delivered('T', this.seen)) {
      this.seen = delivered.queueOffset + 1
      const id = delivered.body.toString()
      const message = this.sent.get(id)!
      message.deliveries++
      const at = `${id} at ${delivered.storeTimestamp}, due at ${message.deliverAt}`
      expect(delivered.storeTimestamp, `${at}: early`).toBeGreaterThanOrEqual(message.deliverAt)
      expect(message.isRecalled, `${at}: taken back before`).toBe(false)
      expect(message.deliveries, `${at}: once too often`).toBe(1)
    }
  }

  /** Whatever happened, what was not taken back arrives. */
  async settle(): Promise<void> {
    const latest = Math.max(...[...this.sent.values()].map(({ deliverAt }) => deliverAt), 0)
    this.broker.clock.jump(Math.max(0, latest - this.broker.clock.now()) + 1_000)
    const isDone = async (): Promise<boolean> => {
      await this.advance(1_000)
      return [...this.sent.values()].every(({ isRecalled, deliveries }) => isRecalled || deliveries > 0)
    }
    await eventually(isDone, 'every message to arrive')
    const isCounted = async (): Promise<boolean> => {
      await this.advance(1_000)
      return [...this.broker.service.metrics.timingCount.values()].every(({ count }) => count === 0)
    }
    await eventually(isCounted, 'no message to be counted as waiting')
    await this.advance(3_000)
  }
}

let world: World | undefined

afterEach(() => world?.broker.dispose())

test('timer messages come in time, once, unless they are taken back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async steps => {
      await world?.broker.dispose()
      world = undefined
      const settings = { timerRollWindowSlot: WINDOW_SLOTS }
      world = new World(await TimerBroker.open({ clock: new ManualClock(), settings }))
      for (const one of steps) await world.run(one)
      await world.settle()
    }),
    { numRuns: 20 },
  )
}, 180_000)
