import type { PeerPolicy } from '../remoting/index.js'

/**
 * The keys of a broker's configuration that its code reads, under Java's names. The live object is read at use, so that
 * a change at run time takes effect. Times in ms.
 */
export interface BrokerSettings extends PeerPolicy {
  readonly storePathRootDir: string
  /** 2 write, 4 read, 6 both. */
  readonly brokerPermission: number
  readonly brokerRole: 'ASYNC_MASTER' | 'SYNC_MASTER' | 'SLAVE'
  readonly regionId: string
  readonly traceOn: boolean

  readonly defaultTopicQueueNums: number
  readonly autoCreateTopicEnable: boolean
  readonly clusterTopicEnable: boolean
  readonly brokerTopicEnable: boolean
  readonly traceTopicEnable: boolean
  readonly msgTraceTopicName: string
  readonly reviveQueueNum: number
  readonly timerWheelEnable: boolean
  readonly enableMixedMessageType: boolean
  readonly validateSystemTopicWhenUpdateTopic: boolean

  readonly autoCreateSubscriptionGroup: boolean
  readonly enableCreateSysGroup: boolean
  readonly flushConsumerOffsetInterval: number
  readonly consumerOffsetUpdateVersionStep: number
  readonly useServerSideResetOffset: boolean

  readonly enablePropertyFilter: boolean
  readonly enableCalcFilterBitMap: boolean
  /** Topics and groups called `%LMQ%...` are there without having been made. */
  readonly enableLmq: boolean
  readonly enableLmqStats: boolean
  /** Percent. */
  readonly maxErrorRateOfBloomFilter: number
  readonly expectConsumerNumUseFilter: number
  readonly filterDataCleanTimeSpan: number

  readonly coldDataFlowControlEnable: boolean
  readonly coldCtrStrategyEnable: boolean
  readonly usePIDColdCtrStrategy: boolean
  /** Bytes of old data that a group may read in 5 s. */
  readonly cgColdReadThreshold: number
  /** The same, of all groups together. */
  readonly globalColdReadThreshold: number
  readonly rejectPullConsumerEnable: boolean
  readonly notifyConsumerIdsChangedEnable: boolean
  readonly realTimeNotifyConsumerChange: boolean
  readonly channelExpiredTimeout: number
  readonly subscriptionExpiredTimeout: number
  readonly enableRegisterProducer: boolean
  readonly rejectTransactionMessage: boolean
  readonly transactionTimeOut: number
  readonly transactionCheckMax: number
  readonly transactionCheckInterval: number
  readonly transactionMetricFlushInterval: number
  /** Characters. */
  readonly transactionOpMsgMaxSize: number
  readonly transactionOpBatchInterval: number
  /** Hours. */
  readonly fileReservedTime: number
  readonly storeReplyMessageEnable: boolean

  readonly forceRegister: boolean
  readonly compressedRegister: boolean
  readonly registerBrokerTimeoutMills: number
  readonly registerNameServerPeriod: number
  readonly enableSplitRegistration: boolean
  readonly splitRegistrationSize: number
  readonly enableSingleTopicRegister: boolean
  readonly isScanAvailableNameSrv: boolean
  readonly disappearTimeAfterStart: number
  readonly namesrvAddr: string
  readonly updateNameServerAddrPeriod: number
  readonly fetchNameSrvAddrByDnsLookup: boolean
  readonly fetchNamesrvAddrByAddressServer: boolean
  readonly fetchNamesrvAddrInterval: number
  readonly rmqAddressServerDomain: string
  readonly rmqAddressServerSubGroup: string
  readonly enableShutdownGracefully: boolean
  readonly shutdownWaitTimeSeconds: number

  readonly startAcceptSendRequestTimeStamp: number
  readonly longPollingEnable: boolean
  readonly shortPollingTimeMills: number
  readonly litePullMessageEnable: boolean
  readonly brokerIP1: string
  readonly maxMessageSize: number
  readonly timerMaxDelaySec: number
  readonly flushDelayOffsetInterval: number
  readonly delayOffsetUpdateVersionStep: number
  readonly enableScheduleMessageStats: boolean
  readonly timerCongestNumEachSlot: number
  readonly mappedFileSizeTimerLog: number
  readonly timerPrecisionMs: number
  readonly timerRollWindowSlot: number
  readonly timerFlushIntervalMs: number
  readonly timerStopEnqueue: boolean
  readonly timerStopDequeue: boolean
  readonly timerEnableCheckMetrics: boolean
  /** Hours of the day, `05` or `05;17`. */
  readonly timerCheckMetricsWhen: string
  readonly timerMetricSmallThreshold: number
  readonly timerProgressLogIntervalMs: number
  readonly recallMessageEnable: boolean
  readonly allowRecallWhenBrokerNotWriteable: boolean

  readonly slaveReadEnable: boolean
  readonly defaultQueryMaxNum: number

  readonly clearRetryTopicWhenDeleteTopic: boolean
  readonly enableSplitMetadata: boolean
  readonly splitMetadataSize: number
  readonly autoDeleteUnusedStats: boolean
  readonly enableDetailStat: boolean
  readonly printChannelGroups: boolean
  readonly printChannelGroupsMinNum: number
  readonly enableBroadcastOffsetStore: boolean
  readonly broadcastOffsetExpireSecond: number
  readonly broadcastOffsetExpireMaxSecond: number
  readonly filterSupportRetry: boolean
  readonly sendThreadPoolQueueCapacity: number
  readonly pullThreadPoolQueueCapacity: number
  readonly litePullThreadPoolQueueCapacity: number
  readonly ackThreadPoolQueueCapacity: number
  readonly replyThreadPoolQueueCapacity: number
  readonly queryThreadPoolQueueCapacity: number
  readonly clientManagerThreadPoolQueueCapacity: number
  readonly consumerManagerThreadPoolQueueCapacity: number
  readonly heartbeatThreadPoolQueueCapacity: number
  readonly endTransactionPoolQueueCapacity: number
  readonly adminBrokerThreadPoolQueueCapacity: number
  readonly loadBalanceThreadPoolQueueCapacity: number
  readonly brokerFastFailureEnable: boolean
  readonly waitTimeMillsInSendQueue: number
  readonly waitTimeMillsInPullQueue: number
  readonly waitTimeMillsInLitePullQueue: number
  readonly waitTimeMillsInHeartbeatQueue: number
  readonly waitTimeMillsInTransactionQueue: number
  readonly waitTimeMillsInAckQueue: number
  readonly waitTimeMillsInAdminBrokerQueue: number
}
