import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import { TopicConfigManager } from '../../../../src/broker/topic/topic-config-manager.js'
import { newTopicConfig, PERM_READ_WRITE, Perm, type TopicConfig } from '../../../../src/common/index.js'
import { brokerParts } from '../../../support/broker-parts.js'

const definition = { readQueueNums: 8, writeQueueNums: 8, perm: PERM_READ_WRITE, topicFilterType: 'SINGLE_TAG' }
const wish = { defaultTopic: 'TBW102', defaultTopicQueueNums: 4, topicSysFlag: 0, producer: '10.0.0.1:1' }

function manager(overrides: Partial<BrokerSettings> = {}) {
  const parts = brokerParts(overrides)
  const topics = new TopicConfigManager(parts)
  const changes: TopicConfig[] = []
  topics.onChange(changed => changes.push(...changed))
  return { ...parts, topics, changes, path: join(parts.settings.storePathRootDir, 'config', 'topics.json') }
}

function shape(config: TopicConfig | undefined): unknown[] {
  return [config?.readQueueNums, config?.writeQueueNums, config?.perm]
}

describe('topics that are there at the first start', () => {
  it.each([
    ['SELF_TEST_TOPIC', 1, 6],
    ['TBW102', 8, 7],
    ['BenchmarkTest', 1024, 6],
    ['TestCluster', 16, 7],
    ['broker-a', 1, 7],
    ['OFFSET_MOVED_EVENT', 1, 6],
    ['SCHEDULE_TOPIC_XXXX', 18, 6],
    ['TestCluster_REPLY_TOPIC', 1, 6],
    ['rmq_sys_REVIVE_LOG_TestCluster', 8, 6],
    ['rmq_sys_SYNC_BROKER_MEMBER_broker-a', 1, 1],
    ['RMQ_SYS_TRANS_HALF_TOPIC', 1, 6],
    ['RMQ_SYS_TRANS_OP_HALF_TOPIC', 1, 6],
    ['rmq_sys_wheel_timer', 1, 6],
  ])('%s has %i queues and perm %i', (topic, queues, perm) => {
    const { topics } = manager()
    expect(shape(topics.selectTopicConfig(topic))).toEqual([queues, queues, perm])
    expect(topics.isSystemTopic(topic)).toBe(true)
  })

  it('depend on the settings', () => {
    const { topics } = manager({
      autoCreateTopicEnable: false,
      clusterTopicEnable: false,
      brokerTopicEnable: false,
      traceTopicEnable: true,
      timerWheelEnable: false,
      defaultTopicQueueNums: 3,
    })
    expect(topics.containsTopic('TBW102')).toBe(false)
    expect(topics.selectTopicConfig('TestCluster')?.perm).toBe(Perm.INHERIT)
    expect(topics.selectTopicConfig('broker-a')?.perm).toBe(Perm.INHERIT)
    expect(topics.containsTopic('RMQ_SYS_TRACE_TOPIC')).toBe(true)
    expect(topics.containsTopic('rmq_sys_wheel_timer')).toBe(false)
    expect(topics.topicConfigTable.size).toBe(12)
  })
})

describe('createTopicInSendMessage', () => {
  it('takes the smaller number of queues, the filter type and the perm without INHERIT from the template', () => {
    const { topics, changes } = manager()
    const before = topics.dataVersion.counter
    const config = topics.createTopicInSendMessage('Orders', { ...wish, topicSysFlag: 1 })
    expect(config).toEqual(newTopicConfig('Orders', { readQueueNums: 4, writeQueueNums: 4, topicSysFlag: 1 }))
    expect(topics.createTopicInSendMessage('Orders', wish)).toBe(config)
    expect(changes).toEqual([config])
    expect(topics.dataVersion.counter).toBe(before + 1)
    expect(shape(topics.createTopicInSendMessage('Many', { ...wish, defaultTopicQueueNums: 100 }))).toEqual([8, 8, 6])
    expect(shape(topics.createTopicInSendMessage('None', { ...wish, defaultTopicQueueNums: -1 }))).toEqual([0, 0, 6])
  })

  it('creates nothing after a template that is unknown, not inheritable, or closed by the settings', () => {
    const { topics, changes } = manager()
    expect(topics.createTopicInSendMessage('A', { ...wish, defaultTopic: 'Unknown' })).toBeUndefined()
    expect(topics.createTopicInSendMessage('A', { ...wish, defaultTopic: 'BenchmarkTest' })).toBeUndefined()
    const closed = manager({ autoCreateTopicEnable: false }).topics
    closed.updateTopicConfig(newTopicConfig('TBW102', { perm: 7 }))
    expect(closed.createTopicInSendMessage('A', wish)).toBeUndefined()
    expect(closed.selectTopicConfig('TBW102')?.perm).toBe(PERM_READ_WRITE)
    expect(changes).toEqual([])
  })
})

describe('createTopicInSendMessageBack', () => {
  it('creates once, and changes the order of one that is there only when told', () => {
    const { topics, changes } = manager()
    const created = topics.createTopicInSendMessageBack('%RETRY%G', 1, PERM_READ_WRITE, { isOrder: true })
    expect([...shape(created), created.order]).toEqual([1, 1, 6, true])
    expect(topics.createTopicInSendMessageBack('%RETRY%G', 5, 2)).toBe(created)
    expect(topics.createTopicInSendMessageBack('%RETRY%G', 5, 2, { isOrder: false }).order).toBe(false)
    expect(topics.isOrderTopic('%RETRY%G')).toBe(false)
    expect(changes.length).toBe(2)
  })
})

describe('createOrUpdateTopic', () => {
  it.each([
    [{ topic: '' }, 29, 'The specified topic is blank.'],
    [{ topic: 'a b' }, 29, 'The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$'],
    [{ topic: 'x'.repeat(128) }, 29, 'The specified topic is longer than topic max length.'],
    [{ topic: 'TBW102' }, 29, 'The topic[TBW102] is conflict with system topic.'],
    [{ topic: 'TestCluster' }, 29, 'The topic[TestCluster] is conflict with system topic.'],
    [{ topic: 'rmq_sys_x' }, 29, 'The topic[rmq_sys_x] is conflict with system topic.'],
    [{ attributes: '+message.type=MIXED' }, 29, 'MIXED message type is not supported.'],
    [{ attributes: '+no.such=1' }, 1, 'unsupported key: no.such'],
    [{ attributes: '-message.type' }, 1, 'only add attribute is supported while creating topic. key: message.type'],
    [{ attributes: 'message.type=FIFO' }, 1, 'add/alter attribute format is wrong: message.type'],
    [{ topicFilterType: 'NO_TAG' }, 1, /^topicFilterType = \[NO_TAG\] value invalid/],
  ])('refuses %j with code %i', (change, code, remark) => {
    const { topics, changes } = manager()
    const expected = { code, remark: typeof remark === 'string' ? remark : expect.stringMatching(remark) }
    expect(() => topics.createOrUpdateTopic({ topic: 'T', ...definition, ...change })).toThrow(
      expect.objectContaining(expected),
    )
    expect(changes).toEqual([])
  })

  it('creates, changes attributes on those there are, and knows when nothing changes', () => {
    const { topics, changes } = manager({ enableMixedMessageType: true })
    topics.createOrUpdateTopic({ topic: 'T', ...definition, attributes: '+message.type=FIFO' })
    topics.createOrUpdateTopic({ topic: 'T', ...definition, perm: 4, attributes: '+message.type=MIXED' })
    expect(topics.selectTopicConfig('T')).toEqual(
      newTopicConfig('T', {
        readQueueNums: 8,
        writeQueueNums: 8,
        perm: 4,
        attributes: new Map([['message.type', 'MIXED']]),
      }),
    )
    const { counter } = topics.dataVersion
    topics.createOrUpdateTopic({ topic: 'T', ...definition, perm: 4 })
    expect(topics.dataVersion.counter).toBe(counter)
    expect(changes.length).toBe(2)
    topics.createOrUpdateTopic({ topic: 'T', ...definition, attributes: '-message.type' })
    expect(topics.selectTopicConfig('T')?.attributes.size).toBe(0)
  })

  it('may change system topics when the check is off', () => {
    const { topics } = manager({ validateSystemTopicWhenUpdateTopic: false })
    expect(topics.createOrUpdateTopic({ topic: 'TBW102', ...definition }).perm).toBe(6)
  })
})

describe('TopicConfigManager', () => {
  it('reads back what it wrote, and lets the file win over what the system would create', async () => {
    const first = manager()
    first.topics.load()
    first.topics.createOrUpdateTopic({ topic: 'T', ...definition, attributes: '+message.type=DELAY' })
    first.topics.updateTopicConfig(newTopicConfig('TBW102', { readQueueNums: 2, writeQueueNums: 2, perm: 7 }))
    first.topics.createTopicInSendMessage('Gone', wish)
    expect(first.topics.deleteTopicConfig('Gone')).toBe(true)
    expect(first.topics.deleteTopicConfig('Gone')).toBe(false)
    await first.topics.persist()
    const second = manager({ storePathRootDir: first.settings.storePathRootDir })
    second.topics.load()
    expect(new Map(second.topics.topicConfigTable)).toEqual(new Map(first.topics.topicConfigTable))
    expect(second.topics.dataVersion).toEqual(first.topics.dataVersion)
    expect(Object.keys(JSON.parse(readFileSync(first.path, 'utf8')))).toEqual(['dataVersion', 'topicConfigTable'])
    await Promise.all([first.topics.stop(), second.topics.stop()])
  })

  it('writes each change by itself', async () => {
    const { topics, path } = manager()
    topics.createTopicInSendMessage('Orders', wish)
    await topics.persist()
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')).topicConfigTable)).toContain('Orders')
    topics.deleteTopicConfig('Orders')
    await topics.stop()
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')).topicConfigTable)).not.toContain('Orders')
  })

  it('has each topic in the file when its save has ended, however many are made at once', async () => {
    const { topics, path } = manager()
    const missing: string[] = []
    let next = 0
    const lane = async (): Promise<void> => {
      while (next < 200) {
        const topic = `T${next++}`
        topics.createOrUpdateTopic({ topic, ...definition })
        await topics.persist()
        topics.updateTopicConfig(newTopicConfig(topic, { readQueueNums: 3, writeQueueNums: 3, perm: 4 }))
        await topics.persist()
        const kept = JSON.parse(readFileSync(path, 'utf8')).topicConfigTable[topic]
        if (kept?.perm !== 4 || kept.readQueueNums !== 3) missing.push(topic)
      }
    }
    await Promise.all(Array.from({ length: 16 }, lane))
    expect(missing).toEqual([])
    await topics.stop()
  })

  it('marks ordered topics and never unmarks them', () => {
    const { topics, clock } = manager()
    topics.createTopicInSendMessage('Orders', wish)
    const { counter } = topics.dataVersion
    void clock.advance(5)
    topics.updateOrderTopics(['Orders', 'Unknown'])
    topics.updateOrderTopics(['Orders'])
    topics.updateOrderTopics([])
    expect(topics.isOrderTopic('Orders')).toBe(true)
    expect(topics.dataVersion.counter).toBe(counter + 1)
  })
})
