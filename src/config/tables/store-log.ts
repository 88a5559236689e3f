import { bool, computed, duration, fixed, int, live, noEffect, oneOf, planned, size, text, unset } from '../setting.js'
import { noSwap, noThreads } from './reasons.js'

const noPool = noEffect('messages go straight into the mapped file, there is no buffer pool')
const noHanging = noEffect('a file is deleted at once; who is still reading it keeps its mapping until then')
const neverDropped = noEffect(
  'a due message is tried until it is stored; one that cannot be read is logged and left out',
)
const sizedByFilter = noEffect(
  'the bits are those of the bloom filter, sized by expectConsumerNumUseFilter and maxErrorRateOfBloomFilter',
)
const cleaning = { important: true }

/**
 * The first part of Java's MessageStoreConfig, in its order: folders, file sizes, timer, flush, retention, transfer.
 */
export const storeLog = {
  storePathRootDir: text(
    computed('~/store', from => `${from.home}/store`),
    fixed,
    'Folder of the store.',
    { important: true },
  ),
  storePathCommitLog: unset(
    fixed,
    'Folder of the commit log; empty: commitlog below the root. Several, joined by commas, take its files by turns.',
    { important: true },
  ),
  storePathDLedgerCommitLog: unset(planned, 'Folder of a DLedger log.', { important: true }),
  storePathEpochFile: unset(planned, 'File of master epochs.', { important: true }),
  storePathBrokerIdentity: unset(planned, 'File of the identity given by a controller.', { important: true }),
  readOnlyCommitLogStorePaths: unset(
    fixed,
    'More folders of the commit log, joined by commas, in which no file is made any more.',
  ),
  mappedFileSizeCommitLog: size(1_073_741_824, fixed, 'Size of a commit log file; must fit the files that are there.', {
    min: 4096,
    max: 2_147_483_647,
  }),
  compactionMappedFileSize: size(104_857_600, planned, 'Size of a compacted log file.'),
  compactionCqMappedFileSize: size(10_485_760, planned, 'Size of a compacted queue file.'),
  compactionScheduleInternal: duration(900_000, planned, 'Pause between compactions.', { min: 1 }),
  maxOffsetMapSize: size(104_857_600, planned, 'Memory for the keys of a compaction.'),
  compactionThreadNum: int(6, noThreads, 'Threads for compaction.'),
  enableCompaction: bool(true, planned, 'Serve topics that keep the last message per key.'),
  mappedFileSizeTimerLog: size(104_857_600, fixed, 'Size of a timer log file; must fit the files that are there.'),
  timerPrecisionMs: duration(1000, fixed, 'Step of the timer: 100, 200, 500 or 1000.', { min: 100, max: 1000 }),
  timerRollWindowSlot: int(172_800, fixed, 'Steps after which a far timer is looked at again.'),
  timerFlushIntervalMs: duration(1000, fixed, 'How often timer files are flushed.', { min: 1 }),
  timerGetMessageThreadNum: int(3, noThreads, 'Threads that read due messages.'),
  timerPutMessageThreadNum: int(3, noThreads, 'Threads that store due messages.'),
  timerEnableDisruptor: bool(false, noThreads, 'Another queue between them.'),
  timerEnableCheckMetrics: bool(true, live, 'Recount waiting timers once a day.'),
  timerInterceptDelayLevel: bool(false, noSwap, 'Deliver delay levels by the timer.'),
  timerMaxDelaySec: int(259_200, live, 'Longest delay of a timer.', { unit: 's' }),
  timerWheelEnable: bool(true, fixed, 'Deliver messages at arbitrary times.'),
  disappearTimeAfterStart: int(-1, fixed, 'Time after start without registering again and without due timers.', {
    min: -1,
    unit: 'ms',
    important: true,
  }),
  timerStopEnqueue: bool(false, live, 'Emergency stop: read no new timers.'),
  timerCheckMetricsWhen: text('05', live, 'Hour of the recount.'),
  timerSkipUnknownError: bool(false, neverDropped, 'Skip a timer that fails for unknown reasons.'),
  timerWarmEnable: bool(false, noSwap, 'Touch timer files ahead.'),
  timerStopDequeue: bool(false, live, 'Emergency stop: deliver no timers.'),
  timerEnableRetryUntilSuccess: bool(false, neverDropped, 'Deliver a timer however often it fails.'),
  timerCongestNumEachSlot: int(2_147_483_647, live, 'Timers per step before new ones are refused.'),
  timerMetricSmallThreshold: int(1_000_000, live, 'Topics with more timers are not recounted.'),
  timerProgressLogIntervalMs: duration(10_000, fixed, 'How often the timer logs its progress.', { min: 1 }),
  storeType: oneOf(['default', 'defaultRocksDB'], fixed, 'Form of consume queues.', {
    important: true,
    refuse: { defaultRocksDB: 'consume queues in RocksDB cannot be read; only the default store is there' },
  }),
  mappedFileSizeConsumeQueue: size(
    6_000_000,
    fixed,
    'Size of a consume queue file, 20 per entry; must fit those there.',
    {
      min: 20,
      max: 2_147_483_647,
    },
  ),
  enableConsumeQueueExt: bool(false, fixed, 'Extended queue entries, with bits for SQL92 filters.'),
  mappedFileSizeConsumeQueueExt: size(50_331_648, fixed, 'Size of an extension file; must fit those there.', {
    min: 64,
    max: 2_147_483_647,
  }),
  mapperFileSizeBatchConsumeQueue: size(13_800_000, planned, 'Size of a batch queue file, 46 per entry.'),
  bitMapLengthConsumeQueueExt: int(64, sizedByFilter, 'Filter bits per entry.'),
  flushIntervalCommitLog: duration(500, live, 'Pause between flushes of the commit log.', { min: 1, important: true }),
  commitIntervalCommitLog: duration(200, noPool, 'Pause between commits of the buffer pool.', { important: true }),
  maxRecoveryCommitlogFiles: int(30, noSwap, 'Files looked at by recovery.'),
  diskSpaceWarningLevelRatio: int(90, live, 'Fullness at which messages are refused.', { unit: '%', clamp: [35, 99] }),
  diskSpaceCleanForciblyRatio: int(85, live, 'Fullness at which files go whatever their age.', {
    unit: '%',
    clamp: [30, 99],
  }),
  useReentrantLockWhenPutMessage: bool(true, noThreads, 'Kind of lock around appends.'),
  flushCommitLogTimed: bool(true, noThreads, 'Flush by the clock only.', { important: true }),
  flushIntervalConsumeQueue: duration(1000, fixed, 'Pause between flushes of consume queues.', { min: 1 }),
  cleanResourceInterval: duration(10_000, fixed, 'Pause between looks for files to delete.', { min: 1 }),
  deleteCommitLogFilesInterval: duration(100, live, 'Pause between two deleted commit log files.'),
  deleteConsumeQueueFilesInterval: duration(100, live, 'Pause between two deleted queue files.'),
  destroyMapedFileIntervalForcibly: duration(120_000, noHanging, 'Wait for readers of a file to be deleted.'),
  redeleteHangedFileInterval: duration(120_000, noHanging, 'Pause before a file still in use is tried again.'),
  deleteWhen: text('04', live, 'Hours of the day for deletion by age, separated by semicolons.', cleaning),
  diskMaxUsedSpaceRatio: int(75, live, 'Fullness at which old files go at any hour.', { unit: '%', clamp: [10, 95] }),
  fileReservedTime: int(72, live, 'Age at which files are deleted.', { unit: 'h', ...cleaning }),
  deleteFileBatchMax: int(10, live, 'Files deleted in one go.', { min: 1, ...cleaning }),
  putMsgIndexHightWater: int(600_000, noSwap, 'Index entries that may wait.'),
  maxMessageSize: int(4_194_304, live, 'Largest body of a message.', { unit: 'bytes', min: 1, max: 1_073_741_824 }),
  maxFilterMessageSize: int(16_000, live, 'Queue entry bytes looked at by one pull with a filter.'),
  checkCRCOnRecover: bool(true, fixed, 'Check checksums in recovery.'),
  flushCommitLogLeastPages: int(4, live, 'Pages of 4 KiB that a flush waits for.', { unit: 'pages' }),
  commitCommitLogLeastPages: int(4, noPool, 'Pages that a commit waits for.', { unit: 'pages' }),
  flushLeastPagesWhenWarmMapedFile: int(
    4096,
    noEffect('the blocks of a new file are reserved without being written: there is nothing to flush'),
    'Pages touched between two flushes.',
    { unit: 'pages' },
  ),
  flushConsumeQueueLeastPages: int(
    2,
    noEffect('queue entries are written behind from memory and made durable all together, not page by page'),
    'Pages that a flush of queues waits for.',
    { unit: 'pages' },
  ),
  flushCommitLogThoroughInterval: duration(10_000, live, 'Flush what there is at least this often.'),
  commitCommitLogThoroughInterval: duration(200, noPool, 'Commit what there is at least this often.'),
  flushConsumeQueueThoroughInterval: duration(60_000, live, 'Flush all queues at least this often.'),
  maxTransferBytesOnMessageInMemory: size(262_144, live, 'Bytes of one pull of recent messages.', { important: true }),
  maxTransferCountOnMessageInMemory: int(32, live, 'Messages of one pull of recent messages.', { important: true }),
  maxTransferBytesOnMessageInDisk: size(65_536, live, 'Bytes of one pull of old messages.', { important: true }),
  maxTransferCountOnMessageInDisk: int(8, live, 'Messages of one pull of old messages.', { important: true }),
  accessMessageInMemoryMaxRatio: int(40, live, 'Share of memory whose messages count as recent.', {
    unit: '%',
    max: 100,
    important: true,
  }),
  messageIndexEnable: bool(true, live, 'Build the index of keys.', { important: true }),
  maxHashSlotNum: int(5_000_000, fixed, 'Slots of an index file; must fit the files that are there.', { min: 1 }),
  maxIndexNum: int(20_000_000, fixed, 'Entries of an index file; must fit the files that are there.', { min: 2 }),
  maxMsgsNumBatch: int(64, live, 'Most messages of one query.', { min: 1 }),
  messageIndexSafe: bool(
    false,
    noEffect('the checkpoint moves only when the index is on the disk too: recovery always covers the index'),
    'Recover the index up to the last flush only.',
    { important: true },
  ),
}
