/** What became of a put (store-format 2.9). The names are Java's; FLUSH_* and SLAVE_* mean "stored". */
export type PutStatus =
  | 'PUT_OK'
  | 'FLUSH_DISK_TIMEOUT'
  | 'FLUSH_SLAVE_TIMEOUT'
  | 'SLAVE_NOT_AVAILABLE'
  | 'SERVICE_NOT_AVAILABLE'
  | 'CREATE_MAPPED_FILE_FAILED'
  | 'MESSAGE_ILLEGAL'
  | 'PROPERTIES_SIZE_EXCEEDED'
  | 'OS_PAGE_CACHE_BUSY'
  | 'IN_SYNC_REPLICAS_NOT_ENOUGH'
  | 'PUT_TO_REMOTE_BROKER_FAIL'
  | 'LMQ_CONSUME_QUEUE_NUM_EXCEEDED'
  | 'WHEEL_TIMER_FLOW_CONTROL'
  | 'WHEEL_TIMER_MSG_ILLEGAL'
  | 'WHEEL_TIMER_NOT_ENABLE'
  | 'UNKNOWN_ERROR'

/** One message as the broker hands it over. Buffers are borrowed until the call returns. */
export interface MessageToStore {
  topic: string
  queueId: number
  /** Bits 4 and 5 (IPv6 hosts) are set by the store. */
  sysFlag: number
  flag: number
  bornTimestamp: number
  /** 4 or 16 address bytes and i32 port, as `encodeHostAddress` gives them. */
  bornHost: Buffer
  reconsumeTimes: number
  preparedTransactionOffset: number
  body: Buffer
  /** `name 0x01 value 0x02 ...`; of a batch: what is appended to the properties of each of its messages. */
  properties: string | Buffer
}

/** What an append answers. One object per store, overwritten by the next call: copy what is kept. */
export interface AppendResult {
  status: PutStatus
  /** Start of the (first) record in the commit log. */
  physicalOffset: number
  /** Of the (first) message; 0 for prepared and rolled back transactions. */
  queueOffset: number
  wroteBytes: number
  messageCount: number
  storeTimestamp: number
  /** End of the last record: what to hand to `isDurable` and `whenDurable`. */
  endOffset: number
  /** Of a batch: the start of each record, `messageCount` of them; the array is reused too. */
  readonly physicalOffsets: number[]
}

/** The object that a store fills again and again. */
export function newAppendResult(): AppendResult {
  return {
    status: 'UNKNOWN_ERROR',
    physicalOffset: -1,
    queueOffset: 0,
    wroteBytes: 0,
    messageCount: 0,
    storeTimestamp: 0,
    endOffset: -1,
    physicalOffsets: [],
  }
}
