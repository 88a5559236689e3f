import { cpSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/common/index.js'
import type { MessageStore } from '../../src/store/index.js'
import { createStore, message, scratchFolder } from '../support/store.js'

type Step =
  | { kind: 'send'; queueId: number; size: number; tag: string }
  | { kind: 'batch'; queueId: number; sizes: number[] }
  | { kind: 'pull'; queueId: number; from: number; max: number }
  | { kind: 'write' }
  | { kind: 'reopen' }
  | { kind: 'kill' }

const queueId = fc.integer({ min: 0, max: 3 })
const size = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 5000 }))
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('send' as const), queueId, size, tag: fc.constantFrom('', 'a', 'b') }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('batch' as const),
      queueId,
      sizes: fc.array(size, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('pull' as const),
      queueId,
      from: fc.integer({ min: 0, max: 40 }),
      max: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'write' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
)

const settings = { mappedFileSizeCommitLog: 16 * 1024, mappedFileSizeConsumeQueue: 200, maxIndexNum: 30 }

/** The store, and beside it plain arrays that say what it must hold. */
class Checked {
  private readonly model: Buffer[][] = [[], [], [], []]
  private readonly keys: { key: string; body: Buffer }[] = []
  private sent = 0

  constructor(private store: MessageStore) {}

  async run(next: Step): Promise<void> {
    switch (next.kind) {
      case 'send':
        return this.send(next.queueId, next.size, next.tag)
      case 'batch':
        return this.batch(next.queueId, next.sizes)
      case 'pull':
        return this.pull(next.queueId, next.from, next.max)
      case 'write':
        return this.store.queues.writeOut()
      case 'reopen':
        await this.store.shutdown()
        return this.open(this.store.folders.root)
      case 'kill': {
        const copy = join(scratchFolder(), 'image')
        cpSync(this.store.folders.root, copy, { recursive: true })
        await this.store.shutdown()
        return this.open(copy)
      }
    }
  }

  private async open(rootDir: string): Promise<void> {
    this.store = createStore({ rootDir, settings })
    await this.store.start()
  }

  private body(length: number): Buffer {
    this.sent++
    const body = Buffer.alloc(length, this.sent & 0xff)
    body.write(String(this.sent))
    return body
  }

  private send(queue: number, length: number, tag: string): void {
    const body = this.body(length)
    const key = `k${this.sent}`
    const properties = `UNIQ_KEY\x01${key}\x02${tag && `TAGS\x01${tag}\x02`}`
    const result = this.store.append(message({ queueId: queue, body, properties }))
    expect(result).toMatchObject({ status: 'PUT_OK', queueOffset: this.model[queue]!.length })
    this.model[queue]!.push(body)
    this.keys.push({ key, body })
  }

  private batch(queue: number, sizes: number[]): void {
    const bodies = sizes.map(one => this.body(Math.min(one, 2000)))
    const body = encodeBatch(bodies.map(one => ({ flag: 0, body: one, properties: new Map([['WAIT', 'true']]) })))
    const result = this.store.appendBatch(message({ queueId: queue, body, properties: 'A\x01B\x02' }))
    expect(result).toMatchObject({
      status: 'PUT_OK',
      queueOffset: this.model[queue]!.length,
      messageCount: sizes.length,
    })
    this.model[queue]!.push(...bodies)
  }

  private async pull(queue: number, from: number, max: number): Promise<void> {
    const expected = this.model[queue]!
    const found = (await this.store.getMessage({
      group: 'g',
      topic: 'TopicA',
      queueId: queue,
      offset: from,
      maxMsgNums: max,
    }))!
    expect(found.maxOffset).toBe(expected.length)
    if (expected.length === 0) expect(found.status).toBe('NO_MESSAGE_IN_QUEUE')
    else if (from === expected.length) expect(found.status).toBe('OFFSET_OVERFLOW_ONE')
    else if (from > expected.length) expect(found.status).toBe('OFFSET_OVERFLOW_BADLY')
    else {
      expect(found.status).toBe('FOUND')
      expect(found.messageCount).toBeGreaterThan(0)
      expect(found.messageCount).toBeLessThanOrEqual(max)
      expect(found.nextBeginOffset).toBe(from + found.messageCount)
      expect(bodiesOf(found.slices)).toEqual(expected.slice(from, found.nextBeginOffset))
    }
    found.release()
  }

  /** Everything once more at the end. */
  async finish(): Promise<void> {
    for (const [queue, expected] of this.model.entries()) {
      for (let from = 0; from < expected.length; from++) await this.pull(queue, from, 40)
    }
    for (const { key, body } of this.keys) {
      const query = { topic: 'TopicA', key, maxNum: 64, begin: 0, end: Number.MAX_SAFE_INTEGER }
      const { records } = await this.store.queries.queryMessage(query)
      expect(records.some(record => bodiesOf([record])[0]!.equals(body))).toBe(true)
    }
    await this.store.shutdown()
  }
}

function bodiesOf(slices: readonly Buffer[]): Buffer[] {
  const all = Buffer.concat(slices as Buffer[])
  const bodies: Buffer[] = []
  for (let at = 0; at < all.length; at += all.readInt32BE(at)) {
    bodies.push(all.subarray(at + 88, at + 88 + all.readInt32BE(at + 84)))
  }
  return bodies
}

test('the store equals plain arrays under random sends, pulls, reopenings and kills', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), fc.boolean(), async (steps, isCold) => {
      const store = createStore({ settings, ...(isCold && { memoryBytes: 3000 }) })
      await store.start()
      const checked = new Checked(store)
      for (const next of steps) await checked.run(next)
      await checked.finish()
    }),
    { numRuns: Number(process.env.STORE_RUNS ?? 40) },
  )
})
