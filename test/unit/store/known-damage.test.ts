import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { MessageStore } from '../../../src/store/index.js'
import { createStore, message } from '../../support/store.js'

const settings = { mappedFileSizeCommitLog: 4096 }

async function opened(rootDir: string): Promise<MessageStore> {
  const store = createStore({ rootDir, settings })
  await store.start()
  return store
}

/** Numbers of the messages that a consumer gets. */
async function served(store: MessageStore): Promise<number[]> {
  const found: number[] = []
  for (let offset = 0; ; ) {
    const result = (await store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset, maxMsgNums: 32 }))!
    for (const slice of result.slices) {
      for (let at = 0; at < slice.length; at += slice.readInt32BE(at)) found.push(Number(slice.readBigInt64BE(at + 20)))
    }
    result.release()
    if (result.nextBeginOffset === offset) return found
    offset = result.nextBeginOffset
  }
}

test('a record found damaged is not served by a later start that does not look there', async () => {
  const store = createStore({ settings })
  await store.start()
  const starts = Array.from({ length: 12 }, () => store.append(message({ body: Buffer.alloc(900, 7) })).physicalOffset)
  await store.shutdown()
  const copy = store.folders.root
  // everything is on the disk, the queue too, and yet the next start looks through the log
  writeFileSync(join(copy, 'abort'), '1')
  const path = join(copy, 'commitlog', '00000000000000000000')
  const flip = (): void => {
    const bytes = readFileSync(path)
    bytes[starts[1]! + 200]! ^= 1
    writeFileSync(path, bytes)
  }
  const left = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
  flip()
  const first = await opened(copy)
  expect(first.recovery).toMatchObject({ isAfterCrash: true, damageCount: 1 })
  expect(await served(first)).toEqual(left)
  await first.shutdown()

  for (let start = 0; start < 2; start++) {
    const again = await opened(copy)
    expect(again.recovery).toMatchObject({ isAfterCrash: false, damageCount: 0 })
    expect(again.recovery!.scannedFrom).toBeGreaterThan(4096)
    expect(await served(again)).toEqual(left)
    again.append(message())
    left.push(12 + start)
    await again.shutdown()
  }

  // whoever puts the bytes back has the message again
  flip()
  const repaired = await opened(copy)
  expect(await served(repaired)).toEqual([0, 1, ...left.slice(1)])
  await repaired.shutdown()
})

test('what a crash takes is damaged no more when other records stand there', async () => {
  const store = createStore({ settings })
  await store.start()
  const { damage } = store
  damage.recall(100, 200)
  damage.recall(4000, 9000)
  damage.recall(150, 300)
  expect(damage.parts).toEqual([
    [100, 300],
    [4000, 9000],
  ])
  expect([99, 100, 299, 300, 4000, 8999, 9000].map(offset => damage.covers(offset))).toEqual([
    ...[false, true, true, false],
    ...[true, true, false],
  ])
  damage.forgetFrom(5000)
  expect(damage.parts).toEqual([
    [100, 300],
    [4000, 5000],
  ])
  damage.forgetFrom(100)
  expect([damage.parts, damage.covers(150)]).toEqual([[], false])
  await store.shutdown()
})
