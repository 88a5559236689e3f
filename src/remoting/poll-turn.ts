import type { Clock } from '../util/index.js'

/** Requests between two looks at the clock while nothing is late; a power of two. */
const REQUESTS_PER_LOOK = 16

/** From this wait on every request looks: what is late already is not slowed down by it. */
const LATE_MS = 20

/**
 * How long requests have waited for the event loop. A turn begins when the loop reads from the first of the sockets
 * that were ready, and ends when it has read from the last: all of them had bytes when it began. So a request has
 * waited at least since then, behind the requests of other sockets and those of its own chunk. What bytes waited before
 * they were noticed nobody can tell; it is not counted.
 */
export class PollTurn {
  private startedAt = 0
  private isOpen = false
  private waited = 0
  private requests = 0

  constructor(private readonly clock: Clock) {}

  /** A chunk of bytes has been read, its requests follow. */
  onChunk(): void {
    if (this.isOpen) {
      this.look()
      return
    }
    this.isOpen = true
    this.startedAt = this.clock.monotonic()
    // immediates run when the loop is done with its sockets
    setImmediate(this.close)
  }

  /** How long the request at hand has waited, in ms; up to {@link REQUESTS_PER_LOOK} requests behind the truth. */
  waitedMs(): number {
    if ((++this.requests & (REQUESTS_PER_LOOK - 1)) === 0 || this.waited >= LATE_MS) this.look()
    return this.waited
  }

  private look(): void {
    if (this.isOpen) this.waited = this.clock.monotonic() - this.startedAt
  }

  private readonly close = (): void => {
    this.isOpen = false
    this.waited = 0
  }
}
