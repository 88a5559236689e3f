import { bool, duration, fixed, int, live, long, oneOf, planned, text } from '../setting.js'
import { noQueues } from './reasons.js'

/** The end of Java's BrokerConfig: client expiry, cold reads, registration size, odds and ends. */
export const brokerLimits = {
  channelExpiredTimeout: duration(120_000, live, 'Silence after which a client counts as gone.', { min: 1 }),
  subscriptionExpiredTimeout: duration(600_000, live, 'Age at which a subscription nobody repeats is dropped.', {
    min: 1,
  }),
  estimateAccumulation: bool(true, planned, 'Estimate the lag of filtering groups by samples.'),
  coldCtrStrategyEnable: bool(false, live, 'Adapt how much old data groups may read to what is read.'),
  usePIDColdCtrStrategy: bool(true, fixed, 'Adapt it by the last ten windows together, not by each alone.'),
  cgColdReadThreshold: long(3_145_728, live, 'Old data a group may read in 5 s.', { unit: 'bytes' }),
  globalColdReadThreshold: long(104_857_600, live, 'Old data all groups may read in 5 s.', { unit: 'bytes' }),
  fetchNamesrvAddrInterval: duration(10_000, fixed, 'How often the address server is asked.', { min: 1 }),
  popResponseReturnActualRetryTopic: bool(false, planned, 'Leave the retry topic in POP answers.'),
  enableSingleTopicRegister: bool(false, live, 'Register only the topic that changed.'),
  enableMixedMessageType: bool(false, live, 'Allow topics of type MIXED.'),
  enableSplitRegistration: bool(false, live, 'Register many topics in several requests.'),
  popInflightMessageThreshold: int(10_000, planned, 'Unacknowledged POP messages at which a group pauses.'),
  enablePopMessageThreshold: bool(false, planned, 'Pause groups there.'),
  enableFastChannelEventProcess: bool(false, noQueues, 'Handle closed connections without a queue.'),
  printChannelGroups: bool(false, live, 'Log the end of connections that belonged to many groups.'),
  printChannelGroupsMinNum: int(5, live, 'How many are many, 5 at least.'),
  splitRegistrationSize: int(800, live, 'Topics per request then.', { min: 1 }),
  configBlackList: text(
    'configBlackList;brokerConfigPath',
    fixed,
    'Keys that nobody may change remotely, separated by semicolons.',
  ),
  skipWhenCKRePutReachMaxTimes: bool(false, planned, 'Drop a check point that could not be stored again and again.'),
  appendAckAsync: bool(false, planned, 'Store POP acknowledgements asynchronously.'),
  appendCkAsync: bool(false, planned, 'Store POP check points asynchronously.'),
  clearRetryTopicWhenDeleteTopic: bool(true, live, 'Deleting a topic deletes its POP retry topics.'),
  enableLmqStats: bool(false, live, 'Count each light queue, not all of them as one.'),
  configManagerVersion: oneOf(['v1', 'v2'], fixed, 'Form of topics, groups and offsets on disk: v1 is JSON files.', {
    refuse: { v2: 'the RocksDB form of the configuration cannot be read; only v1 is there' },
  }),
  allowRecallWhenBrokerNotWriteable: bool(true, live, 'Take delayed messages back on a broker closed for writing.'),
  recallMessageEnable: bool(false, live, 'Allow delayed messages to be taken back.'),
  enableRegisterProducer: bool(true, live, 'Keep a table of producers.'),
  enableCreateSysGroup: bool(true, fixed, 'Create the groups of the system.'),
}
