import { StoreCheckpoint, TimerCheckpoint } from '../store/index.js'
import { MQError } from '../util/index.js'
import type { StoreDirectory } from './store-directory.js'

/** Of `checkpoint` and `config/timercheck` alike. */
const FILE_BYTES = 4096
/** Behind the five numbers of the checkpoint. */
const REST_AT = 40

/** What the file `checkpoint` holds; times in ms. */
export interface CheckpointContent {
  readonly path: string
  readonly fileSize: number
  readonly physicMsgTimestamp: number
  readonly logicsMsgTimestamp: number
  readonly indexMsgTimestamp: number
  readonly masterFlushedOffset: number
  readonly confirmPhyOffset: number
  readonly restIsZero: boolean
}

export interface TimerCheckpointContent {
  readonly path: string
  readonly lastReadTimeMs: number
  readonly lastTimerLogFlushPos: number
  readonly lastTimerQueueOffset: number
  readonly masterTimerQueueOffset: number
  readonly stateVersion: number
  readonly dataVersionTimestamp: number
  readonly dataVersionCounter: number
}

/** Undefined when there is no such file. @throws MQError ERR_FILE_LENGTH when it is cut */
export function readCheckpoint(directory: StoreDirectory): CheckpointContent | undefined {
  const path = directory.path('checkpoint')
  const bytes = wholeFile(directory, path)
  if (bytes === undefined) return undefined
  const checkpoint = new StoreCheckpoint(directory.disk, path)
  checkpoint.load()
  checkpoint.close()
  return {
    path,
    fileSize: bytes.length,
    physicMsgTimestamp: checkpoint.physicMsgTimestamp,
    logicsMsgTimestamp: checkpoint.logicsMsgTimestamp,
    indexMsgTimestamp: checkpoint.indexMsgTimestamp,
    masterFlushedOffset: checkpoint.masterFlushedOffset,
    confirmPhyOffset: checkpoint.confirmPhyOffset,
    restIsZero: bytes.subarray(REST_AT).every(byte => byte === 0),
  }
}

/** How far the timer has come. Undefined when there is no such file. @throws MQError ERR_FILE_LENGTH when it is cut */
export function readTimerCheckpoint(directory: StoreDirectory): TimerCheckpointContent | undefined {
  const path = directory.path('config', 'timercheck')
  if (wholeFile(directory, path) === undefined) return undefined
  const checkpoint = new TimerCheckpoint(directory.disk, path)
  checkpoint.load()
  checkpoint.close()
  const { stateVersion, timestamp, counter } = checkpoint.dataVersion
  return {
    path,
    lastReadTimeMs: checkpoint.lastReadTimeMs,
    lastTimerLogFlushPos: checkpoint.lastTimerLogFlushPos,
    lastTimerQueueOffset: checkpoint.lastTimerQueueOffset,
    masterTimerQueueOffset: checkpoint.masterTimerQueueOffset,
    stateVersion,
    dataVersionTimestamp: timestamp,
    dataVersionCounter: counter,
  }
}

function wholeFile({ disk }: StoreDirectory, path: string): Buffer | undefined {
  const bytes = disk.readWhole(path)
  if (bytes === undefined || bytes.length >= FILE_BYTES) return bytes
  throw new MQError('ERR_FILE_LENGTH', `${path} has ${bytes.length} bytes instead of ${FILE_BYTES}: it has been cut`)
}
