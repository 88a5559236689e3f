import { ConsumeQueueChunk } from './consume-queue-chunk.js'
import type { ConsumeQueueShared } from './consume-queue-types.js'
import { setInt64 } from './int64-view.js'
import { UnitFiles } from './unit-files.js'

/** What a queue knows of a message beyond its unit (store-format 5.5). */
export interface ExtUnit {
  /** The code that stands in the unit of a queue without extensions. */
  readonly tagsCode: number
  /** Ms. */
  readonly storeTimestamp: number
  /** Bloom bits of the SQL92 groups that want the message; undefined when they were not worked out. */
  readonly bitMap: Buffer | undefined
}

/** Positions in a unit, and the bytes of one without bits. */
export const ExtUnitPosition = { SIZE: 0, TAGS_CODE: 2, STORE_TIMESTAMP: 10, BIT_MAP_SIZE: 18, BIT_MAP: 20 } as const
const HEAD_SIZE = ExtUnitPosition.BIT_MAP
/** The size is an i16. */
const LARGEST_UNIT = 0x7fff
/** Bytes that each file leaves behind its last unit, for the mark that says so. */
const END_RESERVE = 4
const END_MARK = -1
/** Bytes appended to, and read, at once. */
const BLOCK = 65_536

/** The unit that stands at an address is gone or damaged: the message itself must tell. */
export const MISSING_EXT_UNIT: ExtUnit = { tagsCode: 0, storeTimestamp: 0, bitMap: undefined }

let lastSerial = 0

/**
 * The extensions of one queue's units: records of changing length in files of their own, found by the address that
 * the unit holds instead of a tags code. Like units they stay in memory until {@link writeOut}.
 */
export class ConsumeQueueExt {
  private readonly files: UnitFiles
  /** Stream offset of the next unit. */
  private end = 0
  /** New whenever units were taken back, so that nothing cached before is read again. */
  private serial = ++lastSerial
  private isDropped = false
  /** Oldest first, one after the other; what precedes the first is in the files. A unit never spans two. */
  private chunks: ConsumeQueueChunk[] = []

  constructor(
    private readonly shared: ConsumeQueueShared,
    readonly folder: string,
    fileSize: number,
  ) {
    this.files = new UnitFiles(shared.disk, shared.files, folder, fileSize)
  }

  get maxOffset(): number {
    return this.end
  }

  get bufferedBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.capacity, 0)
  }

  /** Stream offset of the unit, or -1 where it is too large for a file or for its length field. */
  put(unit: ExtUnit): number {
    const bits = unit.bitMap?.length ?? 0
    const size = HEAD_SIZE + bits
    const { fileSize } = this.files
    if (size > LARGEST_UNIT || size + END_RESERVE > fileSize) return -1
    if (this.fileEndOf(this.end) - this.end - END_RESERVE < size) this.closeFile()
    const chunk = this.chunkFor(size)
    const at = chunk.length
    const { view } = chunk
    view.setInt16(at, size)
    setInt64(view, at + ExtUnitPosition.TAGS_CODE, unit.tagsCode)
    setInt64(view, at + ExtUnitPosition.STORE_TIMESTAMP, unit.storeTimestamp)
    view.setInt16(at + ExtUnitPosition.BIT_MAP_SIZE, bits)
    if (unit.bitMap !== undefined) chunk.set(unit.bitMap, at + HEAD_SIZE)
    chunk.length = at + size
    const offset = this.end
    this.end = offset + size
    return offset
  }

  /** No unit fits into the file any more: the mark says that the next is the first of the next file. */
  private closeFile(): void {
    const next = this.fileEndOf(this.end)
    // at the very start of a file nothing was written that would need one
    if (this.end > this.files.startOf(this.end)) {
      const chunk = this.chunkFor(2)
      chunk.view.setInt16(chunk.length, END_MARK)
      chunk.length += 2
    }
    this.end = next
  }

  private chunkFor(size: number): ConsumeQueueChunk {
    const last = this.chunks.at(-1)
    if (last !== undefined && last.end === this.end && hasRoom(last, size, this.fileEndOf(last.start))) return last
    const limit = Math.min(BLOCK, this.fileEndOf(this.end) - this.end)
    const chunk = ConsumeQueueChunk.empty(this.end, limit, size)
    this.chunks.push(chunk)
    return chunk
  }

  private fileEndOf(offset: number): number {
    return this.files.startOf(offset) + this.files.fileSize
  }

  /** The unit at `offset` if it is in memory; undefined when it must be {@link load}ed. */
  find(offset: number): ExtUnit | undefined {
    if (offset >= this.end) return MISSING_EXT_UNIT
    const first = this.chunks[0]
    if (first !== undefined && offset >= first.start) {
      for (let i = this.chunks.length - 1; i >= 0; i--) {
        const chunk = this.chunks[i]!
        if (offset >= chunk.start) return unitIn(chunk, offset)
      }
    }
    const cached = this.shared.extCache.get(this.cacheKey(offset))
    // a block read while its end was still being written knows only a part
    return cached !== undefined && offset < cached.end ? unitIn(cached, offset) : undefined
  }

  /** Reads the unit from its file, with those around it, off the loop. */
  async load(offset: number): Promise<ExtUnit> {
    const start = this.blockStart(offset)
    // the last unit of a block reaches into the next
    const end = Math.min(start + BLOCK + LARGEST_UNIT, this.fileEndOf(offset), this.chunks[0]?.start ?? this.end)
    if (!this.files.holds(offset) || end <= offset) return this.find(offset) ?? MISSING_EXT_UNIT
    const { serial } = this
    const buffer = await this.files.read(start, end - start)
    const chunk = ConsumeQueueChunk.read(start, buffer, Math.min(buffer.length, BLOCK))
    const unit = unitIn(chunk, offset)
    if (serial === this.serial) this.shared.extCache.put(this.cacheKey(offset), chunk)
    return unit
  }

  private blockStart(offset: number): number {
    const fileStart = this.files.startOf(offset)
    return fileStart + Math.floor((offset - fileStart) / BLOCK) * BLOCK
  }

  private cacheKey(offset: number): number {
    return this.serial * 2 ** 33 + this.blockStart(offset) / 4
  }

  /** Takes stock of the files; what is wrong with their lengths, if anything. {@link endBehind} must follow. */
  open(): string | undefined {
    this.files.list()
    const problem = this.files.problem('mappedFileSizeConsumeQueueExt')
    this.end = this.files.starts.length === 0 ? 0 : this.files.starts.at(-1)! + this.files.fileSize
    return problem
  }

  get isEmpty(): boolean {
    return this.files.starts.length === 0 && this.chunks.length === 0
  }

  /**
   * The queue's last unit points to the extension at `offset`: nothing behind that one is kept. Where it cannot be read
   * the next file takes what comes: addresses that are in use must not be given away again.
   */
  endBehind(offset: number): void {
    const size = this.sizeAtSync(offset)
    // no file may be missing between others
    if (!this.files.holds(offset)) this.files.remove([...this.files.starts])
    this.cutAt(size > 0 ? offset + size : this.fileEndOf(offset))
  }

  /** The queue's last unit points to none: what the last file holds in one piece is kept. */
  endWhereFilesEnd(): void {
    const last = this.files.starts.at(-1)
    if (last === undefined) return
    let at = last
    for (let size = this.sizeAtSync(at); size > 0; size = this.sizeAtSync(at)) at += size
    this.cutAt(at)
  }

  private cutAt(end: number): void {
    this.forget()
    this.end = end
    const isBehind = (start: number): boolean => start >= end
    this.files.remove(this.files.starts.filter(isBehind))
    if (this.files.holds(end - 1) && this.files.startOf(end) === this.files.startOf(end - 1)) this.files.eraseFrom(end)
  }

  /** Size of the unit at `offset` as the files hold it; 0 where none stands. */
  private sizeAtSync(offset: number): number {
    const head = Buffer.alloc(HEAD_SIZE)
    if (this.files.readSync(head, offset) < HEAD_SIZE) return 0
    const size = head.readInt16BE(ExtUnitPosition.SIZE)
    const isSound = size >= HEAD_SIZE && size === HEAD_SIZE + head.readInt16BE(ExtUnitPosition.BIT_MAP_SIZE)
    return isSound && offset + size <= this.fileEndOf(offset) ? size : 0
  }

  private forget(): void {
    this.chunks = []
    this.serial = ++lastSerial
  }

  /** Deletes the files, the newest excepted, that hold nothing at or behind `offset`; how many. */
  deleteBefore(offset: number): number {
    const expired = this.files.starts.slice(0, -1).filter(start => start + this.files.fileSize <= offset)
    this.files.remove(expired)
    return expired.length
  }

  /** Deletes everything; the stream begins again at 0. */
  reset(): void {
    this.forget()
    this.files.remove([...this.files.starts])
    this.end = 0
  }

  destroy(): void {
    this.isDropped = true
    this.reset()
    this.shared.disk.removeFolder(this.folder)
  }

  /** Brings all units so far to the files, off the loop. One call at a time. */
  async writeOut(): Promise<void> {
    for (const chunk of [...this.chunks]) {
      const upTo = chunk.length
      if (upTo <= chunk.written || this.isDropped) continue
      await this.files.write([chunk.bytes(chunk.written, upTo)], chunk.start + chunk.written)
      chunk.written = upTo
    }
    while (this.chunks.length > 1 && this.chunks[0]!.written === this.chunks[0]!.length) this.chunks.shift()
  }

  /** Frees the memory of units that the files hold. */
  dropWritten(): void {
    if (this.chunks.every(chunk => chunk.written === chunk.length)) this.chunks = []
  }

  /** Makes what {@link writeOut} wrote durable. */
  flush(): Promise<void> {
    return this.files.flush()
  }

  /** Everything written was made durable by other means. */
  noteFlushed(): void {
    this.files.noteFlushed()
  }
}

/** Whether `size` bytes more go into the chunk, if need be after making it larger. */
function hasRoom(chunk: ConsumeQueueChunk, size: number, fileEnd: number): boolean {
  const limit = Math.min(BLOCK, fileEnd - chunk.start)
  while (chunk.capacity - chunk.length < size) if (!chunk.grow(limit)) return false
  return true
}

function unitIn(chunk: ConsumeQueueChunk, offset: number): ExtUnit {
  return decodeExtUnit(chunk.bytes(0, chunk.capacity), offset - chunk.start) ?? MISSING_EXT_UNIT
}

/** The unit at `at`; undefined when none can stand there. Its bits are a slice of `bytes`. */
export function decodeExtUnit(bytes: Buffer, at: number): ExtUnit | undefined {
  if (at + HEAD_SIZE > bytes.length) return undefined
  const size = bytes.readInt16BE(at)
  const bits = bytes.readInt16BE(at + ExtUnitPosition.BIT_MAP_SIZE)
  if (size !== HEAD_SIZE + bits || bits < 0 || at + size > bytes.length) return undefined
  return {
    tagsCode: Number(bytes.readBigInt64BE(at + ExtUnitPosition.TAGS_CODE)),
    storeTimestamp: Number(bytes.readBigInt64BE(at + ExtUnitPosition.STORE_TIMESTAMP)),
    bitMap: bits === 0 ? undefined : bytes.subarray(at + HEAD_SIZE, at + size),
  }
}
