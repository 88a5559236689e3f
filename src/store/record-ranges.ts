import type { ByteSink } from '../util/index.js'

/** Records found by a read: ranges of the memory that holds them, neighbours as one. No object per record. */
export class RecordRanges {
  private readonly buffers: Buffer[] = []
  private readonly starts: number[] = []
  private readonly ends: number[] = []

  get count(): number {
    return this.buffers.length
  }

  add(buffer: Buffer, start: number, end: number): void {
    const last = this.buffers.length - 1
    if (last >= 0 && this.ends[last] === start && this.buffers[last] === buffer) {
      this.ends[last] = end
      return
    }
    this.buffers.push(buffer)
    this.starts.push(start)
    this.ends.push(end)
  }

  /** Puts whole buffers in front of range number `at`. */
  insert(at: number, buffers: readonly Buffer[]): void {
    this.buffers.splice(at, 0, ...buffers)
    this.starts.splice(at, 0, ...buffers.map(() => 0))
    this.ends.splice(at, 0, ...buffers.map(buffer => buffer.length))
  }

  writeTo(sink: ByteSink): void {
    const { buffers, starts, ends } = this
    for (let i = 0; i < buffers.length; i++) sink.writeRange(buffers[i]!, starts[i]!, ends[i]!)
  }

  slices(): Buffer[] {
    return this.buffers.map((buffer, i) => buffer.subarray(this.starts[i], this.ends[i]))
  }

  clear(): void {
    this.buffers.length = 0
    this.starts.length = 0
    this.ends.length = 0
  }
}
