#!/usr/bin/env node
/**
 * One store with its log on two disks, two brokers by turns: CometMQ writes it and stops, the Java broker 5.3.3 opens
 * it, serves all of it and appends, CometMQ goes on and is killed, the Java broker opens what the kill left and is
 * killed, CometMQ has the last word. After each change every message is read again, by queue, by key and by id; delayed
 * and timed messages, undecided transactions and messages that failed are left to the next broker, which brings them to
 * their end.
 *
 *   node test/interop/store-swap.mjs [--root <folder with bin and dist>] [--keep]
 *
 * Prints a line per step and ends with `N passed, M failed`; exits 1 when one failed. Without Java it says so and passes nothing.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { commandLines, freePorts, startServers } from './lib/servers.mjs'
import { messageDelayLevel, Special } from './lib/swap-special.mjs'
import { buildJava, root as checkout, findTools } from './lib/tools.mjs'

const { values: options } = parseArgs({
  options: { root: { type: 'string', default: checkout }, keep: { type: 'boolean', default: false } },
})
const { AdminClient, newSubscriptionGroupConfig, Producer, PushConsumer, TransactionProducer } = await import(
  pathToFileURL(join(options.root, 'dist', 'index.js')).href
)

const SEGMENT = 1 << 20
const settings = {
  mappedFileSizeCommitLog: SEGMENT,
  mappedFileSizeConsumeQueue: 4000,
  maxHashSlotNum: 500,
  maxIndexNum: 2000,
  messageDelayLevel,
  transactionCheckInterval: 1000,
  // eight threads of these take Java seconds to end
  reviveQueueNum: 1,
}
const TOPICS = ['SwapTopicA', 'SwapTopicB']
const GROUP = 'SwapGroup'
const counts = { passed: 0, failed: 0 }
const commands = {
  comet: {
    namesrv: [process.execPath, join(options.root, 'bin', 'mqnamesrv'), '-c', '{namesrvConf}'],
    broker: [process.execPath, join(options.root, 'bin', 'mqbroker'), '-c', '{brokerConf}'],
  },
  java: commandLines.java(),
}

/** What was acknowledged: `topic/queue/offset` to the message. */
const sent = new Map()
const committed = new Map()
const special = new Special({ PushConsumer, TransactionProducer })
let serial = 0

function newMessage(topic) {
  const n = serial++
  return {
    topic,
    body: `${n}:${'b'.repeat((n * 37) % 3000)}`,
    tags: `Tag${n % 3}`,
    keys: [`key${n}`, `group${n % 50}`],
    properties: { origin: `sender ${n}`, ümlaut: 'größe' },
  }
}

function note(result, messages) {
  if (result.status !== 'SEND_OK') throw new Error(`a send was answered ${result.status}`)
  const ids = result.offsetMsgId.split(',')
  for (const [i, message] of messages.entries()) {
    const { topic, queueId } = result.queue
    const place = `${topic}/${queueId}/${result.queueOffset + i}`
    if (sent.has(place)) throw new Error(`${place} was given twice`)
    sent.set(place, { ...message, id: ids[i] })
  }
}

async function sendSome(producer, count) {
  for (let i = 0; i < count; i++) {
    const topic = TOPICS[i % TOPICS.length]
    if (i % 10 === 9) {
      const batch = [newMessage(topic), newMessage(topic), newMessage(topic)]
      note(await producer.sendBatch(batch), batch)
    } else {
      const message = newMessage(topic)
      note(await producer.send(message), [message])
    }
  }
}

/** Sends without waiting for each, until the broker is killed in the midst of it; only answers count. */
async function sendUntilKilled(producer, servers) {
  let isDead = false
  let answers = 0
  const senders = Array.from({ length: 8 }, async (_, i) => {
    while (!isDead) {
      const message = newMessage(TOPICS[i % TOPICS.length])
      try {
        note(await producer.send(message, { timeoutMs: 2000 }), [message])
        if (++answers === 400) await servers.killBroker().then(() => (isDead = true))
      } catch (error) {
        if (answers < 400) throw error
        isDead = true
      }
    }
  })
  await Promise.all(senders)
}

function same(name, actual, expected) {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== e) throw new Error(`${name}: got ${a?.slice(0, 300)}, expected ${e?.slice(0, 300)}`)
}

/** Reads everything: each acknowledged message once, at its offset, with all it was sent with. */
async function checkAll(admin, servers) {
  const seen = new Map()
  for (const topic of TOPICS) {
    for (let queueId = 0; queueId < 4; queueId++) {
      const queue = { topic, brokerName: 'interop-a', queueId }
      const [min, max] = [await admin.minOffset(queue), await admin.maxOffset(queue)]
      let offset = min
      while (offset < max) {
        const pulled = await admin.pull({ queue, offset, maxNums: 32 })
        if (pulled.status !== 'FOUND') throw new Error(`${topic}-${queueId} at ${offset} of ${max}: ${pulled.status}`)
        for (const message of pulled.messages) {
          if (message.queueOffset !== offset)
            throw new Error(`${topic}-${queueId}: ${message.queueOffset} follows ${offset - 1}`)
          seen.set(`${topic}/${queueId}/${offset++}`, message)
        }
      }
      const place = `${topic}/${queueId}`
      if (committed.has(place))
        same('consumer offset', await admin.consumerOffset(servers.broker, GROUP, queue), committed.get(place))
    }
  }
  for (const [place, message] of sent) {
    const found = seen.get(place)
    if (found === undefined) throw new Error(`${place} is lost`)
    same(place, found.body.toString(), message.body)
    same(`${place} tags`, found.properties.get('TAGS'), message.tags)
    same(`${place} keys`, found.properties.get('KEYS'), message.keys.join(' '))
    for (const [name, value] of Object.entries(message.properties))
      same(`${place} ${name}`, found.properties.get(name), value)
  }
  return seen.size
}

/** Some of all messages by key and by id. */
async function checkQueries(admin) {
  const all = [...sent.values()]
  for (let i = 0; i < all.length; i += Math.ceil(all.length / 40)) {
    const { topic, keys, body, id } = all[i]
    const found = await admin.queryMessages({
      topic,
      key: keys[0],
      maxNum: 32,
      beginTimestamp: 0,
      endTimestamp: Date.now() + 60_000,
    })
    same(
      `query of ${keys[0]}`,
      found.map(message => message.body.toString()),
      [body],
    )
    same(`message ${id}`, (await admin.viewMessage(id, topic)).body.toString(), body)
  }
}

async function commitSome(admin, servers) {
  for (const topic of TOPICS) {
    const queue = { topic, brokerName: 'interop-a', queueId: 1 }
    const offset = Math.floor((await admin.maxOffset(queue)) / 2)
    await admin.updateConsumerOffset(servers.broker, GROUP, queue, offset)
    committed.set(`${topic}/1`, offset)
  }
}

/** The log's files are where the Java broker would make them: by turns in both folders. */
function checkSegments() {
  const segments = disks.flatMap((disk, i) => readdirSync(disk).map(name => ({ number: Number(name) / SEGMENT, i })))
  if (segments.length < 3) throw new Error(`only ${segments.length} segments were written`)
  const wrong = segments.filter(({ number, i }) => number % disks.length !== i)
  if (wrong.length > 0) throw new Error(`segments in the wrong folder: ${JSON.stringify(wrong)}`)
}

/**
 * Until the NameServer knows the broker and, once there are topics, where they are. The broker listens before it
 * registers, and Java's NameServer shows a broker in its cluster table before it has taken over that broker's topics.
 */
async function registered(admin) {
  const deadline = Date.now() + 30_000
  while (!(await isRouted(admin))) {
    if (Date.now() > deadline) throw new Error('the broker does not register')
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

async function isRouted(admin) {
  const { brokerAddrTable } = await admin.clusterInfo()
  if (brokerAddrTable.size === 0) return false
  if (sent.size === 0) return true
  const routes = await Promise.all(TOPICS.map(topic => admin.topicRoute(topic).catch(() => undefined)))
  return routes.every(route => route?.brokerDatas.some(({ brokerAddrs }) => brokerAddrs.size > 0))
}

/** One broker's turn with the store. */
async function turn(kind, name, work, { isKilled = false } = {}) {
  const started = performance.now()
  let servers
  const clients = []
  try {
    const storePathCommitLog = disks.join(',')
    servers = await startServers({
      commands: commands[kind],
      folder,
      settings: { ...settings, storePathCommitLog },
      port,
    })
    const startedIn = performance.now() - started
    const namesrvAddr = servers.namesrv
    const admin = new AdminClient({ namesrvAddr })
    const producer = new Producer({ namesrvAddr, group: 'SwapProducer', retryTimesWhenSendFailed: 0 })
    clients.push(producer, admin)
    await producer.start()
    await admin.start?.()
    await registered(admin)
    if (sent.size > 0) {
      const seen = await checkAll(admin, servers)
      await checkQueries(admin)
      console.log(`     ${kind} started in ${Math.round(startedIn)} ms and serves ${seen} messages`)
    }
    await special.begin({ admin, namesrvAddr })
    await special.end()
    await work({ admin, producer, servers })
    if (isKilled) await servers.killBroker()
    if (isKilled) special.killed()
    counts.passed++
    console.log(`PASS ${name} (${Math.round((performance.now() - started) / 1000)} s)`)
  } catch (error) {
    counts.failed++
    console.log(`FAIL ${name}: ${error.message}`)
    throw error
  } finally {
    await special.close().catch(() => {})
    for (const client of clients) await (client.stop ?? client.shutdown)?.call(client).catch(() => {})
    const problems = (await servers?.stop()) ?? []
    if (problems.length > 0 && !isKilled) console.log(problems.join('\n'))
  }
}

const tools = findTools()
if (!tools.java) {
  console.log('no Java here: the store cannot be swapped')
  console.log('0 passed, 0 failed')
  process.exit(0)
}
buildJava({ server: true, clients: false })
const folder = mkdtempSync(join(tmpdir(), 'cometmq-swap-'))
// in the order of their names, as the Java broker counts them
const disks = ['disk1', 'disk2'].map(name => join(folder, name))
// ids of messages hold it
const port = await freePorts([-2, 0, 1])
try {
  await turn('comet', 'CometMQ writes a store', async ({ admin, producer, servers }) => {
    await sendSome(producer, 1200)
    await admin.createGroup(servers.broker, newSubscriptionGroupConfig(GROUP))
    await commitSome(admin, servers)
    checkSegments()
  })
  await turn('java', 'the Java broker goes on after a clean stop', ({ producer }) => sendSome(producer, 200))
  await turn('comet', 'CometMQ goes on, and is killed', ({ producer, servers }) => sendUntilKilled(producer, servers), {
    isKilled: true,
  })
  await turn(
    'java',
    'the Java broker goes on after kill -9, and is killed too',
    ({ producer }) => sendSome(producer, 200),
    {
      isKilled: true,
    },
  )
  await turn('comet', 'CometMQ has the last word', async ({ producer }) => {
    await sendSome(producer, 50)
    await special.settled()
    checkSegments()
  })
} catch {
  // said already
}
if (options.keep || counts.failed > 0) console.log(`the store is left in ${folder}`)
else rmSync(folder, { recursive: true, force: true })
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 ? 0 : 1
