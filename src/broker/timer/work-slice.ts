import type { Clock } from '../../util/index.js'

const SLICE_MS = 2
/** With a clock that stands still a slice has to end all the same. */
const MOST_ITEMS = 4000
const ITEMS_PER_LOOK = 16

/** A stretch of work between two turns of the event loop: a few ms, so that other traffic goes on. */
export class WorkSlice {
  private endsAt = 0
  private items = 0

  constructor(private readonly clock: Clock) {}

  begin(): void {
    this.items = 0
    this.endsAt = this.clock.monotonic() + SLICE_MS
  }

  /** Counts one item of work; true when it is time to let others run. */
  isOver(): boolean {
    this.items++
    if (this.items % ITEMS_PER_LOOK !== 0) return false
    return this.items >= MOST_ITEMS || this.clock.monotonic() >= this.endsAt
  }
}

/** Resolves when everything else that waits for the event loop has had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
