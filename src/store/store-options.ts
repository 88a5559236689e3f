import type { Clock, Disk, Logger } from '../util/index.js'
import type { RecordToFilter } from './dispatcher.js'
import type { StoreSettings } from './settings.js'

export interface MessageStoreOptions {
  settings: StoreSettings
  clock: Clock
  logger: Logger
  /** Address of this broker in records: 4 or 16 address bytes and i32 port (`encodeHostAddress`). */
  storeHost: Buffer
  /** Default: this machine's. */
  disk?: Disk
  /** Default: this machine's; decides what counts as in memory. */
  memoryBytes?: number
  /** Whether a topic keeps batches undivided (`queue.type=BatchCQ`). Asked once per topic; default: none does. */
  isBatchQueue?: (topic: string) => boolean
  /** How long (ms) a topic's messages are kept at most; undefined: as long as the log's files. */
  reserveTimeOf?: (topic: string) => number | undefined
  /**
   * Bloom bits of the SQL92 groups of a topic that want a record, kept in the queue's extension. Undefined: not worked
   * out, every group must look at the message.
   */
  bitMapOf?: (record: RecordToFilter) => Buffer | undefined
  /** Called by {@link MessageStore.start} when the folder is ours and before anything is read: load topics here. */
  onLocked?: () => void | Promise<void>
}
