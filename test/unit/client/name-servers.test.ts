import { describe, expect, it } from 'vitest'
import { NameServers } from '../../../src/client/name-servers.js'
import type { RemotingClient, RemotingCommand } from '../../../src/remoting/index.js'
import { MQError, silentLogger } from '../../../src/util/index.js'

function nameServers(addresses: string[], find?: () => Promise<string[]>) {
  const asked: string[] = []
  const dropped: string[] = []
  const down = new Set<string>()
  // no more of the client is used
  const remoting = {
    async invoke(address: string) {
      asked.push(address)
      if (down.has(address)) throw new MQError('ERR_REMOTING_CONNECT', `connect to ${address} failed`)
      return { code: 0 } as RemotingCommand
    },
    drop: (address: string) => void dropped.push(address),
  } as unknown as RemotingClient
  const servers = new NameServers({ addresses, find, remoting, logger: silentLogger, timeoutMs: 3000 })
  return { servers, asked, dropped, down, ask: () => servers.invoke({ code: 105 }) }
}

describe('other NameServers', () => {
  it('are asked from then on; connections to those left out are closed', async () => {
    const { servers, asked, dropped, ask } = nameServers(['a:1', 'b:2'])
    servers.update(['b:2', 'c:3'])
    expect([servers.addresses, dropped]).toEqual([['b:2', 'c:3'], ['a:1']])
    for (let i = 0; i < 5; i++) await ask()
    expect(asked).not.toContain('a:1')
  })

  it('that are the same ones, or none, change nothing', () => {
    const { servers, dropped } = nameServers(['a:1', 'b:2'])
    servers.update(['b:2', 'a:1'])
    servers.update([])
    expect([servers.addresses, dropped]).toEqual([['a:1', 'b:2'], []])
  })

  it('are looked for when none is known, once for many requests, and again until some are found', async () => {
    const found: string[][] = [[], ['a:1']]
    let finds = 0
    const { asked, ask } = nameServers([], async () => found[finds++] ?? Promise.reject(new Error('no more')))
    await expect(Promise.all([ask(), ask()])).rejects.toMatchObject({ responseCode: 10_004 })
    expect(finds).toBe(1)
    await Promise.all([ask(), ask()])
    await ask()
    expect([finds, asked]).toEqual([2, ['a:1', 'a:1', 'a:1']])
  })

  it('that cannot be looked for leave those there are', async () => {
    const { servers } = nameServers(['a:1'], () => Promise.reject(new Error('no answer')))
    await servers.refresh()
    expect(servers.addresses).toEqual(['a:1'])
  })
})
