import { ResponseCode } from '../../common/index.js'
import type { PutStatus } from '../../store/index.js'

export interface PutStatusFacts {
  maxMessageSize: number
  timerMaxDelaySec: number
  timerWheelEnable: boolean
  timerCongestNumEachSlot: number
  /** How full the disks are, for the remark of SERVICE_NOT_AVAILABLE. */
  diskReport: () => string
}

interface StatusRow {
  code: number
  /** The message is in the log: its id goes into the answer. */
  stored: boolean
  remark: (facts: PutStatusFacts) => string | undefined
}

const stored = (code: number): StatusRow => ({ code, stored: true, remark: () => undefined })
const refused = (code: number, remark: (facts: PutStatusFacts) => string): StatusRow => ({
  code,
  stored: false,
  remark,
})

const illegal = refused(
  ResponseCode.MESSAGE_ILLEGAL,
  facts =>
    'the message is illegal, maybe msg body or properties length not matched. ' +
    `msg body length limit ${facts.maxMessageSize}B, msg properties length limit 32KB.`,
)

/** What a send is answered for each outcome of the store (broker-behaviour 2.8); the remarks are Java's. */
export const PUT_STATUS_REPLIES: Readonly<Record<PutStatus, StatusRow>> = {
  PUT_OK: stored(ResponseCode.SUCCESS),
  FLUSH_DISK_TIMEOUT: stored(ResponseCode.FLUSH_DISK_TIMEOUT),
  SLAVE_NOT_AVAILABLE: stored(ResponseCode.SLAVE_NOT_AVAILABLE),
  FLUSH_SLAVE_TIMEOUT: stored(ResponseCode.FLUSH_SLAVE_TIMEOUT),
  IN_SYNC_REPLICAS_NOT_ENOUGH: refused(ResponseCode.SYSTEM_ERROR, () => 'in-sync replicas not enough'),
  CREATE_MAPPED_FILE_FAILED: refused(
    ResponseCode.SYSTEM_ERROR,
    () => 'create mapped file failed, server is busy or broken.',
  ),
  MESSAGE_ILLEGAL: illegal,
  PROPERTIES_SIZE_EXCEEDED: illegal,
  WHEEL_TIMER_MSG_ILLEGAL: refused(
    ResponseCode.MESSAGE_ILLEGAL,
    facts =>
      'timer message illegal, the delay time should not be bigger than the max delay ' +
      `${facts.timerMaxDelaySec * 1000}ms; ` +
      'or if set del msg, the delay time should be bigger than the current time',
  ),
  WHEEL_TIMER_FLOW_CONTROL: refused(
    ResponseCode.SYSTEM_ERROR,
    ({ timerCongestNumEachSlot: congested }) =>
      `timer message is under flow control, max num limit is ${congested * 2} or the current value is ` +
      `greater than ${congested} and less than ${congested * 2}, trigger random flow control`,
  ),
  WHEEL_TIMER_NOT_ENABLE: refused(
    ResponseCode.SYSTEM_ERROR,
    facts => `accurate timer message is not enabled, timerWheelEnable is ${facts.timerWheelEnable}`,
  ),
  SERVICE_NOT_AVAILABLE: refused(
    ResponseCode.SERVICE_NOT_AVAILABLE,
    facts =>
      "service not available now. It may be caused by one of the following reasons: the broker's disk is full " +
      `[${facts.diskReport()}], messages are put to the slave, message store has been shut down, etc.`,
  ),
  OS_PAGE_CACHE_BUSY: refused(
    ResponseCode.SYSTEM_BUSY,
    () => '[PC_SYNCHRONIZED]broker busy, start flow control for a while',
  ),
  LMQ_CONSUME_QUEUE_NUM_EXCEEDED: refused(
    ResponseCode.SYSTEM_ERROR,
    () =>
      '[LMQ_CONSUME_QUEUE_NUM_EXCEEDED]broker config enableLmq and enableMultiDispatch, ' +
      'lmq consumeQueue num exceed maxLmqConsumeQueueNum config num, default limit 2w.',
  ),
  PUT_TO_REMOTE_BROKER_FAIL: refused(ResponseCode.SYSTEM_ERROR, () => 'UNKNOWN_ERROR DEFAULT'),
  UNKNOWN_ERROR: refused(ResponseCode.SYSTEM_ERROR, () => 'UNKNOWN_ERROR'),
}
