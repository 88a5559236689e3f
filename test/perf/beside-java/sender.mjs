/** Raw frames for what a client would be the slow side of: transactions, and many messages that are due together. */
import { connect } from 'node:net'
import { jsonFrame, send, setOpaque } from '../frames.mjs'

const KEY_DIGITS = 15
const DUE_DIGITS = 16
const GROUP = 'bench_producer'
const PREPARED = 4
const COMMIT = '8'
const ONEWAY = 2

/** Microseconds since 1970. */
export const nowUs = () => Math.round((performance.timeOrigin + performance.now()) * 1000)

/**
 * Sends `count` messages with `window` requests in flight on each connection. `dueUs` gives what the body begins with.
 * @param {{ port: number, topic: string, queues: number, count: number, connections: number, window: number,
 *   size: number, more?: Record<string, string>, sysFlag?: number, dueUs?: () => number,
 *   followUp?: (header: string, key: string) => Buffer }} load
 */
export async function sendAll(load) {
  const share = Math.ceil(load.count / load.connections)
  const lanes = Array.from({ length: load.connections }, (_, i) =>
    sendShare(load, { lane: i, count: Math.min(share, load.count - i * share) }),
  )
  await Promise.all(lanes)
}

async function sendShare(load, { lane, count }) {
  const template = templateOf(load, lane)
  let sent = 0
  let answered = 0
  const keys = []
  await withConnection(load.port, (socket, done) => {
    const next = () => {
      const key = lane * 1e9 + sent
      socket.write(stamped(template, sent++, { key, dueUs: load.dueUs?.() ?? 0 }))
      keys.push(key)
    }
    onFrames(socket, header => {
      if (!header.includes('"code":0')) return done(new Error(`a send was answered ${header}`))
      if (load.followUp) socket.write(load.followUp(header, keyText(keys[opaqueOf(header)])))
      if (++answered === count) return done()
      if (sent < count) next()
    })
    for (let i = 0; i < Math.min(load.window, count); i++) next()
  })
}

/**
 * Sends `rate` messages a second until told to stop, or until `count` are sent.
 * @returns how long each took, in ms, the shortest first
 */
export async function sendPaced({ port, rate, count = Number.POSITIVE_INFINITY, dueUs = nowUs, ...load }, isStopped) {
  const template = templateOf(load, 0)
  const sentAt = []
  const times = []
  await withConnection(port, (socket, done) => {
    const began = performance.now()
    const timer = setInterval(() => {
      const due = Math.min(count, ((performance.now() - began) * rate) / 1000)
      while (sentAt.length < due && !isStopped()) {
        socket.write(stamped(template, sentAt.length, { key: sentAt.length, dueUs: dueUs() }))
        sentAt.push(performance.now())
      }
      const isLast = isStopped() || sentAt.length === count
      if (!isLast || times.length < sentAt.length) return
      clearInterval(timer)
      done()
    }, 1)
    onFrames(socket, header => times.push(performance.now() - sentAt[opaqueOf(header)]))
  })
  return times.sort((a, b) => a - b)
}

/** A half message's follow-up: what a producer sends when its local transaction is done, without waiting. */
export function commit(header, key) {
  const commitLogOffset = Number.parseInt(/"msgId":"[0-9A-F]{16,40}?([0-9A-F]{16})"/.exec(header)[1], 16)
  return jsonFrame(
    37,
    {
      producerGroup: GROUP,
      tranStateTableOffset: /"queueOffset":"?(\d+)/.exec(header)[1],
      commitLogOffset: String(commitLogOffset),
      commitOrRollback: COMMIT,
      fromTransactionCheck: 'false',
      msgId: key,
      transactionId: key,
    },
    undefined,
    { flag: ONEWAY },
  ).frame
}

export const halfMessage = { sysFlag: PREPARED, more: { TRAN_MSG: 'true', PGROUP: GROUP } }

/** Messages in a topic, by its queues' ends. */
export async function messagesIn(port, topic, queues) {
  let total = 0
  await withConnection(port, (socket, done) => {
    let answers = 0
    onFrames(socket, header => {
      total += Number(/"offset":"?(\d+)/.exec(header)?.[1] ?? 0)
      if (++answers === queues) done()
    })
    for (let queue = 0; queue < queues; queue++) socket.write(jsonFrame(30, { topic, queueId: String(queue) }).frame)
  })
  return total
}

const keyText = key => `K${String(key).padStart(KEY_DIGITS, '0')}`

function templateOf({ topic, queues, size, sysFlag, more }, lane) {
  const request = Array.from({ length: queues }, (_, queue) =>
    send({ topic, queue, size, sysFlag, more: { UNIQ_KEY: keyText(0), ...more } }),
  )
  return request.map(one => ({
    ...one,
    lane,
    keyAt: one.frame.indexOf(keyText(0)) + 1,
    dueAt: one.frame.length - size,
  }))
}

function stamped(template, number, { key, dueUs }) {
  const one = template[(number + template[0].lane) % template.length]
  setOpaque(one, number)
  one.frame.latin1Write(String(key).padStart(KEY_DIGITS, '0'), one.keyAt)
  one.frame.latin1Write(String(dueUs).padStart(DUE_DIGITS, '0'), one.dueAt)
  return Buffer.from(one.frame)
}

const opaqueOf = header => Number(/"opaque":(\d+)/.exec(header)[1]) - 1_000_000_000

function withConnection(port, run) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const done = error => {
      if (error) {
        socket.destroy()
        reject(error)
        return
      }
      // what is still being written goes out first
      socket.end()
      resolve()
    }
    socket.once('error', done)
    socket.once('connect', () => run(socket, done))
  })
}

/** Gives the header of each frame as text; what is written meanwhile leaves together. */
function onFrames(socket, onHeader) {
  let rest = Buffer.alloc(0)
  socket.on('data', chunk => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    let at = 0
    socket.cork()
    while (bytes.length - at >= 8 && bytes.length - at - 4 >= bytes.readInt32BE(at)) {
      const headerLength = bytes.readInt32BE(at + 4) & 0xffffff
      onHeader(bytes.latin1Slice(at + 8, at + 8 + headerLength))
      at += 4 + bytes.readInt32BE(at)
    }
    socket.uncork()
    rest = bytes.subarray(at)
  })
}
