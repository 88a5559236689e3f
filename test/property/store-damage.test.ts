import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { RecordPosition } from '../../src/common/index.js'
import type { MessageStore } from '../../src/store/index.js'
import { ManualClock } from '../support/manual-clock.js'
import { Random } from '../support/random.js'
import { SimulatedDisk } from '../support/simulated-disk.js'
import { createStore, message } from '../support/store.js'

const ROOT = '/store'
const LOG = join(ROOT, 'commitlog/00000000000000000000')
const SECOND_LOG = join(ROOT, 'commitlog/00000000000000002048')
const COUNT = 20
const settings = {
  mappedFileSizeCommitLog: 2048,
  mappedFileSizeConsumeQueue: 200,
  mapperFileSizeBatchConsumeQueue: 460,
  maxHashSlotNum: 97,
  maxIndexNum: 40,
}
/** Every bit and byte with EXHAUSTIVE=1; otherwise one of so many, others each time. */
const STRIDE = process.env.EXHAUSTIVE === undefined ? 149 : 1
const PHASE = Date.now() % STRIDE

interface Sent {
  readonly queueId: number
  readonly queueOffset: number
  readonly physicalOffset: number
  readonly end: number
  readonly record: Buffer
}

const sent: Sent[] = []
const stopped = new SimulatedDisk(new Random(1))
const killed = new SimulatedDisk(new Random(1))
let clock = new ManualClock()

function store(disk: SimulatedDisk): MessageStore {
  clock = new ManualClock(clock.now())
  return createStore({ rootDir: ROOT, disk: disk.process(), clock, settings })
}

beforeAll(async () => {
  const first = store(stopped)
  await first.start()
  for (let i = 0; i < COUNT; i++) {
    const properties = `UNIQ_KEY\x01key${i}\x02TAGS\x01t${i}\x02`
    const body = Buffer.from(`body ${i}`.repeat(1 + (i % 3)))
    const result = first.append(message({ queueId: i % 2, body, properties }))
    const { physicalOffset, queueOffset, endOffset: end } = result
    const record = (await first.queries.recordAt(physicalOffset))!
    sent.push({ queueId: i % 2, queueOffset, physicalOffset, end, record })
    await clock.advance(10)
  }
  await clock.advance(2000)
  killed.copyFrom(stopped)
  await first.shutdown()
})

/** What consumers get, by queue and offset. */
async function served(from: MessageStore): Promise<Map<string, Buffer>> {
  const all = new Map<string, Buffer>()
  for (const [topic, { queues }] of from.queues.topics) {
    for (let queueId = 0; queueId < queues.length; queueId++) {
      if (queues[queueId] === undefined) continue
      let offset = from.minOffset(topic, queueId)
      while (offset < from.maxOffset(topic, queueId)) {
        const found = (await from.getMessage({ group: 'g', topic, queueId, offset, maxMsgNums: 32 }))!
        for (const slice of found.slices) {
          for (let at = 0; at < slice.length; at += slice.readInt32BE(at)) {
            const record = Buffer.from(slice.subarray(at, at + slice.readInt32BE(at)))
            const name = `${topic}-${queueId}-${Number(record.readBigInt64BE(20))}`
            expect(all.has(name)).toBe(false)
            all.set(name, record)
          }
        }
        found.release()
        if (found.nextBeginOffset <= offset) break
        offset = found.nextBeginOffset
      }
    }
  }
  return all
}

const nameOf = (one: Sent): string => `TopicA-${one.queueId}-${one.queueOffset}`

/** Starts on a damaged copy; the store serves what it can, takes messages, and says what it found. */
async function startOn(
  image: SimulatedDisk,
  damage: (disk: SimulatedDisk) => void,
  check: (found: Map<string, Buffer>, opened: MessageStore) => void | Promise<void>,
): Promise<void> {
  const disk = new SimulatedDisk(new Random(1))
  disk.copyFrom(image)
  damage(disk)
  const opened = store(disk)
  await opened.start()
  const found = await served(opened)
  await check(found, opened)
  const next = opened.append(message({ body: Buffer.from('next') }))
  expect(next.status).toBe('PUT_OK')
  expect(opened.maxOffset('TopicA', 0)).toBe(next.queueOffset + 1)
  await opened.shutdown()
  // what a start has made of the damage, the next one finds in order
  const again = store(disk)
  await again.start()
  expect(again.recovery!.isAfterCrash).toBe(false)
  expect(again.maxOffset('TopicA', 0)).toBe(next.queueOffset + 1)
  await again.shutdown()
}

function flip(disk: SimulatedDisk, path: string, bit: number): void {
  const bytes = Buffer.from(disk.contents.get(path)!)
  bytes[bit >> 3]! ^= 1 << (bit & 7)
  disk.put(path, bytes)
}

function* bits(bytes: number): Iterable<number> {
  for (let bit = PHASE; bit < bytes * 8; bit += STRIDE) yield bit
}

function* lengths(bytes: number): Iterable<number> {
  for (let length = PHASE; length < bytes; length += STRIDE) yield length
}

describe.each([
  ['a clean stop', stopped],
  ['a kill', killed],
])('after %s', (_, image) => {
  /** Bit number `bit` of a file of the log that begins at `start`. */
  const checkFlip = (path: string, start: number, bit: number): Promise<void> => {
    const all = new Set(sent.map(nameOf))
    const at = start + (bit >> 3)
    const hit = sent.find(one => at >= one.physicalOffset && at < one.end)
    return startOn(
      image,
      disk => flip(disk, path, bit),
      (found, opened) => {
        for (const one of sent) {
          if (one !== hit)
            expect([bit, path, nameOf(one), found.get(nameOf(one))]).toEqual([bit, path, nameOf(one), one.record])
        }
        const others = [...found.keys()].filter(name => !all.has(name))
        expect(others.length).toBeLessThanOrEqual(1)
        const isThere = hit === undefined || found.has(nameOf(hit))
        if (!isThere) expect([bit, path, opened.damage.total > 0]).toEqual([bit, path, true])
      },
    )
  }

  test('a flipped bit of the log costs one record, is reported when it can be seen, and moves no other', async () => {
    for (const path of [LOG, SECOND_LOG]) {
      const start = path === LOG ? 0 : 2048
      const used = Math.min(2048, sent.at(-1)!.end - start + 16)
      for (const bit of bits(used)) await checkFlip(path, start, bit)
    }
  }, 600_000)

  test('a record that names another queue, or no queue, costs neither that one nor its own another message', async () => {
    for (const { physicalOffset } of sent) {
      const [path, start] = physicalOffset < 2048 ? [LOG, 0] : [SECOND_LOG, 2048]
      const low = (physicalOffset - start + RecordPosition.QUEUE_ID + 3) * 8
      // of the queue ids, those nearest; and the bit that makes a half message of it
      const half = (physicalOffset - start + RecordPosition.SYS_FLAG + 3) * 8 + 2
      for (const bit of [low, low + 1, low + 7, half]) await checkFlip(path, start, bit)
    }
  }, 60_000)

  test('a log cut at any byte keeps every whole record', async () => {
    for (const path of [LOG, SECOND_LOG]) {
      const start = path === LOG ? 0 : 2048
      for (const length of lengths(2048)) {
        if (length === 0) continue
        await startOn(
          image,
          disk => disk.put(path, Buffer.from(disk.contents.get(path)!.subarray(0, length))),
          (found, opened) => {
            for (const one of sent) {
              const isCut = one.physicalOffset < start + 2048 && one.end > start + length
              if (!isCut) expect([length, path, found.get(nameOf(one))]).toEqual([length, path, one.record])
            }
            expect(opened.recovery!.damageCount).toBeGreaterThan(0)
          },
        )
      }
    }
  }, 600_000)

  test.each([0, 1])(
    'a damaged file of queue %i costs no message',
    async queueId => {
      const path = join(ROOT, `consumequeue/TopicA/${queueId}/00000000000000000000`)
      const everything = (found: Map<string, Buffer>): void => {
        for (const one of sent) expect(found.get(nameOf(one))).toEqual(one.record)
        expect(found.size).toBe(sent.length)
      }
      for (const bit of bits(200)) await startOn(image, disk => flip(disk, path, bit), everything)
      for (const length of lengths(200)) {
        await startOn(
          image,
          disk => disk.put(path, Buffer.from(disk.contents.get(path)!.subarray(0, length))),
          everything,
        )
      }
    },
    600_000,
  )

  test('a damaged index costs no message and at most one key', async () => {
    const path = [...image.contents.keys()].find(name => name.startsWith(join(ROOT, 'index')))!
    const check = async (found: Map<string, Buffer>, opened: MessageStore): Promise<void> => {
      for (const one of sent) expect(found.get(nameOf(one))).toEqual(one.record)
      let missing = 0
      for (const [i, one] of sent.entries()) {
        const query = { topic: 'TopicA', key: `key${i}`, maxNum: 10, begin: 0, end: Number.MAX_SAFE_INTEGER }
        const { records } = await opened.queries.queryMessage(query)
        if (!records.some(record => record.equals(one.record))) missing++
      }
      expect(missing).toBeLessThanOrEqual(1)
    }
    const { length } = image.contents.get(path)!
    for (const bit of bits(length)) await startOn(image, disk => flip(disk, path, bit), check)
    for (const cut of lengths(length)) {
      await startOn(image, disk => disk.put(path, Buffer.from(disk.contents.get(path)!.subarray(0, cut))), check)
    }
  }, 600_000)

  test.each(['checkpoint', 'cometmq/marks', 'cometmq/queues', 'abort', 'cometmq/recovery.json'])(
    'a damaged %s costs nothing',
    async name => {
      const path = join(ROOT, name)
      const bytes = image.contents.get(path)
      if (bytes === undefined) return expect(name).toBe('abort')
      const everything = (found: Map<string, Buffer>): void => {
        for (const one of sent) expect([name, found.get(nameOf(one))]).toEqual([name, one.record])
        expect(found.size).toBe(sent.length)
      }
      const length = Math.min(bytes.length, 400)
      for (const bit of bits(length)) await startOn(image, disk => flip(disk, path, bit), everything)
      for (const cut of lengths(length)) {
        await startOn(image, disk => disk.put(path, Buffer.from(bytes.subarray(0, cut))), everything)
      }
    },
    600_000,
  )
})
