import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CometMQ, startCometMQ } from '../../src/embed.js'
import type { LogFields, Logger } from '../../src/util/index.js'
import { eventually } from '../support/eventually.js'
import { RawClient, rawFrame } from '../support/raw-client.js'

/** What the two servers said at warn or error. */
const told: { fields: LogFields; text: string }[] = []
const tell = (fields: LogFields, text: string) => void told.push({ fields, text })
const logger: Logger = { error: tell, warn: tell, info: () => {}, debug: () => {}, child: () => logger }

let mq: CometMQ
beforeAll(async () => {
  mq = await startCometMQ({
    logger,
    broker: { mappedFileSizeCommitLog: 1024 * 1024, timerWheelEnable: false },
  })
})
afterAll(() => mq.stop())

const portOf = (address: string) => Number(address.split(':')[1])
/** `times` answers to `ask` are more than the server and the kernel keep for one connection. */
const servers = [
  { name: 'NameServer', port: () => portOf(mq.namesrvAddr), ask: 319, times: 12_000 },
  { name: 'Broker', port: () => portOf(mq.brokerAddr), ask: 26, times: 1500 },
  { name: 'fast port of the Broker', port: () => portOf(mq.brokerAddr) - 2, ask: 26, times: 1500 },
]

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket))
    socket.on('error', reject)
  })
}

/** A frame whose header has this serialization byte and these bytes, whatever they are. */
function frame(header: Buffer | string, { type = 0, length = 0, headerLength = 0 } = {}): Buffer {
  const bytes = Buffer.from(header)
  const head = Buffer.alloc(8)
  head.writeInt32BE(length === 0 ? bytes.length + 4 : length, 0)
  head.writeInt32BE((type << 24) | (headerLength === 0 ? bytes.length : headerLength), 4)
  return Buffer.concat([head, bytes])
}

const good = rawFrame({ code: 4711 }, 7)

/** Bytes after which nothing that follows can be understood. */
const ruinous: [string, Buffer][] = [
  ['a negative length', frame('', { length: -1 })],
  ['the lowest length', frame('', { length: -2147483648 })],
  ['a length of nothing', Buffer.alloc(64)],
  ['a huge length', frame('', { length: 2147483647 })],
  ['a length of one more than the limit', frame('', { length: 16_777_213 })],
  ['a header longer than its frame', frame('{}', { headerLength: 3 })],
  ['a header of 16 MiB in a small frame', frame('{}', { headerLength: 0xffffff })],
  ['a header that is not JSON', frame('\u0000\u0001 not JSON')],
  ['a header that is half of its JSON', frame('{"code":10,"extFi')],
  ['a header that is JSON, but no object', frame('[1,2]')],
  ['a header of nothing', frame(Buffer.alloc(0))],
  ['a code that is no number', frame('{"code":{},"opaque":1}')],
  ['an unknown serialization', frame('{"code":4711}', { type: 9 })],
  ['a binary header cut short', frame('abc', { type: 1 })],
  ['a binary header with lengths beyond it', frame(Buffer.alloc(21, 0x7f), { type: 1 })],
  ['another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['a TLS handshake', Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3])],
  ['nonsense after a good frame', Buffer.concat([good, frame('', { length: -7 })])],
]

/** Requests that are wrong in themselves: answered, and the connection goes on. */
const refused: [string, Buffer, number | RegExp][] = [
  ['an unknown code', rawFrame({ code: 4711 }, 1), 3],
  ['a negative code', rawFrame({ code: -1 }, 1), 3],
  ['a code beyond 16 bits', rawFrame({ code: 1 << 30 }, 1), 3],
  ['a header without its fields', rawFrame({ code: 105 }, 1), /^[13]$/],
  ['a number that is none', rawFrame({ code: 30, extFields: { topic: 'T', queueId: 'x' } }, 1), /^[13]$/],
  ['a body that cannot be read', rawFrame({ code: 217, extFields: { topic: 'T' }, body: '\u0000{{{' }, 1), /^[13]$/],
]

describe.each(servers)('$name', ({ port, ask, times }) => {
  /** Somebody who was there before, and whom nothing of it may touch. */
  let witness: RawClient
  beforeAll(async () => {
    witness = await RawClient.open(port())
  })
  afterAll(() => witness.close())
  const served = async (client: RawClient): Promise<void> => {
    expect(await client.call({ code: ask })).toMatchObject({ code: 0 })
  }

  test.each(ruinous)('%s costs the connection, and the log names whose', async (_name, bytes) => {
    const hostile = await open(port())
    const from = `127.0.0.1:${hostile.localPort}`
    hostile.resume()
    hostile.write(bytes)
    await once(hostile, 'close')
    const closings = told.filter(
      ({ fields }) => fields.remote === from && /^(bad-frame|tls-refused)$/.test(`${fields.event}`),
    )
    expect(closings.map(({ text }) => text)).toEqual([expect.stringContaining(from)])
    await served(witness)
  })

  test.each(refused)('%s costs the request alone', async (_name, bytes, code) => {
    const client = await RawClient.open(port())
    const answer = await client.exchange(bytes)
    expect(String(answer.code)).toMatch(typeof code === 'number' ? new RegExp(`^${code}$`) : code)
    expect(answer.remark).not.toBe('')
    await served(client)
    client.close()
  })

  test('who asks for what there is not is named once', () => {
    const lines = told.filter(({ fields }) => fields.event === 'request-refused')
    expect(lines.length).toBeGreaterThan(0)
    for (const { fields, text } of lines) {
      expect(text).toMatch(/^refused \S+ of 127\.0\.0\.1:\d+: request type -?\d+ not supported$/)
      expect(fields).toMatchObject({ answer: 3, costMs: expect.any(Number) })
    }
  })

  test('a byte at a time is a request as any other', async () => {
    const client = await RawClient.open(port())
    client.socket.setNoDelay(true)
    const request = rawFrame({ code: ask }, 0)
    const answer = client.exchange(request.subarray(0, 1))
    for (let i = 1; i < request.length; i++)
      await new Promise(resolve => client.socket.write(request.subarray(i, i + 1), resolve))
    expect((await answer).code).toBe(0)
    client.close()
  })

  test('answers nobody asked for are passed over', async () => {
    const client = await RawClient.open(port())
    for (let opaque = -3; opaque < 50; opaque++) client.socket.write(rawFrame({ code: 0, flag: 1 }, opaque))
    await served(client)
    client.close()
  })

  test('many connections with half a frame each hold nobody up', async () => {
    const crowd = await Promise.all(Array.from({ length: 300 }, () => open(port())))
    for (const socket of crowd) socket.write(good.subarray(0, 10))
    await served(witness)
    const late = await RawClient.open(port())
    await served(late)
    late.close()
    for (const socket of crowd) expect(socket.readyState).toBe('open')
    for (const socket of crowd) socket.destroy()
    await served(witness)
  })

  test('a reader that is slow gets its answers when it reads, and nobody waits for it', async () => {
    const client = await RawClient.open(port())
    client.socket.pause()
    const answers: Promise<unknown>[] = []
    for (let i = 0; i < times; i++) answers.push(client.exchange(rawFrame({ code: ask }, i)))
    await served(witness)
    await served(witness)
    client.socket.resume()
    const codes = (await Promise.all(answers)).map(answer => (answer as { code: number }).code)
    expect(codes).toEqual(Array(times).fill(0))
    client.close()
  })
})

test('half a frame and then silence is closed when its time is over, and the log names whose', async () => {
  const quiet: { fields: LogFields; text: string }[] = []
  const info = (fields: LogFields, text: string) => void quiet.push({ fields, text })
  const listening: Logger = { error: info, warn: info, info, debug: () => {}, child: () => listening }
  const idle = { serverChannelMaxIdleTimeSeconds: 1 }
  const other = await startCometMQ({
    logger: listening,
    broker: { ...idle, mappedFileSizeCommitLog: 1024 * 1024, timerWheelEnable: false },
    namesrv: idle,
  })
  try {
    for (const port of [portOf(other.namesrvAddr), portOf(other.brokerAddr)]) {
      const silent = await open(port)
      const from = `127.0.0.1:${silent.localPort}`
      silent.resume()
      silent.write(good.subarray(0, 20))
      await once(silent, 'close')
      await eventually(() => quiet.some(({ fields }) => fields.event === 'idle-closed' && fields.remote === from))
    }
  } finally {
    await other.stop()
  }
})
