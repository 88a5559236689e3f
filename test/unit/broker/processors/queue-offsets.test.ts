import { describe, expect, it, onTestFinished } from 'vitest'
import { ConsumerOffsetManager } from '../../../../src/broker/offset/consumer-offset-manager.js'
import { earliestStoreTimeRoute } from '../../../../src/broker/processors/earliest-store-time.js'
import { maxOffsetRoute } from '../../../../src/broker/processors/max-offset.js'
import { minOffsetRoute } from '../../../../src/broker/processors/min-offset.js'
import { queryConsumerOffsetRoute } from '../../../../src/broker/processors/query-consumer-offset.js'
import { searchOffsetRoute } from '../../../../src/broker/processors/search-offset.js'
import { updateConsumerOffsetRoute } from '../../../../src/broker/processors/update-consumer-offset.js'
import { SubscriptionGroupManager } from '../../../../src/broker/subscription/subscription-group-manager.js'
import { TopicConfigManager } from '../../../../src/broker/topic/topic-config-manager.js'
import { newTopicConfig } from '../../../../src/common/index.js'
import type { ExtFields, Route } from '../../../../src/remoting/index.js'
import { brokerParts } from '../../../support/broker-parts.js'
import { callRoute } from '../../../support/call-route.js'
import { createStore, message } from '../../../support/store.js'

async function broker() {
  const parts = brokerParts()
  const store = createStore({ clock: parts.clock })
  await store.start()
  onTestFinished(() => store.shutdown())
  const context = {
    ...parts,
    store,
    topics: new TopicConfigManager(parts),
    groups: new SubscriptionGroupManager(parts),
    offsets: new ConsumerOffsetManager(parts),
  }
  const append = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      store.append(message({ topic: 'T', queueId: 0 }))
      await parts.clock.advance(1000)
    }
  }
  return { ...context, append }
}

const queue = { topic: 'T', queueId: '0' }

async function ask(route: Route, extFields: ExtFields) {
  const { code, remark, extFields: ext } = await callRoute(route, { extFields })
  return { code, remark, ext }
}

describe('positions of a queue', () => {
  it('are its ends and the offset at a time; 0 and -1 of a queue that is not there', async () => {
    const context = await broker()
    const first = context.clock.now()
    await context.append(5)
    expect((await ask(maxOffsetRoute(context), queue)).ext).toEqual({ offset: '5' })
    expect((await ask(minOffsetRoute(context), queue)).ext).toEqual({ offset: '0' })
    expect((await ask(earliestStoreTimeRoute(context), queue)).ext).toEqual({ timestamp: String(first) })
    const at = async (timestamp: number, boundaryType?: string): Promise<string | undefined> => {
      const extFields = { ...queue, timestamp: String(timestamp), ...(boundaryType ? { boundaryType } : {}) }
      return (await ask(searchOffsetRoute(context), extFields)).ext.offset
    }
    expect([await at(first + 1500), await at(first + 1500, 'lower'), await at(first + 1500, 'Upper')]).toEqual([
      '2',
      '2',
      '1',
    ])
    expect([await at(0), await at(first + 1e6), await at(first + 1e6, 'UPPER')]).toEqual(['0', '5', '4'])
    const other = { topic: 'Other', queueId: '7' }
    expect((await ask(maxOffsetRoute(context), other)).ext).toEqual({ offset: '0' })
    expect((await ask(earliestStoreTimeRoute(context), other)).ext).toEqual({ timestamp: '-1' })
  })
})

describe('QUERY_CONSUMER_OFFSET', () => {
  const request = { consumerGroup: 'G', ...queue }

  it('gives the committed offset, and before it a pending reset', async () => {
    const context = await broker()
    context.offsets.commitOffset('G', 'T', 0, 7)
    expect(await ask(queryConsumerOffsetRoute(context), request)).toMatchObject({ code: 0, ext: { offset: '7' } })
    context.offsets.assignResetOffset({ topic: 'T', group: 'G', queueId: 0, offset: 3 })
    expect(await ask(queryConsumerOffsetRoute(context), request)).toMatchObject({ code: 0, ext: { offset: '3' } })
  })

  it('starts a new group at 0 while the first message is at hand, unless it must not', async () => {
    const context = await broker()
    expect(await ask(queryConsumerOffsetRoute(context), request)).toEqual({
      code: 22,
      remark: 'Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first',
      ext: {},
    })
    await context.append(1)
    expect(await ask(queryConsumerOffsetRoute(context), request)).toMatchObject({ code: 0, ext: { offset: '0' } })
    expect(await ask(queryConsumerOffsetRoute(context), { ...request, setZeroIfNotFound: 'false' })).toMatchObject({
      code: 22,
      remark: 'Not found, do not set to zero, maybe this group boot first',
    })
  })
})

describe('UPDATE_CONSUMER_OFFSET', () => {
  it.each([
    [{ consumerGroup: 'Other' }, 26, 'Group Other not exist!'],
    [{ topic: 'Other' }, 17, 'Topic Other not exist!'],
    [{ queueId: undefined }, 29, 'QueueId is null, topic is T'],
    [{ commitOffset: undefined }, 29, 'Offset is null, topic is T'],
  ])('refuses %j with code %i', async (change, code, remark) => {
    const context = await broker()
    context.groups.findSubscriptionGroupConfig('G')
    context.topics.updateTopicConfig(newTopicConfig('T'))
    const all = Object.entries({ consumerGroup: 'G', ...queue, commitOffset: '5', ...change })
    const extFields = Object.fromEntries(all.filter((field): field is [string, string] => field[1] !== undefined))
    expect(await ask(updateConsumerOffsetRoute(context), extFields)).toMatchObject({ code, remark })
    expect(context.offsets.queryOffset('G', 'T', 0)).toBe(-1)
    expect(context.groups.containsSubscriptionGroup('Other')).toBe(false)
  })

  it('stores the offset, even a smaller one, but not over a pending reset', async () => {
    const context = await broker()
    context.groups.findSubscriptionGroupConfig('G')
    context.topics.updateTopicConfig(newTopicConfig('T'))
    const update = (commitOffset: string) =>
      ask(updateConsumerOffsetRoute(context), { consumerGroup: 'G', ...queue, commitOffset })
    expect(await update('9')).toMatchObject({ code: 0, remark: undefined })
    await update('4')
    expect(context.offsets.queryOffset('G', 'T', 0)).toBe(4)
    context.offsets.assignResetOffset({ topic: 'T', group: 'G', queueId: 0, offset: 1 })
    expect(await update('9')).toMatchObject({ code: 0, remark: 'Offset has been previously reset' })
    expect(context.offsets.queryOffsets('G', 'T')?.get(0)).toBe(1)
  })
})
