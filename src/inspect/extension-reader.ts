import { join } from 'node:path'
import { decodeExtUnit, type ExtUnit } from '../store/index.js'
import { listSegments, type SegmentFile } from './store-directory.js'
import type { UnitPool } from './unit-files.js'

const EARLIEST_ADDRESS = -(2n ** 63n)
/** Addresses lie in front of it; hashes and times do not. */
const ADDRESSES_END = -2_147_483_648
/** Bytes read at once. */
const BLOCK = 65_536
/** The longest a unit can be. */
const LARGEST_UNIT = 0x7fff

/** Where the extension of an entry with this tags code lies; -1 when it is one and no address. */
export function extensionOffset(tagsCode: number | bigint): number {
  return tagsCode < ADDRESSES_END ? Number(BigInt(tagsCode) - EARLIEST_ADDRESS) : -1
}

/** The extensions of one queue, read as they are needed. */
export class ExtensionReader {
  readonly folder: string
  private segments: readonly SegmentFile[] | undefined
  private block = Buffer.alloc(0)
  private blockStart = 0

  constructor(
    private readonly pool: UnitPool,
    queueFolder: string,
    queue: { topic: string; queueId: number },
  ) {
    this.folder = join(queueFolder, '..', '..', '..', 'consumequeue_ext', queue.topic, String(queue.queueId))
  }

  /** The unit at a stream offset; undefined where none stands. */
  async unit(offset: number): Promise<ExtUnit | undefined> {
    const at = offset - this.blockStart
    // one that the block holds in part only is read again
    if (at >= 0 && at + LARGEST_UNIT <= this.block.length) return decodeExtUnit(this.block, at)
    const file = this.fileOf(offset)
    if (file === undefined) return undefined
    const open = await this.pool.files.open(file.path)
    const buffer = Buffer.alloc(Math.min(BLOCK, file.startOffset + file.length - offset))
    this.block = buffer.subarray(0, await open.read(buffer, offset - file.startOffset))
    this.blockStart = offset
    return decodeExtUnit(this.block, 0)
  }

  /** The file and the byte in it where a unit stands, or would. */
  placeOf(offset: number): { file: string; position: number } {
    const file = this.fileOf(offset)
    return { file: file?.path ?? this.folder, position: offset - (file?.startOffset ?? 0) }
  }

  private fileOf(offset: number): SegmentFile | undefined {
    this.segments ??= listSegments(this.pool.disk, this.folder)
    return this.segments.find(({ startOffset, length }) => offset >= startOffset && offset < startOffset + length)
  }
}
