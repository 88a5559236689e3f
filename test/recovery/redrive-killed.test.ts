import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { AdminClient, Producer, PushConsumer } from '../../src/client/index.js'
import { silentLogger } from '../../src/util/index.js'
import { Daemons } from '../support/daemons.js'
import { eventually } from '../support/eventually.js'
import { runMqadmin } from '../support/run-mqadmin.js'
import { tempDir } from '../support/temp-dir.js'

const TOPIC = 'Redriven'
const GROUP = 'Redriver'
const LETTERS = 60
const root = process.env.COMETMQ_ROOT ?? resolve(import.meta.dirname, '../..')

/** Messages that a consumer of ours gives up at once, with a reason. */
async function makeDeadLetters(namesrvAddr: string): Promise<void> {
  const consumer = new PushConsumer({
    group: GROUP,
    namesrvAddr,
    maxReconsumeTimes: 0,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    logger: silentLogger,
    onMessages: ([message]) => {
      given.add(message!.body.toString())
      throw new Error(`no money for ${message!.body.toString()}`)
    },
  })
  const given = new Set<string>()
  await consumer.subscribe(TOPIC)
  await consumer.start()
  const producer = new Producer({ group: 'P', namesrvAddr, logger: silentLogger })
  await producer.start()
  for (let i = 0; i < LETTERS; i++) await producer.send({ topic: TOPIC, body: `m${i}` })
  await eventually(() => given.size === LETTERS, 'the failures')
  await consumer.stop()
  await producer.stop()
}

async function bodiesOf(admin: AdminClient, topic: string): Promise<string[]> {
  const bodies: string[] = []
  for (const { queue, minOffset, maxOffset } of (await admin.topicStats(await brokerOf(admin), topic)).queues) {
    for (let offset = minOffset; offset < maxOffset; ) {
      const { messages } = await admin.pull({ queue, offset, maxNums: 32 })
      for (const { body, properties } of messages)
        if (topic !== TOPIC || properties.has('DLQ_REDRIVEN_FROM')) bodies.push(body.toString())
      offset += Math.max(1, messages.length)
    }
  }
  return bodies.sort()
}

async function brokerOf(admin: AdminClient): Promise<string> {
  const [address] = await admin.masterAddresses('DefaultCluster')
  return address!
}

function startRedrive(namesrvAddr: string): ChildProcess {
  const args = [resolve(root, 'bin/mqadmin'), 'dlq', '-n', namesrvAddr, '-g', GROUP, '--redrive', '--all']
  return spawn(process.execPath, args, { stdio: 'ignore' })
}

test('a re-drive that is killed half way, again and again, sends every dead letter once', async () => {
  const daemons = new Daemons(tempDir(), { maxHashSlotNum: 1000, maxIndexNum: 4000, diskMaxUsedSpaceRatio: 95 })
  onTestFinished(() => daemons.stop())
  await daemons.startNamesrv()
  const { namesrvAddr } = daemons
  const admin = new AdminClient({ namesrvAddr, logger: silentLogger })
  await admin.start()
  onTestFinished(() => admin.stop())
  await daemons.startBroker(async () => (await admin.clusterInfo()).brokerAddrTable.size > 0)
  await admin.createTopic(daemons.brokerAddr, { topicName: TOPIC, readQueueNums: 4, writeQueueNums: 4, perm: 6 })
  await makeDeadLetters(namesrvAddr)
  await eventually(async () => (await bodiesOf(admin, `%DLQ%${GROUP}`)).length === LETTERS, 'the dead letters')

  const sentAtKill: number[] = []
  for (const enough of [5, 20, 45]) {
    const redrive = startRedrive(namesrvAddr)
    const ended = new Promise(done => redrive.once('exit', done))
    await eventually(async () => (await bodiesOf(admin, TOPIC)).length >= enough, `${enough} copies`)
    redrive.kill('SIGKILL')
    await ended
    sentAtKill.push((await bodiesOf(admin, TOPIC)).length)
  }
  expect(sentAtKill[0]).toBeLessThan(LETTERS)
  const last = await runMqadmin(['dlq', '-n', namesrvAddr, '-g', GROUP, '--redrive', '--all', '--json'])
  const { counts } = JSON.parse(last.stdout).result as { counts: Record<string, number> }
  expect((counts.already ?? 0) + (counts.redriven ?? 0)).toBe(LETTERS)
  const all = Array.from({ length: LETTERS }, (_, i) => `m${i}`).sort()
  expect(await bodiesOf(admin, TOPIC)).toEqual(all)

  // and what is kept of each says why it died
  const shown = await runMqadmin(['dlq', '-n', namesrvAddr, '-g', GROUP, '--json'])
  const { result } = JSON.parse(shown.stdout) as { result: { body: string; reason: string }[] }
  for (const { body, reason } of result) expect(reason).toBe(`no money for ${body}`)
  expect(result).toHaveLength(32)
}, 90_000)
