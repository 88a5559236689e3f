#!/usr/bin/env node
/**
 * How long a broker takes to come up on a store that was not shut down: this one and the Java release, each on its own
 * copy of the same store, by turns. The Java release comes from Maven as in the interop tests.
 *
 *   npm run build && node test/perf/recovery.mjs --mb 300 --rounds 3
 */
import { execFileSync, fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    mb: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '3' },
    servers: { type: 'string', default: 'comet,java' },
    build: { type: 'string', default: resolve(import.meta.dirname, '../../dist') },
    fill: { type: 'string' },
  },
})
const FILE_SIZE = 1024 * 1024 * 1024

/** Fills a store with single messages of 1 KB in 8 queues, and dies: in a process of its own. */
async function fill(root) {
  const { MessageStore } = await import(join(options.build, 'store/index.js'))
  const { silentLogger, systemClock } = await import(join(options.build, 'util/index.js'))
  const { loadBrokerSettings } = await import(join(options.build, 'config/index.js'))
  const settings = { ...loadBrokerSettings([]).settings.values, storePathRootDir: root, deleteWhen: '' }
  const storeHost = Buffer.of(127, 0, 0, 1, 0, 0, 0x51, 0xaf)
  const store = new MessageStore({ settings, clock: systemClock, logger: silentLogger, storeHost })
  await store.start()
  for (let i = 0; store.log.maxOffset < Number(options.mb) * 1e6; i++) {
    const { status } = store.append({
      topic: 'recovery',
      queueId: i % 8,
      sysFlag: 0,
      flag: 0,
      bornTimestamp: Date.now(),
      bornHost: Buffer.of(127, 0, 0, 1, 0, 0, 1, 1),
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.alloc(1024, 'x'),
      properties: `UNIQ_KEY\u00017F000001${i.toString(16).padStart(24, '0').toUpperCase()}\u0002WAIT\u0001true\u0002`,
    })
    if (status !== 'PUT_OK') throw new Error(`a message was answered ${status}`)
    if (i % 1000 === 0) await new Promise(done => setImmediate(done))
  }
  process.kill(process.pid, 'SIGKILL')
}

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1]

async function main() {
  const { commandLines, startServers } = await import('../interop/lib/servers.mjs')
  const folder = mkdtempSync(join(tmpdir(), 'cometmq-recovery-'))
  try {
    const dirty = join(folder, 'dirty')
    mkdirSync(dirty)
    const maker = fork(process.argv[1], ['--fill', dirty, '--mb', options.mb, '--build', options.build])
    await new Promise(done => maker.once('exit', done))
    const times = new Map(options.servers.split(',').map(name => [name, []]))
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const [name, list] of times) list.push(await startOn(dirty, join(folder, `${name}-${round}`), name))
    }
    for (const [name, list] of times) {
      console.log(`${name.padEnd(6)} up after ${(median(list) / 1000).toFixed(2)} s (${options.mb} MB of dirty log)`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }

  async function startOn(dirty, home, name) {
    mkdirSync(join(home, 'home'), { recursive: true })
    execFileSync('cp', ['-r', '--sparse=always', dirty, join(home, 'home/store')])
    const began = performance.now()
    const servers = await startServers({
      commands: commandLines[name](),
      folder: home,
      settings: { mappedFileSizeCommitLog: FILE_SIZE },
    })
    const took = performance.now() - began
    await servers.stop()
    rmSync(home, { recursive: true, force: true })
    return took
  }
}

await (options.fill === undefined ? main() : fill(options.fill))
