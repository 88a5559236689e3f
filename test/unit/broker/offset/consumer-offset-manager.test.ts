import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { ConsumerOffsetManager } from '../../../../src/broker/offset/consumer-offset-manager.js'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import { ConfigFile } from '../../../../src/util/index.js'
import { brokerParts } from '../../../support/broker-parts.js'

function manager(overrides: Partial<BrokerSettings> = {}) {
  const parts = brokerParts(overrides)
  const path = join(parts.settings.storePathRootDir, 'config', 'consumerOffset.json')
  return { ...parts, path, offsets: new ConsumerOffsetManager(parts) }
}

function readTable(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8')).offsetTable
}

describe('committed and pulled offsets', () => {
  it('are stored whatever they were before', () => {
    const { offsets } = manager()
    expect(offsets.queryOffset('G', 'T', 0)).toBe(-1)
    offsets.commitOffset('G', 'T', 0, 7)
    offsets.commitOffset('G', 'T', 0, 5)
    expect(offsets.queryOffset('G', 'T', 0)).toBe(5)
    expect(offsets.queryOffset('G', 'T', 1)).toBe(-1)
    expect(offsets.queryPullOffset('G', 'T', 0)).toBe(5)
    offsets.commitPullOffset('G', 'T', 0, 9)
    expect(offsets.queryPullOffset('G', 'T', 0)).toBe(9)
    offsets.clearPullOffset('G', 'T')
    expect(offsets.queryPullOffset('G', 'T', 0)).toBe(5)
  })

  it('of a pull alone make a group of the topic known to nobody', () => {
    const { offsets } = manager()
    offsets.commitPullOffset('G', 'T', 0, 9)
    expect(offsets.whichGroupByTopic('T').size).toBe(0)
    expect(offsets.queryOffsets('G', 'T')).toBeUndefined()
    expect(JSON.parse(offsets.toJson()).offsetTable).toEqual({})
  })

  it('bump the version every consumerOffsetUpdateVersionStep commits', () => {
    const { offsets } = manager({ consumerOffsetUpdateVersionStep: 3 })
    const { counter } = offsets.dataVersion
    for (let i = 0; i < 7; i++) offsets.commitOffset('G', 'T', 0, i)
    expect(offsets.dataVersion.counter).toBe(counter + 2)
  })

  it('are found by group and by topic, pseudo groups left out', () => {
    const { offsets } = manager()
    offsets.commitOffset('G', 'A', 0, 1)
    offsets.commitOffset('G', 'B', 0, 1)
    offsets.commitOffset('H', 'A', 0, 1)
    offsets.commitOffset('H@broadcast', 'A', 0, 1)
    expect(offsets.whichTopicByConsumer('G')).toEqual(new Set(['A', 'B']))
    expect(offsets.whichGroupByTopic('A')).toEqual(new Set(['G', 'H']))
    expect(offsets.groupTopicMap()).toEqual(
      new Map([
        ['G', new Set(['A', 'B'])],
        ['H', new Set(['A'])],
      ]),
    )
  })

  it('are cloned and removed', () => {
    const { offsets } = manager()
    offsets.commitOffset('G', 'A', 0, 1)
    offsets.commitOffset('G', 'A', 3, 4)
    offsets.commitOffset('G', 'B', 0, 1)
    offsets.commitOffset('H', 'A', 9, 9)
    offsets.cloneOffset('G', 'H', 'A')
    offsets.cloneOffset('Nobody', 'H', 'A')
    expect(offsets.queryOffsets('H', 'A')).toEqual(
      new Map([
        [0, 1],
        [3, 4],
      ]),
    )
    offsets.commitOffset('G', 'A', 0, 2)
    expect(offsets.queryOffset('H', 'A', 0)).toBe(1)
    offsets.removeOffset('G')
    expect(offsets.whichTopicByConsumer('G').size).toBe(0)
    offsets.cleanOffsetByTopic('A')
    expect(offsets.whichGroupByTopic('A').size).toBe(0)
  })

  it('give the smallest of all groups that is still in the queue', () => {
    const { offsets } = manager()
    offsets.commitOffset('G', 'A', 0, 5)
    offsets.commitOffset('H', 'A', 0, 3)
    offsets.commitOffset('I', 'A', 0, 1)
    offsets.commitOffset('G', 'A', 1, 8)
    expect(offsets.queryMinOffsetInAllGroup('A', [], () => 2)).toEqual(
      new Map([
        [0, 3],
        [1, 8],
      ]),
    )
    expect(offsets.queryMinOffsetInAllGroup('A', ['H', 'I'], () => 2).get(0)).toBe(5)
    expect(offsets.queryOffset('H', 'A', 0)).toBe(3)
  })
})

describe('a reset', () => {
  it('wins over commits until a pull takes it, once', () => {
    const { offsets } = manager()
    offsets.commitOffset('G', 'T', 0, 100)
    expect(offsets.hasAnyReset).toBe(false)
    offsets.assignResetOffset({ topic: 'T', group: 'G', queueId: 0, offset: 10 })
    expect(offsets.hasOffsetReset('T', 'G', 0)).toBe(true)
    expect(offsets.hasOffsetReset('T', 'G', 1)).toBe(false)
    offsets.commitOffset('G', 'T', 0, 101)
    expect(offsets.queryOffset('G', 'T', 0)).toBe(10)
    expect(offsets.queryThenEraseResetOffset('T', 'G', 0)).toBe(10)
    expect(offsets.queryThenEraseResetOffset('T', 'G', 0)).toBeUndefined()
    expect(offsets.hasAnyReset).toBe(false)
    expect(offsets.queryOffset('G', 'T', 0)).toBe(101)
  })

  it('is committed, refused when senseless, and gone with its group', () => {
    const { offsets } = manager()
    offsets.assignResetOffset({ topic: 'T', group: 'G', queueId: 0, offset: 10 })
    offsets.assignResetOffset({ topic: 'T', group: 'G', queueId: 0, offset: 11 })
    expect(offsets.queryOffsets('G', 'T')?.get(0)).toBe(11)
    offsets.assignResetOffset({ topic: 'T', group: 'G', queueId: -1, offset: 10 })
    offsets.assignResetOffset({ topic: 'T', group: 'G', queueId: 1, offset: -1 })
    expect(offsets.queryOffset('G', 'T', 1)).toBe(-1)
    offsets.removeOffset('G')
    expect(offsets.hasAnyReset).toBe(false)
  })

  it('does not count when clients are asked to reset instead', () => {
    const { offsets } = manager({ useServerSideResetOffset: false })
    offsets.assignResetOffset({ topic: 'T', group: 'G', queueId: 0, offset: 10 })
    offsets.commitOffset('G', 'T', 0, 20)
    expect(offsets.queryOffset('G', 'T', 0)).toBe(20)
  })
})

describe('consumerOffset.json', () => {
  it('is read with quoted and unquoted queue ids, and whatever the group name holds', () => {
    const { offsets, path } = manager()
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(
      path,
      '{"dataVersion":{"counter":4,"stateVersion":0,"timestamp":17},"groupTopicMap":{"Z":["nothing"]},\n' +
        '"offsetTable":{"A@G":{0:12,1:9007199254740991\n\t},"A@G@broadcast":{"2":3},"B@G":{},"odd":{0:1}}}',
    )
    offsets.load()
    expect(offsets.queryOffsets('G', 'A')).toEqual(
      new Map([
        [0, 12],
        [1, 9007199254740991],
      ]),
    )
    expect(offsets.queryOffset('G@broadcast', 'A', 2)).toBe(3)
    expect(offsets.whichGroupByTopic('Z').size).toBe(0)
    expect(offsets.dataVersion).toEqual({ counter: 4, stateVersion: 0, timestamp: 17 })
  })

  it('is written 10 s after the start and then every flushConsumerOffsetInterval, when something changed', async () => {
    const { offsets, clock, path } = manager({ flushConsumerOffsetInterval: 5000 })
    offsets.start()
    offsets.commitOffset('G', 'T', 1, 5)
    await clock.advance(9999)
    expect(() => readTable(path)).toThrow()
    await clock.advance(1)
    await offsets.persist()
    expect(readTable(path)).toEqual({ 'T@G': { 1: 5 } })
    const save = vi.spyOn(ConfigFile.prototype, 'save')
    await clock.advance(5000)
    offsets.commitOffset('G', 'T', 1, 5)
    await clock.advance(5000)
    expect(save).not.toHaveBeenCalled()
    offsets.commitOffset('G', 'T', 1, 6)
    await clock.advance(5000)
    expect(save).toHaveBeenCalledOnce()
    await offsets.stop()
    save.mockRestore()
    expect(readTable(path)).toEqual({ 'T@G': { 1: 6 } })
  })

  it('holds the topics of each group, as Java writes it', async () => {
    const { offsets, path } = manager()
    offsets.commitOffset('G', 'B', 0, 1)
    offsets.commitOffset('G', 'A', 0, 1)
    await offsets.persist()
    const file = JSON.parse(readFileSync(path, 'utf8'))
    expect(Object.keys(file)).toEqual(['dataVersion', 'groupTopicMap', 'offsetTable'])
    expect(file.groupTopicMap.G.sort()).toEqual(['A', 'B'])
  })

  it('of 50 000 queues is written in many turns of the event loop', async () => {
    const { offsets, path } = manager()
    for (let i = 0; i < 50_000; i++)
      offsets.commitOffset(`group-${i % 100}`, `topic-${i % 250}`, Math.floor(i / 500), i)
    let turns = 0
    let isDone = false
    const count = (): void => {
      turns++
      if (!isDone) setImmediate(count)
    }
    setImmediate(count)
    await offsets.persist()
    isDone = true
    expect(turns).toBeGreaterThan(10)
    const table = readTable(path) as Record<string, Record<string, number>>
    expect(Object.values(table).reduce((sum, queues) => sum + Object.keys(queues).length, 0)).toBe(50_000)
  })
})
