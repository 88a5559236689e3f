import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/common/index.js'
import type { GetMessageResult, MessageStore, StoreSettings } from '../../src/store/index.js'
import { ManualClock } from '../support/manual-clock.js'
import { Random } from '../support/random.js'
import { SimulatedDisk } from '../support/simulated-disk.js'
import { createStore, message } from '../support/store.js'

const ROOT = '/store'
const TOPICS = ['A', 'B', 'C']
const QUEUES = 2
const LIGHT = '%LMQ%light'

interface Sent {
  readonly body: string
  /** The sender was told that it is stored. */
  isAcknowledged: boolean
}

/** A broker's store on a disk that forgets, and beside it plain arrays of what was sent. */
class PowerCutRun {
  readonly disk: SimulatedDisk
  private readonly random: Random
  private clock = new ManualClock()
  private readonly settings: Partial<StoreSettings>
  private store!: MessageStore
  /** By queue, by offset: what was sent there since the topic was made. */
  private readonly sent = new Map<string, (Sent | undefined)[]>()
  /** By queue, by offset: what a consumer was given. */
  private readonly seen = new Map<string, string[]>()
  private readonly consumerOffsets = new Map<string, number>()
  private readonly pending = new Set<Promise<unknown>>()
  /** What names the light queue. */
  private readonly light = new Set<string>()
  private isFailed = false
  /** What a check in the background found. */
  private broken: unknown
  private count = 0
  /** Acknowledgements of this process count only while it lives. */
  private life = 0

  constructor(readonly seed: number) {
    this.random = new Random(seed)
    this.disk = new SimulatedDisk(this.random)
    this.disk.slowness = this.random.below(4)
    this.settings = {
      flushDiskType: this.random.chance(0.7) ? 'SYNC_FLUSH' : 'ASYNC_FLUSH',
      mappedFileSizeCommitLog: this.random.pick([2048, 4096, 8192]),
      mappedFileSizeConsumeQueue: this.random.pick([60, 200]),
      flushConsumeQueueThoroughInterval: 3000,
      flushCommitLogThoroughInterval: 1000,
      maxHashSlotNum: 8,
      maxIndexNum: this.random.pick([12, 40]),
      cleanResourceInterval: 1_000_000,
      enableConsumeQueueExt: this.random.chance(0.3),
      mappedFileSizeConsumeQueueExt: this.random.pick([100, 300]),
      ...(this.random.chance(0.3) && { enableLmq: true, enableMultiDispatch: true }),
      storePathCommitLog: this.random.pick(['', '', '/store/commitlog', '/disk1/log,/disk2/log', '/c,/b,/a']),
    }
  }

  private get isSync(): boolean {
    return this.settings.flushDiskType === 'SYNC_FLUSH'
  }

  private async start(): Promise<void> {
    this.life++
    this.isFailed = false
    // the timers of a process end with it
    this.clock = new ManualClock(this.clock.now())
    this.store = createStore({ rootDir: ROOT, disk: this.disk.process(), clock: this.clock, settings: this.settings })
    await this.store.start()
  }

  async run(): Promise<void> {
    await this.start()
    for (let cuts = 1 + this.random.below(3); cuts > 0; cuts--) {
      for (let steps = 5 + this.random.below(25); steps > 0; steps--) await this.step()
      if (this.random.chance(0.25)) await this.stop()
      else this.cut()
      await this.start()
      await this.check()
    }
  }

  private async stop(): Promise<void> {
    await Promise.all(this.pending)
    await this.store.shutdown()
    this.disk.faults = { flush: 0, write: 0, open: 0, allocate: 0, code: 'EIO' }
    if (!this.isFailed) return
    this.life++
    // after a failed flush nobody knows what the disk has
    if (this.random.chance(0.5)) this.cut()
  }

  private cut(): void {
    this.life++
    this.pending.clear()
    this.disk.powerCut()
  }

  private async step(): Promise<void> {
    const what = this.random.below(20)
    if (what < 9) this.send()
    else if (what < 11) this.sendBatch()
    else if (what < 14) await this.turn()
    else if (what < 17) await this.consume()
    else if (what < 19) await this.clock.advance(this.random.pick([200, 1200, 4000]))
    else await this.rareStep(this.random.below(10))
  }

  private async rareStep(what: number): Promise<void> {
    if (what < 3) await this.deleteTopic()
    else if (what < 5) this.fail()
  }

  private turn(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve))
  }

  private fail(): void {
    const { random } = this
    this.disk.faults = {
      flush: random.chance(0.5) ? random.next() : 0,
      write: random.chance(0.5) ? random.next() : 0,
      open: random.chance(0.3) ? random.next() : 0,
      allocate: random.chance(0.3) ? random.next() : 0,
      code: random.pick(['EIO', 'ENOSPC']),
    }
  }

  private body(): string {
    return `${this.seed}-${this.count++}-${'x'.repeat(this.random.pick([0, 10, 300, 1000]))}`
  }

  private list<T>(lists: Map<string, T[]>, name: string): T[] {
    let list = lists.get(name)
    if (list === undefined) lists.set(name, (list = []))
    return list
  }

  private send(): void {
    const [topic, queueId] = [this.random.pick(TOPICS), this.random.below(QUEUES)]
    const body = this.body()
    const light = this.random.chance(0.5) ? `INNER_MULTI_DISPATCH\x01${LIGHT}\x02` : ''
    const properties = `UNIQ_KEY\x01${body.slice(0, 12)}\x02TAGS\x01t\x02${light}`
    if (light !== '') this.light.add(body)
    const result = this.store.append(message({ topic, queueId, body: Buffer.from(body), properties }))
    this.note(`${topic}-${queueId}`, result, [body])
  }

  private sendBatch(): void {
    const [topic, queueId] = [this.random.pick(TOPICS), this.random.below(QUEUES)]
    const bodies = Array.from({ length: 1 + this.random.below(3) }, () => this.body().slice(0, 100))
    const elements = bodies.map(body => ({ flag: 0, body: Buffer.from(body), properties: new Map([['K', 'v']]) }))
    const result = this.store.appendBatch(message({ topic, queueId, body: encodeBatch(elements) }))
    this.note(`${topic}-${queueId}`, result, bodies)
  }

  private note(
    name: string,
    result: { status: string; queueOffset: number; endOffset: number },
    bodies: readonly string[],
  ): void {
    if (this.isFailed && this.isSync) expect(result.status).not.toBe('PUT_OK')
    if (result.status !== 'PUT_OK') return
    const sent = this.list(this.sent, name)
    // numbers go on without a gap, and none is given twice
    expect([name, result.queueOffset]).toEqual([name, sent.length])
    const fresh = bodies.map(body => ({ body, isAcknowledged: false }))
    sent.push(...fresh)
    const { life } = this
    const { endOffset } = result
    const waiting = this.store.whenDurable(endOffset).then(status => {
      if (life !== this.life) return
      if (status === 'UNKNOWN_ERROR') this.isFailed = true
      else if (this.isFailed) expect(status).not.toBe('PUT_OK')
      if (status === 'PUT_OK') for (const one of fresh) one.isAcknowledged = true
      if (status === 'UNKNOWN_ERROR') return this.askAgain(endOffset, life)
      return undefined
    })
    this.pending.add(waiting)
    waiting.then(
      () => this.pending.delete(waiting),
      (error: unknown) => {
        this.broken ??= error
      },
    )
  }

  /** A sound disk afterwards proves nothing: the kernel has dropped what it could not write. */
  private async askAgain(endOffset: number, life: number): Promise<void> {
    this.disk.faults = { flush: 0, write: 0, open: 0, allocate: 0, code: 'EIO' }
    await this.store.flush().catch(() => {})
    const status = await this.store.whenDurable(endOffset)
    if (life === this.life) expect(status).toBe('UNKNOWN_ERROR')
  }

  /** Reads on from where a consumer is, and saves how far it got as the broker does. */
  private async consume(): Promise<void> {
    const [topic, queueId] = [this.random.pick(TOPICS), this.random.below(QUEUES)]
    const name = `${topic}-${queueId}`
    const offset = this.consumerOffsets.get(name) ?? 0
    const found = await this.read(topic, queueId, offset)
    if (found?.status !== 'FOUND') return
    const { nextBeginOffset } = found
    const seen = this.list(this.seen, name)
    for (const [at, body] of messagesOf(found.slices)) seen[at] = body
    found.release()
    const flushed = await this.store.flush().then(
      () => true,
      () => false,
    )
    if (flushed) this.consumerOffsets.set(name, nextBeginOffset)
  }

  private async read(topic: string, queueId: number, offset: number): Promise<GetMessageResult | undefined> {
    try {
      return await this.store.getMessage({ group: 'g', topic, queueId, offset, maxMsgNums: 5 })
    } catch (error) {
      // the disk refused to be read
      if (this.disk.failures === 0) throw error
      return undefined
    }
  }

  private async deleteTopic(): Promise<void> {
    if (this.disk.faults.write > 0) return
    const topic = this.random.pick(TOPICS)
    await this.store.deleteTopic(topic)
    for (let queueId = 0; queueId < QUEUES; queueId++) {
      const name = `${topic}-${queueId}`
      for (const table of [this.sent, this.seen, this.consumerOffsets]) table.delete(name)
    }
  }

  private async check(): Promise<void> {
    if (this.broken !== undefined) throw this.broken
    for (const topic of TOPICS) {
      for (let queueId = 0; queueId < QUEUES; queueId++) await this.checkQueue(topic, queueId)
    }
    if (this.settings.enableLmq) await this.checkLightQueue()
  }

  /** What is in a queue and names the light one is in that, too, once, under the number that it says. */
  private async checkLightQueue(): Promise<void> {
    const found = new Set<string>()
    for (const unit of await this.store.queries.units(LIGHT, 0, 0, 100_000)) {
      const record = await this.store.queries.recordAt(unit.physicalOffset)
      // torn by a power cut
      if (record === undefined) continue
      const text = record.toString('latin1')
      expect(text).toContain(`INNER_MULTI_QUEUE_OFFSET\x01${unit.queueOffset}\x02`)
      const [first] = messagesOf([record])
      const body = first![1]
      expect([body, found.has(body)]).toEqual([body, false])
      found.add(body)
    }
    for (const sent of this.sent.values()) {
      for (const body of sent.map(one => one?.body)) {
        if (body !== undefined && this.light.has(body)) expect([body, found.has(body)]).toEqual([body, true])
      }
    }
  }

  /** Each unit has its extension, the right one. */
  private async checkExtensions(topic: string, queueId: number): Promise<void> {
    for (const unit of await this.store.queries.units(topic, queueId, 0, 100_000)) {
      const { physicalOffset, extension } = unit
      const record = await this.store.queries.recordAt(physicalOffset)
      // torn by a power cut
      if (record === undefined) continue
      const tagsCode = record.includes('TAGS\x01t\x02') ? 't'.charCodeAt(0) : 0
      const storeTimestamp = Number(record.readBigInt64BE(56))
      expect(extension).toEqual({ tagsCode, storeTimestamp, bitMap: undefined })
    }
  }

  private async checkQueue(topic: string, queueId: number): Promise<void> {
    const name = `${topic}-${queueId}`
    const sent = this.list(this.sent, name)
    const seen = this.list(this.seen, name)
    const max = this.store.maxOffset(topic, queueId)
    const found = new Map<number, string>()
    for (let offset = 0; offset < max; ) {
      const result = (await this.store.getMessage({ group: 'g', topic, queueId, offset, maxMsgNums: 32 }))!
      for (const [at, body] of messagesOf(result.slices)) {
        expect(found.has(at)).toBe(false)
        found.set(at, body)
      }
      result.release()
      if (result.nextBeginOffset <= offset) break
      offset = result.nextBeginOffset
    }
    if (this.settings.enableConsumeQueueExt) await this.checkExtensions(topic, queueId)
    expect(max).toBeLessThanOrEqual(sent.length)
    for (const [at, body] of found) expect([name, at, body]).toEqual([name, at, sent[at]?.body])
    if (this.isSync) {
      for (const [at, one] of sent.entries()) {
        if (one?.isAcknowledged) expect([name, at, found.get(at)]).toEqual([name, at, one.body])
      }
      for (const [at, body] of seen.entries()) {
        if (body !== undefined) expect([name, at, found.get(at)]).toEqual([name, at, body])
      }
    }
    expect([name, this.consumerOffsets.get(name) ?? 0]).toEqual([
      name,
      Math.min(this.consumerOffsets.get(name) ?? 0, max),
    ])
    // what is gone is gone: the next message gets the number after the last one there is
    sent.length = max
    for (let at = 0; at < max; at++) {
      const body = found.get(at)
      sent[at] = body === undefined ? undefined : { body, isAcknowledged: this.isSync }
    }
    seen.length = Math.min(seen.length, max)
  }
}

function* messagesOf(slices: readonly Buffer[]): Iterable<[number, string]> {
  for (const slice of slices) {
    for (let at = 0; at < slice.length; at += slice.readInt32BE(at)) {
      yield [
        Number(slice.readBigInt64BE(at + 20)),
        slice.toString('utf8', at + 88, at + 88 + slice.readInt32BE(at + 84)),
      ]
    }
  }
}

const BUDGET_MS = Number(process.env.POWER_CUT_MS ?? 6_000)
/** As many on a slow machine too. */
const LEAST_RUNS = 100

test('no power cut takes what was acknowledged', { timeout: BUDGET_MS * 3 + 60_000 }, async () => {
  const first = Number(process.env.POWER_CUT_SEED ?? Date.now() & 0xffffff)
  const only = process.env.POWER_CUT_SEED !== undefined
  const started = performance.now()
  let seed = first
  do {
    const run = new PowerCutRun(seed)
    try {
      await run.run()
    } catch (error) {
      throw new Error(`POWER_CUT_SEED=${seed} fails: ${(error as Error).message}`, { cause: error })
    }
    seed++
  } while (!only && (performance.now() - started < BUDGET_MS || seed - first < LEAST_RUNS))
  console.info(`${seed - first} power-cut runs from seed ${first}`)
})
