/**
 * What reads from the disk ask for, with the records between those that are wanted, unless
 * `maxTransferBytesOnMessageInDisk` is raised; longer ones are not kept.
 */
const LARGEST_KEPT = 128 * 1024
const SMALLEST = 4 * 1024
/** Bytes that wait to be used again. */
const MOST_KEPT = 4 * 1024 * 1024

/**
 * Memory for records that come from the disk, used again when they have left. Taken anew each time, at the rate of the
 * disk, it would have the garbage collector go through the whole heap several times a second, which holds up everybody.
 */
export class ReadBuffers {
  /** By their lengths, powers of two. */
  private readonly free = new Map<number, Buffer[]>()
  private kept = 0

  /** At least so long; whoever has it gives it back when nothing looks into it any more, or keeps it for good. */
  take(length: number): Buffer {
    if (length > LARGEST_KEPT) return Buffer.allocUnsafeSlow(length)
    const rounded = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(length)))
    const buffer = this.free.get(rounded)?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(rounded)
    this.kept -= rounded
    return buffer
  }

  giveBack(buffer: Buffer): void {
    const { length } = buffer
    if (length > LARGEST_KEPT || this.kept + length > MOST_KEPT) return
    this.kept += length
    const others = this.free.get(length)
    if (others === undefined) this.free.set(length, [buffer])
    else others.push(buffer)
  }
}
