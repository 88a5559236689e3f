import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KVConfigManager } from '../../../src/namesrv/kv-config-manager.js'
import { silentLogger } from '../../../src/util/index.js'
import { goldenDir } from '../../support/golden.js'

let folder: string
let path: string
const open = async (file = path): Promise<KVConfigManager> => {
  const manager = new KVConfigManager({ path: file, logger: silentLogger })
  await manager.load()
  return manager
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cometmq-kv-'))
  path = join(folder, 'namesrv', 'kvConfig.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('changes are on disk when they are done, the state before them in the backup', async () => {
  const kv = await open()
  await kv.put('ORDER_TOPIC_CONFIG', 'TopicA', 'broker-a:8;broker-b:8')
  expect(readFileSync(path, 'utf8')).toBe('{"configTable":{"ORDER_TOPIC_CONFIG":{"TopicA":"broker-a:8;broker-b:8"}}}')
  await kv.put('NS', 'ключ', 'значение')
  expect(readFileSync(`${path}.bak`, 'utf8')).not.toContain('NS')
  const again = await open()
  expect(again.get('NS', 'ключ')).toBe('значение')
  expect(again.get('NS', 'other')).toBeUndefined()
  expect(again.namespace('nothing')).toBeUndefined()
})

test('changes at once are all kept', async () => {
  const kv = await open()
  await Promise.all(Array.from({ length: 20 }, (_, i) => kv.put('NS', `k${i}`, String(i))))
  expect((await open()).namespace('NS')?.size).toBe(20)
})

test('a namespace outlives its keys; deleting what is not there changes nothing', async () => {
  const kv = await open()
  await kv.put('NS', 'k', 'v')
  await kv.delete('NS', 'k')
  expect(readFileSync(path, 'utf8')).toBe('{"configTable":{"NS":{}}}')
  const { generation } = kv
  await kv.delete('NS', 'k')
  expect(kv.generation).toBe(generation)
})

test('a change that cannot be saved does not happen, and later ones do', async () => {
  const kv = await open()
  await kv.put('NS', 'k', 'old')
  mkdirSync(`${path}.tmp`)
  await expect(kv.put('NS', 'k', 'new')).rejects.toMatchObject({ code: 'ERR_KV_CONFIG_NOT_SAVED' })
  expect(kv.get('NS', 'k')).toBe('old')
  rmSync(`${path}.tmp`, { recursive: true })
  await kv.put('NS', 'k', 'newer')
  expect((await open()).get('NS', 'k')).toBe('newer')
})

test('a damaged file is replaced by its backup', async () => {
  const kv = await open()
  await kv.put('NS', 'k', '1')
  await kv.put('NS', 'k', '2')
  writeFileSync(path, '{"configTable":{"NS":')
  expect((await open()).get('NS', 'k')).toBe('1')
  rmSync(path)
  expect((await open()).get('NS', 'k')).toBe('1')
})

test.each(['', '{"configTable":', '[]', '{}'])(
  'without a backup, a file holding %j is not taken for an empty one',
  async text => {
    mkdirSync(join(folder, 'namesrv'))
    writeFileSync(path, text)
    await expect(open()).rejects.toMatchObject({ code: 'ERR_FILE_UNREADABLE' })
  },
)

test("Java's file is read", async () => {
  const kv = await open(join(goldenDir('config'), 'kvConfig.json'))
  expect([...kv.namespace('GOLD_NS')!]).toEqual([])
})
