/**
 * What the store is told, under Java's key names (store-format 15). Sizes in bytes, times in ms unless the name or the
 * comment says otherwise. The live object is read at use, so that a change at run time takes effect.
 */
export interface StoreSettings {
  readonly storePathRootDir: string
  /** Empty: `<storePathRootDir>/commitlog`. Several folders are joined by `,`. */
  readonly storePathCommitLog: string
  readonly readOnlyCommitLogStorePaths: string
  readonly mappedFileSizeCommitLog: number
  /** Rounded up to a multiple of 20. */
  readonly mappedFileSizeConsumeQueue: number
  readonly mapperFileSizeBatchConsumeQueue: number
  readonly enableConsumeQueueExt: boolean
  readonly mappedFileSizeConsumeQueueExt: number

  readonly flushDiskType: 'ASYNC_FLUSH' | 'SYNC_FLUSH'
  readonly syncFlushTimeout: number
  readonly flushIntervalCommitLog: number
  readonly flushCommitLogLeastPages: number
  readonly flushCommitLogThoroughInterval: number
  readonly flushIntervalConsumeQueue: number
  readonly flushConsumeQueueThoroughInterval: number
  readonly readUnCommitted: boolean

  /** Limits the body. */
  readonly maxMessageSize: number
  readonly autoMessageVersionOnTopicLen: boolean
  readonly enabledAppendPropCRC: boolean
  readonly forceVerifyPropCRC: boolean
  readonly checkCRCOnRecover: boolean
  readonly duplicationEnable: boolean
  readonly messageDelayLevel: string
  readonly enableLmq: boolean
  readonly enableMultiDispatch: boolean
  readonly maxLmqConsumeQueueNum: number

  readonly messageIndexEnable: boolean
  readonly maxHashSlotNum: number
  readonly maxIndexNum: number
  readonly maxMsgsNumBatch: number

  readonly maxTransferBytesOnMessageInMemory: number
  readonly maxTransferCountOnMessageInMemory: number
  readonly maxTransferBytesOnMessageInDisk: number
  readonly maxTransferCountOnMessageInDisk: number
  /** Percent of the machine's memory taken to be page cache. */
  readonly accessMessageInMemoryMaxRatio: number
  readonly coldDataFlowControlEnable: boolean
  /** Percent of the machine's memory that does not count as cold then. */
  readonly accessMessageInMemoryHotRatio: number
  /** Whether the kernel may read ahead in commit log files opened from then on. */
  readonly dataReadAheadEnable: boolean
  readonly maxFilterMessageSize: number
  readonly travelCqFileNumWhenGetMessage: number
  readonly offsetCheckInSlave: boolean
  readonly brokerRole: 'ASYNC_MASTER' | 'SYNC_MASTER' | 'SLAVE'

  /** Hours of the day, `04` or `04;16`. */
  readonly deleteWhen: string
  /** Hours. */
  readonly fileReservedTime: number
  readonly cleanResourceInterval: number
  readonly deleteFileBatchMax: number
  readonly deleteCommitLogFilesInterval: number
  readonly deleteConsumeQueueFilesInterval: number
  readonly cleanFileForciblyEnable: boolean
  /** Percent of the partition. */
  readonly diskMaxUsedSpaceRatio: number
  readonly diskSpaceWarningLevelRatio: number
  readonly diskSpaceCleanForciblyRatio: number
}
