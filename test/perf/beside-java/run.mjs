#!/usr/bin/env node
/**
 * The kinds of message beside the Java broker 5.3.3: the same load against CometMQ and against it in turn, in one run.
 * Only the ratios count. Needs a JDK and Maven; loads come from official Java clients and from raw frames.
 *
 * What is measured is the broker, so the clients are kept from being the slow side of both: JVMs run some seconds, and
 * receive some ten thousand messages, before the figures begin; listeners do little; several senders wait for their
 * answers at the same time. `cores_*` say who had the cores meanwhile: where `cores_other` is more than what the sender
 * takes, somebody else was at work. `per_pull` is messages per answered pull.
 *
 *   node test/perf/beside-java/run.mjs
 *   node test/perf/beside-java/run.mjs --loads filter,transactions --rounds 5
 *   node test/perf/beside-java/run.mjs --loads consume --only comet     one side alone, while tuning
 *   node test/perf/beside-java/run.mjs --flush SYNC_FLUSH               sends, each answered when it is on the disk
 */
import { execFileSync, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { commandLines, startServers } from '../../interop/lib/servers.mjs'
import { buildJava, classPath, root } from '../../interop/lib/tools.mjs'
import { createTopic, send } from '../frames.mjs'
import { once as ask, run } from '../load.mjs'
import { committer, halfMessage, messagesIn, nowUs, sendAll, sendPaced } from './sender.mjs'

const QUEUES = 16
const SIZE = 100
const DELAY_LEVEL_3_MS = 10_000
const TIMERS_AHEAD_MS = 20_000
const WARM_UP = 50_000
const OTHER_TRAFFIC = { rate: 2000, size: SIZE }

/** Each gives its figures; `rate` is per second and `messages` is what the broker's CPU time is shared out among. */
const LOADS = {
  consume: side => consume(side, { rate: 0 }),
  'consume-paced': side => consume(side, { rate: 3000 }),
  filter,
  transactions,
  delay: side => delay(side, { count: 100_000 }),
  'delay-paced': side => delay(side, { count: 30_000, rate: 3000 }),
  timer,
}

/** Where the disk decides. */
const FLUSHED_LOADS = {
  sync1x1k: side => sends(side, { connections: 1, window: 1, size: 1024 }),
  sync64x1k: side => sends(side, { connections: 64, window: 1, size: 1024 }),
  async64x16x10: side => sends(side, { connections: 64, window: 16, size: 10 }),
}

const { values: options } = parseArgs({
  options: {
    loads: { type: 'string' },
    flush: { type: 'string', default: 'ASYNC_FLUSH' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
})
const isFlushed = options.flush === 'SYNC_FLUSH'
const known = isFlushed ? FLUSHED_LOADS : LOADS
const folder = mkdtempSync(join(tmpdir(), 'cometmq-beside-java-'))
const classes = join(root, 'node_modules', '.cache', 'beside-java')
const clientJars = classPath('client-5.3')

async function sends(side, { connections, window, size }) {
  const cpu = cpuSeconds(side.pid)
  const request = i => send({ topic: side.topic, queue: i % QUEUES, size })
  const { port } = side
  const done = await run({ port, connections, window, seconds: 4, request })
  const { allMessages: messages, messagesPerSecond: rate, p50Ms, p99Ms } = done
  return { messages, rate, ms_p50: p50Ms, ms_p99: p99Ms, cpuSeconds: cpuSeconds(side.pid) - cpu }
}

function consume(side, { rate }) {
  return java(side, 'Consume', { rate, seconds: 10, consumers: 8 }).figures
}

/** Stored once; each round is a group of its own. */
function filter({ topic: group, ...side }) {
  return java({ ...side, topic: 'filter_0' }, 'Filter', { messages: 1_000_000, store: group === 'filter_0', group })
    .figures
}

async function transactions(side) {
  const count = 100_000
  const load = { port: side.port, topic: side.topic, queues: QUEUES, connections: 4, window: 64, size: SIZE }
  const cpu = cpuSeconds(side.pid)
  const began = performance.now()
  await sendAll({ ...load, ...halfMessage, count, followUp: committer() })
  for (let done = 0; done < count; done = await messagesIn(side.port, side.topic, QUEUES)) {
    if (performance.now() - began > 60_000) throw new Error(`${side.name} committed ${done} of ${count} in 60 s`)
    await sleep(20)
  }
  return {
    messages: count,
    rate: (count / (performance.now() - began)) * 1000,
    cpuSeconds: cpuSeconds(side.pid) - cpu,
  }
}

/** Messages of one delay level: how late each is stored in its topic and received. As fast as possible without a rate. */
async function delay(side, { count, rate }) {
  const receiver = await warmReceiver(side, count)
  const cpu = cpuSeconds(side.pid)
  const load = { port: side.port, topic: side.topic, queues: QUEUES, size: SIZE, count, more: { DELAY: '3' } }
  const dueUs = () => nowUs() + DELAY_LEVEL_3_MS * 1000
  if (rate) await sendPaced({ ...load, rate, dueUs }, () => false)
  else await sendAll({ ...load, connections: 4, window: 64, dueUs })
  return { ...(await receiver.figures), cpuSeconds: cpuSeconds(side.pid) - cpu }
}

/** Two consumers of `count` due messages that have received others before. */
async function warmReceiver(side, count) {
  const receiver = java(side, 'Receive', { messages: count, warm: WARM_UP, consumers: 2, seconds: 120 })
  await receiver.said('READY')
  const load = { port: side.port, topic: side.topic, queues: QUEUES, connections: 4, window: 64, size: SIZE }
  await sendAll({ ...load, count: WARM_UP })
  await receiver.said('WARM')
  return receiver
}

/** Timer messages that are all due in the same second, while other messages are sent. */
async function timer(side) {
  const count = 200_000
  const receiver = await warmReceiver(side, count)
  const cpu = cpuSeconds(side.pid)
  const due = Math.ceil((Date.now() + TIMERS_AHEAD_MS) / 1000) * 1000
  const load = { port: side.port, topic: side.topic, queues: QUEUES, connections: 4, window: 64, size: SIZE, count }
  await sendAll({ ...load, more: { TIMER_DELIVER_MS: String(due) }, dueUs: () => due * 1000 })
  if (Date.now() > due) throw new Error('the timer messages were due before they were all sent')
  let isOver = false
  const other = { port: side.port, topic: `${side.topic}_other`, queues: QUEUES, ...OTHER_TRAFFIC }
  await addTopic(side, other.topic)
  const paced = sendPaced(other, () => isOver)
  await sleep(due - Date.now())
  receiver.begin()
  const figures = await receiver.figures.finally(() => (isOver = true))
  const times = await paced
  const other_send_ms_p99 = times[Math.floor(times.length * 0.99)]
  const cpu_us_from_send_on = ((cpuSeconds(side.pid) - cpu) / count) * 1e6
  return { ...figures, other_send_ms_p99, cpu_us_from_send_on }
}

/**
 * Runs a Java program of this folder. `said` awaits a line of its; `figures` are those of its last line and who had the
 * cores from BEGIN, or the call of `begin`, to END.
 */
function java(side, program, settings) {
  const given = { namesrv: side.namesrv, topic: side.topic, ...settings }
  const flags = Object.entries(given).map(([name, value]) => `-Dbench.${name}=${value}`)
  const quiet = ['-Drocketmq.client.logLevel=ERROR', '-Drocketmq.client.logUseSlf4j=false', `-Duser.home=${folder}`]
  const child = spawn('java', ['-Xms1g', '-Xmx1g', ...quiet, ...flags, '-cp', `${classes}:${clientJars}`, program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  const lines = new EventEmitter()
  const heard = new Set()
  let from = cpuOf(side, child)
  let to
  let last = ''
  createInterface({ input: child.stdout }).on('line', line => {
    heard.add(line)
    lines.emit(line)
    if (line === 'BEGIN') from = cpuOf(side, child)
    else if (line === 'END') to = cpuOf(side, child)
    else last = line
  })
  const figures = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      children.delete(child)
      if (code === 0) resolve({ ...JSON.parse(last), ...cpuBetween(from, to) })
      else reject(new Error(`${program} ended with ${code}: ${last}`))
    })
  })
  figures.catch(() => undefined)
  const said = line => (heard.has(line) ? undefined : Promise.race([once(lines, line), figures]))
  const begin = () => (from = cpuOf(side, child))
  return { said, begin, figures }
}

function cpuOf(side, child) {
  const [user, nice, system, , , irq, softIrq] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]
    .match(/\d+/g)
    .map(Number)
  const machine = (user + nice + system + irq + softIrq) / 100
  return { at: performance.now(), broker: cpuSeconds(side.pid), client: cpuSeconds(child.pid), machine }
}

/** Who had the cores meanwhile: the broker, the clients' JVM, and all else, which is the senders and others' work. */
function cpuBetween(from, to) {
  const seconds = (to.at - from.at) / 1000
  const broker = to.broker - from.broker
  const client = to.client - from.client
  const cores_broker = broker / seconds
  const cores_client = client / seconds
  const cores_other = (to.machine - from.machine - broker - client) / seconds
  return { cores_broker, cores_client, cores_other, cpuSeconds: broker }
}

const children = new Set()
const sides = []
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/** User and system time of a process; the kernel counts in hundredths. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

async function addTopic(side, topic) {
  const code = await ask(side.port, createTopic(topic, QUEUES))
  if (code !== 0) throw new Error(`creating ${topic} on ${side.name} answered ${code}`)
  // the NameServer hears of it a moment later
  await sleep(1000)
}

async function startSide(name) {
  const home = join(folder, name)
  mkdirSync(home)
  const heap = ['-Xms2g', '-Xmx2g', '-XX:+UseG1GC', '-XX:MaxDirectMemorySize=4g']
  const settings = {
    mappedFileSizeCommitLog: 1 << 30,
    transactionTimeOut: 6000,
    transactionCheckInterval: 30_000,
    traceTopicEnable: false,
    flushDiskType: options.flush,
  }
  const servers = await startServers({ commands: commandLines[name]({ heap }), folder: home, settings })
  return {
    name,
    namesrv: servers.namesrv,
    port: Number(servers.broker.split(':')[1]),
    pid: servers.brokerPid,
    stop: servers.stop,
  }
}

function compile() {
  buildJava({ server: options.only !== 'comet' })
  mkdirSync(classes, { recursive: true })
  const sources = join(import.meta.dirname, 'java')
  const names = ['Bench', 'Consume', 'Filter', 'Receive']
  const files = names.map(name => join(sources, `${name}.java`))
  const made = join(classes, 'Bench.class')
  if (existsSync(made) && files.every(file => statSync(file).mtimeMs < statSync(made).mtimeMs)) return
  execFileSync('javac', ['-d', classes, '-cp', clientJars, ...files], { stdio: 'inherit' })
}

/** What the disk takes for the least that a flush can be. */
function fdatasyncMs() {
  const fd = openSync(join(folder, 'fdatasync'), 'w')
  const page = Buffer.alloc(4096, 'x')
  const times = Array.from({ length: 200 }, () => {
    writeSync(fd, page)
    const began = performance.now()
    fdatasyncSync(fd)
    return performance.now() - began
  })
  closeSync(fd)
  return median(times)
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}

function show(load, name, figures) {
  const parts = Object.entries(figures).map(([key, value]) => `${key} ${Number(value.toFixed(value < 100 ? 2 : 0))}`)
  console.log(`${load.padEnd(14)} ${name.padEnd(6)} ${parts.join('  ')}`)
}

async function runLoad(load) {
  const rounds = Object.fromEntries(sides.map(({ name }) => [name, []]))
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const side of sides) {
      const topic = `${load}_${round}`
      await addTopic(side, topic)
      const { cpuSeconds: cpu, ...figures } = await known[load]({ ...side, topic })
      const row = { ...figures, cpu_us_per_message: (cpu / figures.messages) * 1e6 }
      rounds[side.name].push(row)
      show(load, side.name, row)
    }
  }
  const medians = sides.map(({ name }) => {
    const rows = rounds[name]
    return Object.fromEntries(Object.keys(rows[0]).map(key => [key, median(rows.map(row => row[key]))]))
  })
  for (const [i, { name }] of sides.entries()) show(`${load} median`, name, medians[i])
  if (medians.length < 2) return
  const [ours, theirs] = medians
  show(load, 'ratio', Object.fromEntries(Object.keys(ours).map(key => [key, ours[key] / theirs[key] || 0])))
}

let stopping

/** Once, also when a signal comes on top of an error: what is still being written cannot be removed. */
function stopAll() {
  stopping ??= stopEverything()
  return stopping
}

async function stopEverything() {
  for (const child of children) child.kill()
  for (const side of sides.splice(0)) await side.stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

async function main() {
  const loads = options.loads?.split(',') ?? Object.keys(known)
  for (const load of loads)
    if (!known[load])
      throw new Error(`no load ${load} with ${options.flush}; there are ${Object.keys(known).join(', ')}`)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopAll().finally(() => process.exit(1)))
  try {
    compile()
    for (const name of options.only ? [options.only] : ['comet', 'java']) sides.push(await startSide(name))
    if (isFlushed) console.log(`fdatasync of 4 KB takes ${fdatasyncMs().toFixed(2)} ms (median)`)
    for (const load of loads) await runLoad(load)
  } finally {
    await stopAll()
  }
}

await main()
