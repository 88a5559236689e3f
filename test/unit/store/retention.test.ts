import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { MessageStore, StoreSettings } from '../../../src/store/index.js'
import type { DiskUsage } from '../../../src/util/index.js'
import { FaultyDisk } from '../../support/faulty-disk.js'
import { ManualClock } from '../../support/manual-clock.js'
import { createStore, message } from '../../support/store.js'

// files are kept 36 s here: a manual clock takes every step of every task on its way
const KEPT_HOURS = 0.01
const LATER = 40_000
const used = (percent: number): DiskUsage => ({
  totalBytes: 1000,
  usedBytes: percent * 10,
  usableBytes: 1000 - percent * 10,
})

async function filled(
  settings: Partial<StoreSettings> = {},
): Promise<{ store: MessageStore; clock: ManualClock; faults: FaultyDisk }> {
  const clock = new ManualClock()
  const faults = new FaultyDisk()
  faults.diskUsage = used(10)
  const store = createStore({
    clock,
    disk: faults.disk,
    settings: { mappedFileSizeCommitLog: 4096, fileReservedTime: KEPT_HOURS, ...settings },
  })
  await store.start()
  onTestFinished(() => store.shutdown())
  // two messages to a file, 5 files; one queue file holds 100 units
  for (let i = 0; i < 10; i++) store.append(message({ body: Buffer.alloc(1800), properties: `UNIQ_KEY\x01k${i}\x02` }))
  await store.log.files.settled()
  return { store, clock, faults }
}

const firstFile = (store: MessageStore): string => join(store.folders.commitLog[0]!, '00000000000000000000')

test('files go when they are old and the hour has come, never the newest', async () => {
  const hour = new Date(new ManualClock().now()).getHours()
  const { store, clock } = await filled({ deleteWhen: `${(hour + 3) % 24};${hour}` })
  await store.retention.run()
  expect(store.log.minOffset).toBe(0)
  await clock.advance(LATER)
  const run = store.retention.run()
  await clock.advance(1000)
  await run
  expect(store.log.minOffset).toBe(4 * 4096)
  expect(existsSync(firstFile(store))).toBe(false)
  expect(store.minOffset('TopicA', 0)).toBe(8)
  expect(store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset: 0, maxMsgNums: 1 })).toMatchObject({
    status: 'OFFSET_TOO_SMALL',
    nextBeginOffset: 8,
  })
})

test('at another hour they stay, unless an operator orders it', async () => {
  const { store, clock } = await filled({ deleteWhen: '' })
  await clock.advance(LATER)
  await store.retention.run()
  expect(store.log.minOffset).toBe(0)
  const order = store.retention.deleteExpired()
  await clock.advance(1000)
  await order
  expect(store.log.minOffset).toBe(4 * 4096)
})

test('above 75 percent old files go at any hour, young ones stay', async () => {
  const { store, clock, faults } = await filled({ diskMaxUsedSpaceRatio: 75 })
  faults.diskUsage = used(76)
  await store.retention.run()
  expect(store.log.minOffset).toBe(0)
  await clock.advance(LATER)
  const run = store.retention.run()
  await clock.advance(1000)
  await run
  expect(store.log.minOffset).toBe(4 * 4096)
})

test('above 85 percent young files go too', async () => {
  const { store, clock, faults } = await filled()
  faults.diskUsage = used(86)
  const run = store.retention.run()
  await clock.advance(1000)
  await run
  expect(store.log.minOffset).toBe(4 * 4096)
  expect(store.flags.isWritable).toBe(true)
})

test('above 90 percent nothing is taken, until 85 are reached again', async () => {
  const { store, clock, faults } = await filled({ deleteFileBatchMax: 1 })
  const run = async (percent: number): Promise<boolean> => {
    faults.diskUsage = used(percent)
    const done = store.retention.run()
    await clock.advance(1000)
    await done
    return store.flags.isWritable
  }
  expect(await run(90)).toBe(true)
  expect(await run(91)).toBe(false)
  expect(store.flags.whyNotWritable).toMatch(
    /is 91% full, above 90%: messages are taken again below 85%; the oldest file/,
  )
  expect(store.append(message()).status).toBe('SERVICE_NOT_AVAILABLE')
  expect(store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset: 8, maxMsgNums: 1 })).toMatchObject({
    status: 'FOUND',
  })
  expect(await run(88)).toBe(false)
  expect([await run(85), store.flags.whyNotWritable]).toEqual([true, ''])
  expect(store.append(message()).status).toBe('PUT_OK')
})

test('with cleanFileForciblyEnable off a full disk deletes only what is old', async () => {
  const { store, clock, faults } = await filled({ cleanFileForciblyEnable: false })
  faults.diskUsage = used(95)
  const run = store.retention.run()
  await clock.advance(1000)
  await run
  expect(store.log.minOffset).toBe(0)
  expect(store.flags.whyNotWritable).toMatch(/is deleted after 2023-/)
})
