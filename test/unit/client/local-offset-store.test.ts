import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LocalOffsetStore } from '../../../src/client/consumer/local-offset-store.js'
import { silentLogger } from '../../../src/util/index.js'

const queue = { brokerName: 'b', queueId: 1, topic: 'T' }
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cometmq-offsets-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

function newStore(): LocalOffsetStore {
  return new LocalOffsetStore({ directory, clientId: 'ip@DEFAULT', group: 'G', logger: silentLogger })
}

const file = (): string => join(directory, 'ip@DEFAULT', 'G', 'offsets.json')

it('finds its offsets again', async () => {
  const store = newStore()
  await store.load()
  expect(await store.read(queue)).toBeUndefined()
  store.update(queue, 12, false)
  store.update(queue, 5, true)
  await store.persistAll()
  const again = newStore()
  await again.load()
  expect(await again.read(queue)).toBe(12)
})

it("writes Java's form, in which queues are keys", async () => {
  const store = newStore()
  store.update(queue, 12, false)
  await store.persist()
  expect((await readFile(file(), 'utf8')).replace(/\s/g, '')).toBe(
    '{"offsetTable":{{"brokerName":"b","queueId":1,"topic":"T"}:12}}',
  )
})

it('falls back to the copy of before', async () => {
  const store = newStore()
  store.update(queue, 1, false)
  await store.persistAll()
  store.update(queue, 2, false)
  await store.persistAll()
  await writeFile(file(), '{"offsetTable":{{"bro')
  const again = newStore()
  await again.load()
  expect(await again.read(queue)).toBe(1)
})

it('does not start from nothing when there is a file that it cannot read', async () => {
  await mkdir(join(directory, 'ip@DEFAULT', 'G'), { recursive: true })
  await writeFile(file(), 'garbage{')
  await expect(newStore().load()).rejects.toMatchObject({ code: 'ERR_FILE_UNREADABLE' })
})
