import type { ByteSource } from '../util/index.js'
import type { ExtUnit } from './consume-queue-ext.js'

/** What became of a read (store-format 10.1); Java's names. */
export type GetMessageStatus =
  | 'FOUND'
  | 'NO_MATCHED_MESSAGE'
  | 'MESSAGE_WAS_REMOVING'
  | 'OFFSET_FOUND_NULL'
  | 'OFFSET_OVERFLOW_BADLY'
  | 'OFFSET_OVERFLOW_ONE'
  | 'OFFSET_TOO_SMALL'
  | 'NO_MATCHED_LOGIC_QUEUE'
  | 'NO_MESSAGE_IN_QUEUE'
  | 'OFFSET_RESET'

export interface GetMessageRequest {
  readonly group: string
  readonly topic: string
  readonly queueId: number
  readonly offset: number
  readonly maxMsgNums: number
  /** Most bytes to return, at least one message though. Default and upper bound: 128 MiB. */
  readonly maxBytes?: number
  readonly filter?: MessageFilter | undefined
}

/** Decides which messages of a queue a consumer gets. */
export interface MessageFilter {
  /**
   * From the queue's unit alone. `tagsCode` is the tag's Java hash, or a deliver time in the schedule topic;
   * `extension` is there where the queue keeps more of the message. `physicalOffset` is that of the record.
   */
  matchesQueueUnit(tagsCode: number, extension: ExtUnit | undefined, physicalOffset: number): boolean
  /**
   * From the whole record, `bytes[start, end)`; absent when the unit decides. The bytes are borrowed until the call
   * returns.
   */
  matchesRecord?(bytes: Buffer, start: number, end: number): boolean
}

/** What was found; its bytes are the records. Mapped memory: not to be touched after {@link release}. */
export interface GetMessageResult extends ByteSource {
  readonly status: GetMessageStatus
  readonly nextBeginOffset: number
  readonly minOffset: number
  readonly maxOffset: number
  readonly messageCount: number
  /** The records, neighbours in the log as one slice; made anew each time. */
  readonly slices: readonly Buffer[]
  /** Bytes that were read of what counts as cold for flow control; 0 while that is off. */
  readonly coldDataSum: number
  /** The last unit looked at lies farther back than memory reaches: a slave should serve this consumer. */
  readonly suggestPullingFromSlave: boolean
  /** Store time of the first message returned; 0 when there is none. */
  readonly firstStoreTimestamp: number
  /** Lets go of the slices, once; until then the files behind them stay mapped. */
  release(): void
}
