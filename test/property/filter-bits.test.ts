import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConsumerFilterManager } from '../../src/broker/offset/consumer-filter-manager.js'
import { messageFilter } from '../../src/broker/pull/message-filters.js'
import { buildSubscriptionData } from '../../src/common/index.js'
import type { MessageFilter, MessageStore } from '../../src/store/index.js'
import { brokerParts } from '../support/broker-parts.js'
import { createStore, message } from '../support/store.js'

const TOPIC = 'TopicA'
const GROUPS = ['G1', 'G2', 'G3', 'G4', 'G5']
const EXPRESSIONS = [
  'a > 2',
  'a > 2 AND b IS NOT NULL',
  "a = 1 OR b = 'x'",
  "b <> 'x'",
  'a IS NULL',
  'a BETWEEN 1 AND 3',
  'TRUE',
]

type Step =
  | { kind: 'send'; properties: string }
  | { kind: 'subscribe'; group: string; expression: string }
  | { kind: 'leave'; group: string }
  | { kind: 'calc'; isOn: boolean }
  | { kind: 'clock'; ms: number }
  | { kind: 'restart'; isClean: boolean }

const properties = fc
  .record({
    a: fc.constantFrom('', 'a\x011\x02', 'a\x013\x02', 'a\x015\x02', 'a\x01no\x02'),
    b: fc.constantFrom('', 'b\x01x\x02', 'b\x01y\x02'),
  })
  .map(({ a, b }) => a + b)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: properties.map(text => ({ kind: 'send' as const, properties: text })) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('subscribe' as const),
      group: fc.constantFrom(...GROUPS),
      expression: fc.constantFrom(...EXPRESSIONS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), group: fc.constantFrom(...GROUPS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('calc' as const), isOn: fc.boolean() }) },
  // the wall clock is turned back, too
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('clock' as const), ms: fc.integer({ min: -50, max: 50 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), isClean: fc.boolean() }) },
)

/** A store whose queues keep bits, and the groups that filter its topic. */
class Filtered {
  private readonly parts = brokerParts()
  private readonly settings = { ...this.parts.settings, enableCalcFilterBitMap: true }
  private store!: MessageStore
  private filters!: ConsumerFilterManager
  private readonly subscribed = new Map<string, string>()
  private version = 1
  /** Records that filters looked into. */
  looked = 0

  async start(): Promise<void> {
    this.filters = new ConsumerFilterManager({
      ...this.parts,
      settings: this.settings,
      logEnd: () => this.store.log.maxOffset,
    })
    this.store = createStore({
      rootDir: this.parts.settings.storePathRootDir,
      clock: this.parts.clock,
      settings: { enableConsumeQueueExt: true, mappedFileSizeConsumeQueueExt: 1000 },
      bitMapOf: record => this.filters.bitMapOf(record),
      onLocked: () => this.filters.load(),
    })
    await this.store.start()
  }

  async run(next: Step): Promise<void> {
    if (next.kind === 'send') {
      expect(this.store.append(message({ properties: next.properties })).status).toBe('PUT_OK')
    } else if (next.kind === 'subscribe') this.subscribe(next.group, next.expression)
    else if (next.kind === 'leave') this.filters.unregister(next.group)
    else if (next.kind === 'clock') this.parts.clock.jump(next.ms)
    else if (next.kind === 'calc') this.settings.enableCalcFilterBitMap = next.isOn
    else await this.restart(next.isClean)
  }

  subscribe(group: string, expression: string): void {
    const subVersion = ++this.version
    this.filters.register(group, [
      buildSubscriptionData({ topic: TOPIC, expression, expressionType: 'SQL92', subVersion }),
    ])
    this.subscribed.set(group, expression)
  }

  /** What was not saved is forgotten; groups come back one by one. */
  private async restart(isClean: boolean): Promise<void> {
    if (isClean) await this.filters.persist()
    await this.store.shutdown()
    await this.start()
    for (const [group, expression] of this.subscribed) this.subscribe(group, expression)
  }

  /** Every group gets with bits what it gets without. */
  async check(): Promise<void> {
    for (const group of this.subscribed.keys()) {
      const filter = this.filterOf(group)
      const without: MessageFilter = { ...filter, matchesQueueUnit: () => true }
      expect([group, await this.pulled(filter)]).toEqual([group, await this.pulled(without)])
    }
  }

  filterOf(group: string): MessageFilter {
    const subscription = buildSubscriptionData({
      topic: TOPIC,
      expression: 'x',
      expressionType: 'SQL92',
      subVersion: 1,
    })
    const filterData = this.filters.get(TOPIC, group)
    const filter = messageFilter({ subscription, filterData }, 0, this.filters.bloomFilter)!
    const { matchesRecord } = filter
    return {
      ...filter,
      matchesRecord: (bytes, start, end) => {
        this.looked++
        return matchesRecord!(bytes, start, end)
      },
    }
  }

  async pulled(filter: MessageFilter): Promise<number[]> {
    const taken: number[] = []
    for (let offset = 0; offset < this.store.maxOffset(TOPIC, 0); ) {
      const request = { group: 'g', topic: TOPIC, queueId: 0, offset, maxMsgNums: 32, filter }
      const found = (await this.store.getMessage(request))!
      for (const slice of found.slices) {
        for (let at = 0; at < slice.length; at += slice.readInt32BE(at))
          taken.push(Number(slice.readBigInt64BE(at + 20)))
      }
      found.release()
      offset = found.nextBeginOffset
    }
    return taken
  }

  stop(): Promise<void> {
    return this.store.shutdown()
  }
}

test('bits worked out at dispatch never change what a group gets', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async steps => {
      const filtered = new Filtered()
      await filtered.start()
      for (const next of steps) await filtered.run(next)
      await filtered.check()
      await filtered.stop()
    }),
    { numRuns: 40 },
  )
}, 60_000)

test('messages that a group does not want are not read', async () => {
  const filtered = new Filtered()
  await filtered.start()
  filtered.subscribe('G1', 'a > 2')
  await filtered.run({ kind: 'clock', ms: 1 })
  for (let i = 0; i < 200; i++)
    await filtered.run({ kind: 'send', properties: i === 150 ? 'a\x015\x02' : 'a\x011\x02' })
  expect(await filtered.pulled(filtered.filterOf('G1'))).toEqual([150])
  expect(filtered.looked).toBe(1)
  await filtered.stop()
})
