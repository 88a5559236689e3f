import { describe, expect, it } from 'vitest'
import { ConsumerManager } from '../../../../src/broker/client/consumer-manager.js'
import { ProducerManager } from '../../../../src/broker/client/producer-manager.js'
import { heartbeatRoute } from '../../../../src/broker/processors/heartbeat.js'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import { SubscriptionGroupManager } from '../../../../src/broker/subscription/subscription-group-manager.js'
import { TopicConfigManager } from '../../../../src/broker/topic/topic-config-manager.js'
import { newSubscriptionGroupConfig, newTopicConfig } from '../../../../src/common/index.js'
import { brokerParts } from '../../../support/broker-parts.js'
import { callRoute } from '../../../support/call-route.js'
import { FakeConnection } from '../../../support/fake-connection.js'
import { frameBody, goldenFrames } from '../../../support/golden-frames.js'

function broker(overrides: Partial<BrokerSettings> = {}) {
  const parts = brokerParts(overrides)
  const context = {
    ...parts,
    topics: new TopicConfigManager(parts),
    groups: new SubscriptionGroupManager(parts),
    consumers: new ConsumerManager(parts),
    producers: new ProducerManager(parts),
  }
  const route = heartbeatRoute(context)
  const beat = async (body: string | Buffer | object, connection = new FakeConnection()): Promise<boolean> => {
    const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const reply = await callRoute(route, { body: text, connection, version: 479 })
    expect(reply.code).toBe(0)
    expect(reply.extFields?.IS_SUPPORT_HEART_BEAT_V2).toBe('true')
    return reply.extFields?.IS_SUB_CHANGE === 'true'
  }
  return { ...context, beat }
}

function heartbeat(group: string, topics: string[], more: object = {}): object {
  const subscriptionDataSet = topics.map(topic => ({ topic, subString: '*', subVersion: 1 }))
  const consumer = {
    groupName: group,
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    subscriptionDataSet,
  }
  return { clientID: 'c1', consumerDataSet: [consumer], producerDataSet: [], ...more }
}

describe('HEART_BEAT', () => {
  it('registers the client, creates its group and its retry topic', async () => {
    const { beat, consumers, groups, topics, producers } = broker()
    groups.updateSubscriptionGroupConfig(newSubscriptionGroupConfig('H', { retryQueueNums: 3 }))
    await beat({ ...heartbeat('G', ['T']), producerDataSet: [{ groupName: 'P' }] })
    await beat(heartbeat('H', ['T']))
    expect(consumers.getConsumerGroupInfo('G')?.clientIds()).toEqual(['c1'])
    expect(groups.containsSubscriptionGroup('G')).toBe(true)
    expect(topics.selectTopicConfig('%RETRY%G')).toMatchObject({ readQueueNums: 1, perm: 6, order: false })
    expect(topics.selectTopicConfig('%RETRY%H')).toMatchObject({ readQueueNums: 3, writeQueueNums: 3 })
    expect(producers.groupOnline('P')).toBe(true)
  })

  it('orders the retry topic of a group that reads an ordered topic, and leaves it when subscriptions are left out', async () => {
    const { beat, topics } = broker()
    topics.updateTopicConfig(newTopicConfig('T', { order: true }))
    await beat(heartbeat('G', ['T'], { heartbeatFingerprint: 7 }))
    expect(topics.isOrderTopic('%RETRY%G')).toBe(true)
    await beat(heartbeat('G', [], { heartbeatFingerprint: 7, withoutSub: true }))
    expect(topics.isOrderTopic('%RETRY%G')).toBe(true)
    await beat(heartbeat('G', ['U'], { heartbeatFingerprint: 8 }))
    expect(topics.isOrderTopic('%RETRY%G')).toBe(false)
  })

  it('passes over a group that may not create itself, and pull consumers where they are refused', async () => {
    const { beat, consumers, topics } = broker({ autoCreateSubscriptionGroup: false })
    await beat(heartbeat('G', ['T']))
    expect(consumers.groups.size).toBe(0)
    expect(topics.containsTopic('%RETRY%G')).toBe(false)
    const strict = broker({ rejectPullConsumerEnable: true })
    await strict.beat({ clientID: 'c', consumerDataSet: [{ groupName: 'G', consumeType: 'CONSUME_ACTIVELY' }] })
    expect(strict.consumers.groups.size).toBe(0)
  })

  it('reads what the C++ client writes', async () => {
    const { beat, consumers } = broker()
    await beat(
      '{"clientID":"x","consumerDataSet":[{"consumeFromWhere":4,"consumeType":1,"groupName":"g","messageModel":0,' +
        '"subscriptionDataSet":[{"codeSet":[],"subString":"*","subVersion":"123","tagsSet":null,"topic":"T"}]}]}',
    )
    expect(consumers.getConsumerGroupInfo('g')).toMatchObject({
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'BROADCASTING',
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    })
    expect(consumers.findSubscriptionData('g', 'T')).toMatchObject({ subVersion: 123, expressionType: 'TAG' })
  })

  it('follows references of one group’s subscriptions to another’s', async () => {
    const { beat, consumers } = broker()
    const subscription = '{"topic":"T","subString":"a","subVersion":5,"tagsSet":["a"],"codeSet":[97]}'
    await beat(
      `{"clientID":"x","consumerDataSet":[{"groupName":"A","subscriptionDataSet":[${subscription}]},` +
        '{"groupName":"B","subscriptionDataSet":[{"$ref":"$.consumerDataSet[0].subscriptionDataSet[0]"}]}]}',
    )
    expect(consumers.findSubscriptionData('B', 'T')?.codeSet).toEqual(new Set([97]))
  })

  it('takes every heartbeat Java has sent', async () => {
    const { beat, consumers } = broker()
    const frames = goldenFrames().filter(frame => frame.meta.codeName === 'HEART_BEAT')
    expect(frames.length).toBeGreaterThan(10)
    for (const frame of frames) await beat(frameBody(frame.bytes))
    expect(consumers.groups.size).toBeGreaterThan(3)
  })
})

describe('IS_SUB_CHANGE', () => {
  it('is always true for heartbeats of version 1', async () => {
    const { beat } = broker()
    expect(await beat(heartbeat('G', ['T']))).toBe(true)
    expect(await beat(heartbeat('G', ['T']))).toBe(true)
  })

  it('is true for version 2 when the last fingerprint of the group was another', async () => {
    const { beat } = broker()
    const full = (fingerprint: number): object => heartbeat('G', ['T'], { heartbeatFingerprint: fingerprint })
    const without = (fingerprint: number): object =>
      heartbeat('G', [], { heartbeatFingerprint: fingerprint, withoutSub: true })
    expect(await beat(full(7))).toBe(false)
    expect(await beat(without(7))).toBe(false)
    expect(await beat(without(8))).toBe(true)
    expect(await beat(without(8))).toBe(false)
    await beat(heartbeat('G', ['T']))
    expect(await beat(without(8))).toBe(true)
  })

  it('asks for subscriptions that were never heard here, or went with the last member', async () => {
    const { beat } = broker()
    const without = heartbeat('G', [], { heartbeatFingerprint: 7, withoutSub: true })
    const connection = new FakeConnection()
    expect(await beat(without, connection)).toBe(true)
    expect(await beat(without, connection)).toBe(false)
    connection.close('gone')
    expect(await beat(without)).toBe(true)
  })
})
