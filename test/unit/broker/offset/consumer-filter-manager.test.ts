import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { newClientChannel } from '../../../../src/broker/client/client-channel.js'
import { ConsumerManager } from '../../../../src/broker/client/consumer-manager.js'
import { ConsumerFilterManager, isDead } from '../../../../src/broker/offset/consumer-filter-manager.js'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import { buildSubscriptionData, heartbeatDataFromJson, type SubscriptionData } from '../../../../src/common/index.js'
import { brokerParts } from '../../../support/broker-parts.js'
import { FakeConnection } from '../../../support/fake-connection.js'

function manager(overrides: Partial<BrokerSettings> = {}) {
  const parts = brokerParts(overrides)
  const path = join(parts.settings.storePathRootDir, 'config', 'consumerFilter.json')
  return { ...parts, path, filters: new ConsumerFilterManager(parts) }
}

function sql(topic: string, expression: string, subVersion: number): SubscriptionData {
  return buildSubscriptionData({ topic, expression, expressionType: 'SQL92', subVersion })
}

describe('register', () => {
  it('compiles SQL92 and takes no notice of tags', () => {
    const { filters, clock } = manager()
    filters.register('G', [sql('T', 'a > 1', 5), buildSubscriptionData({ topic: 'U', expression: 'x', subVersion: 5 })])
    const data = filters.get('T', 'G')
    expect(data).toMatchObject({ expression: 'a > 1', clientVersion: 5, bornTime: clock.now(), deadTime: 0 })
    expect(data?.compiledExpression?.matches(name => (name === 'a' ? '2' : undefined))).toBe(true)
    expect(data?.bloomFilterData).toMatchObject({ bitNum: 112 })
    expect(filters.getByTopic('U')).toEqual([])
  })

  it('ignores older versions, and replaces by a newer one', () => {
    const { filters } = manager()
    filters.register('G', [sql('T', 'a > 1', 5)])
    filters.register('G', [sql('T', 'a > 2', 4)])
    filters.register('G', [sql('T', 'a > 3', 5)])
    expect(filters.get('T', 'G')?.expression).toBe('a > 1')
    filters.register('G', [sql('T', 'a > 4', 6)])
    expect(filters.get('T', 'G')).toMatchObject({ expression: 'a > 4', clientVersion: 6 })
    filters.register('G', [sql('T', 'a > 4', 7)])
    expect(filters.get('T', 'G')?.clientVersion).toBe(7)
  })

  it('removes the old expression when the new one does not compile', () => {
    const { filters } = manager()
    filters.register('G', [sql('T', 'a > 1', 5)])
    filters.register('G', [sql('T', 'a >> 1', 6)])
    expect(filters.get('T', 'G')).toBeUndefined()
  })

  it('buries what is no longer subscribed, and revives what comes back', async () => {
    const { filters, clock } = manager()
    filters.register('G', [sql('T', 'a > 1', 5), sql('U', 'b > 1', 5)])
    await clock.advance(1)
    filters.register('G', [sql('T', 'a > 1', 5)])
    expect(isDead(filters.get('U', 'G')!)).toBe(true)
    expect(isDead(filters.get('T', 'G')!)).toBe(false)
    filters.unregister('G')
    expect(filters.getByGroup('G').map(isDead)).toEqual([true, true])
    filters.register('G', [sql('T', 'a > 1', 5), sql('U', 'b > 1', 6)])
    expect(filters.getByGroup('G').map(isDead)).toEqual([false, false])
  })
})

describe('heartbeats', () => {
  it('bring filters, and the last consumer to leave buries them', () => {
    const parts = brokerParts()
    const consumers = new ConsumerManager(parts)
    const filters = new ConsumerFilterManager({ ...parts, consumers })
    const connection = new FakeConnection()
    const channel = newClientChannel(connection, 'c1', { language: 0, version: 479 }, parts.clock)
    const [consumerData] = heartbeatDataFromJson({ consumerDataSet: [{ groupName: 'G' }] }).consumerDataSet
    consumerData!.subscriptionDataSet = [sql('T', 'a > 1', 5)]
    consumers.registerConsumer('G', { channel, consumerData: consumerData!, notify: true })
    expect(isDead(filters.get('T', 'G')!)).toBe(false)
    connection.close('gone')
    expect(isDead(filters.get('T', 'G')!)).toBe(true)
  })
})

describe('build', () => {
  it('makes filter data for one pull, refusing what does not compile with the text of Java', () => {
    const { filters } = manager()
    const pull = { topic: 'T', group: 'G', expression: 'a > 1', type: 'SQL92', clientVersion: 1 }
    expect(filters.build(pull)?.compiledExpression).toBe(filters.build(pull)?.compiledExpression)
    expect(filters.build({ ...pull, type: 'TAG' })).toBeUndefined()
    expect(() => filters.build({ ...pull, expression: 'a >> 1' })).toThrow(
      /^org\.apache\.rocketmq\.filter\.parser\.Parse/,
    )
    expect(() => filters.build({ ...pull, type: 'OTHER' })).toThrow(/no filter of the type OTHER/)
    expect(filters.get('T', 'G')).toBeUndefined()
  })
})

describe('consumerFilter.json', () => {
  it('is read back, its consumers counting as gone after 30 s of grace', async () => {
    const first = manager()
    first.filters.register('G', [sql('T', 'a > 1', 5)])
    await first.filters.stop()
    const second = manager({ storePathRootDir: first.settings.storePathRootDir })
    await second.clock.advance(100_000)
    second.filters.load()
    const data = second.filters.get('T', 'G')
    expect(data).toMatchObject({ expression: 'a > 1', deadTime: second.clock.now() - 30_000 })
    expect(data?.compiledExpression?.matches(() => '2')).toBe(true)
    await second.filters.stop()
  })

  it('is dropped when the bloom filter has another size', async () => {
    const first = manager()
    first.filters.register('G', [sql('T', 'a > 1', 5)])
    await first.filters.stop()
    const { storePathRootDir } = first.settings
    const second = manager({ storePathRootDir, expectConsumerNumUseFilter: 100 })
    second.filters.load()
    expect(second.filters.get('T', 'G')).toBeUndefined()
  })

  it('is written every 10 s when something changed, without what is dead for filterDataCleanTimeSpan', async () => {
    const { filters, clock, path } = manager({ filterDataCleanTimeSpan: 15_000 })
    filters.start()
    filters.register('G', [sql('T', 'a > 1', 5)])
    filters.unregister('G')
    await clock.advance(10_000)
    await filters.persist()
    const saved = JSON.parse(readFileSync(path, 'utf8')).filterDataByTopic.T
    expect(saved.topic).toBe('T')
    expect(Object.keys(saved.groupFilterData.G).sort()).toEqual([
      'bloomFilterData',
      'bornTime',
      'clientVersion',
      'consumerGroup',
      'dead',
      'deadTime',
      'expression',
      'expressionType',
      'topic',
    ])
    await clock.advance(10_000)
    await filters.persist()
    expect(JSON.parse(readFileSync(path, 'utf8')).filterDataByTopic).toEqual({})
    await filters.stop()
  })
})

describe('bits of messages', () => {
  const record = (properties: string) => {
    const bytes = Buffer.from(properties)
    return { topic: { topic: 'T' }, bytes, propertiesStart: 0, propertiesEnd: bytes.length }
  }

  it('are worked out for the groups of the topic while the key is on', () => {
    const { filters } = manager({ enableCalcFilterBitMap: true })
    expect(filters.bitMapOf(record('a\x015\x02'))).toBeUndefined()
    filters.register('G', [sql('T', 'a > 1', 5)])
    filters.register('H', [sql('T', 'a > 7', 5)])
    const bits = filters.bitMapOf(record('a\x015\x02'))!
    const isHit = (group: string): boolean => filters.bloomFilter.isHit(filters.get('T', group)!.bloomFilterData!, bits)
    expect([bits.length, isHit('G'), isHit('H')]).toEqual([14, true, false])
    const off = manager()
    off.filters.register('G', [sql('T', 'a > 1', 5)])
    expect(off.filters.bitMapOf(record('a\x015\x02'))).toBeUndefined()
  })

  it('do not count from before an expression, nor from before a backup was read', async () => {
    let logEnd = 100
    const parts = brokerParts()
    const make = () => new ConsumerFilterManager({ ...parts, logEnd: () => logEnd })
    const first = make()
    first.register('G', [sql('T', 'a > 1', 5)])
    await first.persist()
    logEnd = 200
    first.register('G', [sql('T', 'a > 2', 6)])
    await first.stop()
    const path = join(parts.settings.storePathRootDir, 'config', 'consumerFilter.json')
    logEnd = 300
    const same = make()
    same.load()
    same.start()
    expect(same.get('T', 'G')).toMatchObject({ expression: 'a > 2', bornOffset: 200 })
    await same.stop()
    writeFileSync(path, '{')
    const older = make()
    older.load()
    older.start()
    expect(older.get('T', 'G')?.bornOffset).toBe(300)
    await older.stop()
  })
})
