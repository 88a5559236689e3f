import { encodeTrace, type TraceRecord, traceKeys } from '../../common/index.js'
import { type Clock, createLogLimiter, errorText, type Logger, type Timer } from '../../util/index.js'

/** A message on its way to the trace topic. */
export interface TraceMessage {
  topic: string
  body: string
  keys: string
}

/** What carries traces: a producer of their own, so that they neither delay nor fail what they are about. */
export interface TraceSender {
  start(): Promise<void>
  send(message: TraceMessage, options: { timeoutMs: number }): Promise<unknown>
  stop(): Promise<void>
}

export interface TraceDispatcherOptions {
  /** Topic the traces go to. */
  topic: string
  sender: TraceSender
  clock: Clock
  logger: Logger
  /** Calls traced in one message, at most 20. Default 10. */
  batchSize?: number
}

const DEFAULT_BATCH = 10
const MAX_BATCH = 20
const FLUSH_MS = 5000
/** What waits beyond this is dropped: traces must not fill the memory while no broker takes them. */
const MAX_WAITING = 2048
const MAX_MESSAGE_BYTES = 128_000
const SEND_TIMEOUT_MS = 5000
const WARNING_PERIOD_MS = 60_000

/** Gathers what clients did and sends it to the trace topic (client-behaviour 6.4). */
export class TraceDispatcher {
  /** Records by call, as they came. */
  private waiting: (readonly TraceRecord[])[] = []
  private timer: Timer | undefined
  private sending: Promise<void> = Promise.resolve()
  private readonly batchSize: number
  private readonly limiter

  constructor(private readonly options: TraceDispatcherOptions) {
    this.batchSize = Math.min(options.batchSize ?? DEFAULT_BATCH, MAX_BATCH)
    this.limiter = createLogLimiter({ clock: options.clock, periodMs: WARNING_PERIOD_MS })
  }

  get topic(): string {
    return this.options.topic
  }

  start(): Promise<void> {
    return this.options.sender.start()
  }

  /** Sends what waits, then ends. */
  async stop(): Promise<void> {
    await this.flush()
    await this.options.sender.stop()
  }

  /** Takes the records of one call; never fails and never waits. */
  add(records: readonly TraceRecord[]): void {
    if (records.length === 0) return
    if (this.waiting.length >= MAX_WAITING) {
      const { logger } = this.options
      this.limiter.warn(logger, 'full', { event: 'trace-dropped' }, 'traces are dropped: they come faster than they go')
      return
    }
    this.waiting.push(records)
    if (this.waiting.length >= this.batchSize) void this.flush()
    else this.timer ??= this.options.clock.after(FLUSH_MS, () => void this.flush())
  }

  /** Resolves when everything taken so far has been sent or given up. */
  flush(): Promise<void> {
    this.timer?.cancel()
    this.timer = undefined
    this.sending = this.sending.then(() => this.drain())
    return this.sending
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.batchSize).flat()
      for (const part of partsOf(batch)) await this.send(part)
    }
  }

  private async send(records: readonly TraceRecord[]): Promise<void> {
    const { sender, topic, logger } = this.options
    try {
      const message = { topic, body: encodeTrace(records), keys: traceKeys(records) }
      await sender.send(message, { timeoutMs: SEND_TIMEOUT_MS })
    } catch (error) {
      const text = `${records.length} trace records are lost: ${errorText(error)}`
      this.limiter.warn(logger, 'send', { event: 'trace-lost', topic }, text)
    }
  }
}

/** Splits what would be too long for one message. */
function partsOf(records: readonly TraceRecord[]): TraceRecord[][] {
  const parts: TraceRecord[][] = []
  let bytes = MAX_MESSAGE_BYTES
  for (const record of records) {
    const size = Buffer.byteLength(encodeTrace([record]))
    if (bytes + size > MAX_MESSAGE_BYTES) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)!.push(record)
    bytes += size
  }
  return parts
}
