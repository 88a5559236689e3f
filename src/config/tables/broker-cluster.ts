import { bool, duration, fixed, int, listedWhenSet, live, noEffect, oneOf, planned, refused, text } from '../setting.js'
import { noQueues } from './reasons.js'

/** The part of Java's BrokerConfig about replication, controllers and metrics. */
export const brokerCluster = {
  aclEnable: bool(
    false,
    noEffect('it switched the access control of 4.x, which 5.x does not have either'),
    'Old ACL.',
    {
      important: true,
    },
  ),
  storeReplyMessageEnable: bool(true, live, 'Store the answers of request-reply.'),
  enableDetailStat: bool(true, fixed, 'Count per queue, too.'),
  autoDeleteUnusedStats: bool(true, live, 'Forget counters of deleted topics.'),
  isolateLogEnable: bool(false, noEffect('one process runs one broker'), 'A log per broker of a container.'),
  forwardTimeout: duration(3000, planned, 'Wait for another broker of the cluster.', { min: 1 }),
  enableSlaveActingMaster: bool(
    false,
    refused('acting masters are not supported yet'),
    'A slave stands in for its master.',
  ),
  enableRemoteEscape: bool(false, planned, 'Write to other brokers when the own master is gone.'),
  skipPreOnline: bool(false, planned, 'Serve before replicas have agreed.'),
  asyncSendEnable: bool(true, noQueues, 'Do not wait for storage in the send thread.'),
  useServerSideResetOffset: bool(true, live, 'Reset offsets on the broker, not by asking clients.'),
  consumerOffsetUpdateVersionStep: int(500, fixed, 'Commits of offsets per step of their version.', { min: 1 }),
  delayOffsetUpdateVersionStep: int(200, live, 'Deliveries per step of the version of delay offsets.', { min: 1 }),
  lockInStrictMode: bool(false, planned, 'Refuse queue locks unless all replicas agree.'),
  compatibleWithOldNameSrv: bool(true, planned, 'Register so that NameServers of 4.x understand it.'),
  enableControllerMode: bool(false, refused('controllers are not supported yet'), 'A controller elects masters.'),
  controllerAddr: text('', planned, 'Controllers, host:port separated by semicolons.'),
  fetchControllerAddrByDnsLookup: bool(false, planned, 'Resolve the names in controllerAddr again and again.'),
  syncBrokerMetadataPeriod: duration(5000, planned, 'How often replicas compare notes with a controller.', { min: 1 }),
  checkSyncStateSetPeriod: duration(5000, planned, 'How often the set of replicas in step is checked.', { min: 1 }),
  syncControllerMetadataPeriod: duration(10_000, planned, 'How often the leading controller is looked up.', { min: 1 }),
  controllerHeartBeatTimeoutMills: duration(10_000, planned, 'Silence after which a controller drops a broker.'),
  validateSystemTopicWhenUpdateTopic: bool(true, live, 'Refuse to change topics of the system.'),
  brokerElectionPriority: int(2_147_483_647, planned, 'Lower is elected first.'),
  useStaticSubscription: bool(false, planned, 'Take subscriptions from the group, not from clients.'),
  metricsExporterType: oneOf(
    ['DISABLE', 'OTLP_GRPC', 'PROM', 'LOG'],
    planned,
    'Where metrics go: nowhere, to a collector, to Prometheus, to the log.',
  ),
  metricsOtelCardinalityLimit: int(50_000, planned, 'Label sets per metric.'),
  metricsGrpcExporterTarget: text('', planned, 'Address of the collector.'),
  metricsGrpcExporterHeader: text('', planned, 'Headers for the collector.'),
  metricGrpcExporterTimeOutInMills: duration(3000, planned, 'Wait for the collector.', { min: 1 }),
  metricGrpcExporterIntervalInMills: duration(60_000, planned, 'How often metrics go to the collector.', { min: 1 }),
  metricLoggingExporterIntervalInMills: duration(10_000, planned, 'How often metrics go to the log.', { min: 1 }),
  metricsPromExporterPort: int(5557, planned, 'Port for Prometheus.', { max: 65_535 }),
  metricsPromExporterHost: text('', planned, 'Address for Prometheus to connect to.'),
  metricsLabel: text('', planned, 'Labels on each metric.'),
  metricsInDelta: bool(false, planned, 'Report differences instead of totals.'),
}

/** Keys of releases after 5.3.3 and of the address server: known, but listed only when set. */
export const brokerNewer = {
  rmqAddressServerDomain: text(
    'jmenv.tbsite.net',
    live,
    'HTTP address server: host, or host:port (8080).',
    listedWhenSet,
  ),
  rmqAddressServerSubGroup: text('nsaddr', live, 'Group asked for at the address server.', listedWhenSet),
  popPollingMapExpireTimeSeconds: int(600, planned, 'Life of an idle key of held POP requests.', {
    ...listedWhenSet,
    unit: 's',
  }),
  enableSplitMetadata: bool(true, live, 'Hand metadata to slaves in parts.', listedWhenSet),
  splitMetadataSize: int(2000, live, 'Entries per part.', listedWhenSet),
  enableRemotingMetrics: bool(true, planned, 'Measure the network.', listedWhenSet),
  enableMessageStoreMetrics: bool(true, planned, 'Measure the store.', listedWhenSet),
  enablePopMetrics: bool(true, planned, 'Measure POP.', listedWhenSet),
  enableConnectionMetrics: bool(true, planned, 'Measure connections.', listedWhenSet),
  enableTransactionMetrics: bool(true, planned, 'Measure transactions.', listedWhenSet),
  enableStatsMetrics: bool(true, planned, 'Measure throughput.', listedWhenSet),
  enableRequestMetrics: bool(true, planned, 'Measure requests.', listedWhenSet),
  enableLagAndDlqMetrics: bool(true, planned, 'Measure lag and dead letters.', listedWhenSet),
}
