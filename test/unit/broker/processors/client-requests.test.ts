import { describe, expect, it } from 'vitest'
import { newClientChannel } from '../../../../src/broker/client/client-channel.js'
import { ConsumerManager } from '../../../../src/broker/client/consumer-manager.js'
import { ProducerManager } from '../../../../src/broker/client/producer-manager.js'
import { RebalanceLockManager } from '../../../../src/broker/client/rebalance-lock-manager.js'
import { ConsumerFilterManager } from '../../../../src/broker/offset/consumer-filter-manager.js'
import { checkClientConfigRoute } from '../../../../src/broker/processors/check-client-config.js'
import { consumerListRoute } from '../../../../src/broker/processors/consumer-list.js'
import { lockBatchMqRoute } from '../../../../src/broker/processors/lock-batch-mq.js'
import { unlockBatchMqRoute } from '../../../../src/broker/processors/unlock-batch-mq.js'
import { unregisterClientRoute } from '../../../../src/broker/processors/unregister-client.js'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import { SubscriptionGroupManager } from '../../../../src/broker/subscription/subscription-group-manager.js'
import { heartbeatDataFromJson, newSubscriptionGroupConfig } from '../../../../src/common/index.js'
import { brokerParts } from '../../../support/broker-parts.js'
import { callRoute } from '../../../support/call-route.js'
import { FakeConnection } from '../../../support/fake-connection.js'
import { type GoldenFrame, goldenFrames } from '../../../support/golden-frames.js'

function broker(overrides: Partial<BrokerSettings> = {}) {
  const parts = brokerParts(overrides)
  const context = {
    ...parts,
    groups: new SubscriptionGroupManager(parts),
    consumers: new ConsumerManager(parts),
    producers: new ProducerManager(parts),
    filters: new ConsumerFilterManager(parts),
    locks: new RebalanceLockManager(parts),
  }
  const join = (group: string, clientId: string): FakeConnection => {
    const connection = new FakeConnection()
    const channel = newClientChannel(connection, clientId, { language: 0, version: 479 }, parts.clock)
    const { consumerDataSet } = heartbeatDataFromJson({ consumerDataSet: [{ groupName: group }] })
    context.consumers.registerConsumer(group, { channel, consumerData: consumerDataSet[0]!, notify: false })
    context.producers.registerProducer(group, channel)
    return connection
  }
  return { ...context, join }
}

function recorded(codeName: string): GoldenFrame[] {
  return goldenFrames().filter(frame => frame.meta.codeName === codeName)
}

/** The recorded request's body, as it was sent. */
function body({ meta, bytes }: GoldenFrame): Buffer {
  return bytes.subarray(bytes.length - (meta.request.body?.length ?? 0))
}

describe('CHECK_CLIENT_CONFIG', () => {
  it('answers what Java answered', async () => {
    const context = broker({ enablePropertyFilter: true })
    const frames = recorded('CHECK_CLIENT_CONFIG')
    expect(frames.length).toBeGreaterThan(3)
    for (const frame of frames) {
      const answer = await callRoute(checkClientConfigRoute(context), { body: body(frame) })
      const { code, remark } = frame.meta.response!.header
      expect([answer.code, answer.remark]).toEqual([code, remark])
    }
  })

  it('accepts tags, and refuses SQL92 where it is off', async () => {
    const route = checkClientConfigRoute(broker())
    const ask = (subscriptionData?: object) => callRoute(route, { body: JSON.stringify({ subscriptionData }) })
    expect((await ask({ topic: 'T', subString: 'a' })).code).toBe(0)
    expect((await ask()).code).toBe(0)
    expect(await ask({ topic: 'T', subString: 'a > 1', expressionType: 'SQL92' })).toMatchObject({
      code: 1,
      remark: 'The broker does not support consumer to filter message by SQL92',
    })
  })
})

describe('GET_CONSUMER_LIST_BY_GROUP', () => {
  it('lists the members, or says that there are none', async () => {
    const context = broker()
    const ask = () => callRoute(consumerListRoute(context), { extFields: { consumerGroup: 'G' } })
    expect(await ask()).toMatchObject({ code: 1, remark: 'no consumer for this group, G' })
    context.join('G', 'c1')
    context.join('G', 'c2')
    expect((await ask()).body.toString()).toBe('{"consumerIdList":["c1","c2"]}')
  })
})

describe('UNREGISTER_CLIENT', () => {
  it('takes the client out of the groups it names and tells the others as their group wants', async () => {
    const context = broker()
    const notices: string[] = []
    context.consumers.addListener({ onChange: group => notices.push(group) })
    context.groups.updateSubscriptionGroupConfig(
      newSubscriptionGroupConfig('Quiet', { notifyConsumerIdsChangedEnable: false }),
    )
    for (const group of ['G', 'Quiet']) {
      const connection = context.join(group, 'c1')
      context.join(group, 'c2')
      const extFields = { clientID: 'c1', consumerGroup: group, producerGroup: group }
      expect((await callRoute(unregisterClientRoute(context), { extFields, connection })).code).toBe(0)
      expect(context.consumers.getConsumerGroupInfo(group)?.clientIds()).toEqual(['c2'])
      expect(context.producers.groups.get(group)?.size).toBe(1)
    }
    expect(notices).toEqual(['G'])
    expect(context.groups.containsSubscriptionGroup('G')).toBe(false)
    expect((await callRoute(unregisterClientRoute(context), { extFields: { clientID: 'c3' } })).code).toBe(0)
  })
})

describe('LOCK_BATCH_MQ and UNLOCK_BATCH_MQ', () => {
  it('answer what Java answered', async () => {
    const frames = recorded('LOCK_BATCH_MQ')
    expect(frames.length).toBeGreaterThan(2)
    for (const frame of frames) {
      const answer = await callRoute(lockBatchMqRoute(broker()), { body: body(frame) })
      expect(JSON.parse(answer.body.toString())).toEqual(frame.meta.response!.body?.json)
    }
  })

  it('lend a queue to one client at a time', async () => {
    const context = broker()
    const request = (clientId: string): { body: string } => ({
      body: JSON.stringify({ clientId, consumerGroup: 'G', mqSet: [{ brokerName: 'b', queueId: 0, topic: 'T' }] }),
    })
    const lock = async (clientId: string): Promise<number> => {
      const answer = await callRoute(lockBatchMqRoute(context), request(clientId))
      return JSON.parse(answer.body.toString()).lockOKMQSet.length
    }
    expect([await lock('c1'), await lock('c2'), await lock('c1')]).toEqual([1, 0, 1])
    expect((await callRoute(unlockBatchMqRoute(context), request('c2'))).code).toBe(0)
    expect(await lock('c2')).toBe(0)
    expect((await callRoute(unlockBatchMqRoute(context), request('c1'))).code).toBe(0)
    expect(await lock('c2')).toBe(1)
  })

  it('and a client check refuse a body that is not JSON', async () => {
    for (const made of [lockBatchMqRoute(broker()), unlockBatchMqRoute(broker()), checkClientConfigRoute(broker())]) {
      await expect(callRoute(made, { body: '{"clientId":' })).rejects.toMatchObject({
        code: 1,
        remark: expect.stringContaining('the body is not JSON'),
      })
    }
  })
})
