import { describe, expect, it } from 'vitest'
import { newClientChannel } from '../../../../src/broker/client/client-channel.js'
import { ClientNotifier } from '../../../../src/broker/client/client-notifier.js'
import { ConsumerManager } from '../../../../src/broker/client/consumer-manager.js'
import { ProducerManager } from '../../../../src/broker/client/producer-manager.js'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import { RequestCode } from '../../../../src/common/index.js'
import { brokerParts } from '../../../support/broker-parts.js'
import { clientAnswer, FakeConnection } from '../../../support/fake-connection.js'

const consumerData = {
  groupName: 'G',
  consumeType: 'CONSUME_PASSIVELY',
  messageModel: 'CLUSTERING',
  consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
  subscriptionDataSet: [],
  unitMode: false,
} as const

function notifierWith(overrides: Partial<BrokerSettings> = {}) {
  const parts = brokerParts(overrides)
  const consumers = new ConsumerManager(parts)
  const producers = new ProducerManager(parts)
  const notifier = new ClientNotifier({ ...parts, consumers, producers })
  const join = (clientId: string, version = 479): FakeConnection => {
    const connection = new FakeConnection()
    const channel = newClientChannel(connection, clientId, { language: 0, version }, parts.clock)
    const data = { ...consumerData, subscriptionDataSet: [] }
    consumers.registerConsumer('G', { channel, consumerData: data, notify: true })
    producers.registerProducer('P', channel)
    return connection
  }
  return { ...parts, consumers, producers, notifier, join }
}

describe('notices of changed groups', () => {
  it('go to every member at once', () => {
    const { join } = notifierWith()
    const first = join('c1')
    expect(first.sent).toEqual([{ code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, extFields: { consumerGroup: 'G' } }])
    const second = join('c2')
    expect([first.takeCodes(), second.takeCodes()]).toEqual([[40, 40], [40]])
    second.close('gone')
    expect(first.takeCodes()).toEqual([40])
  })

  it('are gathered for 15 s when realTimeNotifyConsumerChange is off', async () => {
    const { join, clock, notifier } = notifierWith({ realTimeNotifyConsumerChange: false })
    notifier.start()
    const first = join('c1')
    const second = join('c2')
    await clock.advance(14_999)
    expect(first.takeCodes()).toEqual([])
    await clock.advance(1)
    expect([first.takeCodes(), second.takeCodes()]).toEqual([[40], [40]])
    await clock.advance(15_000)
    expect(first.takeCodes()).toEqual([])
    await notifier.stop()
  })

  it('are not sent when notifyConsumerIdsChangedEnable is off', () => {
    const { join } = notifierWith({ notifyConsumerIdsChangedEnable: false })
    expect(join('c1').takeCodes()).toEqual([])
  })
})

describe('callClient', () => {
  const request = { code: RequestCode.GET_CONSUMER_RUNNING_INFO }

  it('passes the answer of the client on as it is', async () => {
    const { join, notifier } = notifierWith()
    join('c1').answer = () => clientAnswer(1, 'body')
    const answer = await notifier.callClient('G', 'c1', request, 1000)
    expect([answer.code, answer.body.toString()]).toEqual([1, 'body'])
  })

  it('says who is offline, too old, late or gone', async () => {
    const { join, notifier, consumers } = notifierWith()
    await expect(notifier.callClient('G', 'c1', request, 1000)).rejects.toMatchObject({
      code: 1,
      remark: 'The Consumer <G> <c1> not online',
    })
    join('old', 61)
    await expect(notifier.callClient('G', 'old', request, 1000)).rejects.toMatchObject({
      code: 1,
      remark: expect.stringMatching(
        /^The Consumer <old> Version <V3_1_7> too low to finish, please upgrade it to V3_1_8/,
      ),
    })
    const connection = join('late', 62)
    await expect(notifier.callClient('G', 'late', request, 1000)).rejects.toMatchObject({
      code: 207,
      remark: 'consumer <G> <late> Timeout: no answer in 1000 ms',
    })
    const channel = consumers.findChannel('G', 'late')!
    connection.close('gone')
    await expect(notifier.callConsumer(channel, 'G', request, 1000)).rejects.toMatchObject({
      code: 1,
      remark: 'invoke consumer <G> <late> Exception: closed',
    })
  })
})

describe('other requests to clients', () => {
  it('reach every consumer of a group, one producer of a group, and a producer by its id', async () => {
    const { join, notifier } = notifierWith({ notifyConsumerIdsChangedEnable: false })
    const connections = [join('c1'), join('c2')]
    expect(notifier.notifyGroup('G', { code: 220 })).toBe(2)
    expect(notifier.notifyGroup('Nobody', { code: 220 })).toBe(0)
    expect(connections.map(connection => connection.takeCodes())).toEqual([[220], [220]])
    expect(connections).toContain(notifier.sendToProducer('P', { code: 39 }))
    expect(notifier.sendToProducer('Nobody', { code: 39 })).toBeUndefined()
    expect(connections.flatMap(connection => connection.takeCodes())).toEqual([39])
    connections[1]!.answer = () => clientAnswer(0)
    expect((await notifier.callProducer('c2', { code: 326 }, 1000))?.code).toBe(0)
    expect(await notifier.callProducer('c3', { code: 326 }, 1000)).toBeUndefined()
  })
})
