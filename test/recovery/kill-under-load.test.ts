import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { AdminClient, Producer } from '../../src/client/index.js'
import { silentLogger } from '../../src/util/index.js'
import { Daemons } from '../support/daemons.js'
import { tempDir } from '../support/temp-dir.js'

const TOPIC = 'KillTopic'
/** In each mode; `npm run test:kill` does 200. */
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 10)
/** Every so many rounds all is read again, in the others what came since. */
const FULL_CHECK = 5
const SENDERS = 16

/** What was acknowledged, by `queue/offset`. */
type Acknowledged = Map<string, string>

async function sendUntilKilled(daemons: Daemons, acknowledged: Acknowledged, round: number): Promise<void> {
  const { namesrvAddr } = daemons
  const producer = new Producer({
    namesrvAddr,
    group: 'KillProducer',
    retryTimesWhenSendFailed: 0,
    logger: silentLogger,
  })
  await producer.start()
  const killAfter = 200 + (round % 10) * 90
  let answers = 0
  let isDead = false
  const sender = async (id: number): Promise<void> => {
    for (let i = 0; !isDead; i++) {
      const body = `${round}-${id}-${i}-${'b'.repeat((i * 131) % 2000)}`
      try {
        const result = await producer.send({ topic: TOPIC, body, keys: `k${round}-${id}-${i}` }, { timeoutMs: 3000 })
        expect(result.status).toBe('SEND_OK')
        const place = `${result.queue.queueId}/${result.queueOffset}`
        expect([place, acknowledged.get(place)]).toEqual([place, undefined])
        acknowledged.set(place, body)
        answers++
      } catch (error) {
        if (answers < killAfter) throw error
        isDead = true
      }
      if (answers === killAfter && !isDead) {
        isDead = true
        await daemons.killBroker()
      }
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, (_, id) => sender(id)))
  await producer.stop()
}

/**
 * Every acknowledged message is there once, at its offset; offsets have no gaps. Reads from the offsets in `from` on,
 * and leaves there where the queues end.
 */
async function check(admin: AdminClient, acknowledged: Acknowledged, from: number[]): Promise<void> {
  const seen = new Map<string, string>()
  const begin = [...from]
  for (let queueId = 0; queueId < 4; queueId++) {
    const queue = { topic: TOPIC, brokerName: 'broker-a', queueId }
    expect(await admin.minOffset(queue)).toBe(0)
    const max = (from[queueId] = await admin.maxOffset(queue))
    expect(max).toBeGreaterThanOrEqual(begin[queueId]!)
    for (let offset = begin[queueId]!; offset < max; ) {
      const pulled = await admin.pull({ queue, offset, maxNums: 32 })
      expect([queueId, offset, pulled.status]).toEqual([queueId, offset, 'FOUND'])
      for (const message of pulled.messages) {
        expect([queueId, message.queueOffset]).toEqual([queueId, offset])
        seen.set(`${queueId}/${offset++}`, message.body!.toString())
      }
    }
  }
  for (const [place, body] of acknowledged) {
    const [queueId, offset] = place.split('/').map(Number)
    if (offset! >= begin[queueId!]! && seen.get(place) !== body) expect([place, seen.get(place)]).toEqual([place, body])
  }
  const bodies = [...seen.values()]
  expect(new Set(bodies).size).toBe(bodies.length)
}

test.each(['ASYNC_FLUSH', 'SYNC_FLUSH'])(
  'kill -9 under load takes nothing that was acknowledged: %s',
  async flushDiskType => {
    const folder = tempDir()
    const disks = ['disk1', 'disk2'].map(name => join(folder, name))
    const daemons = new Daemons(folder, {
      flushDiskType,
      // one of the two with its log on several disks
      ...(flushDiskType === 'SYNC_FLUSH' && { storePathCommitLog: disks.join(',') }),
      mappedFileSizeCommitLog: 1 << 20,
      mappedFileSizeConsumeQueue: 4000,
      maxHashSlotNum: 1000,
      maxIndexNum: 4000,
      diskMaxUsedSpaceRatio: 95,
      // a machine that is busy with other tests is no reason to turn sends away
      waitTimeMillsInSendQueue: 10_000,
      defaultTopicQueueNums: 4,
    })
    onTestFinished(() => daemons.stop())
    await daemons.startNamesrv()
    const acknowledged: Acknowledged = new Map()
    let from = [0, 0, 0, 0]
    for (let round = 0; round <= ROUNDS; round++) {
      const admin = new AdminClient({ namesrvAddr: daemons.namesrvAddr, logger: silentLogger })
      await admin.start()
      await daemons.startBroker(async () => (await admin.clusterInfo()).brokerAddrTable.size > 0)
      if (round % FULL_CHECK === 0 || round === ROUNDS) from = [0, 0, 0, 0]
      if (round > 0) await check(admin, acknowledged, from)
      await admin.stop()
      if (round < ROUNDS) await sendUntilKilled(daemons, acknowledged, round)
    }
  },
  60_000 + ROUNDS * 12_000,
)
