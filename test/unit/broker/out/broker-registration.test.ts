import { describe, expect, it, onTestFinished } from 'vitest'
import type { RegisterBrokerResult, Registration } from '../../../../src/broker/out/broker-outer-api.js'
import { BrokerRegistration, type BrokerRegistrationOptions } from '../../../../src/broker/out/broker-registration.js'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import { TopicConfigManager } from '../../../../src/broker/topic/topic-config-manager.js'
import { newTopicConfig, sameDataVersion } from '../../../../src/common/index.js'
import { type Logger, MQError, silentLogger } from '../../../../src/util/index.js'
import { brokerParts } from '../../../support/broker-parts.js'

/** NameServers that remember what they were told, and can be down. */
class FakeOut {
  namesrvAddresses: readonly string[] = ['n1:9876', 'n2:9876']
  readonly calls: string[] = []
  readonly down = new Set<string>()
  readonly registrations: Registration[] = []
  orderTopics: string[] = []
  known: { counter: number; stateVersion: number; timestamp: number } | undefined
  private closed: (address: string) => void = () => undefined

  updateNamesrvAddr(addresses: readonly string[]): boolean {
    this.namesrvAddresses = addresses
    return true
  }

  onClosed(listener: (address: string) => void): void {
    this.closed = listener
  }

  loseConnection(address: string): void {
    this.closed(address)
  }

  async registerBroker(address: string, registration: Registration): Promise<RegisterBrokerResult> {
    const topics = [...registration.topics]
    this.note(address, topics.length > 5 ? 'all' : topics.map(topic => topic.topicName).join(','))
    this.registrations.push({ ...registration, topics })
    return { orderTopics: this.orderTopics }
  }

  async needRegister(address: string, _identity: unknown, dataVersion: Registration['dataVersion']): Promise<boolean> {
    this.note(address, 'version?')
    return this.known === undefined || !sameDataVersion(this.known, dataVersion)
  }

  async registerSingleTopic(address: string, brokerName: string, config: { topicName: string }): Promise<void> {
    this.note(address, `single ${brokerName} ${config.topicName}`)
  }

  async unregisterBroker(address: string): Promise<void> {
    this.note(address, 'bye')
  }

  take(): string[] {
    return this.calls.splice(0)
  }

  private note(address: string, what: string): void {
    const name = address.split(':')[0]
    if (this.down.has(address)) {
      this.calls.push(`${name} ${what} failed`)
      throw new MQError('ERR_REMOTING_CONNECT', `connect to ${address} failed`)
    }
    this.calls.push(`${name} ${what}`)
  }
}

function registration(overrides: Partial<BrokerSettings> = {}, addresses?: string[]) {
  const parts = brokerParts(overrides)
  const logged: string[] = []
  const log = (fields: { readonly event?: unknown }): void => void logged.push(String(fields.event))
  const logger: Logger = { ...silentLogger, info: log, warn: log }
  const out = new FakeOut()
  if (addresses) out.namesrvAddresses = addresses
  const topics = new TopicConfigManager({ ...parts, logger: silentLogger })
  const options: BrokerRegistrationOptions = { ...parts, logger, out, topics }
  const broker = new BrokerRegistration(options)
  onTestFinished(() => broker.stop())
  const wish = { defaultTopic: 'TBW102', defaultTopicQueueNums: 4, topicSysFlag: 0, producer: 'x' }
  return {
    ...parts,
    out,
    topics,
    broker,
    logged,
    create: (topic: string) => topics.createTopicInSendMessage(topic, wish),
  }
}

describe('BrokerRegistration', () => {
  it('tells every NameServer at the start, 10 s later and every 30 s, and goodbye at the end', async () => {
    const { out, broker, clock } = registration()
    await broker.start()
    expect(out.take()).toEqual(['n1 all', 'n2 all'])
    await clock.advance(9999)
    expect(out.take()).toEqual([])
    await clock.advance(1)
    expect(out.take()).toEqual(['n1 all', 'n2 all'])
    await clock.advance(30_000)
    expect(out.take()).toEqual(['n1 all', 'n2 all'])
    await broker.stop()
    expect(out.take()).toEqual(['n1 bye', 'n2 bye'])
    await clock.advance(100_000)
    expect(out.take()).toEqual([])
  })

  it('keeps the period between 10 and 60 s', async () => {
    const { out, broker, clock } = registration({ registerNameServerPeriod: 60_000 }, ['n1:9876'])
    await broker.start()
    await clock.advance(10_000)
    out.take()
    await clock.advance(59_999)
    expect(out.take()).toEqual([])
    await clock.advance(1)
    expect(out.take()).toEqual(['n1 all'])
  })

  it('tells of changed topics at once, those of one turn together, with the version of that moment', async () => {
    const { out, broker, topics, create } = registration({}, ['n1:9876'])
    await broker.start()
    out.take()
    create('A')
    create('B')
    await broker.whenSettled()
    expect(out.take()).toEqual(['n1 A,B'])
    expect(out.registrations.at(-1)?.dataVersion).toEqual(topics.dataVersion)
    create('C')
    topics.updateTopicConfig(newTopicConfig('C', { perm: 4 }))
    await broker.whenSettled()
    expect(out.take()).toEqual(['n1 C'])
    expect([...out.registrations.at(-1)!.topics][0]?.perm).toBe(4)
    topics.deleteTopicConfig('C')
    await broker.whenSettled()
    expect(out.take()).toEqual([])
  })

  it('lets who made a topic go on when it is told, however many others are made meanwhile', async () => {
    const { out, broker, create } = registration({}, ['n1:9876'])
    await broker.start()
    out.take()
    let made = 0
    // each time the NameServer has taken topics, there is one more
    const register = out.registerBroker.bind(out)
    out.registerBroker = async (address, one) => {
      if (made < 1000) create(`more-${made++}`)
      return register(address, one)
    }
    create('A')
    await broker.whenSettled()
    expect(made).toBeLessThan(10)
    expect(out.take()[0]).toBe('n1 A')
    create('B')
    const told = broker.whenSettled().then(() => out.take())
    expect((await told).some(call => call.split(/[ ,]/).includes('B'))).toBe(true)
    expect(made).toBeLessThan(20)
  })

  it('tells nothing before the start', async () => {
    const { out, broker, create } = registration()
    create('A')
    await broker.whenSettled()
    expect(out.take()).toEqual([])
  })

  it('registers single topics when told to', async () => {
    const { out, broker, create } = registration({ enableSingleTopicRegister: true }, ['n1:9876'])
    await broker.start()
    create('A')
    await broker.whenSettled()
    expect(out.take()).toEqual(['n1 all', 'n1 single broker-a A'])
  })

  it('splits a large table, its rest last', async () => {
    const { out, broker } = registration({ enableSplitRegistration: true, splitRegistrationSize: 6 }, ['n1:9876'])
    await broker.start()
    expect(out.registrations.map(one => [...one.topics].length)).toEqual([6, 6, 1])
  })

  it('publishes topics with what the broker permits', async () => {
    const settings = { brokerPermission: 6 }
    const parts = registration(settings, ['n1:9876'])
    await parts.broker.start()
    const { counter } = parts.topics.dataVersion
    Object.assign(parts.settings, { brokerPermission: 4 })
    await parts.broker.brokerPermissionChanged()
    const last = parts.out.registrations.at(-1)!
    const perms = new Map([...last.topics].map(topic => [topic.topicName, topic.perm]))
    expect([perms.get('BenchmarkTest'), perms.get('TBW102'), perms.get('rmq_sys_SYNC_BROKER_MEMBER_broker-a')]).toEqual(
      [4, 4, 0],
    )
    expect(last.dataVersion.counter).toBe(counter + 1)
    expect(parts.topics.selectTopicConfig('BenchmarkTest')?.perm).toBe(6)
  })

  it('asks for the version first when registrations are not forced', async () => {
    const { out, broker, clock, topics } = registration({ forceRegister: false }, ['n1:9876'])
    await broker.start()
    out.known = { ...topics.dataVersion }
    await clock.advance(10_000)
    expect(out.take()).toEqual(['n1 all', 'n1 version?'])
    topics.bumpDataVersion()
    await clock.advance(30_000)
    expect(out.take()).toEqual(['n1 version?', 'n1 all'])
  })

  it('marks the topics a NameServer says are ordered', async () => {
    const { out, broker, topics, create } = registration({}, ['n1:9876'])
    create('A')
    out.orderTopics = ['A']
    await broker.start()
    expect(topics.isOrderTopic('A')).toBe(true)
  })

  it('takes other NameServers', async () => {
    const { out, broker } = registration()
    await broker.start()
    out.take()
    await broker.updateNamesrvAddr(['n2:9876', 'n3:9876'])
    expect(out.take().sort()).toEqual(['n1 bye', 'n2 all', 'n3 all'])
  })
})

describe('a NameServer that is down', () => {
  it('holds up no other, is logged once, and knows all within a second of its return', async () => {
    const { out, broker, clock, logged, create } = registration()
    out.down.add('n1:9876')
    await broker.start()
    expect(out.take()).toEqual(['n1 all failed', 'n2 all'])
    await clock.advance(9000)
    expect(out.take()).toEqual(Array(9).fill('n1 version? failed'))
    create('A')
    await broker.whenSettled()
    expect(out.take().filter(call => call.startsWith('n2'))).toEqual(['n2 A'])
    expect([...logged].sort()).toEqual(['broker-registered', 'register-failed'])
    out.down.clear()
    out.take()
    await clock.advance(1000)
    expect(out.take().filter(call => call.startsWith('n1'))).toEqual(['n1 version?', 'n1 all'])
    expect(logged.filter(event => event === 'broker-registered').length).toBe(2)
    create('B')
    await broker.whenSettled()
    expect(out.take()).toEqual(['n1 B', 'n2 B'])
  })

  it('and back is told everything a second after its connection was lost', async () => {
    const { out, broker, clock } = registration({}, ['n1:9876'])
    await broker.start()
    out.take()
    out.loseConnection('n1:9876')
    await clock.advance(999)
    expect(out.take()).toEqual([])
    await clock.advance(1)
    expect(out.take()).toEqual(['n1 all'])
  })

  it('never sees a table of single topics as the first of this broker', async () => {
    const { out, broker, clock, create } = registration({}, ['n1:9876'])
    await broker.start()
    out.take()
    out.loseConnection('n1:9876')
    create('A')
    await clock.advance(1000)
    expect(out.take()).toEqual(['n1 all'])
  })

  it('at the end is not told goodbye', async () => {
    const { out, broker } = registration()
    out.down.add('n1:9876')
    await broker.start()
    out.take()
    await broker.stop()
    expect(out.take()).toEqual(['n2 bye'])
  })
})

it('disappearTimeAfterStart: after the start nothing is registered anew for so long', async () => {
  const { out, broker, clock } = registration({ disappearTimeAfterStart: 60_000 }, ['n1:9876'])
  await broker.start()
  expect(out.take()).toEqual(['n1 all'])
  await clock.advance(59_999)
  expect(out.take()).toEqual([])
  await clock.advance(10_001)
  expect(out.take()).toEqual(['n1 all'])
})

it('isScanAvailableNameSrv=false: a NameServer that is down waits for the next period', async () => {
  const { out, broker, clock } = registration({ isScanAvailableNameSrv: false }, ['n1:9876'])
  out.down.add('n1:9876')
  await broker.start()
  expect(out.take()).toEqual(['n1 all failed'])
  out.down.clear()
  await clock.advance(9999)
  expect(out.take()).toEqual([])
  await clock.advance(1)
  expect(out.take()).toEqual(['n1 version?', 'n1 all'])
})
