import type { MessageExt } from '../../common/index.js'
import type { Clock } from '../../util/index.js'
import type { PulledBatch } from './lite-queue.js'

/** Pulled batches in the order they came, and those who wait for one. */
export class ReadyBatches {
  private batches: PulledBatch[] = []
  private readonly waiting = new Set<() => void>()

  constructor(private readonly clock: Clock) {}

  add(batch: PulledBatch): void {
    this.batches.push(batch)
    this.wakeAll()
  }

  /** Has every waiting poll look again, e.g. because the consumer stops. */
  wakeAll(): void {
    for (const wake of this.waiting) wake()
    this.waiting.clear()
  }

  /** The next batch; empty when none comes within `timeoutMs` or `stopped` says so. */
  async take(timeoutMs: number, stopped: () => boolean): Promise<MessageExt[]> {
    const deadline = this.clock.monotonic() + timeoutMs
    for (;;) {
      const messages = this.takeNow()
      if (messages || stopped()) return messages ?? []
      const left = deadline - this.clock.monotonic()
      if (left <= 0) return []
      await this.wait(left)
    }
  }

  private takeNow(): MessageExt[] | undefined {
    for (let i = 0; i < this.batches.length; i++) {
      const batch = this.batches[i]!
      const { from, generation, messages } = batch
      const isVoid = from.dropped || generation !== from.generation
      // a paused queue keeps its batches
      if (!isVoid && from.paused) continue
      this.batches.splice(i, 1)
      if (isVoid) {
        i--
        continue
      }
      from.polled(batch)
      return messages
    }
    return undefined
  }

  private wait(ms: number): Promise<void> {
    return new Promise(resolve => {
      const wake = (): void => {
        timer.cancel()
        this.waiting.delete(wake)
        resolve()
      }
      const timer = this.clock.after(ms, wake)
      this.waiting.add(wake)
    })
  }
}
