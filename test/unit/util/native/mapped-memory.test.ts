import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { NativeError, type NativeMapping, nativeMemory } from '../../../../src/util/native/mmap.js'
import { tempDir } from '../../../support/temp-dir.js'

const PAGE = 4096
const LENGTH = 256 * PAGE
const native = nativeMemory()

function mapped(): { mapping: NativeMapping; path: string } {
  const path = join(tempDir(), 'file')
  const fd = openSync(path, 'w+')
  ftruncateSync(fd, LENGTH)
  const mapping = native!.map(fd, LENGTH, false)
  onTestFinished(() => closeSync(fd))
  return { mapping, path }
}

/** Dirty KB of the mapping of a file. */
function dirty(path: string): number {
  const areas = readFileSync('/proc/self/smaps', 'latin1').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)
  const area = areas.find(text => text.includes(path)) ?? ''
  return Number(/^Private_Dirty:\s+(\d+)/m.exec(area)?.[1]) + Number(/^Shared_Dirty:\s+(\d+)/m.exec(area)?.[1])
}

test.runIf(native !== undefined)('a flush writes its range, and what it let go of reads as before', async () => {
  const { mapping, path } = mapped()
  const bytes = Buffer.from(mapping.memory)
  bytes.fill('x')
  expect(dirty(path)).toBe(LENGTH / 1024)
  await mapping.flush(0, 100 * PAGE + 10)
  // the page that is written to next stays
  expect(dirty(path)).toBe((LENGTH - 101 * PAGE) / 1024)
  expect(bytes.equals(Buffer.alloc(LENGTH, 'x'))).toBe(true)
  bytes.fill('y', 50 * PAGE, 51 * PAGE)
  await mapping.flush(0, LENGTH)
  expect(dirty(path)).toBe(0)
  expect(
    readFileSync(path)
      .subarray(50 * PAGE, 51 * PAGE)
      .equals(Buffer.alloc(PAGE, 'y')),
  ).toBe(true)
})

test.runIf(native !== undefined)('pages made ready are there, one by one and in bulk', async () => {
  for (const isBulk of [false, true]) {
    const { mapping, path } = mapped()
    await Promise.all([mapping.populate(10, 20 * PAGE, isBulk), mapping.populate(20 * PAGE, 40 * PAGE, isBulk)])
    expect(dirty(path)).toBeGreaterThanOrEqual((40 * PAGE) / 1024)
  }
})

test.runIf(native !== undefined)('pages are in memory once they were touched, mapped or not', async () => {
  const { mapping } = mapped()
  expect(mapping.isInMemory(0, PAGE)).toBe(false)
  await mapping.populate(PAGE, 2 * PAGE, false)
  expect(mapping.isInMemory(PAGE + 10, 2 * PAGE)).toBe(true)
  expect(mapping.isInMemory(PAGE, 200 * PAGE)).toBe(false)
  Buffer.from(mapping.memory).fill('x')
  await mapping.flush(0, LENGTH)
  expect(mapping.isInMemory(0, LENGTH)).toBe(true)
})

test.runIf(native !== undefined)('a call that fails on the pool tells its errno', async () => {
  const { mapping } = mapped()
  mapping.unmap()
  const failure = await mapping.flush(0, PAGE).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(NativeError)
  expect(failure).toMatchObject({ syscall: 'msync', code: 'ENOMEM' })
})
