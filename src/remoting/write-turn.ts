/** Something with bytes to send. */
export interface Writer {
  /** Sends what it has gathered. */
  writeOut(): void
}

/**
 * Puts writes off to the end of the event loop's turn, those of all connections together. A write to a peer that sleeps
 * wakes it, which costs more than the write. One that is awake already takes the answers of its other connections for
 * less, and sends its next requests when this turn's are done.
 */
export class WriteTurn {
  private waiting: Writer[] = []

  add(writer: Writer): void {
    // immediates run when the loop is done with its sockets
    if (this.waiting.length === 0) setImmediate(this.end)
    this.waiting.push(writer)
  }

  private readonly end = (): void => {
    const writers = this.waiting
    this.waiting = []
    // the last first: its bytes lie at the end of the memory they share, which is used again from there
    for (let i = writers.length - 1; i >= 0; i--) writers[i]!.writeOut()
  }
}
