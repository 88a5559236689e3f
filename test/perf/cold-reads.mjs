#!/usr/bin/env node
/**
 * Producers while somebody reads a backlog that is not in memory: their p99 without and with such a reader, and that of
 * a consumer of new messages. The backlog is read from the disk for real: before each turn its pages are taken out of
 * the page cache, and the broker counts everything beyond a few MB as cold (accessMessageInMemoryMaxRatio=0).
 *
 *   npm run build && node test/perf/cold-reads.mjs
 *   node test/perf/cold-reads.mjs --mb 2000 --rounds 5 --seconds 4
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createTopic, pull, send } from './frames.mjs'
import { once, run } from './load.mjs'

const { values: options } = parseArgs({
  options: {
    mb: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    tree: { type: 'string', default: resolve(import.meta.dirname, '../..') },
  },
})
const BODY = 1024
const QUEUES = 8
/** maxTransferCountOnMessageInDisk */
const PER_PULL = 8
const seconds = Number(options.seconds)
const folder = mkdtempSync(join(tmpdir(), 'cometmq-cold-'))
let broker

function freePort() {
  return new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

async function start() {
  const port = await freePort()
  const file = join(folder, 'broker.conf')
  const keys = {
    brokerIP1: '127.0.0.1',
    listenPort: port,
    storePathRootDir: join(folder, 'store'),
    logLevel: 'error',
    mappedFileSizeCommitLog: 256 * 1024 * 1024,
    accessMessageInMemoryMaxRatio: 0,
  }
  mkdirSync(join(folder, 'store'), { recursive: true })
  writeFileSync(
    file,
    Object.entries(keys)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  broker = spawn(process.execPath, [join(options.tree, 'bin/mqbroker'), '-c', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  while (!(await reachable(port))) await new Promise(done => setTimeout(done, 20))
  return port
}

async function stop() {
  const running = broker
  broker = undefined
  if (running !== undefined) await new Promise(done => running.once('exit', done).kill('SIGTERM'))
}

function reachable(port) {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => done(!socket.destroy().connecting))
    socket.once('error', () => done(false))
  })
}

/** Takes the log's clean pages out of the page cache; how many bytes the disk has delivered is in /proc. */
function evict() {
  execFileSync('sync', ['-f', folder])
  const log = join(folder, 'store/commitlog')
  // the newest two files are being written, and what a process has mapped stays in memory
  for (const name of readdirSync(log).sort().slice(0, -2)) {
    const path = `of=${join(log, name)}`
    execFileSync('dd', [path, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], { stdio: 'ignore' })
  }
}

function diskBytes() {
  return Number(/read_bytes: (\d+)/.exec(readFileSync(`/proc/${broker.pid}/io`, 'latin1'))[1])
}

const produce = port =>
  run({ port, connections: 4, window: 4, seconds, request: i => send({ topic: 'fresh', queue: i, size: BODY }) })

/** Reads the backlog from its start on, 8 lanes, each its own queue. */
function readBacklog(port) {
  const offsets = new Array(QUEUES).fill(0)
  const request = lane => () => {
    const frame = pull({ topic: 'backlog', queue: lane, max: 32, offset: offsets[lane] })
    offsets[lane] += PER_PULL
    return frame
  }
  return run({ port, connections: QUEUES, window: 1, seconds, request })
}

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1]

try {
  const port = await start()
  for (const topic of ['backlog', 'fresh']) await once(port, createTopic(topic, QUEUES))
  let sent = 0
  while (sent * BODY < Number(options.mb) * 1e6) {
    const request = i => send({ topic: 'backlog', queue: i % QUEUES, size: BODY, batch: 32 })
    sent += (await run({ port, connections: QUEUES, window: 4, seconds: 1, request })).allMessages
  }
  // a broker that has just started has mapped the newest file alone
  await stop()
  const again = await start()
  const figures = { alone: [], beside: [], read: [], mb: [] }
  await produce(again)
  for (let round = 0; round < Number(options.rounds); round++) {
    evict()
    figures.alone.push((await produce(again)).p99Ms)
    evict()
    const before = diskBytes()
    const [producers, reader] = await Promise.all([produce(again), readBacklog(again)])
    figures.beside.push(producers.p99Ms)
    figures.read.push(reader.messagesPerSecond * PER_PULL)
    figures.mb.push((diskBytes() - before) / 1e6)
  }
  const [alone, beside] = [median(figures.alone), median(figures.beside)]
  console.log(`backlog of ${sent} messages; medians of ${options.rounds} rounds`)
  console.log(
    `producers' p99 alone ${alone.toFixed(2)} ms, beside the reader ${beside.toFixed(2)} ms: ` +
      `${(beside / alone).toFixed(2)}x`,
  )
  console.log(
    `the reader: ${median(figures.read).toFixed(0)} messages/s, ${median(figures.mb).toFixed(0)} MB from the disk`,
  )
} finally {
  await stop()
  rmSync(folder, { recursive: true, force: true })
}
