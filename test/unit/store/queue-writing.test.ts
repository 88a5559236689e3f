import { expect, test } from 'vitest'
import { ConsumeQueueChunk } from '../../../src/store/consume-queue-chunk.js'
import { neighbours, type UnwrittenPart } from '../../../src/store/queue-writing.js'

const FILE = 1000
const startOf = (position: number) => Math.floor(position / FILE) * FILE

function part(start: number, from: number, to: number): UnwrittenPart {
  return { chunk: ConsumeQueueChunk.read(start, Buffer.alloc(100)), from, to }
}

const places = (groups: readonly (readonly UnwrittenPart[])[]) =>
  groups.map(group => group.map(({ chunk, from, to }) => [chunk.start + from, chunk.start + to]))

test('units that follow each other in a file are written at once, but not across files or gaps', () => {
  const parts = [part(800, 40, 100), part(900, 0, 100), part(1000, 0, 100), part(1100, 0, 60), part(1200, 0, 20)]
  expect(places(neighbours(parts, startOf))).toEqual([
    [
      [840, 900],
      [900, 1000],
    ],
    [
      [1000, 1100],
      [1100, 1160],
    ],
    [[1200, 1220]],
  ])
  expect(neighbours([], startOf)).toEqual([])
})

test('no write takes more pieces than a system call does', () => {
  const parts = Array.from({ length: 200 }, (_, i) => part(i * 100, 0, 100))
  const groups = neighbours(parts, () => 0)
  expect(groups.flat()).toEqual(parts)
  expect(Math.max(...groups.map(group => group.length))).toBeLessThanOrEqual(1024)
  expect(groups.length).toBeLessThan(10)
})
