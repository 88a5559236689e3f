import { connect } from 'node:net'
import { OPAQUE_BASE, setOpaque } from './frames.mjs'

/**
 * Keeps `window` requests in flight on each of `connections` connections for `seconds` and counts the answers.
 * @param {{ port: number, connections: number, window: number, seconds: number, request: (connection: number) => object | (() => object) }} load
 *   `request` gives a connection's request, or a function that gives the next one
 * @returns {Promise<{ messagesPerSecond: number, allMessages: number, p50Ms: number, p99Ms: number }>}
 */
export async function run(load) {
  const state = { messages: 0, allMessages: 0, counting: false, stopped: false, times: [] }
  const lanes = await Promise.all(
    Array.from({ length: load.connections }, (_, i) => openLane(load, state, load.request(i))),
  )
  for (const lane of lanes) lane.fill()
  await wait(500)
  state.counting = true
  const began = performance.now()
  await wait(load.seconds * 1000)
  const elapsed = (performance.now() - began) / 1000
  state.stopped = true
  for (const lane of lanes) lane.close()
  state.times.sort((a, b) => a - b)
  const quantile = q => state.times[Math.min(state.times.length - 1, Math.floor(state.times.length * q))] ?? 0
  const { messages, allMessages } = state
  return { messagesPerSecond: messages / elapsed, allMessages, p50Ms: quantile(0.5), p99Ms: quantile(0.99) }
}

/** One request, its answer's code. */
export function once(port, request) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request.frame))
    socket.once('error', reject)
    socket.once('data', chunk => {
      socket.destroy()
      resolve(Number(/"code":(\d+)/.exec(chunk.toString('latin1'))?.[1]))
    })
  })
}

/**
 * One connection on which requests may be under way together; `ask` resolves with the answer: its code, its extFields
 * and its body.
 */
export function openClient(port) {
  return new Promise((resolve, reject) => {
    const waiting = new Map()
    let opaque = 0
    let rest = Buffer.alloc(0)
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.on('data', chunk => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const end = 4 + rest.readInt32BE(0)
        const bodyAt = 8 + (rest.readInt32BE(4) & 0xffffff)
        const header = JSON.parse(rest.toString('utf8', 8, bodyAt))
        const key = header.opaque % OPAQUE_BASE
        waiting.get(key)({ code: header.code, fields: header.extFields ?? {}, body: rest.subarray(bodyAt, end) })
        waiting.delete(key)
        rest = rest.subarray(end)
      }
    })
    const ask = request =>
      new Promise(done => {
        setOpaque(request, opaque)
        waiting.set(opaque++, done)
        socket.write(Buffer.from(request.frame))
      })
    socket.once('error', reject)
    socket.once('connect', () => resolve({ ask, close: () => socket.destroy() }))
  })
}

function wait(ms) {
  return new Promise(resolve => setTimeout(resolve, ms))
}

function openLane({ port, window }, state, request) {
  return new Promise((resolve, reject) => {
    const sent = []
    let opaque = 0
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const push = count => {
      if (state.stopped) return
      const frames = []
      const now = performance.now()
      for (let i = 0; i < count; i++) {
        const one = typeof request === 'function' ? request() : request
        setOpaque(one, opaque++ % 1_000_000_000)
        frames.push(Buffer.from(one.frame))
        sent.push(now)
      }
      socket.write(frames.length === 1 ? frames[0] : Buffer.concat(frames))
    }
    const answers = answerCounter(count => {
      const now = performance.now()
      for (const at of sent.splice(0, count))
        if (state.counting && state.times.length < 2_000_000) state.times.push(now - at)
      const messages = count * (request.messages ?? 1)
      state.allMessages += messages
      if (state.counting) state.messages += messages
      push(count)
    })
    socket.on('data', answers)
    socket.once('error', error => (state.stopped ? undefined : reject(error)))
    socket.once('connect', () => resolve({ fill: () => push(window), close: () => socket.destroy() }))
  })
}

/** Counts whole frames in a stream by their lengths alone. */
function answerCounter(onAnswers) {
  let skip = 0
  let head = Buffer.alloc(0)
  return chunk => {
    let at = 0
    let count = 0
    while (at < chunk.length) {
      if (skip > 0) {
        const step = Math.min(skip, chunk.length - at)
        skip -= step
        at += step
        if (skip === 0) count++
        continue
      }
      const need = 4 - head.length
      head = Buffer.concat([head, chunk.subarray(at, at + need)])
      at += need
      if (head.length < 4) break
      skip = head.readInt32BE(0)
      head = Buffer.alloc(0)
    }
    if (count > 0) onAnswers(count)
  }
}
