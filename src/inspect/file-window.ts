import type { DiskFile } from '../util/index.js'

const WINDOW_BYTES = 4 * 1024 * 1024

/** The part of a file that is in memory: read ahead in steps, larger only for a record that needs it. */
export class FileWindow {
  buffer: Buffer
  view: DataView
  /** Positions in the file of the first byte in {@link buffer} and of the one after the last. */
  start = 0
  end = 0

  constructor(
    private readonly file: DiskFile,
    private readonly stepBytes = WINDOW_BYTES,
  ) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(stepBytes, file.length)))
    this.view = viewOf(this.buffer)
  }

  /** Reads from `at` on, at least `length` bytes where the file has them. What was there before is gone. */
  async fill(at: number, length = 0): Promise<void> {
    const wanted = Math.min(Math.max(length, this.stepBytes), this.file.length - at)
    if (wanted > this.buffer.length) {
      this.buffer = Buffer.allocUnsafeSlow(wanted)
      this.view = viewOf(this.buffer)
    }
    this.start = this.end = at
    if (wanted > 0) this.end += await this.file.read(this.buffer.subarray(0, wanted), at)
  }

  /** Bytes in memory from `at` on. */
  available(at: number): number {
    return at < this.start ? 0 : Math.max(0, this.end - at)
  }
}

export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
