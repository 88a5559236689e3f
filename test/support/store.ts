import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeHostAddress } from '../../src/common/index.js'
import {
  MessageStore,
  type MessageStoreOptions,
  type MessageToStore,
  type StoreSettings,
} from '../../src/store/index.js'
import { silentLogger, systemClock } from '../../src/util/index.js'
import { coldDisk } from './cold-disk.js'

/** The defaults of Java but for file sizes, which are small, and the hour of cleaning, which is never. */
export function storeSettings(rootDir: string, overrides: Partial<StoreSettings> = {}): StoreSettings {
  return {
    storePathRootDir: rootDir,
    storePathCommitLog: '',
    readOnlyCommitLogStorePaths: '',
    mappedFileSizeCommitLog: 64 * 1024,
    mappedFileSizeConsumeQueue: 2000,
    mapperFileSizeBatchConsumeQueue: 4600,
    enableConsumeQueueExt: false,
    mappedFileSizeConsumeQueueExt: 48 * 1024 * 1024,
    flushDiskType: 'ASYNC_FLUSH',
    syncFlushTimeout: 5000,
    flushIntervalCommitLog: 500,
    flushCommitLogLeastPages: 4,
    flushCommitLogThoroughInterval: 10_000,
    flushIntervalConsumeQueue: 1000,
    flushConsumeQueueThoroughInterval: 60_000,
    readUnCommitted: false,
    maxMessageSize: 4 * 1024 * 1024,
    autoMessageVersionOnTopicLen: true,
    enabledAppendPropCRC: false,
    forceVerifyPropCRC: false,
    checkCRCOnRecover: true,
    duplicationEnable: false,
    messageDelayLevel: '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h',
    enableLmq: false,
    enableMultiDispatch: false,
    maxLmqConsumeQueueNum: 20_000,
    messageIndexEnable: true,
    maxHashSlotNum: 100,
    maxIndexNum: 400,
    maxMsgsNumBatch: 64,
    maxTransferBytesOnMessageInMemory: 262_144,
    maxTransferCountOnMessageInMemory: 32,
    maxTransferBytesOnMessageInDisk: 65_536,
    maxTransferCountOnMessageInDisk: 8,
    accessMessageInMemoryMaxRatio: 40,
    coldDataFlowControlEnable: false,
    accessMessageInMemoryHotRatio: 26,
    dataReadAheadEnable: true,
    maxFilterMessageSize: 16_000,
    travelCqFileNumWhenGetMessage: 1,
    offsetCheckInSlave: false,
    brokerRole: 'ASYNC_MASTER',
    deleteWhen: '',
    fileReservedTime: 72,
    cleanResourceInterval: 10_000,
    deleteFileBatchMax: 10,
    deleteCommitLogFilesInterval: 0,
    deleteConsumeQueueFilesInterval: 0,
    cleanFileForciblyEnable: true,
    diskMaxUsedSpaceRatio: 95,
    diskSpaceWarningLevelRatio: 90,
    diskSpaceCleanForciblyRatio: 85,
    ...overrides,
  }
}

let scratch: string | undefined

/** A folder that goes when the process ends. */
export function scratchFolder(): string {
  if (scratch === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'cometmq-store-'))
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    scratch = made
  }
  return mkdtempSync(join(scratch, 'store-'))
}

/** A store on the real disk, not started. Without a folder among the options it gets its own. */
export function createStore(
  options: Partial<Omit<MessageStoreOptions, 'settings'>> & {
    rootDir?: string
    settings?: Partial<StoreSettings>
  } = {},
): MessageStore {
  const { rootDir = scratchFolder(), settings, ...rest } = options
  // who says how much of the log memory holds means the rest to be on the disk
  const isCold = rest.memoryBytes !== undefined || settings?.accessMessageInMemoryMaxRatio !== undefined
  return new MessageStore({
    ...(isCold && { disk: coldDisk }),
    settings: storeSettings(rootDir, settings),
    clock: systemClock,
    logger: silentLogger,
    storeHost: encodeHostAddress({ host: '127.0.0.1', port: 20_911 }),
    ...rest,
  })
}

/** A message with everything filled in. */
export function message(overrides: Partial<MessageToStore> = {}): MessageToStore {
  return {
    topic: 'TopicA',
    queueId: 0,
    sysFlag: 0,
    flag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: encodeHostAddress({ host: '10.0.0.1', port: 54_321 }),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from('hello'),
    properties: '',
    ...overrides,
  }
}
