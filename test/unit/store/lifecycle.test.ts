import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createStore, message, scratchFolder } from '../../support/store.js'

test('a second store on the folder is refused, by name of its owner', async () => {
  const rootDir = scratchFolder()
  const store = createStore({ rootDir })
  await store.start()
  await expect(createStore({ rootDir }).start()).rejects.toThrow(
    `the store folder ${rootDir} is in use by the process with pid ${process.pid}: stop that broker, or choose`,
  )
  await store.shutdown()
  const next = createStore({ rootDir })
  await next.start()
  await next.shutdown()
})

test('abort is there while the store runs, lock always', async () => {
  const rootDir = scratchFolder()
  const store = createStore({ rootDir })
  await store.start()
  expect(readFileSync(join(rootDir, 'abort'), 'utf8')).toBe(String(process.pid))
  expect(readFileSync(join(rootDir, 'lock'), 'utf8')).toBe('lock')
  await store.shutdown()
  expect(existsSync(join(rootDir, 'abort'))).toBe(false)
})

test('a refused start leaves the lock free', async () => {
  const rootDir = scratchFolder()
  const first = createStore({ rootDir })
  await first.start()
  first.append(message())
  await first.shutdown()
  const wrong = createStore({ rootDir, settings: { mappedFileSizeCommitLog: 8192 } })
  await expect(wrong.start()).rejects.toThrow(/has 65536 bytes but files of 8192 are configured/)
  const right = createStore({ rootDir })
  await right.start()
  expect(right.maxOffset('TopicA', 0)).toBe(1)
  await right.shutdown()
})

test('a commit log file that was just made and has no bytes is deleted', async () => {
  const rootDir = scratchFolder()
  const first = createStore({ rootDir })
  await first.start()
  first.append(message())
  await first.shutdown()
  writeFileSync(join(rootDir, 'commitlog', '00000000000000065536'), '')
  const again = createStore({ rootDir })
  await again.start()
  expect(again.append(message()).queueOffset).toBe(1)
  await again.shutdown()
})

test('nothing is taken before the start nor after the stop', async () => {
  const store = createStore()
  expect(store.append(message()).status).toBe('SERVICE_NOT_AVAILABLE')
  await store.start()
  expect(store.append(message()).status).toBe('PUT_OK')
  await store.shutdown()
  await store.shutdown()
  expect(store.append(message()).status).toBe('SERVICE_NOT_AVAILABLE')
  expect(store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset: 0, maxMsgNums: 1 })).toBeUndefined()
})

test('a deleted topic begins again at 0, and its files are gone', async () => {
  const rootDir = scratchFolder()
  const store = createStore({ rootDir })
  await store.start()
  for (let i = 0; i < 150; i++) store.append(message())
  await store.queues.writeOut()
  expect(existsSync(join(rootDir, 'consumequeue/TopicA/0'))).toBe(true)
  await store.deleteTopic('TopicA')
  expect(existsSync(join(rootDir, 'consumequeue/TopicA'))).toBe(false)
  expect(store.maxOffset('TopicA', 0)).toBe(0)
  expect(store.append(message()).queueOffset).toBe(0)
  await store.shutdown()
})

test('what is not supported ends the start before anything is touched', async () => {
  const rootDir = scratchFolder()
  const store = createStore({ rootDir, settings: { duplicationEnable: true } })
  await expect(store.start()).rejects.toThrow(/^duplicationEnable=true hands .*: set it to false$/)
  expect(existsSync(join(rootDir, 'lock'))).toBe(false)
})
