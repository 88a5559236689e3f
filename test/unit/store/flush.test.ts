import { expect, onTestFinished, test } from 'vitest'
import { FaultyDisk } from '../../support/faulty-disk.js'
import { ManualClock } from '../../support/manual-clock.js'
import { createStore, message } from '../../support/store.js'

test('one flush answers everybody whose record was in the log when it began', async () => {
  const faults = new FaultyDisk()
  const store = createStore({ disk: faults.disk, settings: { flushDiskType: 'SYNC_FLUSH' } })
  await store.start()
  onTestFinished(() => store.shutdown())
  const answers = Array.from({ length: 100 }, () => store.whenDurable(store.append(message()).endOffset))
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['PUT_OK']))
  expect(faults.flushes).toBe(1)
})

test('who comes during a flush waits for the next one', async () => {
  const faults = new FaultyDisk()
  let open = (): void => {}
  faults.gate = new Promise(resolve => (open = resolve))
  const store = createStore({ disk: faults.disk, settings: { flushDiskType: 'SYNC_FLUSH' } })
  await store.start()
  onTestFinished(() => store.shutdown())
  const first = store.whenDurable(store.append(message()).endOffset)
  await new Promise(resolve => setImmediate(resolve))
  await new Promise(resolve => setImmediate(resolve))
  expect(faults.flushes).toBe(1)
  const { endOffset } = store.append(message())
  const second = store.whenDurable(endOffset)
  open()
  expect(await first).toBe('PUT_OK')
  expect(await second).toBe('PUT_OK')
  expect(faults.flushes).toBe(2)
  expect(store.flushedOffset).toBe(endOffset)
})

test('after syncFlushTimeout the answer is FLUSH_DISK_TIMEOUT', async () => {
  const clock = new ManualClock()
  const faults = new FaultyDisk()
  let open = (): void => {}
  faults.gate = new Promise(resolve => (open = resolve))
  const store = createStore({ clock, disk: faults.disk, settings: { flushDiskType: 'SYNC_FLUSH' } })
  await store.start()
  const answer = store.whenDurable(store.append(message()).endOffset)
  await clock.advance(5001)
  expect(await answer).toBe('FLUSH_DISK_TIMEOUT')
  open()
  await store.shutdown()
})

test('a flush that fails ends acknowledging, for good, and names the error and the file', async () => {
  const faults = new FaultyDisk()
  const store = createStore({ disk: faults.disk, settings: { flushDiskType: 'SYNC_FLUSH' } })
  await store.start()
  const before = store.append(message())
  expect(await store.whenDurable(before.endOffset)).toBe('PUT_OK')
  faults.flushError = 'EIO'
  const { endOffset } = store.append(message())
  expect(await store.whenDurable(endOffset)).toBe('UNKNOWN_ERROR')
  expect(store.flags.whyNotWritable).toMatch(/EIO.*commitlog/)
  faults.flushError = undefined
  expect(store.append(message()).status).toBe('SERVICE_NOT_AVAILABLE')
  expect(await store.whenDurable(endOffset)).toBe('UNKNOWN_ERROR')
  expect(store.isDurable(endOffset)).toBe(false)
  expect(store.maxOffset('TopicA', 0)).toBe(1)
  await store.shutdown()
})

test('ASYNC_FLUSH flushes four pages at the next interval, less after the thorough one', async () => {
  const clock = new ManualClock()
  const store = createStore({ clock })
  await store.start()
  store.append(message({ body: Buffer.alloc(100) }))
  expect(store.isDurable(store.log.maxOffset)).toBe(true)
  await clock.advance(2000)
  expect(store.flushedOffset).toBe(0)
  store.append(message({ body: Buffer.alloc(20_000) }))
  await clock.advance(600)
  await expect.poll(() => store.flushedOffset).toBe(store.log.maxOffset)
  store.append(message())
  await clock.advance(10_000)
  await expect.poll(() => store.flushedOffset).toBe(store.log.maxOffset)
  await store.shutdown()
})

test('without room for the next file sends are refused, and taken again when there is', async () => {
  const faults = new FaultyDisk()
  const store = createStore({ disk: faults.disk, settings: { mappedFileSizeCommitLog: 4096 } })
  await store.start()
  faults.createError = 'ENOSPC'
  expect(store.append(message()).status).toBe('CREATE_MAPPED_FILE_FAILED')
  faults.createError = undefined
  expect(store.append(message({ body: Buffer.alloc(3000) })).status).toBe('PUT_OK')
  await store.log.files.settled()
  faults.createError = 'ENOSPC'
  expect(store.append(message({ body: Buffer.alloc(3000) })).status).toBe('PUT_OK')
  await store.log.files.settled()
  expect(store.append(message({ body: Buffer.alloc(3000) })).status).toBe('CREATE_MAPPED_FILE_FAILED')
  expect(store.append(message()).status).toBe('PUT_OK')
  faults.createError = undefined
  expect(store.append(message({ body: Buffer.alloc(3000) }))).toMatchObject({ status: 'PUT_OK', queueOffset: 3 })
  await store.shutdown()
})

test('files deleted during a flush do not fail it', async () => {
  const faults = new FaultyDisk()
  const store = createStore({
    disk: faults.disk,
    settings: { flushDiskType: 'SYNC_FLUSH', mappedFileSizeCommitLog: 4096, flushIntervalCommitLog: 1_000_000 },
  })
  await store.start()
  let open = (): void => {}
  faults.gate = new Promise(resolve => (open = resolve))
  for (let i = 0; i < 5; i++) store.append(message({ body: Buffer.alloc(3000) }))
  const answer = store.whenDurable(store.log.maxOffset)
  await expect.poll(() => faults.flushes).toBe(1)
  store.log.files.deleteFirst()
  store.log.files.deleteFirst()
  open()
  expect(await answer).toBe('PUT_OK')
  await store.shutdown()
})
