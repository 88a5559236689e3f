import {
  type ConsumerData,
  heartbeatDataFromJson,
  PERM_READ_WRITE,
  RequestCode,
  retryTopic,
  type SubscriptionGroupConfig,
  TopicSysFlag,
} from '../../common/index.js'
import { HeartbeatResponseHeader, NoHeader, okWith, type Route, route } from '../../remoting/index.js'
import { newClientChannel } from '../client/client-channel.js'
import type { ConsumerRegistration } from '../client/consumer-manager.js'
import { HeartbeatFingerprints } from '../client/heartbeat-fingerprints.js'
import type { BrokerContext } from '../context.js'
import { readJsonBody } from './admin/read-body.js'

type Broker = Pick<BrokerContext, 'settings' | 'topics' | 'groups' | 'consumers' | 'producers' | 'clock'>

/** HEART_BEAT (34): who is there and what it subscribes to (broker-behaviour 4.2). */
export function heartbeatRoute(broker: Broker): Route {
  const fingerprints = new HeartbeatFingerprints()
  broker.consumers.addListener({ onUnregister: group => fingerprints.forget(group) })
  return route({
    code: RequestCode.HEART_BEAT,
    request: NoHeader,
    lane: 'heartbeat',
    action: 'ANY',
    borrowsBody: true,
    handle(_header, command, connection) {
      const heartbeat = heartbeatDataFromJson(readJsonBody(command))
      const { heartbeatFingerprint: fingerprint, withoutSub } = heartbeat
      const channel = newClientChannel(connection, heartbeat.clientID, command, broker.clock)
      // only version 2 leaves subscriptions out
      const leavesOut = fingerprint !== 0 && withoutSub
      let isSubChange = fingerprint === 0
      for (const consumerData of heartbeat.consumerDataSet) {
        const group = isRejected(broker, consumerData)
          ? undefined
          : broker.groups.findSubscriptionGroupConfig(consumerData.groupName)
        // a group that may not create itself is passed over: its pulls are refused later
        if (group === undefined) continue
        if (fingerprints.update(group.groupName, fingerprint, leavesOut)) isSubChange = true
        registerConsumer(broker, group, { channel, consumerData, withoutSub: leavesOut })
      }
      for (const { groupName } of heartbeat.producerDataSet) broker.producers.registerProducer(groupName, channel)
      return okWith(HeartbeatResponseHeader, { IS_SUPPORT_HEART_BEAT_V2: true, IS_SUB_CHANGE: isSubChange })
    },
  })
}

function isRejected({ settings }: Broker, { consumeType }: ConsumerData): boolean {
  return settings.rejectPullConsumerEnable && consumeType === 'CONSUME_ACTIVELY'
}

function registerConsumer(
  broker: Broker,
  group: SubscriptionGroupConfig,
  registration: Required<Omit<ConsumerRegistration, 'notify'>>,
): void {
  const { consumerData, withoutSub } = registration
  const isOrder = consumerData.subscriptionDataSet.some(({ topic }) => broker.topics.isOrderTopic(topic))
  const { groupName, retryQueueNums, notifyConsumerIdsChangedEnable: notify } = group
  broker.topics.createTopicInSendMessageBack(retryTopic(groupName), retryQueueNums, PERM_READ_WRITE, {
    // subscriptions left out say nothing about their order
    ...(withoutSub ? {} : { isOrder }),
    topicSysFlag: consumerData.unitMode ? TopicSysFlag.UNIT_SUB : 0,
  })
  broker.consumers.registerConsumer(groupName, { ...registration, notify })
}
