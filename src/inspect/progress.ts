import type { Clock } from '../util/index.js'
import { bytesText, type Sink } from './output.js'

/** Runs shorter than this show nothing. */
const QUIET_MS = 1000
const TERMINAL_PERIOD_MS = 200
const LINE_PERIOD_MS = 10_000

export interface ProgressOptions {
  sink: Sink
  clock: Clock
  /** Whether a line can be drawn over. */
  isTerminal: boolean
  isEnabled: boolean
}

/** How far a long run has come, on stderr: a line that is drawn over on a terminal, else one every ten seconds. */
export class Progress {
  private total = 0
  private done = 0
  private label = ''
  private startedAt = 0
  private nextAt = 0
  private isDrawn = false

  constructor(private readonly options: ProgressOptions) {}

  start(label: string, totalBytes: number): void {
    this.label = label
    this.total = totalBytes
    this.done = 0
    this.startedAt = this.options.clock.monotonic()
    this.nextAt = this.startedAt + QUIET_MS
  }

  readonly advance = (bytes: number): void => {
    this.done += bytes
    const now = this.options.clock.monotonic()
    if (!this.options.isEnabled || now < this.nextAt) return
    this.nextAt = now + (this.options.isTerminal ? TERMINAL_PERIOD_MS : LINE_PERIOD_MS)
    this.draw(now - this.startedAt)
  }

  private draw(elapsedMs: number): void {
    const { sink, isTerminal } = this.options
    const part = this.total > 0 ? Math.min(1, this.done / this.total) : 0
    const rate = (this.done / Math.max(1, elapsedMs)) * 1000
    const left = rate > 0 ? Math.ceil((this.total - this.done) / rate) : 0
    const text =
      `${this.label}: ${Math.floor(part * 100)} % of ${bytesText(this.total)}, ` +
      `${bytesText(rate)}/s, ${Math.max(0, left)} s left`
    void sink.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`)
    this.isDrawn = isTerminal
  }

  /** Clears the line. */
  end(): void {
    if (this.isDrawn) void this.options.sink.write('\r\u001b[K')
    this.isDrawn = false
  }
}
