import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { StoreCheckpoint } from '../../../src/store/checkpoint.js'
import { systemDisk } from '../../../src/util/index.js'
import { tempDir } from '../../support/temp-dir.js'

test('five numbers in 4096 bytes', async () => {
  const path = join(tempDir(), 'checkpoint')
  const checkpoint = new StoreCheckpoint(systemDisk, path)
  checkpoint.load()
  checkpoint.physicMsgTimestamp = 0x1a1fb78b7fd
  checkpoint.logicsMsgTimestamp = 0x1a1fb78cc00
  checkpoint.confirmPhyOffset = 2552
  await checkpoint.flush()
  checkpoint.close()
  const bytes = readFileSync(path)
  expect(bytes.length).toBe(4096)
  expect(bytes.subarray(0, 40).toString('hex')).toBe(
    '000001a1fb78b7fd000001a1fb78cc000000000000000000000000000000000000000000000009f8',
  )
  const again = new StoreCheckpoint(systemDisk, path)
  again.load()
  expect(again.minTimestamp).toBe(0x1a1fb78b7fd - 3000)
  expect(again.confirmPhyOffset).toBe(2552)
  again.close()
})

test.each([0, 17])('a file of %i bytes counts as zeros', length => {
  const path = join(tempDir(), 'checkpoint')
  writeFileSync(path, Buffer.alloc(length))
  const checkpoint = new StoreCheckpoint(systemDisk, path)
  checkpoint.load()
  expect(checkpoint.minTimestamp).toBe(0)
  checkpoint.close()
})
