import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { goldenStore } from '../support/golden.js'
import { verify } from '../support/inspected-store.js'

/** One flipped bit or one cut file of a store of the Java broker: told, in the right place, and nothing else is. */

interface StoreFile {
  readonly path: string
  readonly part: string
  readonly bytes: Buffer
  /** What is used of its length: behind it there are zeros. */
  readonly used: number
}

const SLOW_MACHINE_MS = 120_000

function damageable(): { root: string; files: StoreFile[] } {
  const root = goldenStore('rolled')
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => /^(commitlog|consumequeue|index|batchconsumequeue)\//.test(relative(root, path)))
    .sort()
    .map(path => {
      const bytes = readFileSync(path)
      const used = bytes.findLastIndex(byte => byte !== 0) + 1
      return { path, part: relative(root, path).split('/')[0]!, bytes, used }
    })
    .filter(({ used }) => used > 0)
  return { root, files }
}

test('a flipped bit of a queue or of the index is reported once, where it is', {
  timeout: SLOW_MACHINE_MS,
}, async () => {
  const { root, files } = damageable()
  const candidates = files.filter(({ part }) => part === 'consumequeue' || part === 'index')
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(7), async (pick, place, bit) => {
      const { path, part, bytes, used } = candidates[pick % candidates.length]!
      const at = place % used
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1 << bit
      writeFileSync(path, changed)
      const { exitCode, damages } = await verify(root).finally(() => writeFileSync(path, bytes))
      // fillers have nothing to be compared with, and items whose number nothing uses neither
      if (part === 'index' && damages.length === 0) expect(at).toBeGreaterThanOrEqual(440)
      else expect(damages.map(one => one.file)).toEqual([path])
      expect(exitCode).toBe(damages.length > 0 ? 1 : 0)
      for (const { position, end } of damages) {
        expect(position).toBeLessThanOrEqual(at)
        expect(end ?? position + 20).toBeGreaterThan(at)
      }
    }),
    { numRuns: 200 },
  )
})

const LOG_FLIP = 'a flipped bit of the log is reported with its record, or is in a field that nothing else repeats'

test(LOG_FLIP, { timeout: SLOW_MACHINE_MS }, async () => {
  const { root, files } = damageable()
  const logs = files.filter(({ part }) => part === 'commitlog')
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(7), async (pick, place, bit) => {
      const { path, bytes, used } = logs[pick % logs.length]!
      const at = place % used
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1 << bit
      writeFileSync(path, changed)
      const { damages } = await verify(root).finally(() => writeFileSync(path, bytes))
      const start = startOfRecord(bytes, at)
      const field = at - start
      const size = bytes.readInt32BE(start)
      const isBlank = bytes.readInt32BE(start + 4) === (0xcbd43194 | 0)
      // sizes, magic number, CRC, offsets, body
      const bodyEnd = 88 + bytes.readInt32BE(start + 84)
      const mustShow = isBlank || field < 12 || (field >= 20 && field < 36) || (field >= 84 && field < bodyEnd)
      if (mustShow && bytes.readInt32BE(start + 36) < 16) expect(damages.length).toBeGreaterThan(0)
      for (const { file, position, messages } of damages) {
        const isHere = file === path && position >= start && position <= at
        const physicalOffset = Number(path.slice(-20)) + start
        expect(isHere || messages.some(one => one.physicalOffset === physicalOffset)).toBe(true)
      }
      expect(size).toBeGreaterThan(0)
    }),
    { numRuns: 200 },
  )
})

test('a cut file is reported', { timeout: SLOW_MACHINE_MS }, async () => {
  const { root, files } = damageable()
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), async (pick, place) => {
      const { path, part, bytes, used } = files[pick % files.length]!
      const length = place % used
      truncateSync(path, length)
      const { damages } = await verify(root).finally(() => writeFileSync(path, bytes))
      expect(damages.length).toBeGreaterThan(0)
      expect(damages.map(one => one.part)).toContain(part)
      expect(statSync(path).size).toBe(bytes.length)
    }),
    { numRuns: 20 },
  )
})

function startOfRecord(bytes: Buffer, at: number): number {
  let start = 0
  while (start + bytes.readInt32BE(start) <= at) start += bytes.readInt32BE(start)
  return start
}
