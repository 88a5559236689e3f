import { afterEach, describe, expect, test } from 'vitest'
import {
  fail,
  Hold,
  NoHeader,
  ok,
  type PeerPolicy,
  RemotingClient,
  RemotingServer,
  RequestPipeline,
  RouteTable,
  route,
} from '../../../src/remoting/index.js'
import { silentLogger, systemClock } from '../../../src/util/index.js'
import { eventually } from '../../support/eventually.js'
import { fullPort } from '../../support/full-port.js'
import { ManualClock } from '../../support/manual-clock.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const plain = { request: NoHeader, lane: 'admin', action: 'ANY' } as const
const JAVA: PeerPolicy = {
  connectTimeoutMillis: 3000,
  clientChannelMaxIdleTimeSeconds: 120,
  clientCloseSocketIfTimeout: true,
  enableReconnectForGoAway: true,
}

/** A server that answers code 1, holds 2, and sends away the first connections that ask for 3. */
async function peer(policy: Partial<PeerPolicy> = {}, sentAway = 1) {
  const parts = { clock: systemClock, logger: silentLogger }
  const asked: object[] = []
  const routes = [
    route({ ...plain, code: 1, handle: () => ok() }),
    route({ ...plain, code: 2, handle: () => new Hold() }),
    route({
      ...plain,
      code: 3,
      handle: (_header, _command, connection) => {
        if (!asked.includes(connection)) asked.push(connection)
        return asked.indexOf(connection) < sentAway ? fail(1500, 'please go away') : ok()
      },
    }),
  ]
  const pipeline = new RequestPipeline({ ...parts, routes: new RouteTable(routes) })
  const server = new RemotingServer({ ...parts, host: '127.0.0.1', port: 0, pipeline, portSetting: 'p' })
  await server.start()
  cleanups.push(() => server.stop())
  const clock = new ManualClock()
  const client = new RemotingClient({ clock, logger: silentLogger, policy: { ...JAVA, ...policy } })
  cleanups.push(() => client.stop())
  const address = `127.0.0.1:${server.port}`
  return {
    server,
    clock,
    client,
    address,
    asked,
    ask: async (code: number) => (await client.invoke(address, { code }, 5000)).code,
    isOpen: () => client.isOpen(address),
  }
}

describe('GO_AWAY', () => {
  test('is followed once over a new connection', async () => {
    const { ask, asked } = await peer()
    expect(await ask(3)).toBe(0)
    expect(asked).toHaveLength(2)
  })

  test('is the answer the second time', async () => {
    const { ask, asked } = await peer({}, 9)
    expect(await ask(3)).toBe(1500)
    expect(asked).toHaveLength(2)
  })

  test('is the answer with enableReconnectForGoAway=false', async () => {
    const { ask, asked, isOpen } = await peer({ enableReconnectForGoAway: false })
    expect(await ask(3)).toBe(1500)
    expect([asked.length, isOpen()]).toEqual([1, true])
  })
})

describe('a connection', () => {
  test('without traffic for clientChannelMaxIdleTimeSeconds is closed, one that is used is not', async () => {
    const { ask, isOpen, clock } = await peer({ clientChannelMaxIdleTimeSeconds: 10 })
    await ask(1)
    await clock.advance(9999)
    expect(isOpen()).toBe(true)
    await ask(1)
    await clock.advance(9999)
    expect(isOpen()).toBe(true)
    await clock.advance(1)
    expect(isOpen()).toBe(false)
  })

  test.each([
    [true, 5000, false],
    [false, 5000, true],
    // too little time to tell
    [true, 0, true],
  ])('clientCloseSocketIfTimeout=%s, no answer in %i ms: open %s', async (closes, timeoutMs, isLeftOpen) => {
    const { ask, client, address, isOpen, clock, server } = await peer({ clientCloseSocketIfTimeout: closes })
    await ask(1)
    const asked = client.invoke(address, { code: 2 }, timeoutMs)
    const failed = expect(asked).rejects.toMatchObject({ code: 'ERR_REMOTING_TIMEOUT' })
    await eventually(() => [...server.connections].some(connection => connection.heldRequests > 0))
    await clock.advance(Math.max(1, timeoutMs))
    await failed
    expect(isOpen()).toBe(isLeftOpen)
  })

  test('is given up after connectTimeoutMillis', async () => {
    const { client, clock } = await peer({ connectTimeoutMillis: 200 })
    const full = await fullPort()
    cleanups.push(full.close)
    const failed = expect(client.invoke(full.address, { code: 1 }, 5000)).rejects.toThrow(/no connection in 200 ms/)
    await clock.advance(200)
    await failed
  })
})
