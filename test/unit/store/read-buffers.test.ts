import { expect, test } from 'vitest'
import { ReadBuffers } from '../../../src/store/read-buffers.js'

const KB = 1024

test.each([
  [1, 4 * KB],
  [4 * KB, 4 * KB],
  [4 * KB + 1, 8 * KB],
  [128 * KB, 128 * KB],
  // not kept, so as long as it is asked for
  [128 * KB + 1, 128 * KB + 1],
])('%i bytes are a buffer of %i', (length, expected) => {
  expect(new ReadBuffers().take(length).length).toBe(expected)
})

test('a buffer is lent to one at a time, and again when it is back', () => {
  const buffers = new ReadBuffers()
  const one = buffers.take(5000)
  expect(buffers.take(5000)).not.toBe(one)
  buffers.giveBack(one)
  expect(buffers.take(3000)).not.toBe(one)
  expect(buffers.take(8000)).toBe(one)
  expect(buffers.take(8000)).not.toBe(one)
})

test('no more than 4 MB wait to be used again, and none that is longer than 128 KB', () => {
  const buffers = new ReadBuffers()
  const long = buffers.take(200 * KB)
  buffers.giveBack(long)
  expect(buffers.take(200 * KB)).not.toBe(long)
  const lent = Array.from({ length: 40 }, () => buffers.take(128 * KB))
  for (const buffer of lent) buffers.giveBack(buffer)
  const again = new Set(Array.from({ length: 40 }, () => buffers.take(128 * KB)))
  expect(lent.filter(buffer => again.has(buffer)).length).toBe(32)
})
