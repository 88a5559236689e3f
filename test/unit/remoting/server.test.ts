import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import {
  Hold,
  NoHeader,
  ok,
  RemotingClient,
  RemotingServer,
  RequestPipeline,
  type Route,
  RouteTable,
  route,
} from '../../../src/remoting/index.js'
import { silentLogger, systemClock } from '../../../src/util/index.js'
import { eventually } from '../../support/eventually.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(
  routes: Route[],
  limits?: { highWaterBytes: number; maxUnsentBytes: number },
): Promise<RemotingServer> {
  const pipeline = new RequestPipeline({ routes: new RouteTable(routes), clock: systemClock, logger: silentLogger })
  const server = new RemotingServer({
    host: '127.0.0.1',
    port: 0,
    pipeline,
    clock: systemClock,
    logger: silentLogger,
    portSetting: 'listenPort',
    ...(limits ? { limits } : {}),
  })
  await server.start()
  cleanups.push(() => server.stop())
  return server
}

function client(): RemotingClient {
  const made = new RemotingClient({ clock: systemClock, logger: silentLogger })
  cleanups.push(() => made.stop())
  return made
}

function rawSocket(server: RemotingServer): Promise<Socket> {
  return new Promise(resolve => {
    const socket = connect(server.port, '127.0.0.1', () => resolve(socket))
    socket.on('error', () => {})
    cleanups.push(() => socket.destroy())
  })
}

const plain = { request: NoHeader, lane: 'admin', action: 'ANY' } as const
const echo = route({ ...plain, code: 1, handle: (_header, command) => ok(Buffer.from(command.body)) })

describe('the server', () => {
  test('answers many requests on one connection, each under its own opaque', async () => {
    const server = await serve([echo])
    const remote = client()
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, i) =>
        remote.invoke(`127.0.0.1:${server.port}`, { code: 1, body: Buffer.from(`m${i}`) }, 5000),
      ),
    )
    expect(answers.map(answer => answer.body.toString())).toEqual(Array.from({ length: 500 }, (_, i) => `m${i}`))
    expect(server.connections.size).toBe(1)
  })

  test('an unknown code is answered 3 and the connection goes on', async () => {
    const server = await serve([echo])
    const remote = client()
    const refused = await remote.invoke(`127.0.0.1:${server.port}`, { code: 4711 }, 5000)
    expect(refused).toMatchObject({ code: 3, remark: ' request type 4711 not supported' })
    expect((await remote.invoke(`127.0.0.1:${server.port}`, { code: 1, body: Buffer.from('x') }, 5000)).code).toBe(0)
  })

  test('a handler that throws costs its request alone', async () => {
    const server = await serve([
      echo,
      route({
        ...plain,
        code: 2,
        handle: () => {
          throw new TypeError('boom')
        },
      }),
      route({ ...plain, code: 5, handle: () => Promise.reject(new Error('later')) }),
    ])
    const remote = client()
    const address = `127.0.0.1:${server.port}`
    expect(await remote.invoke(address, { code: 2 }, 5000)).toMatchObject({
      code: 1,
      remark: expect.stringContaining('boom'),
    })
    expect(await remote.invoke(address, { code: 5 }, 5000)).toMatchObject({
      code: 1,
      remark: expect.stringContaining('later'),
    })
    expect((await remote.invoke(address, { code: 1 }, 5000)).code).toBe(0)
  })

  test('a held request is answered later, others meanwhile, and abandoned when its connection goes', async () => {
    const holds: Hold[] = []
    let abandoned = 0
    const holding = route({
      ...plain,
      code: 11,
      handle: () => {
        const hold = new Hold(() => abandoned++)
        holds.push(hold)
        return hold
      },
    })
    const server = await serve([echo, holding])
    const remote = client()
    const address = `127.0.0.1:${server.port}`
    const held = remote.invoke(address, { code: 11 }, 5000)
    expect((await remote.invoke(address, { code: 1 }, 5000)).code).toBe(0)
    holds[0]!.resolve(ok(Buffer.from('late')))
    expect((await held).body.toString()).toBe('late')

    const lost = remote.invoke(address, { code: 11 }, 5000)
    await eventually(() => holds.length === 2)
    remote.drop(address, 'test')
    await expect(lost).rejects.toThrow('is closed')
    await eventually(() => abandoned === 1)
    expect(holds[1]!.settled).toBe(true)
  })

  test.each([
    ['a huge length', Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
    ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a TLS handshake', Buffer.from([0x16, 3, 1, 0, 5])],
  ])('%s closes that connection and no other', async (_name, bytes) => {
    const server = await serve([echo])
    const remote = client()
    const address = `127.0.0.1:${server.port}`
    await remote.invoke(address, { code: 1 }, 5000)
    const hostile = await rawSocket(server)
    const closed = new Promise(resolve => hostile.once('close', resolve))
    hostile.resume()
    hostile.write(bytes)
    await closed
    expect((await remote.invoke(address, { code: 1 }, 5000)).code).toBe(0)
  })

  test('half a frame and then silence holds nothing up', async () => {
    const server = await serve([echo])
    const slow = await rawSocket(server)
    slow.write(Buffer.from([0, 0, 1, 0, 0, 0, 0, 100, 0x7b]))
    const remote = client()
    expect((await remote.invoke(`127.0.0.1:${server.port}`, { code: 1 }, 5000)).code).toBe(0)
  })

  test('a peer that does not read is not read from, and closed at the bound', async () => {
    const big = Buffer.alloc(256 * 1024)
    let served = 0
    const large = route({
      ...plain,
      code: 7,
      handle: () => {
        served++
        return ok(big)
      },
    })
    const server = await serve([large], { highWaterBytes: 1024 * 1024, maxUnsentBytes: 64 * 1024 * 1024 })
    const greedy = await rawSocket(server)
    greedy.pause()
    const header = Buffer.from('{"code":7,"flag":0,"opaque":1}')
    const frame = Buffer.alloc(8)
    frame.writeInt32BE(4 + header.length, 0)
    frame.writeInt32BE(header.length, 4)
    const request = Buffer.concat([frame, header])
    for (let i = 0; i < 20_000; i++) greedy.write(request)
    await eventually(() => [...server.connections].some(connection => connection.unsentBytes > 1024 * 1024))
    const servedWhenPaused = served
    const witness = client()
    await witness.invoke(`127.0.0.1:${server.port}`, { code: 4711 }, 5000)
    expect(served - servedWhenPaused).toBeLessThan(2000)
    expect(served).toBeLessThan(20_000)
  })

  test('connections beyond the bound are closed, and the log says whose; when one goes, another may come', async () => {
    const told: string[] = []
    const logger = { ...silentLogger, warn: (_fields: object, text: string) => void told.push(text) }
    const server = new RemotingServer({
      host: '127.0.0.1',
      port: 0,
      pipeline: new RequestPipeline({ routes: new RouteTable([echo]), clock: systemClock, logger }),
      clock: systemClock,
      logger,
      portSetting: 'listenPort',
      maxConnections: 2,
    })
    await server.start()
    cleanups.push(() => server.stop())
    const first = await rawSocket(server)
    const remote = client()
    const address = `127.0.0.1:${server.port}`
    expect((await remote.invoke(address, { code: 1 }, 5000)).code).toBe(0)
    const third = await rawSocket(server)
    const from = `127.0.0.1:${third.localPort}`
    third.resume()
    await new Promise(resolve => third.once('close', resolve))
    expect(told).toEqual([expect.stringContaining(`closed the new connection of ${from}: there are 2,`)])
    expect((await remote.invoke(address, { code: 1 }, 5000)).code).toBe(0)
    first.destroy()
    await eventually(() => server.connections.size === 1)
    expect((await client().invoke(address, { code: 1 }, 5000)).code).toBe(0)
  })

  test('a port in use is named with its setting', async () => {
    const server = await serve([echo])
    const second = new RemotingServer({
      host: '127.0.0.1',
      port: server.port,
      pipeline: new RequestPipeline({ routes: new RouteTable([]), clock: systemClock, logger: silentLogger }),
      clock: systemClock,
      logger: silentLogger,
      portSetting: 'listenPort',
    })
    await expect(second.start()).rejects.toThrow(new RegExp(`port ${server.port} \\(listenPort\\) is in use`))
  })

  test('two routes for one code are refused', () => {
    expect(() => new RouteTable([echo, echo])).toThrow('two routes for')
  })
})

test('a client call to nobody says where and why', async () => {
  await expect(client().invoke('127.0.0.1:1', { code: 1 }, 1000)).rejects.toThrow('connect to 127.0.0.1:1 failed')
  await expect(client().invoke('nonsense', { code: 1 }, 1000)).rejects.toThrow('write host:port')
})
