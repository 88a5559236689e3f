import {
  newTopicConfig,
  PERM_READ_WRITE,
  Perm,
  replyTopic,
  reviveTopic,
  SystemTopic,
  syncBrokerMemberTopic,
  type TopicConfig,
} from '../../common/index.js'
import type { BrokerIdentity } from '../identity.js'
import type { BrokerSettings } from '../settings.js'

type SystemTopicSettings = Pick<
  BrokerSettings,
  | 'autoCreateTopicEnable'
  | 'defaultTopicQueueNums'
  | 'clusterTopicEnable'
  | 'brokerTopicEnable'
  | 'traceTopicEnable'
  | 'msgTraceTopicName'
  | 'reviveQueueNum'
  | 'timerWheelEnable'
>

const SCHEDULE_QUEUES = 18
const BENCHMARK_QUEUES = 1024
const CLUSTER_QUEUES = 16

/** The topics every broker has (broker-behaviour 1.5), as they are before a file says otherwise. */
export function systemTopicConfigs(identity: BrokerIdentity, settings: SystemTopicSettings): TopicConfig[] {
  const { clusterName, brokerName } = identity
  const inheritable = Perm.INHERIT | PERM_READ_WRITE
  const rows: [name: string, queues: number, perm?: number, condition?: boolean][] = [
    [SystemTopic.SELF_TEST, 1],
    [SystemTopic.AUTO_CREATE_TOPIC_KEY, settings.defaultTopicQueueNums, inheritable, settings.autoCreateTopicEnable],
    [SystemTopic.BENCHMARK, BENCHMARK_QUEUES],
    [clusterName, CLUSTER_QUEUES, settings.clusterTopicEnable ? inheritable : Perm.INHERIT],
    [brokerName, 1, settings.brokerTopicEnable ? inheritable : Perm.INHERIT],
    [SystemTopic.OFFSET_MOVED_EVENT, 1],
    [SystemTopic.SCHEDULE, SCHEDULE_QUEUES],
    [settings.msgTraceTopicName, 1, PERM_READ_WRITE, settings.traceTopicEnable],
    [replyTopic(clusterName), 1],
    [reviveTopic(clusterName), settings.reviveQueueNum],
    [syncBrokerMemberTopic(brokerName), 1, Perm.INHERIT],
    [SystemTopic.TRANS_HALF, 1],
    [SystemTopic.TRANS_OP_HALF, 1],
    [SystemTopic.TIMER_WHEEL, 1, PERM_READ_WRITE, settings.timerWheelEnable],
  ]
  return rows
    .filter(([, , , condition]) => condition !== false)
    .map(([name, queues, perm = PERM_READ_WRITE]) =>
      newTopicConfig(name, { readQueueNums: queues, writeQueueNums: queues, perm }),
    )
}
