#!/usr/bin/env node
/**
 * How long a broker takes to come up with many queues: after a clean stop, and after kill -9 under load when none of
 * them was flushed since it got its newest messages, or none ever; and on a log that is all to be read. Seconds are
 * those from the start of the process to its first answer to a message; CPU is that of the process, with all its
 * threads, until then and until its first flush of the queues is over.
 *
 *   npm run build && node test/perf/start-queues.mjs
 *   node test/perf/start-queues.mjs --queues 50000 --messages 1100000 --rounds 2
 *   node test/perf/start-queues.mjs --queues 8 --dirty 1024
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { once, run } from './load.mjs'
import { framesFor, writeTopics } from './many-queues.mjs'

const { values: options } = parseArgs({
  options: {
    queues: { type: 'string', default: '50000' },
    /** At least so many before the clean stop. */
    messages: { type: 'string', default: '1100000' },
    /** MB of log to be killed on, instead: the whole of it is read. */
    dirty: { type: 'string' },
    rounds: { type: 'string', default: '2' },
    tree: { type: 'string', default: resolve(import.meta.dirname, '../..') },
    /** Folder for a CPU profile of each measured start. */
    prof: { type: 'string' },
  },
})
const BODY_BYTES = options.dirty === undefined ? 10 : 1024
/** What the log takes for one of them, about. */
const RECORD_BYTES = BODY_BYTES + 165
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
/** A start, or a flush, that takes longer has failed. */
const PATIENCE_MS = 120_000

const queues = Number(options.queues)
const home = mkdtempSync(join(tmpdir(), 'cometmq-start-queues-'))
const store = join(home, 'store')
const manifest = join(store, 'cometmq/queues')
let running

function freePort() {
  return new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

/** Frames for all queues in an order that follows no pattern, shared by all connections. */
function requests() {
  const frames = framesFor(queues, queues, BODY_BYTES)
  let next = 0
  return () => frames[next++ % frames.length]
}

async function until(condition, what) {
  for (const began = performance.now(); ; ) {
    if (await condition()) return
    if (running.exitCode !== null) throw new Error(`the broker ended with ${running.exitCode} instead of ${what}`)
    if (performance.now() - began > PATIENCE_MS) throw new Error(`no ${what} within ${PATIENCE_MS} ms`)
    await new Promise(done => setTimeout(done, 10))
  }
}

/** Starts the broker; resolves with its first answer. */
async function start(settings = {}, profiles = undefined) {
  const port = await freePort()
  const file = join(home, 'broker.conf')
  const keys = {
    brokerIP1: '127.0.0.1',
    listenPort: port,
    storePathRootDir: store,
    deleteWhen: '',
    logLevel: 'error',
    ...settings,
  }
  writeFileSync(
    file,
    Object.entries(keys)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  const flags = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
  const began = performance.now()
  running = spawn(process.execPath, [...flags, join(options.tree, 'bin/mqbroker'), '-c', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [probe] = framesFor(queues, 1, BODY_BYTES)
  await until(async () => (await once(port, probe).catch(() => -1)) === 0, 'answer')
  return { port, seconds: (performance.now() - began) / 1000, cpu: cpuSeconds() }
}

async function stop(signal) {
  if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
  const ended = new Promise(done => running.once('exit', done))
  running.kill(signal)
  await ended
}

/** Seconds of CPU that the broker has used so far, all its threads together. */
function cpuSeconds() {
  const fields = readFileSync(`/proc/${running.pid}/stat`, 'latin1').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

async function load(port, next, messages) {
  for (let sent = 0; sent < messages; ) {
    sent += (await run({ port, connections: 4, window: 64, seconds: 1, request: () => next })).allMessages
  }
}

/** Kills the broker while it is being sent to. */
async function killUnderLoad(port, next) {
  const traffic = run({ port, connections: 4, window: 64, seconds: 1, request: () => next }).catch(() => undefined)
  await new Promise(done => setTimeout(done, 700))
  await stop('SIGKILL')
  await traffic
}

async function measure(how, what, settings = {}) {
  const before = statSync(manifest, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const load1 = loadavg()[0]
  const { port, seconds, cpu } = await start(settings, options.prof)
  await until(() => (statSync(manifest, { throwIfNoEntry: false })?.mtimeMs ?? 0) > before, 'flush')
  console.log(
    `${how.padEnd(7)} ${what}: answers after ${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of CPU; ` +
      `${cpuSeconds().toFixed(2)} s of CPU until its queues are flushed (load average ${load1.toFixed(1)})`,
  )
  return { port }
}

/** Killed before the queues had files; stopped in order; killed when all had got more since the last flush. */
async function manyQueues(next) {
  for (let round = 0; round < Number(options.rounds); round++) {
    writeTopics(store, queues)
    let { port } = await start()
    await load(port, next, queues * 2)
    await killUnderLoad(port, next)
    ;({ port } = await measure('killed', `${queues} new queues`))
    await load(port, next, Number(options.messages))
    await stop('SIGTERM')
    // the first flush would come in a minute
    await measure('stopped', `${queues} queues`, { flushConsumeQueueThoroughInterval: 1000 })
    await stop('SIGTERM')
    ;({ port } = await start())
    await load(port, next, queues * 2)
    await killUnderLoad(port, next)
    await measure('killed', `${queues} queues`)
    await stop('SIGKILL')
    rmSync(store, { recursive: true })
  }
}

/** The same store in each round, as the kill left it. */
async function dirtyLog(next) {
  writeTopics(store, queues)
  const { port } = await start()
  await load(port, next, (Number(options.dirty) * 1e6) / RECORD_BYTES)
  await killUnderLoad(port, next)
  const image = join(home, 'image')
  renameSync(store, image)
  for (let round = 0; round < Number(options.rounds); round++) {
    execFileSync('cp', ['-r', '--sparse=always', image, store])
    // the log was flushed all the time: writing the copy is no part of a start
    execFileSync('sync', ['-f', store])
    await measure('killed', `${queues} queues, ${options.dirty} MB of log`)
    await stop('SIGKILL')
    rmSync(store, { recursive: true, force: true })
  }
}

async function cleanUp() {
  if (running !== undefined) await stop('SIGKILL')
  rmSync(home, { recursive: true, force: true })
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => cleanUp().finally(() => process.exit(1)))
try {
  await (options.dirty === undefined ? manyQueues : dirtyLog)(requests())
} finally {
  await cleanUp()
}
