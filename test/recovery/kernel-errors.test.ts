import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { AdminClient, Producer } from '../../src/client/index.js'
import { silentLogger } from '../../src/util/index.js'
import { Daemons } from '../support/daemons.js'
import { eventually } from '../support/eventually.js'
import { runMqadmin } from '../support/run-mqadmin.js'
import { FailingCalls, type Injection, straceMissing } from '../support/strace.js'
import { tempDir } from '../support/temp-dir.js'

/*
 * The kernel refuses system calls of the real daemon (strace). Whatever was acknowledged is served, before and after a
 * restart; status and log say which file and which error.
 */

const TOPIC = 'Kernel'
const SEGMENT = 64 * 1024
const missing = straceMissing()

class Broker {
  readonly acknowledged = new Map<number, string>()
  private sent = 0

  private constructor(
    readonly daemons: Daemons,
    readonly admin: AdminClient,
    readonly producer: Producer,
  ) {}

  static async start(settings: Readonly<Record<string, string | number>>): Promise<Broker> {
    const daemons = new Daemons(tempDir(), {
      mappedFileSizeCommitLog: SEGMENT,
      mappedFileSizeConsumeQueue: 4000,
      maxHashSlotNum: 100,
      maxIndexNum: 1000,
      diskMaxUsedSpaceRatio: 95,
      // a machine that is busy with other tests is no reason to turn sends away
      waitTimeMillsInSendQueue: 10_000,
      defaultTopicQueueNums: 1,
      ...settings,
    })
    await daemons.startNamesrv()
    const clients = { namesrvAddr: daemons.namesrvAddr, logger: silentLogger }
    const broker = new Broker(
      daemons,
      new AdminClient(clients),
      new Producer({ ...clients, group: 'KernelProducer', retryTimesWhenSendFailed: 0 }),
    )
    onTestFinished(async () => {
      await broker.producer.stop()
      await broker.admin.stop()
      await daemons.stop()
    })
    await broker.admin.start()
    await broker.producer.start()
    await broker.startDaemon()
    return broker
  }

  startDaemon(): Promise<void> {
    return this.daemons.startBroker(async () => (await this.admin.clusterInfo()).brokerAddrTable.size > 0)
  }

  /** Sends one message; what it was answered, or the failure's text. */
  async send(): Promise<string> {
    const body = `${this.sent++}-${'b'.repeat(1000)}`
    try {
      const { status, queueOffset } = await this.producer.send({ topic: TOPIC, body }, { timeoutMs: 8000 })
      if (status === 'SEND_OK') this.acknowledged.set(queueOffset, body)
      return status
    } catch (error) {
      return (error as Error).message
    }
  }

  /** As many messages as there must be for another file. */
  async sendUntilRefused(): Promise<string> {
    for (let i = 0; i < (4 * SEGMENT) / 1000; i++) {
      const answer = await this.send()
      if (answer !== 'SEND_OK') return answer
    }
    return 'SEND_OK'
  }

  async check(): Promise<void> {
    const queue = { topic: TOPIC, brokerName: 'broker-a', queueId: 0 }
    const max = await this.admin.maxOffset(queue)
    const found = new Map<number, string>()
    for (let offset = await this.admin.minOffset(queue); offset < max; ) {
      const pulled = await this.admin.pull({ queue, offset, maxNums: 32 })
      expect([offset, pulled.status]).toEqual([offset, 'FOUND'])
      for (const message of pulled.messages) found.set((offset = message.queueOffset + 1) - 1, message.body!.toString())
    }
    for (const [offset, body] of this.acknowledged) expect([offset, found.get(offset)]).toEqual([offset, body])
  }

  async restart(): Promise<void> {
    await this.daemons.killBroker()
    await this.startDaemon()
    await this.check()
    await eventually(async () => (await this.send()) === 'SEND_OK', 'a send after the restart', 20_000)
    await this.check()
  }

  async status(): Promise<string> {
    const words = ['durability', '-b', this.daemons.brokerAddr, '-n', this.daemons.namesrvAddr]
    return (await runMqadmin(words)).stdout
  }

  get log(): string {
    return join(this.daemons.storeFolder, 'commitlog')
  }
}

/** Files of the log that may be made next. */
function nextFiles(folder: string): string[] {
  const last = Math.max(...readdirSync(folder).map(Number))
  return [1, 2, 3, 4].map(i => join(folder, String(last + i * SEGMENT).padStart(20, '0')))
}

test('a refused flush ends acknowledging until a restart, although the disk is sound again', async ctx => {
  if (missing !== undefined) return ctx.skip(missing)
  const broker = await Broker.start({ flushDiskType: 'SYNC_FLUSH' })
  for (let i = 0; i < 20; i++) expect(await broker.send()).toBe('SEND_OK')
  const failing = await FailingCalls.begin(broker.daemons.brokerPid, {
    calls: ['msync', 'fdatasync', 'fsync'],
    error: 'EIO',
  })
  expect(await broker.send()).not.toBe('SEND_OK')
  for (let i = 0; i < 3; i++) expect(await broker.send()).not.toBe('SEND_OK')
  expect(failing.count).toBeGreaterThan(0)
  await failing.end()
  for (let i = 0; i < 3; i++) expect(await broker.send()).not.toBe('SEND_OK')
  expect(await broker.status()).toMatch(/NOT WRITABLE: .*EIO.*commitlog\/\d{20}/)
  await eventually(() => /EIO[^\n]*commitlog\/\d{20}/.test(broker.daemons.brokerLog), 'the log', 10_000)
  await broker.check()
  await broker.restart()
}, 120_000)

const creating: [string, (log: string) => Injection][] = [
  ['no space for a file', () => ({ calls: ['fallocate'], error: 'ENOSPC' })],
  ['a file that cannot be opened', log => ({ calls: ['openat', 'open'], error: 'EIO', paths: nextFiles(log) })],
  ['a new file that cannot be flushed', log => ({ calls: ['fsync'], error: 'EIO', paths: [...nextFiles(log), log] })],
]

test('while no further file can be made sends are refused, and taken again when one can', async ctx => {
  if (missing !== undefined) return ctx.skip(missing)
  const broker = await Broker.start({ flushDiskType: 'ASYNC_FLUSH' })
  expect(await broker.send()).toBe('SEND_OK')
  for (const [name, injection] of creating) {
    const { error, ...rest } = injection(broker.log)
    const failing = await FailingCalls.begin(broker.daemons.brokerPid, { error, ...rest })
    expect(`${name}: ${await broker.sendUntilRefused()}`).not.toBe(`${name}: SEND_OK`)
    expect([name, failing.count > 0]).toEqual([name, true])
    const pattern = new RegExp(`${error}[^\\n]*commitlog(/\\d{20})?`)
    expect([name, await broker.status()]).toEqual([name, expect.stringMatching(pattern)])
    // lines are written behind
    await eventually(() => pattern.test(broker.daemons.brokerLog), `${pattern} in the log`, 10_000)
    await broker.check()
    await failing.end()
    await eventually(async () => (await broker.send()) === 'SEND_OK', 'a send on a sound disk', 20_000)
    expect(await broker.status()).toMatch(/ OK\n/)
  }
  await broker.restart()
}, 180_000)

test('queue files that cannot be written are named, and cost nothing', async ctx => {
  if (missing !== undefined) return ctx.skip(missing)
  const broker = await Broker.start({ flushDiskType: 'ASYNC_FLUSH', flushIntervalConsumeQueue: 200 })
  expect(await broker.send()).toBe('SEND_OK')
  const folder = join(broker.daemons.storeFolder, 'consumequeue', TOPIC, '0')
  await eventually(() => existsSync(folder) && readdirSync(folder).length > 0, 'the queue file', 20_000)
  const calls = ['pwrite64', 'pwritev', 'pwritev2']
  const failing = await FailingCalls.begin(broker.daemons.brokerPid, { calls, error: 'ENOSPC' })
  for (let i = 0; i < 30; i++) expect(await broker.send()).toBe('SEND_OK')
  await eventually(() => failing.count > 2, 'refused writes', 20_000)
  await eventually(
    () => /ENOSPC[^\n]*consumequeue\/Kernel\/0\/\d{20}/.test(broker.daemons.brokerLog),
    'the log',
    20_000,
  )
  await broker.check()
  await failing.end()
  await broker.restart()
}, 120_000)
