import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeMessage, encodeProperties, PropertyName, SystemGroup } from '../../common/index.js'
import type { MessageStore, MessageToStore } from '../../store/index.js'
import type { Clock, Logger, LogLimiter, Timer } from '../../util/index.js'
import type { MessagePutter } from '../put/message-putter.js'
import type { BrokerSettings } from '../settings.js'
import { HALF_QUEUE_ID, OP_TOPIC } from './half-message.js'

export interface OpQueueParts {
  settings: Pick<BrokerSettings, 'transactionOpMsgMaxSize' | 'transactionOpBatchInterval'>
  store: Pick<MessageStore, 'getMessage' | 'minOffset' | 'maxOffset'>
  puts: Pick<MessagePutter, 'put'>
  /** As records keep it: 8 or 20 bytes. */
  storeHost: Buffer
  clock: Clock
  logger: Logger
  warnings: LogLimiter
}

/** Some op messages that follow each other, and how far the half queue must be before they are needed no more. */
interface Span {
  /** First behind the last op message of the span. */
  end: number
  messages: number
  highestHalfOffset: number
}

const REMOVE_TAG = 'd'
const SEPARATOR = ','
const PROPERTIES = encodeProperties([
  [PropertyName.TAGS, REMOVE_TAG],
  [PropertyName.WAIT, 'true'],
])
const READ_AT_ONCE = 32
const MESSAGES_PER_SPAN = 64
const SHORTEST_WAIT_MS = 10

/**
 * The marks of finished half messages, in the messages that Java's brokers write and read (store-format 12.4): half
 * queue offsets, each with a comma. Marks of one turn of the event loop share a message and are stored in that turn,
 * next to what they finish, so that killing the process separates them hardly ever. A refused mark is kept and tried
 * again.
 */
export class OpQueue {
  private pending: number[] = []
  private isFlushQueued = false
  private retry: Timer | undefined
  private spans: Span[] = []
  private start = 0

  constructor(private readonly parts: OpQueueParts) {}

  /** The first op message that a restart must read. */
  get offset(): number {
    return this.start
  }

  /** Marks that could not be stored so far. */
  get unstored(): number {
    return this.pending.length
  }

  /** Reads every mark from op message `from` on; a negative one means the first there is. */
  async load(from: number, onMark: (halfOffset: number) => void): Promise<void> {
    const { store } = this.parts
    const min = store.minOffset(OP_TOPIC, HALF_QUEUE_ID)
    const end = store.maxOffset(OP_TOPIC, HALF_QUEUE_ID)
    this.start = Math.min(Math.max(from, min), end)
    for (let at = this.start; at < end; ) {
      const next = await this.readSome(at, onMark)
      // what cannot be read marks nothing: its transactions are asked for once more
      this.cover(next - 1, -1)
      at = next
      await nextTurn()
    }
  }

  private async readSome(from: number, onMark: (halfOffset: number) => void): Promise<number> {
    const got = await this.parts.store.getMessage({
      group: SystemGroup.SYS_RMQ_TRANS,
      topic: OP_TOPIC,
      queueId: HALF_QUEUE_ID,
      offset: from,
      maxMsgNums: READ_AT_ONCE,
    })
    if (got === undefined) return from + 1
    try {
      for (const slice of got.slices) {
        for (let at = 0; at < slice.length; ) {
          const message = decodeMessage(slice, at)
          at += message.storeSize
          const isMark = message.properties.get(PropertyName.TAGS) === REMOVE_TAG
          const offsets = isMark ? marksIn(message.body) : []
          for (const offset of offsets) onMark(offset)
          this.cover(message.queueOffset, Math.max(-1, ...offsets))
        }
      }
    } finally {
      got.release()
    }
    return Math.max(from + 1, got.nextBeginOffset)
  }

  /** Marks a half message as finished: no round looks at it again, here or in Java. */
  mark(halfOffset: number): void {
    this.pending.push(halfOffset)
    if (this.isFlushQueued) return
    this.isFlushQueued = true
    queueMicrotask(() => this.flush())
  }

  /** Stores what is marked so far. False when the store refuses; it is tried again then. */
  flush(): boolean {
    this.isFlushQueued = false
    while (this.pending.length > 0) if (!this.store()) return false
    return true
  }

  stop(): void {
    this.retry?.cancel()
    this.flush()
    this.retry?.cancel()
  }

  /** Op messages whose half messages all lie below `halfOffset` are read by nobody any more. */
  forgetBelow(halfOffset: number): void {
    let done = 0
    for (const span of this.spans) {
      if (span.highestHalfOffset >= halfOffset) break
      this.start = span.end
      done++
    }
    if (done > 0) this.spans.splice(0, done)
  }

  private store(): boolean {
    const { settings, puts, clock, storeHost } = this.parts
    let body = ''
    let count = 0
    let highest = -1
    while (count < this.pending.length && (count === 0 || body.length < settings.transactionOpMsgMaxSize)) {
      const offset = this.pending[count++]!
      body += offset + SEPARATOR
      highest = Math.max(highest, offset)
    }
    const message: MessageToStore = {
      topic: OP_TOPIC,
      queueId: HALF_QUEUE_ID,
      sysFlag: 0,
      flag: 0,
      bornTimestamp: clock.now(),
      bornHost: storeHost,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.from(body),
      properties: PROPERTIES,
    }
    const { status, queueOffset } = puts.put(message, false)
    if (status !== 'PUT_OK') {
      this.tryLater(status)
      return false
    }
    this.pending.splice(0, count)
    this.cover(queueOffset, highest)
    return true
  }

  private tryLater(status: string): void {
    const { settings, clock, logger, warnings } = this.parts
    const waitMs = Math.max(settings.transactionOpBatchInterval, SHORTEST_WAIT_MS)
    const marks = this.pending.length
    const fields = { event: 'transaction-marks-refused', status, marks }
    const text = `marks of ${marks} finished transactions wait, the store says ${status}: again in ${waitMs} ms`
    warnings.warn(logger, 'marks', fields, text)
    this.retry?.cancel()
    this.retry = clock.after(waitMs, () => {
      this.retry = undefined
      this.flush()
    })
  }

  private cover(opOffset: number, highestHalfOffset: number): void {
    const last = this.spans.at(-1)
    if (last !== undefined && opOffset < last.end) return
    if (last === undefined || last.messages >= MESSAGES_PER_SPAN) {
      this.spans.push({ end: opOffset + 1, messages: 1, highestHalfOffset })
      return
    }
    last.end = opOffset + 1
    last.messages++
    last.highestHalfOffset = Math.max(last.highestHalfOffset, highestHalfOffset)
  }
}

/** Numbers only: what else stands in a body (a version of Java writes single offsets without a comma) is no mark. */
function marksIn(body: Buffer): number[] {
  return body
    .toString('latin1')
    .split(SEPARATOR)
    .filter(text => /^\d{1,15}$/.test(text))
    .map(Number)
}
