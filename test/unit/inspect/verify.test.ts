import { mkdirSync, readdirSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { copyOf, damage, verify, writtenStore } from '../../support/inspected-store.js'
import { createStore, message } from '../../support/store.js'

const FILE_0 = 'commitlog/00000000000000000000'
const FILE_1 = 'commitlog/00000000000000004096'
const QUEUE = 'consumequeue/Topic0/0/00000000000000000000'
const RECORD_HEAD = 84

let root: string
let positions: number[]

beforeAll(async () => {
  ;({ root, positions } = await writtenStore())
})

/** The single damage that verify finds in a copy changed by `change`. */
async function only(change: (copy: string) => string) {
  const copy = copyOf(root)
  const file = change(copy)
  const { exitCode, damages } = await verify(copy)
  expect(damages.length).toBe(1)
  expect(exitCode).toBe(1)
  expect(damages[0]!.file).toBe(file)
  return damages[0]!
}

const flip = (bytes: Buffer, at: number): undefined => void (bytes[at]! ^= 1)

test('a store as our broker leaves it is sound', async () => {
  expect(await verify(root)).toMatchObject({ exitCode: 0, damages: [], notes: [] })
})

describe('a record', () => {
  test('whose body changed is named with its message, and the rest is read', async () => {
    const at = positions[4]!
    const found = await only(copy => damage(copy, FILE_0, bytes => flip(bytes, at + RECORD_HEAD + 6)))
    expect(found).toMatchObject({ part: 'commitlog', position: at, end: positions[5], messageCount: 1 })
    expect(found.problem).toBe('the record is damaged: its body does not fit its CRC')
    expect(found.messages).toEqual([{ topic: 'Topic0', queueId: 0, queueOffset: 2, physicalOffset: at, uniqKey: 'U4' }])
  })

  test.each([
    ['size', 3],
    ['magic number', 4],
    ['length of the body', 84 + 3],
  ])('whose %s changed is a gap in the log; its queue tells the message', async (_name, field) => {
    const at = positions[4]!
    const found = await only(copy => damage(copy, FILE_0, bytes => flip(bytes, at + field)))
    expect(found).toMatchObject({ part: 'commitlog', position: at, end: positions[5], messageCount: 1 })
    expect(found.messages).toEqual([{ topic: 'Topic0', queueId: 0, queueOffset: 2, physicalOffset: at }])
  })

  test.each([
    ['queue id', 15, /it is of Topic0-1, but Topic0-0 has its entry$/],
    ['queue offset', 27, /says that it is message 3 of Topic0-0, (but its entry is number 2|which is the one at)/],
    ['physical offset', 35, /says that it stands at/],
    ['key', 150, /its topic or its keys do not fit item/],
  ])('whose %s changed is told from its entries', async (_name, field, problem) => {
    const at = positions[4]!
    const found = await only(copy => damage(copy, FILE_0, bytes => flip(bytes, at + field)))
    expect(found).toMatchObject({ part: 'commitlog', position: at })
    expect(found.problem).toMatch(problem)
    expect(found.messages[0]).toMatchObject({ physicalOffset: at })
  })

  test('that is the last one and unreadable is missed by its queue', async () => {
    const at = positions.at(-1)!
    const name = `commitlog/${String(Math.floor(at / 4096) * 4096).padStart(20, '0')}`
    const found = await only(copy => damage(copy, name, bytes => flip(bytes, (at % 4096) + 4)))
    expect(found).toMatchObject({ part: 'commitlog', position: at % 4096 })
    expect(found.messages).toMatchObject([{ topic: 'Topic1', queueOffset: 29, physicalOffset: at }])
  })

  test('that was torn by the end of the process is no damage', async () => {
    const copy = copyOf(root)
    const at = positions.at(-1)!
    const name = `commitlog/${String(Math.floor(at / 4096) * 4096).padStart(20, '0')}`
    // half of a record behind the last one, which no queue knows yet
    damage(copy, name, bytes => {
      const size = bytes.readInt32BE(at % 4096)
      bytes.copy(bytes, (at % 4096) + size, at % 4096, (at % 4096) + Math.floor(size / 2))
      return undefined
    })
    writeFileSync(join(copy, 'abort'), '1')
    const { exitCode, damages, notes } = await verify(copy)
    expect({ exitCode, damages }).toEqual({ exitCode: 0, damages: [] })
    expect(notes.join()).toMatch(/the log ends at \d+; the bytes behind it in .* are no record/)
  })
})

describe('a file of the log', () => {
  test('that is cut loses the messages behind the cut', async () => {
    const copy = copyOf(root)
    const cut = positions[4]! + 50
    truncateSync(join(copy, FILE_0), cut)
    const { exitCode, damages } = await verify(copy)
    expect(exitCode).toBe(1)
    expect(damages.map(({ file, position }) => ({ file, position }))).toEqual([
      { file: join(copy, FILE_0), position: cut },
      { file: join(copy, FILE_0), position: positions[4]! },
    ])
    const lost = positions.filter(position => position >= positions[4]! && position < 4096)
    const named = damages.flatMap(({ messages }) => messages.map(one => one.physicalOffset!)).sort((a, b) => a - b)
    expect(named).toEqual(lost)
    expect(damages[1]!.messages).toMatchObject([{ topic: 'Topic0', queueOffset: 2 }])
  })

  test('that is missing loses its messages', async () => {
    const copy = copyOf(root)
    unlinkSync(join(copy, FILE_1))
    const { damages } = await verify(copy)
    const lost = positions.filter(position => position >= 4096 && position < 8192)
    expect(damages[0]).toMatchObject({ file: join(copy, FILE_0), position: 4096 })
    expect(damages[0]!.messages.map(one => one.physicalOffset).sort((a, b) => a! - b!)).toEqual(lost)
    expect(damages.length).toBe(1)
  })
})

describe('a queue', () => {
  test.each([
    ['position', 7, /^entry 3 of Topic0-0 points to \d+ instead of \d+$/],
    ['size', 11, /^entry 3 of Topic0-0 says \d+ bytes instead of \d+$/],
    ['tags code', 19, /^entry 3 of Topic0-0 has the tags code/],
  ])('with a wrong %s in an entry', async (_name, field, problem) => {
    const found = await only(copy => damage(copy, QUEUE, bytes => flip(bytes, 60 + field)))
    expect(found).toMatchObject({ part: 'consumequeue', position: 60, end: 80, messageCount: 1 })
    expect(found.problem).toMatch(problem)
    expect(found.messages[0]).toMatchObject({ queueOffset: 3, physicalOffset: positions[6], uniqKey: 'U6' })
  })

  test('with a hole', async () => {
    const found = await only(copy => damage(copy, QUEUE, bytes => void bytes.fill(0, 60, 100)))
    expect(found).toMatchObject({ position: 60, end: 100, messageCount: 2 })
    expect(found.problem).toBe('entries 3 to 4 of Topic0-0 are empty, although the queue goes on behind them')
    expect(found.messages.map(one => one.queueOffset)).toEqual([3, 4])
  })

  test('that ends too early', async () => {
    const found = await only(copy => damage(copy, QUEUE, bytes => void bytes.fill(0, 500)))
    expect(found).toMatchObject({ position: 500, messageCount: 5 })
  })

  test('that ends too early is no damage while a broker may still write it', async () => {
    const copy = copyOf(root)
    damage(copy, QUEUE, bytes => void bytes.fill(0, 500))
    writeFileSync(join(copy, 'abort'), '1')
    const { exitCode, notes } = await verify(copy)
    expect(exitCode).toBe(0)
    expect(notes[0]).toContain('5 records have no queue entry yet')
  })

  test('that is cut', async () => {
    const copy = copyOf(root)
    truncateSync(join(copy, QUEUE), 510)
    const { damages } = await verify(copy)
    expect(damages).toMatchObject([{ part: 'consumequeue', messageCount: 5 }])
  })

  test('that points behind the end of the log', async () => {
    const copy = copyOf(root)
    damage(copy, QUEUE, bytes => void bytes.copy(bytes, 600, 580, 600))
    damage(copy, QUEUE, bytes => void bytes.writeBigInt64BE(20_000n, 600))
    const { damages } = await verify(copy)
    expect(damages).toMatchObject([{ messages: [{ topic: 'Topic0', queueOffset: 30, physicalOffset: 20_000 }] }])
  })
})

describe('the index', () => {
  const item = (number: number): number => 40 + 100 * 4 + number * 20
  let name: string

  beforeAll(() => {
    name = `index/${readdirSync(join(root, 'index')).sort()[0]}`
  })

  test.each([
    ['hash', 1, /^item 7 has the hash/],
    ['position', 10, /^item 7 points to/],
    ['time', 12, /^item 7 has a time difference of/],
    ['link', 19, /^item 7 is followed by item/],
  ])('with a wrong %s in an item', async (_name, field, problem) => {
    const found = await only(copy => damage(copy, name, bytes => flip(bytes, item(7) + field)))
    expect(found).toMatchObject({ part: 'index', position: item(7), end: item(8) })
    expect(found.problem).toMatch(problem)
    expect(found.messages[0]).toMatchObject({ uniqKey: 'U2' })
  })

  test('with a wrong slot', async () => {
    const found = await only(copy => damage(copy, name, bytes => flip(bytes, 40 + 4 * 10 + 3)))
    expect(found).toMatchObject({ part: 'index', position: 80, end: 84 })
  })

  test.each([0, 8, 16, 24, 32, 36])('with a wrong field at %i of its header', async field => {
    const found = await only(copy => damage(copy, name, bytes => flip(bytes, field + 3)))
    expect(found).toMatchObject({ part: 'index', position: field })
  })

  test('that is missing is said', async () => {
    const copy = copyOf(root)
    rmSync(join(copy, 'index'), { recursive: true })
    expect(await verify(copy)).toMatchObject({ exitCode: 0, notes: ['there is no index'] })
  })

  test('that ends too early', async () => {
    const copy = copyOf(root)
    damage(copy, name, bytes => {
      // the last record's three keys are gone, slots and header as if they had never been there
      const before = bytes.readInt32BE(36) - 4
      for (let number = before + 3; number > before; number--) {
        const slot = 40 + (bytes.readInt32BE(item(number)) % 100) * 4
        const previous = bytes.readInt32BE(item(number) + 16)
        bytes.writeInt32BE(previous, slot)
        if (previous === 0) bytes.writeInt32BE(bytes.readInt32BE(32) - 1, 32)
        bytes.fill(0, item(number), item(number + 1))
      }
      bytes.writeInt32BE(before + 1, 36)
      bytes.copy(bytes, 24, item(before) + 4, item(before) + 12)
      return undefined
    })
    const { damages } = await verify(copy)
    // the end time in the header may be that of the last record that is left
    expect(damages.filter(({ problem }) => !problem.startsWith('endTimestamp'))).toMatchObject([
      {
        part: 'index',
        messageCount: 3,
        problem: expect.stringMatching(/^3 keys of records from \d+ on are not in the/),
      },
    ])
  })
})

describe('other files', () => {
  test('a checkpoint ahead of the log, and one that is cut', async () => {
    const found = await only(copy => damage(copy, 'checkpoint', bytes => void bytes.writeBigInt64BE(1n << 40n, 32)))
    expect(found).toMatchObject({ part: 'checkpoint', position: 32 })
    await only(copy => damage(copy, 'checkpoint', bytes => bytes.subarray(0, 100)))
  })

  test('a configuration that is no JSON', async () => {
    const found = await only(copy => {
      mkdirSync(join(copy, 'config'))
      writeFileSync(join(copy, 'config', 'topics.json'), '{"topicConfigTable":')
      return join(copy, 'config', 'topics.json')
    })
    expect(found.problem).toMatch(/^it cannot be read: /)
  })

  test('a queue folder that is missing for a configured topic; of a deleted topic it is no damage', async () => {
    const copy = copyOf(root)
    rmSync(join(copy, 'consumequeue', 'Topic1'), { recursive: true })
    expect((await verify(copy)).notes.join()).toMatch(/^30 records are of Topic1, which has no queues/)
    mkdirSync(join(copy, 'config'))
    writeFileSync(join(copy, 'config', 'topics.json'), '{"topicConfigTable":{"Topic1":{"topicName":"Topic1"}}}')
    expect((await verify(copy)).damages).toMatchObject([{ part: 'consumequeue', messageCount: 30 }])
  })
})

test('what a broker makes of damage is not damage of its own', async () => {
  const copy = copyOf(root)
  const at = positions[4]!
  damage(copy, FILE_0, bytes => flip(bytes, at + RECORD_HEAD + 6))
  rmSync(join(copy, 'consumequeue'), { recursive: true })
  rmSync(join(copy, 'index'), { recursive: true })
  const store = createStore({ rootDir: copy, settings: { mappedFileSizeCommitLog: 4096 } })
  await store.start()
  store.append(message({ topic: 'Topic0', properties: 'KEYS\u0001more\u0002' }))
  await store.shutdown()
  expect((await verify(copy)).damages).toMatchObject([{ part: 'commitlog', position: at, messageCount: 1 }])
})

test('a log over several folders is one log', async () => {
  const copy = copyOf(root)
  const other = join(copy, 'other')
  mkdirSync(other)
  renameSync(join(copy, FILE_1), join(other, '00000000000000004096'))
  const folders = `${join(copy, 'commitlog')},${other}`
  expect(await verify(copy, '--commitlog', folders)).toMatchObject({ exitCode: 0, damages: [] })
})
