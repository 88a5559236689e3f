#!/usr/bin/env node
/**
 * What others notice while somebody reads a backlog that is not in memory: the p99 of producers that send as fast as
 * they can, and, at 2000 messages a second, how old messages are when a consumer that follows the tail gets them; each
 * without and with such a reader. The backlog is read from the disk for real: before each turn its pages are taken out
 * of the page cache, and the broker counts everything as cold that is farther from the end of the log than 1 % of the
 * machine's memory (accessMessageInMemoryMaxRatio=1), of which the backlog has several times as much.
 *
 *   npm run build && node test/perf/cold-reads.mjs
 *   node test/perf/cold-reads.mjs --mb 2000 --rounds 5 --seconds 4
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { Daemons } from './daemon.mjs'
import { createTopic, send } from './frames.mjs'
import { once, run } from './load.mjs'
import { endToEnd } from './tail-reader.mjs'

/** Three times what counts as recent. */
const DEFAULT_MB = Math.max(600, Math.round((totalmem() * 0.03) / 1e6))
const { values: options } = parseArgs({
  options: {
    mb: { type: 'string', default: String(DEFAULT_MB) },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    tree: { type: 'string', default: resolve(import.meta.dirname, '../..') },
  },
})
const BODY = 1024
const QUEUES = 8
/** Connections of producers, each with a queue of its own. */
const LANES = 4
/** maxTransferCountOnMessageInDisk */
const PER_PULL = 8
const seconds = Number(options.seconds)
const daemons = new Daemons('cold', options.tree)
const { folder } = daemons

const start = () =>
  daemons.start('mqbroker', {
    brokerIP1: '127.0.0.1',
    storePathRootDir: join(folder, 'store'),
    mappedFileSizeCommitLog: 256 * 1024 * 1024,
    accessMessageInMemoryMaxRatio: 1,
  })

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

function diskBytes({ pid }) {
  return Number(/read_bytes: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))[1])
}

const produce = ({ port }) => {
  const request = queue => send({ topic: 'fresh', queue, size: BODY })
  return run({ port, connections: LANES, window: 4, seconds, request })
}

const follow = ({ port }) => endToEnd({ port, topic: 'fresh', queues: LANES, size: BODY, seconds })

/** Resolves to what `run` found. */
function readBacklog({ port }) {
  const workerData = { port, queues: QUEUES, perPull: PER_PULL, seconds }
  const worker = new Worker(new URL('./cold-reader.mjs', import.meta.url), { workerData })
  return new Promise((done, failed) => worker.once('message', done).once('error', failed))
}

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1]
const compared = (alone, beside) =>
  `alone ${median(alone).toFixed(2)} ms, beside the reader ${median(beside).toFixed(2)} ms: ` +
  `${(median(beside) / median(alone)).toFixed(2)}x`

async function fill(broker) {
  for (const topic of ['backlog', 'fresh']) await once(broker.port, createTopic(topic, QUEUES))
  let sent = 0
  while (sent * BODY < Number(options.mb) * 1e6) {
    const request = i => send({ topic: 'backlog', queue: i % QUEUES, size: BODY, batch: 32 })
    const load = { port: broker.port, connections: QUEUES, window: 4, seconds: 1, request }
    sent += (await run(load)).allMessages
  }
  return sent
}

try {
  const first = await start()
  const sent = await fill(first)
  // a broker that has just started has mapped the newest file alone
  await daemons.stop(first)
  const broker = await start()
  const turns = { produce, follow }
  const found = { produce: { alone: [], beside: [] }, follow: { alone: [], beside: [] } }
  const readers = []
  await produce(broker)
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [name, turn] of Object.entries(turns)) {
      evict()
      found[name].alone.push(await turn(broker))
      evict()
      const before = diskBytes(broker)
      const [beside, reader] = await Promise.all([turn(broker), readBacklog(broker)])
      found[name].beside.push(beside)
      readers.push({ ...reader, mb: (diskBytes(broker) - before) / 1e6 })
    }
  }
  console.log(`backlog of ${sent} messages; medians of ${options.rounds} rounds`)
  for (const [name, what] of [
    ['produce', "producers'"],
    ['follow', "end to end, the tail's"],
  ]) {
    for (const quantile of ['p50Ms', 'p99Ms']) {
      const { alone, beside } = found[name]
      const of = rounds => rounds.map(round => round[quantile])
      console.log(`${what} ${quantile.slice(0, 3)} ${compared(of(alone), of(beside))}`)
    }
  }
  const rate = median(readers.map(({ messagesPerSecond }) => messagesPerSecond * PER_PULL)).toFixed(0)
  console.log(`the reader: ${rate} messages/s, ${median(readers.map(({ mb }) => mb)).toFixed(0)} MB from the disk`)
} finally {
  await daemons.end()
}
