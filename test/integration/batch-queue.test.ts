import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { AdminClient, Producer } from '../../src/client/index.js'
import { type CometMQ, startCometMQ } from '../../src/embed.js'
import { scratchFolder } from '../support/store.js'

/** Topics with `queue.type=BatchCQ`: a batch stays one record. */

const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function started(store: string): Promise<{ mq: CometMQ; admin: AdminClient; producer: Producer }> {
  const mq = await startCometMQ({ store })
  const admin = new AdminClient({ namesrvAddr: mq.namesrvAddr })
  const producer = new Producer({ group: 'P', namesrvAddr: mq.namesrvAddr })
  closers.push(
    () => mq.stop(),
    () => admin.stop(),
    () => producer.stop(),
  )
  await admin.start()
  await producer.start()
  return { mq, admin, producer }
}

async function bodies(mq: CometMQ, admin: AdminClient): Promise<[number, string][]> {
  const [brokerName] = [...(await admin.clusterInfo()).brokerAddrTable.keys()]
  const queue = { topic: 'Batches', brokerName: brokerName!, queueId: 0 }
  const found: [number, string][] = []
  const max = await admin.maxOffset(queue)
  for (let offset = await admin.minOffset(queue); offset < max; ) {
    const pulled = await admin.pull({ queue, offset, maxNums: 32 })
    expect([mq.namesrvAddr, offset, pulled.status]).toEqual([mq.namesrvAddr, offset, 'FOUND'])
    for (const { queueOffset, body } of pulled.messages) found.push([queueOffset, body.toString()])
    offset = pulled.nextBeginOffset
  }
  return found
}

test('batches are one record, single messages too; each message is read at its own offset, after a restart as well', async () => {
  const folder = scratchFolder()
  const { mq, admin, producer } = await started(folder)
  const attributes = '+queue.type=BatchCQ'
  await admin.createTopic(mq.brokerAddr, {
    topicName: 'Batches',
    readQueueNums: 1,
    writeQueueNums: 1,
    perm: 6,
    attributes,
  })
  const batch = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ topic: 'Batches', body: `m${from + i}`, tags: 'T' }))
  expect(await producer.sendBatch(batch(0, 3))).toMatchObject({ status: 'SEND_OK', queueOffset: 0 })
  expect(await producer.send({ topic: 'Batches', body: 'm3' })).toMatchObject({ status: 'SEND_OK', queueOffset: 3 })
  const last = await producer.sendBatch(batch(4, 2))
  expect(last).toMatchObject({ status: 'SEND_OK', queueOffset: 4 })
  // one id: there is one record
  expect(last.offsetMsgId).toMatch(/^[0-9A-F]{32}$/)
  const expected = Array.from({ length: 6 }, (_, i) => [i, `m${i}`])
  expect(await bodies(mq, admin)).toEqual(expected)
  for (const close of closers.splice(0).reverse()) await close()
  expect(existsSync(join(folder, 'batchconsumequeue', 'Batches', '0'))).toBe(true)
  expect(existsSync(join(folder, 'consumequeue', 'Batches'))).toBe(false)

  const again = await started(folder)
  expect(await bodies(again.mq, again.admin)).toEqual(expected)
  expect(await again.producer.sendBatch(batch(6, 2))).toMatchObject({ queueOffset: 6 })
  expect((await bodies(again.mq, again.admin)).length).toBe(8)
})
