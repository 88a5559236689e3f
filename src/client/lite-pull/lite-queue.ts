import type { MessageExt, MessageQueue } from '../../common/index.js'

/** One queue a lite pull consumer reads: what has been pulled and not been polled, and the positions. */
export class LiteQueue {
  dropped = false
  paused = false
  /** Grows with each seek: what was pulled before is void. */
  generation = 0
  cachedCount = 0
  cachedBytes = 0
  lastPullAt = 0

  /** `pullOffset`: where the next pull begins. `consumeOffset`: after the last message polled. */
  constructor(
    readonly queue: MessageQueue,
    public pullOffset: number,
    public consumeOffset: number | undefined = undefined,
  ) {}

  get span(): number {
    return this.cachedCount === 0 ? 0 : this.pullOffset - (this.consumeOffset ?? this.pullOffset)
  }

  /** Continues at another offset. */
  moveTo(offset: number): void {
    this.generation++
    this.pullOffset = offset
    this.consumeOffset = offset
    this.cachedCount = 0
    this.cachedBytes = 0
  }

  cached(messages: readonly MessageExt[]): void {
    this.cachedCount += messages.length
    for (const message of messages) this.cachedBytes += message.body.length
  }

  polled({ messages, nextOffset }: PulledBatch): void {
    this.cachedCount -= messages.length
    for (const message of messages) this.cachedBytes -= message.body.length
    this.consumeOffset = nextOffset
  }
}

/** Messages of one pull, waiting to be polled. */
export interface PulledBatch {
  from: LiteQueue
  generation: number
  messages: MessageExt[]
  /** Where the queue goes on after them; those of a light queue know their place in their topic alone. */
  nextOffset: number
}
