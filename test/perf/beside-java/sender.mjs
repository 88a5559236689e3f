/** Raw frames for what a client would be the slow side of: transactions, and many messages that are due together. */
import { connect } from 'node:net'
import { jsonFrame, send, setOpaque } from '../frames.mjs'

const KEY_DIGITS = 15
const DUE_DIGITS = 16
const OFFSET_DIGITS = 16
/** Frames that leave together, at most. */
const GATHERED_BYTES = 256 * 1024
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
 *   followUp?: (header: string, key: number) => Buffer }} load
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
    const out = new Gathered(socket)
    const next = () => {
      const key = lane * 1e9 + sent
      out.add(stamped(template, sent++, { key, dueUs: load.dueUs?.() ?? 0 }))
      keys.push(key)
    }
    const onAnswer = header => {
      if (!header.includes('"code":0')) return done(new Error(`a send was answered ${header}`))
      if (load.followUp) out.add(load.followUp(header, keys[opaqueOf(header)]))
      answered++
      if (sent < count) next()
    }
    onFrames(socket, onAnswer, () => {
      out.write()
      if (answered === count) done()
    })
    for (let i = 0; i < Math.min(load.window, count); i++) next()
    out.write()
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
        socket.write(Buffer.from(stamped(template, sentAt.length, { key: sentAt.length, dueUs: dueUs() })))
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

const commitTemplate = () => {
  const zeros = '0'.repeat(OFFSET_DIGITS)
  const { frame } = jsonFrame(
    37,
    {
      producerGroup: GROUP,
      tranStateTableOffset: zeros,
      commitLogOffset: zeros,
      commitOrRollback: COMMIT,
      fromTransactionCheck: 'false',
      msgId: keyText(0),
      transactionId: keyText(0),
    },
    undefined,
    { flag: ONEWAY },
  )
  const behind = text => frame.indexOf(text) + text.length
  return {
    frame,
    stateAt: behind('"tranStateTableOffset":"'),
    logAt: behind('"commitLogOffset":"'),
    msgIdAt: behind('"msgId":"K'),
    transactionIdAt: behind('"transactionId":"K'),
  }
}

/** A half message's follow-up: what a producer sends when its local transaction is done, without waiting. */
export function committer() {
  const one = commitTemplate()
  return (header, key) => {
    const { frame } = one
    const idAt = header.indexOf('"msgId":"') + 9
    // an id ends with the offset in the log, as 16 hexadecimal digits
    const idEnd = header.indexOf('"', idAt)
    writeDigits(frame, Number.parseInt(header.slice(idEnd - 16, idEnd), 16), one.logAt, OFFSET_DIGITS)
    const stateAt = header.indexOf('"queueOffset":') + 14
    const quote = header[stateAt] === '"' ? 1 : 0
    writeDigits(frame, Number.parseInt(header.slice(stateAt + quote, stateAt + 20), 10), one.stateAt, OFFSET_DIGITS)
    writeDigits(frame, key, one.msgIdAt, KEY_DIGITS)
    writeDigits(frame, key, one.transactionIdAt, KEY_DIGITS)
    return frame
  }
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

/** Valid until the next one. */
function stamped(template, number, { key, dueUs }) {
  const one = template[(number + template[0].lane) % template.length]
  setOpaque(one, number)
  writeDigits(one.frame, key, one.keyAt, KEY_DIGITS)
  writeDigits(one.frame, dueUs, one.dueAt, DUE_DIGITS)
  return one.frame
}

function writeDigits(bytes, number, at, digits) {
  let rest = number
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10)
    bytes[i] = 48 + rest - tenth * 10
    rest = tenth
  }
}

const opaqueOf = header => {
  const at = header.indexOf('"opaque":') + 9
  return Number.parseInt(header.slice(at, at + 10), 10) - 1_000_000_000
}

/** Frames that leave with one write. */
class Gathered {
  bytes = Buffer.allocUnsafeSlow(GATHERED_BYTES)
  length = 0

  constructor(socket) {
    this.socket = socket
  }

  add(frame) {
    if (this.length + frame.length > GATHERED_BYTES) this.write()
    this.length += frame.copy(this.bytes, this.length)
  }

  write() {
    if (this.length > 0) this.socket.write(Buffer.from(this.bytes.subarray(0, this.length)))
    this.length = 0
  }
}

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

/** Gives the header of each frame as text, and says when those of a chunk have been given. */
function onFrames(socket, onHeader, onChunkEnd = () => {}) {
  let rest = Buffer.alloc(0)
  socket.on('data', chunk => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    let at = 0
    while (bytes.length - at >= 8 && bytes.length - at - 4 >= bytes.readInt32BE(at)) {
      const headerLength = bytes.readInt32BE(at + 4) & 0xffffff
      onHeader(bytes.latin1Slice(at + 8, at + 8 + headerLength))
      at += 4 + bytes.readInt32BE(at)
    }
    onChunkEnd()
    rest = bytes.subarray(at)
  })
}
