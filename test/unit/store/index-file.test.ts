import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { IndexFile } from '../../../src/store/index-file.js'
import { keyHashOf } from '../../../src/store/index-service.js'
import { systemDisk } from '../../../src/util/index.js'
import { tempDir } from '../../support/temp-dir.js'

const T = 1_700_000_000_123

test('the worked example, byte for byte', async () => {
  const path = join(tempDir(), '20260101000000000')
  const file = IndexFile.create(systemDisk, path, { slots: 5_000_000, items: 20_000_000 }, undefined)
  file.put(keyHashOf('TopicA', 'k1'), 4096, T)
  file.put(keyHashOf('TopicA', 'k2'), 4096, T)
  file.put(keyHashOf('TopicA', 'k1'), 9000, 1_700_000_065_999)
  await file.flush()
  file.close()
  const read = (at: number, length: number): string => {
    const bytes = Buffer.alloc(length)
    const opened = systemDisk.openSync(path)
    opened.readSync(bytes, at)
    opened.close()
    return bytes.toString('hex')
  }
  expect(systemDisk.stat(path)?.length).toBe(420_000_040)
  expect(read(0, 40)).toBe('0000018bcfe5687b0000018bcfe669cf000000000000100000000000000023280000000200000004')
  expect(read(12_962_636, 4)).toBe('00000003')
  expect(read(12_962_632, 4)).toBe('00000002')
  expect(read(20_000_040, 40)).toBe(`${'00'.repeat(20)}717125c900000000000010000000000000000000`)
  expect(read(20_000_080, 40)).toBe('717125c800000000000010000000000000000000717125c900000000000023280000004100000001')
})

const shape = { slots: 10, items: 50 }

function small(): IndexFile {
  return IndexFile.create(systemDisk, join(tempDir(), '20260101000000000'), shape, undefined)
}

test('the hash that has no absolute value is 0', () => {
  // "polygenelubricants" hashes to the smallest int
  expect(keyHashOf('', '').valueOf()).toBe(35)
  const file = small()
  expect(file.put(0, 1, T)).toBe(true)
  file.close()
})

test('entries are found newest first, by whole seconds after the first', async () => {
  const file = small()
  for (let i = 0; i < 5; i++) file.put(7, 100 + i, T + i * 1000)
  file.put(17, 999, T + 5000)
  expect(await file.query(7, 10, 0, Number.MAX_SAFE_INTEGER)).toEqual([104, 103, 102, 101, 100])
  expect(await file.query(7, 2, 0, Number.MAX_SAFE_INTEGER)).toEqual([104, 103])
  expect(await file.query(7, 10, T + 1000, T + 2999)).toEqual([102, 101])
  expect(await file.query(17, 10, 0, Number.MAX_SAFE_INTEGER)).toEqual([999])
  file.unmap()
  expect(await file.query(7, 10, 0, Number.MAX_SAFE_INTEGER)).toEqual([104, 103, 102, 101, 100])
  file.close()
})

test('a full file takes nothing more', () => {
  const file = small()
  for (let i = 1; i < shape.items; i++) expect(file.put(i, i, T)).toBe(true)
  expect(file.put(1, 99, T)).toBe(false)
  file.close()
})

test('what may not have reached the disk is taken out, and slots are built again', async () => {
  const file = small()
  for (let i = 0; i < 20; i++) file.put(i % 4, 100 + i, T + i)
  // as a power cut leaves it: slots and header of another time
  file.unmap()
  const bytes = readFileSync(file.path)
  bytes.fill(0x7f, 40, 80)
  systemDisk.openSync(file.path).writeSync(bytes.subarray(0, 80), 0)
  const again = IndexFile.open(systemDisk, file.path, shape)
  expect(again.rebuildBefore(110, offset => T + offset - 100)).toBe(true)
  expect(again.indexCount).toBe(11)
  expect(again.hashSlotCount).toBe(4)
  expect(again.endPhyOffset).toBe(109)
  expect(await again.query(1, 10, 0, Number.MAX_SAFE_INTEGER)).toEqual([109, 105, 101])
  expect(again.rebuildBefore(100, () => undefined)).toBe(false)
  again.close()
})

test('a file of another shape is refused', () => {
  const file = small()
  file.close()
  expect(() => IndexFile.open(systemDisk, file.path, { slots: 11, items: 50 })).toThrow(/instead of the 1084/)
})
