import { expect, test } from 'vitest'
import { ConsumeQueueChunk, UNIT_SIZE } from '../../../src/store/consume-queue-chunk.js'

/** Appends units until `count` are there, growing as a queue does. */
function fill(chunk: ConsumeQueueChunk, count: number, seed: number, limit: number): void {
  while (chunk.length < count * UNIT_SIZE) {
    if (chunk.length === chunk.capacity) expect(chunk.grow(limit)).toBe(true)
    const number = chunk.length / UNIT_SIZE
    chunk.append(seed + number * 1000, number, -seed - number)
  }
}

function expectUnits(chunk: ConsumeQueueChunk, count: number, seed: number): void {
  const { view } = chunk
  for (let number = 0; number < count; number++) {
    const at = number * UNIT_SIZE
    const isRight =
      view.getBigInt64(at) === BigInt(seed + number * 1000) &&
      view.getInt32(at + 8) === number &&
      view.getBigInt64(at + 12) === BigInt(-seed - number)
    // one assertion each would take most of the time
    if (!isRight) expect.fail(`unit ${number} of the chunk at ${chunk.start} is not what was appended`)
  }
}

test('chunks that lie together keep their units apart while they grow', () => {
  const limit = 800 * UNIT_SIZE
  const chunks = Array.from({ length: 60 }, (_, i) => ConsumeQueueChunk.empty(i * limit, limit, UNIT_SIZE))
  for (const count of [1, 16, 17, 40, 250, 800]) {
    for (const [i, chunk] of chunks.entries()) fill(chunk, count, i * 2 ** 40, limit)
    for (const [i, chunk] of chunks.entries()) expectUnits(chunk, count, i * 2 ** 40)
  }
  for (const chunk of chunks) {
    expect([chunk.length, chunk.capacity, chunk.written, chunk.view.byteLength]).toEqual([limit, limit, 0, limit])
    expect(chunk.grow(limit)).toBe(false)
  }
})

test('the view shows what is appended and put later, and follows the bytes when they move', () => {
  const chunk = ConsumeQueueChunk.empty(0, 1000, UNIT_SIZE)
  const { view } = chunk
  chunk.append(7, 8, 9)
  expect(view.getInt32(8)).toBe(8)
  chunk.set(Buffer.from([1, 2]), 0)
  expect(chunk.bytes(0, 3)).toEqual(Buffer.from([1, 2, 0]))
  expect(view.getUint16(0)).toBe(0x102)
  chunk.grow(1000)
  chunk.set(Buffer.from([3]), 0)
  expect([chunk.view.getUint8(0), chunk.view.getUint8(1), view.getUint8(0)]).toEqual([3, 2, 1])
})

test('bytes of a file are the chunk as they are', () => {
  const bytes = Buffer.from('--0123456789').subarray(2)
  const chunk = ConsumeQueueChunk.read(40, bytes, 6)
  expect([chunk.start, chunk.end, chunk.written, chunk.capacity]).toEqual([40, 46, 6, 10])
  expect(String(chunk.buffer)).toBe('0123456789')
  expect(chunk.view.getUint8(1)).toBe(0x31)
})
