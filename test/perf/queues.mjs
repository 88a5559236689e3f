#!/usr/bin/env node
/**
 * What many active queues cost: the same sends, over TCP, to a broker with 8 queues and to one with 50 000, in turns of
 * one run. CPU is that of the broker's process, which a busy machine falsifies less than the rate.
 *
 *   npm run build && node test/perf/queues.mjs
 *   node test/perf/queues.mjs --queues 8,50000 --loads sync64x1k,async4x256x10 --rounds 6 --seconds 4
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { run } from './load.mjs'
import { framesFor, writeTopics } from './many-queues.mjs'

const LOADS = {
  sync64x1k: { connections: 64, window: 1, size: 1024 },
  async4x64x1k: { connections: 4, window: 64, size: 1024 },
  async4x256x10: { connections: 4, window: 256, size: 10 },
}
const { values: options } = parseArgs({
  options: {
    queues: { type: 'string', default: '8,50000' },
    loads: { type: 'string', default: Object.keys(LOADS).join(',') },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    tree: { type: 'string', default: resolve(import.meta.dirname, '../..') },
    prof: { type: 'string' },
  },
})
const queueCounts = options.queues.split(',').map(Number)
const frameCount = Math.max(...queueCounts)
const folder = mkdtempSync(join(tmpdir(), 'cometmq-queues-'))
const stops = []
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

function freePort() {
  return new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

/** A broker all of whose queues have their files: making them is no part of what is measured. */
async function startBroker(queues) {
  const home = join(folder, String(queues))
  mkdirSync(home)
  writeTopics(join(home, 'store'), queues)
  const first = await spawnBroker(queues, home)
  const next = requests(queues, 10)
  for (let sent = 0; sent < queues * 2; ) {
    sent += (await run({ port: first.port, connections: 4, window: 64, seconds: 1, request: () => next })).allMessages
  }
  await stops.pop()()
  return spawnBroker(queues, home)
}

async function spawnBroker(queues, home) {
  const port = await freePort()
  const file = join(home, 'broker.conf')
  const keys = { brokerIP1: '127.0.0.1', listenPort: port, storePathRootDir: `${home}/store`, logLevel: 'error' }
  writeFileSync(
    file,
    Object.entries(keys)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  const flags = options.prof === String(queues) ? ['--cpu-prof', `--cpu-prof-dir=${folder}-prof`] : []
  const child = spawn(process.execPath, [...flags, join(options.tree, 'bin/mqbroker'), '-c', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  stops.push(() => new Promise(done => child.once('exit', done).kill('SIGTERM')))
  while (!(await reachable(port))) await new Promise(done => setTimeout(done, 20))
  return { queues, port, pid: child.pid }
}

function reachable(port) {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => done(!socket.destroy().connecting))
    socket.once('error', () => done(false))
  })
}

/** Seconds of CPU that a process has used so far, all its threads together. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function memoryMb(pid) {
  const kb = /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]
  return Number(kb) / 1024
}

/**
 * Frames for all queues in an order that follows no pattern, shared by all connections. Each side gets as many, with as
 * many message keys: what the number of frames costs the load, and the number of keys the index, is the same for all.
 */
function requests(queues, size) {
  const frames = framesFor(queues, frameCount, size)
  let next = 0
  return () => frames[next++ % frames.length]
}

async function turn(side, load, nextRequest) {
  const before = cpuSeconds(side.pid)
  const seconds = Number(options.seconds)
  const figures = await run({ port: side.port, ...load, seconds, request: () => nextRequest })
  // the load's half second of warming up is work of the broker too
  const messages = figures.allMessages
  return { rate: figures.messagesPerSecond, cpuUs: ((cpuSeconds(side.pid) - before) / messages) * 1e6 }
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}

async function main() {
  const sides = []
  for (const queues of queueCounts) {
    sides.push(await startBroker(queues))
  }
  for (const name of options.loads.split(',')) {
    const load = LOADS[name]
    const next = sides.map(side => requests(side.queues, load.size))
    const turns = sides.map(() => [])
    for (const [i, side] of sides.entries()) await turn(side, load, next[i])
    for (let round = 0; round < Number(options.rounds); round++)
      for (const [i, side] of sides.entries()) turns[i].push(await turn(side, load, next[i]))
    const rows = sides.map((side, i) => {
      const [rate, cpuUs] = ['rate', 'cpuUs'].map(key => median(turns[i].map(figures => figures[key])))
      return { side, rate, cpuUs }
    })
    for (const { side, rate, cpuUs } of rows) {
      const files = readdirSync(`/proc/${side.pid}/fd`).length
      console.log(
        `${name.padEnd(14)} ${String(side.queues).padStart(6)} queues  ${rate.toFixed(0).padStart(7)} msg/s ` +
          `(${((rate / rows[0].rate) * 100).toFixed(0)} %)  ${cpuUs.toFixed(2).padStart(6)} us CPU/msg ` +
          `(${((cpuUs / rows[0].cpuUs) * 100).toFixed(0)} %)  ${memoryMb(side.pid).toFixed(0)} MB, ${files} files open`,
      )
    }
  }
}

try {
  await main()
} finally {
  for (const stop of stops.reverse()) await stop()
  rmSync(folder, { recursive: true, force: true })
}
