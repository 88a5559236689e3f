#!/usr/bin/env node
/**
 * What making many topics and groups costs: each is asked for by its own request over one connection, and answered when
 * it is on disk and the NameServer knows it. NameServer and broker are processes of their own; CPU is theirs.
 *
 *   npm run build && node test/perf/topics.mjs
 *   node test/perf/topics.mjs --topics 5000 --groups 5000 --concurrency 16
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Daemons } from './daemon.mjs'
import { createTopic, jsonFrame } from './frames.mjs'
import { openClient } from './load.mjs'

const { values: options } = parseArgs({
  options: {
    topics: { type: 'string', default: '5000' },
    groups: { type: 'string', default: '5000' },
    concurrency: { type: 'string', default: '16' },
    tree: { type: 'string', default: resolve(import.meta.dirname, '../..') },
  },
})
const QUARTERS = 4
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const daemons = new Daemons('topics', options.tree)
const { folder } = daemons

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Asks for `count` things, `concurrency` at a time; prints how long each quarter of them took. */
async function make(what, port, count, request) {
  if (count === 0) return
  const client = await openClient(port)
  const before = pids.map(cpuSeconds)
  const began = performance.now()
  const marks = []
  let next = 0
  let done = 0
  const lane = async () => {
    while (next < count) {
      const { code } = await client.ask(request(next++))
      if (code !== 0) throw new Error(`${what}: answered with code ${code}`)
      if (++done % Math.ceil(count / QUARTERS) === 0 || done === count) marks.push((performance.now() - began) / 1000)
    }
  }
  await Promise.all(Array.from({ length: Number(options.concurrency) }, lane))
  client.close()
  const [namesrv, broker] = pids.map((pid, i) => (cpuSeconds(pid) - before[i]).toFixed(1))
  console.log(
    `${count} ${what}, ${options.concurrency} at a time: ${marks.at(-1).toFixed(1)} s ` +
      `(quarters done after ${marks.map(mark => mark.toFixed(1)).join(', ')} s); ` +
      `CPU of the broker ${broker} s, of the NameServer ${namesrv} s`,
  )
}

const group = name => jsonFrame(200, {}, Buffer.from(JSON.stringify({ groupName: name, consumeEnable: true })))

const pids = []
try {
  const namesrv = await daemons.start('mqnamesrv', {
    kvConfigPath: `${folder}/kv.json`,
    configStorePath: `${folder}/ns`,
  })
  const broker = await daemons.start('mqbroker', {
    brokerIP1: '127.0.0.1',
    namesrvAddr: `127.0.0.1:${namesrv.port}`,
    storePathRootDir: join(folder, 'store'),
  })
  pids.push(namesrv.pid, broker.pid)
  await make('topics', broker.port, Number(options.topics), i => createTopic(`topic-${i}`, 8))
  await make('groups', broker.port, Number(options.groups), i => group(`group-${i}`))
} finally {
  await daemons.end()
}
