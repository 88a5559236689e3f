import { describe, expect, it } from 'vitest'
import { newClientChannel } from '../../../../src/broker/client/client-channel.js'
import { ProducerManager } from '../../../../src/broker/client/producer-manager.js'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import type { Logger } from '../../../../src/util/index.js'
import { brokerParts } from '../../../support/broker-parts.js'
import { FakeConnection } from '../../../support/fake-connection.js'

function manager(overrides: Partial<BrokerSettings> = {}) {
  const parts = brokerParts(overrides)
  const producers = new ProducerManager(parts)
  const join = (group: string, clientId: string, connection = new FakeConnection()): FakeConnection => {
    const channel = newClientChannel(connection, clientId, { language: 0, version: 479 }, parts.clock)
    producers.registerProducer(group, channel)
    return connection
  }
  return { ...parts, producers, join }
}

describe('ProducerManager', () => {
  it('knows producers by group and client id until they unregister', () => {
    const { producers, join } = manager()
    const connection = join('P', 'c1')
    join('Q', 'c1', connection)
    expect(producers.groupOnline('P')).toBe(true)
    expect(producers.findChannel('c1')).toBe(connection)
    producers.unregisterProducer('P', connection)
    expect(producers.groupOnline('P')).toBe(false)
    expect(producers.findChannel('c1')).toBe(connection)
    producers.unregisterProducer('Q', connection)
    expect(producers.findChannel('c1')).toBeUndefined()
    expect(producers.groups.size).toBe(0)
  })

  it('forgets a connection that closes, in all its groups, but not the new one of the same client', () => {
    const { producers, join } = manager()
    const old = join('P', 'c1')
    join('Q', 'c1', old)
    const young = join('P', 'c1')
    old.close('gone')
    expect([...producers.groups.keys()]).toEqual(['P'])
    expect(producers.findChannel('c1')).toBe(young)
    join('P', 'c2', old)
    expect(producers.groups.get('P')?.size).toBe(1)
  })

  it('takes no notice of a connection that was closed before', () => {
    const { producers, join } = manager()
    const connection = new FakeConnection()
    connection.close('gone')
    join('P', 'c1', connection)
    expect(producers.groupOnline('P')).toBe(false)
  })

  it('closes those silent for channelExpiredTimeout', async () => {
    const { producers, join, clock } = manager({ channelExpiredTimeout: 120_000 })
    const silent = join('P', 'c1')
    const alive = join('P', 'c2')
    await clock.advance(120_000)
    join('P', 'c2', alive)
    producers.scan()
    expect(silent.isClosed).toBe(false)
    await clock.advance(1)
    producers.scan()
    expect([silent.isClosed, alive.isClosed]).toEqual([true, false])
    expect(producers.groups.get('P')?.size).toBe(1)
  })

  it('chooses connections in turn, avoiding those that do not take what they are sent', () => {
    const { producers, join } = manager()
    expect(producers.getAvailableChannel('P')).toBeUndefined()
    const connections = [join('P', 'c1'), join('P', 'c2'), join('P', 'c3')]
    const chosen = new Set(connections.map(() => producers.getAvailableChannel('P')))
    expect(chosen).toEqual(new Set(connections))
    connections[0]!.unsentBytes = 1 << 24
    connections[2]!.unsentBytes = 1 << 24
    expect([1, 2, 3].map(() => producers.getAvailableChannel('P'))).toEqual(Array(3).fill(connections[1]))
    connections[1]!.unsentBytes = 1 << 24
    expect(producers.getAvailableChannel('P')).toBeDefined()
  })

  it('keeps no table where neither producers nor transactions are wanted', () => {
    const { producers, join } = manager({ enableRegisterProducer: false, rejectTransactionMessage: true })
    join('P', 'c1')
    expect(producers.groupOnline('P')).toBe(false)
    const needed = manager({ enableRegisterProducer: false })
    needed.join('P', 'c1')
    expect(needed.producers.groupOnline('P')).toBe(true)
  })
})

describe('printChannelGroups', () => {
  const groupsOf = (count: number) => Array.from({ length: count }, (_, i) => `P${i}`)

  function warnings(overrides: Partial<BrokerSettings>, count: number): string[] {
    const parts = brokerParts(overrides)
    const texts: string[] = []
    const logger: Logger = { ...parts.logger, warn: (_fields, text) => void texts.push(text) }
    const producers = new ProducerManager({ ...parts, logger })
    const connection = new FakeConnection()
    for (const group of groupsOf(count)) {
      producers.registerProducer(group, newClientChannel(connection, 'c', { language: 0, version: 479 }, parts.clock))
    }
    connection.close('gone')
    return texts.map(text => text.replace(connection.peer.text, 'x'))
  }

  it('tells of the end of a connection with many groups', () => {
    expect(warnings({ printChannelGroups: true }, 5)).toEqual([
      'the connection of x that ended belonged to 5 producer groups: P0, P1, P2, P3, P4',
    ])
    expect(warnings({ printChannelGroups: true, printChannelGroupsMinNum: 6 }, 6)).toHaveLength(1)
  })

  it.each<[Partial<BrokerSettings>, number]>([
    [{}, 9],
    [{ printChannelGroups: true, printChannelGroupsMinNum: 6 }, 5],
    // Java has a limit of its own
    [{ printChannelGroups: true, printChannelGroupsMinNum: 1 }, 4],
  ])('else says nothing: %j, %i groups', (overrides, count) => expect(warnings(overrides, count)).toEqual([]))
})
