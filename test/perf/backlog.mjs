#!/usr/bin/env node
/**
 * What a message costs while the backlog grows: batches of 100 messages of 10 bytes are appended to the store, which is
 * given nothing to delete. CPU time is that of the process with all its threads; a consumer that reads the newest and
 * one that reads the oldest messages show that neither pays for what lies between.
 *
 *   npm run build && node test/perf/backlog.mjs
 *   node test/perf/backlog.mjs --messages 100 --folder /data/scratch      millions; some 140 bytes of disk each
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const BATCH = 100
const QUEUES = 8
const MILLION = 1_000_000
const { values: options } = parseArgs({
  options: {
    messages: { type: 'string', default: '30' },
    steps: { type: 'string', default: '0,1,3,10,20,30,50,70,100' },
    folder: { type: 'string', default: tmpdir() },
    build: { type: 'string', default: resolve(import.meta.dirname, '../../dist') },
  },
})
const { MessageStore } = await import(join(options.build, 'store/index.js'))
const { silentLogger, systemClock } = await import(join(options.build, 'util/index.js'))
const { loadBrokerSettings } = await import(join(options.build, 'config/index.js'))
const folder = mkdtempSync(join(options.folder, 'cometmq-backlog-'))

function batchBody() {
  const properties = Buffer.from('UNIQ_KEY\u00017F0000010000000000000000000000FF\u0002WAIT\u0001true\u0002')
  const element = Buffer.alloc(22 + 10 + properties.length)
  element.writeInt32BE(element.length, 0)
  element.writeInt32BE(10, 16)
  element.fill('x', 20, 30)
  element.writeInt16BE(properties.length, 30)
  properties.copy(element, 32)
  return Buffer.concat(Array.from({ length: BATCH }, () => element))
}

const message = {
  topic: 'backlog',
  queueId: 0,
  sysFlag: 0,
  flag: 0,
  bornTimestamp: Date.now(),
  bornHost: Buffer.of(127, 0, 0, 1, 0, 0, 1, 1),
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: batchBody(),
  properties: '',
}

/** MB of memory that is the process's own, mapped files left out. */
function ownMemoryMb() {
  return Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1]) / 1024
}

async function append(store, count) {
  for (let done = 0; done < count; done += BATCH) {
    message.queueId = (done / BATCH) % QUEUES
    const { status } = store.appendBatch(message)
    if (status !== 'PUT_OK') throw new Error(`a batch was answered ${status}`)
    if (done % (BATCH * 50) === 0) await new Promise(resolve => setImmediate(resolve))
  }
}

/** us of CPU per message of a read of 32 messages from `offset` on. */
async function readCost(store, offset) {
  const before = process.cpuUsage()
  let read = 0
  for (let i = 0; i < 2000; i++) {
    const request = { group: 'g', topic: 'backlog', queueId: 0, offset: offset(i), maxMsgNums: 32 }
    const result = await store.getMessage(request)
    read += result.messageCount
    result.release()
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / Math.max(1, read)
}

async function measure(store) {
  const sample = MILLION / 2
  const before = process.cpuUsage()
  const began = performance.now()
  await append(store, sample)
  const { user, system } = process.cpuUsage(before)
  const rate = sample / ((performance.now() - began) / 1000)
  const end = store.maxOffset('backlog', 0)
  const newest = await readCost(store, i => end - 32 - (i % 1000))
  const oldest = await readCost(store, i => i % 1000)
  return { cpuUs: (user + system) / sample, rate, newest, oldest, memory: ownMemoryMb() }
}

const store = new MessageStore({
  settings: { ...loadBrokerSettings([]).settings.values, storePathRootDir: folder, deleteWhen: '' },
  clock: systemClock,
  logger: silentLogger,
  storeHost: Buffer.of(127, 0, 0, 1, 0, 0, 0x51, 0xaf),
})
try {
  await store.start()
  await append(store, MILLION / 2)
  console.log('millions | us CPU/append | appends/s | us CPU/read of the newest | of the oldest | own memory MB | maps')
  const steps = options.steps.split(',').map(Number)
  for (const step of steps.filter(step => step <= Number(options.messages))) {
    const have = () => [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, id) => sum + store.maxOffset('backlog', id), 0)
    while (have() < step * MILLION) await append(store, Math.min(MILLION, step * MILLION - have()))
    const { cpuUs, rate, newest, oldest, memory } = await measure(store)
    const maps = readFileSync('/proc/self/maps', 'latin1').split(folder).length - 1
    const cells = [
      step,
      cpuUs.toFixed(2),
      rate.toFixed(0),
      newest.toFixed(2),
      oldest.toFixed(2),
      memory.toFixed(0),
      maps,
    ]
    console.log(cells.join(' | '))
  }
  await store.shutdown()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
