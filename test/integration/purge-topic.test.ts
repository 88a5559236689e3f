import { afterAll, beforeAll, expect, test } from 'vitest'
import { AdminClient, Producer } from '../../src/client/index.js'
import { newSubscriptionGroupConfig } from '../../src/common/index.js'
import { type CometMQ, startCometMQ } from '../../src/embed.js'
import { systemClock } from '../../src/util/index.js'
import { runMqadmin } from '../support/run-mqadmin.js'
import { scratchFolder } from '../support/store.js'

/** `mqadmin purgeTopic` and the attribute `reserve.time` with a broker. */

let mq: CometMQ
let admin: AdminClient

const purge = async (...args: string[]) => {
  const { stdout, stderr, exitCode } = await runMqadmin(['purgeTopic', '-n', mq.namesrvAddr, '-t', 'Old', ...args])
  return { stdout, stderr, exitCode }
}
const purgeJson = async (...args: string[]) => JSON.parse((await purge(...args, '--json')).stdout).result

beforeAll(async () => {
  mq = await startCometMQ({ store: scratchFolder() })
  admin = new AdminClient({ namesrvAddr: mq.namesrvAddr })
  await admin.start()
  await admin.createTopic(mq.brokerAddr, { topicName: 'Old', readQueueNums: 1, writeQueueNums: 1, perm: 6 })
  await admin.createGroup(mq.brokerAddr, newSubscriptionGroupConfig('Slow'))
  const producer = new Producer({ group: 'P', namesrvAddr: mq.namesrvAddr })
  await producer.start()
  for (let i = 0; i < 6; i++) await producer.send({ topic: 'Old', body: `m${i}` })
  await producer.stop()
})

afterAll(async () => {
  await admin.stop()
  await mq.stop()
})

test('preview, refusal, force', async () => {
  const queue = { topic: 'Old', brokerName: 'broker-a', queueId: 0 }
  const [brokerName] = [...(await admin.clusterInfo()).brokerAddrTable.keys()]
  queue.brokerName = brokerName!
  await admin.updateConsumerOffset(mq.brokerAddr, 'Slow', queue, 4)
  const preview = await purge('-s', 'now', '--preview')
  expect(preview.stderr).toBe('')
  expect(preview.stdout).toMatch(/#Broker +#QID +#Min Offset +#New Min Offset +#Max Offset +#Messages\n/)
  expect(preview.stdout).toMatch(/\S+ +0 +0 +6 +6 +6\n/)
  expect(preview.stdout).toMatch(/not consumed:\n#Broker +#Group +#Messages +#Online\n\S+ +Slow +2 +no\n/)
  expect(preview.stdout).toContain('6 messages of Old would be taken away.')

  const refused = await purge('-s', 'now', '--strict')
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('have not consumed') as string])
  expect(await admin.minOffset(queue)).toBe(0)

  await admin.updateConsumerOffset(mq.brokerAddr, 'Slow', queue, 6)
  expect(await purgeJson('-s', String(systemClock.now() - 3_600_000))).toMatchObject({ messages: 0, isDone: true })
  await admin.updateConsumerOffset(mq.brokerAddr, 'Slow', queue, 5)
  const forced = await purge('-s', 'now', '-f', '-b', mq.brokerAddr)
  expect(forced.stdout).toContain('6 messages of Old were taken away.')
  expect([await admin.minOffset(queue), await admin.maxOffset(queue)]).toEqual([6, 6])
  const answer = await admin.pull({ queue, offset: 0, maxNums: 32 })
  expect([answer.status, answer.nextBeginOffset]).toEqual(['OFFSET_ILLEGAL', 6])
})

test('without -s the reserve.time of the topic counts; without that it is an error', async () => {
  expect((await purge('--preview')).stderr).toContain('Old has no reserve.time')
  const set = await runMqadmin([
    'updateTopic',
    '-n',
    mq.namesrvAddr,
    '-b',
    mq.brokerAddr,
    '-t',
    'Old',
    '-a',
    '+reserve.time=1',
  ])
  expect(set.stderr).toBe('')
  const [broker] = (await purgeJson('--preview')).brokers
  expect(Math.abs(broker.before - (systemClock.now() - 3_600_000))).toBeLessThan(60_000)
})
