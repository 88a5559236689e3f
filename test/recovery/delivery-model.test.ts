import { expect, test } from 'vitest'
import { Producer, PushConsumer, type PushConsumerOptions } from '../../src/client/index.js'
import type { MessageExt, MessageQueue } from '../../src/common/index.js'
import { type Clock, silentLogger } from '../../src/util/index.js'
import { TestSystem } from '../integration/client-system.js'
import { eventually } from '../support/eventually.js'
import { fastClock } from '../support/fast-clock.js'
import { Random } from '../support/random.js'

/*
 * Two groups over one topic, one concurrent and one ordered, against a model of a few lines, while members join, leave
 * and crash and the broker restarts and is killed. Whatever was acknowledged is handled by both groups. The ordered
 * group sees no message of a queue before all that are in front of it, and one listener at a time has a queue.
 *
 * Time runs 20 times faster, for the broker and its clients alike: a retry of 10 s and a lock of 60 s are moments.
 */

const TOPIC = 'Model'
const QUEUES = 4
const SPEED = 20
const STEPS = Number(process.env.DELIVERY_STEPS ?? 30)
const SEEDS = (process.env.DELIVERY_SEEDS ?? `7,${Date.now() % 1_000_000}`).split(',').map(Number)
const MOST_MEMBERS = 4
const BEAT_MS = 50
/** A client that has lost its lock to a restart of the broker may go on for as long as it trusts it (Java: 30 s). */
const LOCK_TRUST_MS = 30_000

type Kind = 'concurrent' | 'ordered'

interface Member {
  readonly consumer: PushConsumer
  readonly name: string
  isDead: boolean
}

/** What a group should have, and what it got. */
class Group {
  readonly members: Member[] = []
  /** Bodies whose listener returned. */
  readonly handled = new Set<string>()
  repeats = 0
  readonly violations: string[] = []
  private readonly frontier = new Map<number, number>()
  private readonly listening = new Map<number, Member>()
  private joined = 0

  constructor(
    readonly kind: Kind,
    private readonly world: World,
  ) {}

  async join(): Promise<void> {
    if (this.members.length >= MOST_MEMBERS) return
    const name = `${this.kind}-${this.joined++}`
    const { clock, random, system } = this.world
    const options: PushConsumerOptions = {
      group: this.kind,
      namesrvAddr: system.namesrvAddr,
      clock,
      logger: silentLogger,
      timeoutMs: 60_000,
      instanceName: name,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      consumeMessageBatchMaxSize: 1 + random.below(4),
      consumeThreads: 4,
      pullBatchSize: 8,
      // few messages at hand and offsets stored often: what is stored too early is soon missed
      pullThresholdForQueue: 16,
      persistConsumerOffsetIntervalMs: 500,
      ...(this.kind === 'ordered'
        ? { onOrderedMessages: (messages, { queue }) => this.onOrdered(member, messages, queue) }
        : { onMessages: messages => this.onConcurrent(member, messages) }),
    }
    const member: Member = { name, isDead: false, consumer: new PushConsumer(options) }
    await member.consumer.subscribe(TOPIC)
    this.members.push(member)
    // a busy machine may not answer in a twentieth of the usual time: then nobody has joined
    await member.consumer.start().catch(() => {
      this.members.splice(this.members.indexOf(member), 1)
    })
  }

  async leave(): Promise<void> {
    const member = this.take()
    await member?.consumer.stop()
  }

  /** The process is gone: what its listener does counts no more, and nobody is told. */
  crash(): void {
    const member = this.take()
    if (member === undefined) return
    member.isDead = true
    for (const [queueId, listening] of this.listening) if (listening === member) this.listening.delete(queueId)
    member.consumer.instance.remoting.stop()
    this.world.ends.push(member.consumer.stop())
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.splice(0).map(({ consumer }) => consumer.stop()))
  }

  private take(): Member | undefined {
    return this.members.splice(this.world.random.below(Math.max(1, this.members.length)), 1)[0]
  }

  private async onConcurrent(member: Member, messages: readonly MessageExt[]): Promise<void> {
    const fails = await this.world.work()
    if (member.isDead) return
    if (fails) throw new Error('a failure of the model')
    for (const { body } of messages) this.note(body.toString())
  }

  private async onOrdered(member: Member, messages: readonly MessageExt[], { queueId }: MessageQueue): Promise<void> {
    if (member.isDead) return
    const other = this.listening.get(queueId)
    if (other !== undefined && !this.world.locksWereLost)
      this.violations.push(`${member.name} and ${other.name} listen to queue ${queueId} at once`)
    this.listening.set(queueId, member)
    const fails = await this.world.work()
    if (member.isDead) return
    if (this.listening.get(queueId) === member) this.listening.delete(queueId)
    if (fails) throw new Error('a failure of the model')
    for (const { body, queueOffset } of messages) {
      const next = this.frontier.get(queueId) ?? 0
      if (queueOffset > next)
        this.violations.push(`${member.name} has ${queueOffset} of queue ${queueId} before ${next}`)
      this.frontier.set(queueId, Math.max(next, queueOffset + 1))
      this.note(body.toString())
    }
  }

  private note(text: string): void {
    if (this.handled.has(text)) this.repeats++
    this.handled.add(text)
  }
}

class World {
  readonly clock: Clock = fastClock(SPEED)
  readonly random: Random
  readonly system: TestSystem
  readonly acknowledged: string[] = []
  readonly ends: Promise<void>[] = []
  readonly groups: Readonly<Record<Kind, Group>>
  readonly history: string[] = []
  private readonly producer: Producer
  private readonly sends: Promise<void>[] = []
  private sent = 0
  /** Monotonic ms of the clock: until then two members may trust in one lock. */
  private locksLostUntil = Number.NEGATIVE_INFINITY
  private lastBeat = performance.now()
  private readonly heart = setInterval(() => this.beat(), BEAT_MS)

  private constructor(seed: number, system: TestSystem) {
    this.random = new Random(seed)
    this.system = system
    this.clock = system.clock
    this.groups = { concurrent: new Group('concurrent', this), ordered: new Group('ordered', this) }
    const { clock } = this
    this.producer = new Producer({ group: 'P', namesrvAddr: system.namesrvAddr, clock, sendTimeoutMs: 20_000 })
  }

  static async start(seed: number): Promise<World> {
    const system = new TestSystem(
      { timerWheelEnable: false, mappedFileSizeConsumeQueue: 20_000, maxHashSlotNum: 1000, maxIndexNum: 4000 },
      fastClock(SPEED),
    )
    await system.start()
    const world = new World(seed, system)
    await system.createTopic(TOPIC, QUEUES)
    await world.producer.start()
    return world
  }

  /** Brokers keep locks in memory: after a restart two members may believe that they have a queue, as with Java. */
  get locksWereLost(): boolean {
    return this.clock.monotonic() < this.locksLostUntil
  }

  /** What a listener does: takes its time, now and then more than a second of the broker's, and sometimes fails. */
  async work(): Promise<boolean> {
    const fails = this.random.chance(0.03)
    await pause(this.random.chance(0.2) ? 30 + this.random.below(50) : this.random.below(10))
    return fails
  }

  async run(): Promise<void> {
    for (const group of Object.values(this.groups)) await group.join()
    for (let step = 0; step < STEPS; step++) await this.step()
  }

  /** With nothing going wrong any more, everything comes. */
  async settle(): Promise<void> {
    await Promise.all(this.sends)
    const missing = ({ handled }: Group): string[] => this.acknowledged.filter(text => !handled.has(text))
    const groups = Object.values(this.groups)
    const isRead = async (group: Group): Promise<boolean> => {
      await group.join()
      return group.members.length > 0
    }
    for (const group of groups) await eventually(() => isRead(group), `a member of ${group.kind}`)
    await eventually(() => groups.every(group => missing(group).length === 0), 'all messages', 15_000).catch(() => {})
    for (const group of groups) expect([group.kind, missing(group)]).toEqual([group.kind, []])
    for (const group of groups) expect([group.kind, group.violations]).toEqual([group.kind, []])
    expect(this.acknowledged.length).toBeGreaterThan(0)
  }

  async stop(): Promise<void> {
    clearInterval(this.heart)
    await Promise.all(Object.values(this.groups).map(group => group.stop()))
    await Promise.all(this.ends)
    await this.producer.stop()
    await this.system.stop()
  }

  private async step(): Promise<void> {
    const { random, groups, system } = this
    const group = random.pick([groups.concurrent, groups.ordered])
    const [name, run] = random.pick<readonly [string, () => unknown]>([
      ['send', () => this.send()],
      ['send', () => this.send()],
      ['send', () => this.send()],
      [`${group.kind} joins`, () => group.join()],
      [`${group.kind} joins`, () => group.join()],
      [`${group.kind} leaves`, () => group.leave()],
      [`${group.kind} crashes`, () => group.crash()],
      [`${group.kind} crashes`, () => group.crash()],
      ['kill', () => this.down(() => system.killBroker())],
      ['restart', () => this.down(() => system.stopBroker())],
    ])
    this.history.push(name)
    await run()
    await pause(random.below(150))
  }

  /** Sends go on while other steps are made. */
  private send(): void {
    const count = 20 + this.random.below(100)
    for (let i = 0; i < count; i++) {
      const body = `m${this.sent++}`
      const sending = this.producer.send({ topic: TOPIC, body }).then(
        () => void this.acknowledged.push(body),
        () => {},
      )
      this.sends.push(sending)
    }
  }

  private loseLocks(): void {
    this.locksLostUntil = this.clock.monotonic() + LOCK_TRUST_MS
  }

  /** Where the machine stands still for long, locks expire that nobody could renew. */
  private beat(): void {
    const now = performance.now()
    if ((now - this.lastBeat) * SPEED > LOCK_TRUST_MS / 2) this.loseLocks()
    this.lastBeat = now
  }

  private async down(end: () => Promise<void>): Promise<void> {
    await end()
    await pause(this.random.below(100))
    await this.system.startBroker()
    this.loseLocks()
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

test.each(SEEDS)(
  'whatever members and the broker do, all is delivered, and in order: seed %i (DELIVERY_SEEDS)',
  async seed => {
    const world = await World.start(seed)
    try {
      await world.run()
      await world.settle()
    } catch (error) {
      throw new Error(`seed ${seed}: ${world.history.join(', ')}`, { cause: error })
    } finally {
      await world.stop()
      const { concurrent, ordered } = world.groups
      process.stdout.write(
        `seed ${seed}: ${world.acknowledged.length} messages, repeats ${concurrent.repeats} concurrent, ` +
          `${ordered.repeats} ordered; ${world.history.length} steps\n`,
      )
    }
  },
  60_000,
)
