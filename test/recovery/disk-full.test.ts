import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { AdminClient, Producer } from '../../src/client/index.js'
import type { MessageStore } from '../../src/store/index.js'
import { silentLogger } from '../../src/util/index.js'
import { Daemons } from '../support/daemons.js'
import { eventually } from '../support/eventually.js'
import { createStore, message } from '../support/store.js'
import { tempDir } from '../support/temp-dir.js'

/** A file system of 32 MB; undefined where this user may not mount one. */
function smallDisk(): string | undefined {
  const folder = tempDir()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]))
  return folder
}

async function bodies(store: MessageStore): Promise<number> {
  let count = 0
  for (let offset = store.minOffset('TopicA', 0); ; ) {
    const found = (await store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset, maxMsgNums: 32 }))!
    for (const slice of found.slices) {
      for (let at = 0; at < slice.length; at += slice.readInt32BE(at)) {
        expect(Number(slice.readBigInt64BE(at + 20))).toBe(offset)
        offset++
        count++
      }
    }
    found.release()
    if (found.status !== 'FOUND') return count
  }
}

test('a full disk refuses messages, serves reads, recovers by itself, and tears nothing', {
  timeout: 120_000,
}, async ctx => {
  const disk = smallDisk()
  if (disk === undefined) return ctx.skip('only root may mount the small file system that this fills up')
  const options = {
    rootDir: join(disk, 'store'),
    settings: {
      mappedFileSizeCommitLog: 4 << 20,
      mappedFileSizeConsumeQueue: 20_000,
      maxHashSlotNum: 100,
      maxIndexNum: 1000,
      cleanFileForciblyEnable: false,
      fileReservedTime: 1000,
      diskMaxUsedSpaceRatio: 95,
    },
  }
  const store = createStore(options)
  await store.start()
  const body = Buffer.alloc(10_000, 7)
  let stored = 0
  for (let refused = 0; refused < 50; ) {
    const { status, queueOffset } = store.append(message({ body }))
    if (status === 'PUT_OK') expect(queueOffset).toBe(stored++)
    else {
      expect(['CREATE_MAPPED_FILE_FAILED', 'SERVICE_NOT_AVAILABLE']).toContain(status)
      refused++
    }
    if (stored % 50 === 0) await store.log.files.settled()
  }
  expect(stored).toBeGreaterThan(1500)
  // what other programs leave
  const filler = join(disk, 'filler')
  try {
    writeFileSync(filler, Buffer.alloc(32 << 20))
  } catch {
    // full to the last byte
  }
  await store.retention.run()
  expect(store.append(message({ body })).status).toBe('SERVICE_NOT_AVAILABLE')
  expect(store.flags.whyNotWritable).toMatch(/the disk of .* is \d+% full, above 90%.*is deleted after/)
  expect(await bodies(store)).toBe(stored)
  await store.queues.writeOut().catch(() => {})

  rmSync(filler, { force: true })
  const before = store.log.minOffset
  store.log.files.deleteFirst()
  store.log.files.deleteFirst()
  await store.retention.run()
  expect(store.log.minOffset).toBeGreaterThan(before)
  expect(store.flags.isWritable).toBe(true)
  const min = store.minOffset('TopicA', 0)
  for (let i = 0; i < 300; i++) {
    expect(store.append(message({ body }))).toMatchObject({ status: 'PUT_OK', queueOffset: stored++ })
  }
  expect(await bodies(store)).toBe(stored - min)
  await store.shutdown()
  const again = createStore(options)
  await again.start()
  expect(again.recovery).toMatchObject({ isAfterCrash: false, damageCount: 0 })
  expect(await bodies(again)).toBe(stored - min)
  await again.shutdown()
})

test('a broker on a full disk says which, how full, and what goes when; with space again it goes on by itself', {
  timeout: 180_000,
}, async ctx => {
  const disk = smallDisk()
  if (disk === undefined) return ctx.skip('only root may mount the small file system that this fills up')
  const daemons = new Daemons(tempDir(), {
    storePathRootDir: join(disk, 'store'),
    mappedFileSizeCommitLog: 4 << 20,
    mappedFileSizeConsumeQueue: 20_000,
    maxHashSlotNum: 100,
    maxIndexNum: 1000,
    cleanFileForciblyEnable: false,
    diskMaxUsedSpaceRatio: 95,
    cleanResourceInterval: 200,
    // a machine that is busy with other tests is no reason to turn sends away
    waitTimeMillsInSendQueue: 10_000,
    defaultTopicQueueNums: 1,
  })
  await daemons.startNamesrv()
  const clients = { namesrvAddr: daemons.namesrvAddr, logger: silentLogger }
  const admin = new AdminClient(clients)
  const producer = new Producer({ ...clients, group: 'FullProducer', retryTimesWhenSendFailed: 0 })
  onTestFinished(async () => {
    await producer.stop()
    await admin.stop()
    await daemons.stop()
  })
  await admin.start()
  await producer.start()
  const isRegistered = async (): Promise<boolean> => (await admin.clusterInfo()).brokerAddrTable.size > 0
  await daemons.startBroker(isRegistered)

  const acknowledged = new Map<number, string>()
  const send = async (): Promise<string> => {
    const body = `${acknowledged.size}-${randomBytes(8000).toString('base64')}`
    try {
      const { status, queueOffset } = await producer.send({ topic: 'Full', body })
      if (status === 'SEND_OK') acknowledged.set(queueOffset, body)
      return status
    } catch (error) {
      return (error as Error).message
    }
  }
  const check = async (): Promise<void> => {
    const queue = { topic: 'Full', brokerName: 'broker-a', queueId: 0 }
    const found = new Map<number, string>()
    for (let offset = 0, max = await admin.maxOffset(queue); offset < max; ) {
      const pulled = await admin.pull({ queue, offset, maxNums: 32 })
      expect([offset, pulled.status]).toEqual([offset, 'FOUND'])
      for (const message of pulled.messages) found.set((offset = message.queueOffset + 1) - 1, message.body!.toString())
    }
    for (const [offset, body] of acknowledged) if (found.get(offset) !== body) throw new Error(`${offset} is not there`)
  }

  for (let i = 0; i < 900; i++) expect(await send()).toBe('SEND_OK')
  const filler = join(disk, 'filler')
  try {
    writeFileSync(filler, Buffer.alloc(32 << 20))
  } catch {
    // full to the last byte
  }
  let answer = ''
  await eventually(async () => (answer = await send()).includes('CODE: 14'), 'a refusal', 30_000)
  expect(answer).toMatch(/the disk of .*commitlog is \d+% full, above 90%.*is deleted after \d{4}-/)
  await check()
  rmSync(filler)
  await eventually(async () => (await send()) === 'SEND_OK', 'a send with space again', 30_000)
  for (let i = 0; i < 300; i++) expect(await send()).toBe('SEND_OK')
  await check()
  await daemons.killBroker()
  await daemons.startBroker(isRegistered)
  await check()
})
