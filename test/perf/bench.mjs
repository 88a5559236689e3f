#!/usr/bin/env node
/**
 * The hot path of this tree against that of another commit, in one run: only the ratios count.
 *
 *   npm run bench                                 against HEAD~1 (HEAD when there are uncommitted changes)
 *   npm run bench -- --against v0.1.0 --loads sync64x10,batch100x10 --rounds 5 --seconds 4
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createTopic, pull, send } from './frames.mjs'
import { once, run } from './load.mjs'

const QUEUES = 8
const LOADS = {
  sync1x1k: { connections: 1, window: 1, send: { size: 1024 } },
  sync64x10: { connections: 64, window: 1, send: { size: 10 } },
  sync64x1k: { connections: 64, window: 1, send: { size: 1024 } },
  async4x256x10: { connections: 4, window: 256, send: { size: 10 } },
  async4x64x1k: { connections: 4, window: 64, send: { size: 1024 } },
  batch100x10: { connections: 4, window: 16, send: { size: 10, batch: 100 } },
  batch32x1k: { connections: 4, window: 8, send: { size: 1024, batch: 32 } },
  pull32x1k: { connections: 8, window: 1, pull: { from: 'sync64x1k', max: 32 } },
}

const root = resolve(import.meta.dirname, '../..')
const { values: options } = parseArgs({
  options: {
    against: { type: 'string' },
    loads: { type: 'string', default: Object.keys(LOADS).join(',') },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    flush: { type: 'string', default: 'ASYNC_FLUSH' },
  },
})
const git = (...words) => execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim()
const folder = mkdtempSync(join(tmpdir(), 'cometmq-bench-'))
const stops = []

/** A built checkout of a commit, beside this one. */
function checkout(revision) {
  const tree = join(folder, 'other')
  git('worktree', 'add', '--detach', tree, revision)
  stops.push(() => git('worktree', 'remove', '--force', tree))
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  build(tree)
  return tree
}

function build(tree) {
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
    cwd: tree,
    stdio: 'inherit',
  })
}

function freePort() {
  return new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

async function startBroker(name, tree) {
  const home = join(folder, name)
  mkdirSync(home)
  const port = await freePort()
  const file = join(home, 'broker.conf')
  writeFileSync(
    file,
    `brokerIP1=127.0.0.1\nlistenPort=${port}\nstorePathRootDir=${home}/store\nflushDiskType=${options.flush}\nlogLevel=error\n`,
  )
  const child = spawn(process.execPath, [join(tree, 'bin/mqbroker'), '-c', file], { stdio: 'inherit' })
  stops.push(() => new Promise(done => child.once('exit', done).kill('SIGTERM')))
  for (;;) if (await reachable(port)) return { name, port }
}

function reachable(port) {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => done(!socket.destroy().connecting))
    socket.once('error', () => setTimeout(done, 20, false))
  })
}

async function runLoad(side, name) {
  const { connections, window, ...kind } = LOADS[name]
  const topic = `bench_${kind.pull?.from ?? name}`
  const code = await once(side.port, createTopic(topic, QUEUES))
  if (code !== 0) throw new Error(`creating ${topic} on ${side.name} answered ${code}`)
  const request = i =>
    kind.send
      ? send({ topic, queue: i % QUEUES, ...kind.send })
      : pull({ topic, queue: i % QUEUES, max: kind.pull.max })
  return run({ port: side.port, connections, window, seconds: Number(options.seconds), request })
}

const median = values =>
  values.toSorted?.((a, b) => a - b)[values.length >> 1] ?? [...values].sort((a, b) => a - b)[values.length >> 1]

async function main() {
  const dirty = git('status', '--porcelain') !== ''
  const revision = options.against ?? (dirty ? 'HEAD' : 'HEAD~1')
  if (!existsSync(join(root, 'dist'))) build(root)
  const sides = [await startBroker('this', root), await startBroker('other', checkout(revision))]
  console.log(
    `this tree against ${git('rev-parse', '--short', revision)}, ${options.flush}, medians of ${options.rounds} rounds`,
  )
  for (const name of options.loads.split(',')) {
    const figures = { this: [], other: [] }
    for (let round = 0; round < Number(options.rounds); round++)
      for (const side of sides) figures[side.name].push(await runLoad(side, name))
    const [a, b] = ['this', 'other'].map(side => ({
      rate: median(figures[side].map(f => f.messagesPerSecond)),
      p99: median(figures[side].map(f => f.p99Ms)),
    }))
    const row = [
      name.padEnd(15),
      a.rate.toFixed(0).padStart(9),
      b.rate.toFixed(0).padStart(9),
      `${(a.rate / b.rate).toFixed(2)}x`.padStart(7),
    ]
    console.log(`${row.join(' ')}   p99 ${a.p99.toFixed(2)} / ${b.p99.toFixed(2)} ms`)
  }
}

try {
  await main()
} finally {
  for (const stop of stops.reverse()) await stop()
  rmSync(folder, { recursive: true, force: true })
}
