import { describe, expect, it } from 'vitest'
import { newClientChannel } from '../../../../src/broker/client/client-channel.js'
import { ClientHousekeeping } from '../../../../src/broker/client/client-housekeeping.js'
import { ConsumerManager } from '../../../../src/broker/client/consumer-manager.js'
import { ProducerManager } from '../../../../src/broker/client/producer-manager.js'
import { RebalanceLockManager } from '../../../../src/broker/client/rebalance-lock-manager.js'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import { buildSubscriptionData, type ConsumerData, type SubscriptionData } from '../../../../src/common/index.js'
import { brokerParts } from '../../../support/broker-parts.js'
import { FakeConnection } from '../../../support/fake-connection.js'

function tag(topic: string, subVersion = 1, expression = '*'): SubscriptionData {
  return buildSubscriptionData({ topic, expression, subVersion })
}

interface Heartbeat extends Partial<ConsumerData> {
  clientId?: string
  connection?: FakeConnection
  notify?: boolean
  withoutSub?: boolean
}

function manager(overrides: Partial<BrokerSettings> = {}) {
  const parts = brokerParts(overrides)
  const consumers = new ConsumerManager(parts)
  const events: string[] = []
  consumers.addListener({
    onChange: (group, connections) => events.push(`change ${group} ${connections.length}`),
    onRegister: (group, subscriptions) => events.push(`register ${group} ${subscriptions.length}`),
    onUnregister: group => events.push(`unregister ${group}`),
  })
  const beat = (group: string, heartbeat: Heartbeat = {}): { connection: FakeConnection; isChanged: boolean } => {
    const {
      clientId = 'c1',
      connection = new FakeConnection(),
      notify = true,
      withoutSub = false,
      ...traits
    } = heartbeat
    const channel = newClientChannel(connection, clientId, { language: 0, version: 479 }, parts.clock)
    const consumerData: ConsumerData = {
      groupName: group,
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
      subscriptionDataSet: [tag('T')],
      unitMode: false,
      ...traits,
    }
    return { connection, isChanged: consumers.registerConsumer(group, { channel, consumerData, notify, withoutSub }) }
  }
  return { ...parts, consumers, beat, events }
}

describe('heartbeats', () => {
  it('tell all members of a new one, and of nothing when nothing is new', () => {
    const { beat, events } = manager()
    const first = beat('G')
    expect(first.isChanged).toBe(true)
    expect(events.splice(0)).toEqual(['change G 1', 'register G 1'])
    expect(beat('G', { connection: first.connection }).isChanged).toBe(false)
    expect(events.splice(0)).toEqual(['register G 1'])
    beat('G', { clientId: 'c2' })
    expect(events.splice(0)).toEqual(['change G 2', 'register G 1'])
  })

  it('overwrite how the group consumes', () => {
    const { beat, consumers } = manager()
    beat('G')
    beat('G', { consumeType: 'CONSUME_ACTIVELY', consumeFromWhere: 'CONSUME_FROM_TIMESTAMP' })
    expect(consumers.getConsumerGroupInfo('G')).toMatchObject({
      consumeType: 'CONSUME_ACTIVELY',
      consumeFromWhere: 'CONSUME_FROM_TIMESTAMP',
      messageModel: 'CLUSTERING',
    })
  })

  it('change the topics of the group: new ones and dropped ones are news, a newer version is not', () => {
    const { beat, consumers, events } = manager()
    const { connection } = beat('G', { subscriptionDataSet: [tag('A'), tag('B', 5)] })
    expect(consumers.queryTopicConsumeByWho('A')).toEqual(new Set(['G']))
    events.length = 0
    expect(beat('G', { connection, subscriptionDataSet: [tag('B', 6, 'x'), tag('C')] }).isChanged).toBe(true)
    expect(events.splice(0)).toEqual(['change G 1', 'register G 2'])
    expect(consumers.queryTopicConsumeByWho('A').size).toBe(0)
    expect(consumers.findSubscriptionData('G', 'B')?.subString).toBe('x')
    expect(beat('G', { connection, subscriptionDataSet: [tag('B', 5), tag('C', 7, 'y')] }).isChanged).toBe(false)
    expect(consumers.findSubscriptionData('G', 'B')?.subString).toBe('x')
    expect(consumers.findSubscriptionData('G', 'C')?.subString).toBe('y')
    expect(consumers.findSubscriptionData('G', 'A')).toBeUndefined()
  })

  it('without subscriptions leave those there are', () => {
    const { beat, consumers, events } = manager()
    const { connection } = beat('G')
    events.length = 0
    expect(beat('G', { connection, withoutSub: true, subscriptionDataSet: [] }).isChanged).toBe(false)
    expect(beat('G', { clientId: 'c2', withoutSub: true, subscriptionDataSet: [] }).isChanged).toBe(true)
    expect(consumers.findSubscriptionData('G', 'T')).toBeDefined()
    expect(events).toEqual(['change G 2'])
  })

  it.each([
    ['of a group that wants no notices', { notify: false }],
    ['of a broadcast group', { messageModel: 'BROADCASTING' as const }],
  ])('%s tell nobody', (_what, heartbeat) => {
    const { beat, events } = manager()
    expect(beat('G', heartbeat).isChanged).toBe(true)
    expect(events).toEqual(['register G 1'])
  })
})

describe('members that go', () => {
  it('are told to the others when their connection closes, whatever the group wants', () => {
    const { beat, consumers, events } = manager()
    const first = beat('G', { notify: false })
    beat('G', { clientId: 'c2', notify: false })
    beat('H', { connection: first.connection, notify: false })
    events.length = 0
    first.connection.close('gone')
    expect(events).toEqual(['change G 1', 'unregister H'])
    expect(consumers.getConsumerGroupInfo('G')?.clientIds()).toEqual(['c2'])
    expect(consumers.getConsumerGroupInfo('H')).toBeUndefined()
    expect(consumers.queryTopicConsumeByWho('T')).toEqual(new Set(['G']))
  })

  it('are told to the others when they unregister, if the group wants it', () => {
    const { beat, consumers, events } = manager()
    const first = beat('G')
    const second = beat('G', { clientId: 'c2' })
    const third = beat('G', { clientId: 'c3' })
    events.length = 0
    consumers.unregisterConsumer('G', first.connection, true)
    consumers.unregisterConsumer('G', second.connection, false)
    consumers.unregisterConsumer('G', second.connection, true)
    consumers.unregisterConsumer('Nobody', third.connection, true)
    expect(events.splice(0)).toEqual(['change G 2'])
    consumers.unregisterConsumer('G', third.connection, true)
    expect(events).toEqual(['unregister G'])
  })

  it('without a word are closed after channelExpiredTimeout by the scan every 10 s', async () => {
    const { beat, consumers, clock, logger, settings, events } = manager({ channelExpiredTimeout: 120_000 })
    const locks = new RebalanceLockManager({ clock, logger })
    const producers = new ProducerManager({ settings, clock, logger })
    const housekeeping = new ClientHousekeeping({ producers, consumers, locks, clock, logger })
    housekeeping.start()
    const silent = beat('G')
    await clock.advance(110_000)
    const alive = beat('G', { clientId: 'c2' })
    events.length = 0
    await clock.advance(10_000)
    expect(silent.connection.isClosed).toBe(false)
    await clock.advance(10_000)
    expect([silent.connection.isClosed, alive.connection.isClosed]).toEqual([true, false])
    expect(events).toEqual(['change G 1'])
    await housekeeping.stop()
    await clock.advance(1_000_000)
    expect(alive.connection.isClosed).toBe(false)
  })
})

describe('lookups', () => {
  it('list a client once per connection', () => {
    const { beat, consumers } = manager()
    const { connection } = beat('G')
    beat('G')
    expect(consumers.getConsumerGroupInfo('G')?.clientIds()).toEqual(['c1', 'c1'])
    expect(consumers.findChannel('G', 'c1')?.connection).toBe(connection)
    expect(consumers.findChannel('G', 'c2')).toBeUndefined()
    expect(consumers.findChannelByConnection('G', connection)?.clientId).toBe('c1')
  })

  it('fall back to what pulls said, for subscriptionExpiredTimeout', async () => {
    const { consumers, clock } = manager({ subscriptionExpiredTimeout: 600_000 })
    consumers.compensateBasicConsumerInfo('G', 'CONSUME_ACTIVELY', 'BROADCASTING')
    consumers.compensateSubscribeData('G', 'T', tag('T', clock.now()))
    expect(consumers.findSubscriptionData('G', 'T')).toBeDefined()
    expect(consumers.getConsumerGroupInfo('G')).toBeUndefined()
    expect(consumers.getConsumerGroupInfo('G', true)?.messageModel).toBe('BROADCASTING')
    await clock.advance(600_000)
    consumers.scan()
    expect(consumers.findSubscriptionData('G', 'T')).toBeDefined()
    await clock.advance(1)
    consumers.scan()
    expect(consumers.getConsumerGroupInfo('G', true)).toBeUndefined()
  })
})
