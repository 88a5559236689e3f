import {
  bool,
  computed,
  duration,
  fixed,
  int,
  live,
  long,
  noEffect,
  planned,
  refused,
  text,
  unset,
} from '../setting.js'
import { noQueues, noThreads } from './reasons.js'

/** Who a broker is; Java keeps these in a class of their own that `-p` does not print. */
export const brokerIdentity = {
  brokerName: text(
    computed('the host name', from => from.hostName),
    fixed,
    'Name of the broker in routes. A master and its slaves share it.',
    { unprinted: true },
  ),
  brokerClusterName: text('DefaultCluster', fixed, 'Cluster that the broker belongs to.', { unprinted: true }),
  brokerId: long(0, fixed, '0 is a master (and every master gets it), above 0 a slave.', { min: -1, unprinted: true }),
  isBrokerContainer: bool(false, noEffect('one process runs one broker'), 'Process holds several brokers.', {
    unprinted: true,
  }),
  isInBrokerContainer: bool(false, noEffect('one process runs one broker'), 'Broker runs inside a container process.', {
    unprinted: true,
  }),
}

/** Held requests and those answered at once do not count. */
const waiting = (most: number, kind: string) =>
  int(most, fixed, `${kind} that may wait for their answers at once; further ones are refused as busy.`, { min: 1 })

const cores = (what: string, of: (cores: number) => number) => computed(what, from => of(from.cores))

/** The first part of Java's BrokerConfig: addresses, topics, pools, limits. */
export const brokerCore = {
  brokerConfigPath: unset(noEffect('run-time changes go to the file given with -c'), 'Where run-time changes go.'),
  rocketmqHome: unset(fixed, 'Folder of an installed RocketMQ. Accepted, not needed.'),
  namesrvAddr: unset(live, 'NameServers to register with, host:port separated by semicolons.', { important: true }),
  listenPort: int(10911, fixed, 'Port for clients; this less 2 is the fast port, 0 takes any free one.', {
    max: 65_535,
    important: true,
  }),
  brokerIP1: text(
    computed('first public, else last private address of this machine', from => from.localAddress),
    fixed,
    'Address that routes, message ids and stored records give for this broker. Set it in containers.',
    { important: true },
  ),
  brokerIP2: text(
    computed('as brokerIP1', from => from.localAddress),
    fixed,
    'Address that slaves replicate from, as announced to NameServers.',
  ),
  recoverConcurrently: bool(false, noEffect('recovery is one sequential pass'), 'Recover consume queues in parallel.', {
    important: true,
  }),
  brokerPermission: int(6, live, 'What clients may do here: 2 write, 4 read, 6 both.', { min: 0, max: 7 }),
  defaultTopicQueueNums: int(8, live, 'Most queues of a topic made by its first message.', { min: 1, max: 65_536 }),
  autoCreateTopicEnable: bool(true, live, 'A message to an unknown topic creates it.', { important: true }),
  clusterTopicEnable: bool(true, fixed, 'The topic named after the cluster can be read and written.'),
  brokerTopicEnable: bool(true, fixed, 'The topic named after the broker can be read and written.'),
  autoCreateSubscriptionGroup: bool(true, live, 'A consumer of an unknown group creates it.', { important: true }),
  messageStorePlugIn: text(
    '',
    refused('store plug-ins are Java classes and cannot be loaded'),
    'Wrappers of the store.',
  ),
  msgTraceTopicName: text('RMQ_SYS_TRACE_TOPIC', fixed, 'Topic that clients write their traces to.', {
    important: true,
  }),
  traceTopicEnable: bool(false, fixed, 'Create the trace topic on this broker.', { important: true }),
  sendMessageThreadPoolNums: int(
    cores('cores, at most 4', n => Math.min(n, 4)),
    noThreads,
    'Threads for sends.',
  ),
  putMessageFutureThreadPoolNums: int(
    cores('cores, at most 4', n => Math.min(n, 4)),
    noThreads,
    'Threads that complete sends.',
  ),
  pullMessageThreadPoolNums: int(
    cores('16 + 2 x cores', n => 16 + 2 * n),
    noThreads,
    'Threads for pulls.',
  ),
  litePullMessageThreadPoolNums: int(
    cores('16 + 2 x cores', n => 16 + 2 * n),
    noThreads,
    'Threads for lite pulls.',
  ),
  ackMessageThreadPoolNums: int(16, noThreads, 'Threads for acknowledgements.'),
  processReplyMessageThreadPoolNums: int(
    cores('16 + 2 x cores', n => 16 + 2 * n),
    noThreads,
    'Threads for replies.',
  ),
  queryMessageThreadPoolNums: int(
    cores('8 + cores', n => 8 + n),
    noThreads,
    'Threads for queries.',
  ),
  adminBrokerThreadPoolNums: int(16, noThreads, 'Threads for administration.'),
  clientManageThreadPoolNums: int(32, noThreads, 'Threads for client management.'),
  consumerManageThreadPoolNums: int(32, noThreads, 'Threads for offsets and consumer lists.'),
  loadBalanceProcessorThreadPoolNums: int(32, noThreads, 'Threads for queue assignment.'),
  heartbeatThreadPoolNums: int(
    cores('cores, at most 32', n => Math.min(n, 32)),
    noThreads,
    'Threads for heartbeats.',
  ),
  recoverThreadPoolNums: int(32, noThreads, 'Threads for recovery.'),
  endTransactionThreadPoolNums: int(
    cores('the larger of 8 + 2 x cores and 4 x the send threads', n => Math.max(8 + 2 * n, 4 * Math.min(n, 4))),
    noThreads,
    'Threads for ends of transactions.',
  ),
  flushConsumerOffsetInterval: duration(5000, fixed, 'How often consumer offsets are saved.', { min: 1 }),
  flushConsumerOffsetHistoryInterval: duration(
    60_000,
    noEffect('the Java release declares it and never reads it'),
    'How often an offset history is saved.',
  ),
  rejectTransactionMessage: bool(false, live, 'Refuse transactional messages.', { important: true }),
  fetchNameSrvAddrByDnsLookup: bool(false, live, 'Register with every address of the names in namesrvAddr.', {
    important: true,
  }),
  fetchNamesrvAddrByAddressServer: bool(false, live, 'Without namesrvAddr, ask an HTTP address server for it.', {
    important: true,
  }),
  sendThreadPoolQueueCapacity: waiting(10_000, 'Sends'),
  putThreadPoolQueueCapacity: int(10_000, noQueues, 'Waiting completions of sends.'),
  pullThreadPoolQueueCapacity: waiting(100_000, 'Pulls'),
  litePullThreadPoolQueueCapacity: waiting(100_000, 'Lite pulls'),
  ackThreadPoolQueueCapacity: waiting(100_000, 'Acknowledgements'),
  replyThreadPoolQueueCapacity: waiting(10_000, 'Replies'),
  queryThreadPoolQueueCapacity: waiting(20_000, 'Queries'),
  clientManagerThreadPoolQueueCapacity: waiting(1_000_000, 'Client management requests'),
  consumerManagerThreadPoolQueueCapacity: waiting(1_000_000, 'Consumer management requests'),
  heartbeatThreadPoolQueueCapacity: waiting(50_000, 'Heartbeats'),
  endTransactionPoolQueueCapacity: waiting(100_000, 'Ends of transactions'),
  adminBrokerThreadPoolQueueCapacity: waiting(10_000, 'Administration requests'),
  loadBalanceThreadPoolQueueCapacity: waiting(100_000, 'Assignment requests'),
  longPollingEnable: bool(true, live, 'Hold a pull that finds nothing until a message comes or its time is up.'),
  shortPollingTimeMills: duration(1000, live, 'How long such a pull is held when long polling is off.'),
  notifyConsumerIdsChangedEnable: bool(true, live, 'Tell the members of a group when one comes or goes.'),
  highSpeedMode: bool(false, noEffect('the Java release declares it and never reads it'), 'Unused switch.'),
  commercialBaseCount: int(1, noEffect('no usage is billed'), 'Unit of billed calls.'),
  commercialSizePerMsg: int(4096, noEffect('no usage is billed'), 'Bytes that count as one billed message.'),
  accountStatsEnable: bool(true, planned, 'Count per account.'),
  accountStatsPrintZeroValues: bool(true, planned, 'Log account counters that stand at zero.'),
  maxStatsIdleTimeInMinutes: int(-1, planned, 'Minutes until an idle counter is dropped; -1 keeps it.', { min: -1 }),
  transferMsgByHeap: bool(
    true,
    noEffect('messages always go out straight from the mapped file'),
    'Copy messages to the heap before they go out.',
  ),
  regionId: text('DefaultRegion', live, 'MSG_REGION in the answer to each send.'),
  registerBrokerTimeoutMills: duration(24_000, live, 'Wait for a NameServer to answer a registration.', { min: 1 }),
  sendHeartbeatTimeoutMillis: duration(1000, planned, 'Wait for a NameServer to answer a heartbeat.', { min: 1 }),
  slaveReadEnable: bool(false, planned, 'Send consumers that lag far behind to a slave.'),
  disableConsumeIfConsumerReadSlowly: bool(false, planned, 'Stop groups that lag too far behind.'),
  consumerFallbehindThreshold: long(17_179_869_184, planned, 'Lag at which that happens.', { unit: 'bytes' }),
  brokerFastFailureEnable: bool(true, live, 'Answer "busy" to requests that have waited too long.'),
  waitTimeMillsInSendQueue: duration(200, live, 'Age at which a waiting send is refused.'),
  waitTimeMillsInPullQueue: duration(5000, live, 'Age at which a waiting pull is refused.'),
  waitTimeMillsInLitePullQueue: duration(5000, live, 'Age at which a waiting lite pull is refused.'),
  waitTimeMillsInHeartbeatQueue: duration(31_000, live, 'Age at which a waiting heartbeat is refused.'),
  waitTimeMillsInTransactionQueue: duration(3000, live, 'Age at which a waiting end of transaction is refused.'),
  waitTimeMillsInAckQueue: duration(3000, live, 'Age at which a waiting acknowledgement is refused.'),
  waitTimeMillsInAdminBrokerQueue: duration(5000, live, 'Age at which a waiting administration request is refused.'),
  startAcceptSendRequestTimeStamp: long(0, live, 'Refuse sends before this time (ms since 1970).', { unit: 'ms' }),
}
