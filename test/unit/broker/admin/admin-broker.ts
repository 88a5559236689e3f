import { onTestFinished } from 'vitest'
import { newClientChannel } from '../../../../src/broker/client/client-channel.js'
import { ClientNotifier } from '../../../../src/broker/client/client-notifier.js'
import { ConsumerManager } from '../../../../src/broker/client/consumer-manager.js'
import { ProducerManager } from '../../../../src/broker/client/producer-manager.js'
import { ColdDataCgCtrService } from '../../../../src/broker/coldctr/cold-data-cg-ctr-service.js'
import type { BrokerContext } from '../../../../src/broker/context.js'
import { ConsumerFilterManager } from '../../../../src/broker/offset/consumer-filter-manager.js'
import { ConsumerOffsetManager } from '../../../../src/broker/offset/consumer-offset-manager.js'
import { OffsetResetLog } from '../../../../src/broker/offset/offset-reset-log.js'
import { BrokerOuterApi } from '../../../../src/broker/out/broker-outer-api.js'
import { BrokerRegistration } from '../../../../src/broker/out/broker-registration.js'
import { adminRoutes } from '../../../../src/broker/processors/admin/index.js'
import { MessagePutter } from '../../../../src/broker/put/message-putter.js'
import { ScheduleMessageService } from '../../../../src/broker/schedule/schedule-message-service.js'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import { BrokerStats } from '../../../../src/broker/stats/broker-stats.js'
import { SubscriptionGroupManager } from '../../../../src/broker/subscription/subscription-group-manager.js'
import { TopicConfigManager } from '../../../../src/broker/topic/topic-config-manager.js'
import { buildSubscriptionData, type JsonObject, parseFastJson, readObject } from '../../../../src/common/index.js'
import { brokerSettings } from '../../../../src/config/index.js'
import { RouteTable } from '../../../../src/remoting/index.js'
import { brokerParts } from '../../../support/broker-parts.js'
import { callRoute, type RouteAnswer, type RouteCall } from '../../../support/call-route.js'
import { FakeConnection } from '../../../support/fake-connection.js'
import { createStore, message } from '../../../support/store.js'

/** The parts of a broker that admin requests use: the real ones, without NameServers and clients. */
export async function adminBroker(overrides: Partial<BrokerSettings> = {}) {
  const parts = brokerParts(overrides)
  const { settings, clock, logger, identity } = parts
  const store = createStore()
  await store.start()
  onTestFinished(() => store.shutdown())
  const configuration = brokerSettings.create({ storePathRootDir: settings.storePathRootDir, ...overrides }, clock)
  const producers = new ProducerManager(parts)
  const consumers = new ConsumerManager(parts)
  const topics = new TopicConfigManager(parts)
  const out = new BrokerOuterApi({ clock, logger, policy: settings })
  const stats = new BrokerStats({ clock })
  const puts = new MessagePutter(store)
  const context = {
    ...parts,
    configuration,
    store,
    topics,
    out,
    producers,
    consumers,
    groups: new SubscriptionGroupManager(parts),
    offsets: new ConsumerOffsetManager(parts),
    filters: new ConsumerFilterManager(parts),
    notifier: new ClientNotifier({ ...parts, consumers, producers }),
    stats,
    coldReads: new ColdDataCgCtrService(parts),
    requestLoad: { waiting: () => 0 },
    schedule: new ScheduleMessageService({ ...parts, store, puts, stats }),
    offsetResets: new OffsetResetLog(parts),
    registration: new BrokerRegistration({ out, topics, identity, settings, clock, logger }),
  }
  // admin requests touch nothing else of a broker
  const table = new RouteTable(adminRoutes(context as unknown as BrokerContext))
  return {
    ...context,
    call: (code: number, call?: RouteCall): Promise<RouteAnswer> => callRoute(table.find(code)!, call),
    /** The body of a successful answer. */
    async json(code: number, extFields?: RouteCall['extFields'], body?: string): Promise<JsonObject> {
      const answer = await this.call(code, { ...(extFields ? { extFields } : {}), ...(body ? { body } : {}) })
      if (answer.code !== 0) throw new Error(`code ${answer.code}: ${answer.remark}`)
      return readObject(parseFastJson(answer.body))
    },
    send(topic: string, queueId: number, count = 1): void {
      for (let i = 0; i < count; i++) store.append(message({ topic, queueId }))
    },
    consumer(group: string, topic: string, clientId = `${group}-client`): FakeConnection {
      const connection = new FakeConnection()
      consumers.registerConsumer(group, {
        channel: newClientChannel(connection, clientId, { language: 0, version: 479 }, clock),
        consumerData: {
          groupName: group,
          consumeType: 'CONSUME_PASSIVELY',
          messageModel: 'CLUSTERING',
          consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
          subscriptionDataSet: [buildSubscriptionData({ topic, expression: 'TagA || TagB', subVersion: 1 })],
          unitMode: false,
        },
        notify: false,
      })
      return connection
    },
    producer(group: string): FakeConnection {
      const connection = new FakeConnection()
      const channel = newClientChannel(connection, `${group}-client`, { language: 0, version: 479 }, clock)
      producers.registerProducer(group, channel)
      return connection
    },
  }
}
