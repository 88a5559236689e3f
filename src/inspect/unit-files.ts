import { OpenFiles } from '../store/index.js'
import type { Disk } from '../util/index.js'
import { viewOf } from './file-window.js'
import { listSegments, type SegmentFile, usualLength } from './store-directory.js'

/** Units read at once. */
const CHUNK_UNITS = 800
/** Queues of which a chunk stays in memory: what bounds the memory for a store with many queues. */
const CHUNKS_KEPT = 2048

/** What the queues of one store share while they are read. */
export class UnitPool {
  readonly files: OpenFiles
  private readonly loaded = new Set<UnitFiles>()

  constructor(readonly disk: Disk) {
    this.files = new OpenFiles(disk)
  }

  keep(queue: UnitFiles): void {
    this.loaded.delete(queue)
    this.loaded.add(queue)
    if (this.loaded.size <= CHUNKS_KEPT) return
    const [oldest] = this.loaded
    oldest?.drop()
    if (oldest !== undefined) this.loaded.delete(oldest)
  }

  close(): void {
    this.files.close()
  }
}

/** The units of one queue over its files, by their index in the stream of the files. */
export class UnitFiles {
  segments: readonly SegmentFile[]
  /** Bytes of most of its files. */
  fileSize: number
  private chunk = Buffer.alloc(0)
  private chunkView = viewOf(this.chunk)
  private chunkStart = 0

  constructor(
    private readonly pool: UnitPool,
    readonly folder: string,
    readonly unitSize: number,
  ) {
    this.segments = listSegments(pool.disk, folder)
    this.fileSize = usualLength(this.segments)
  }

  /** Looks again which files there are: a broker may have made one. */
  refresh(): void {
    this.segments = listSegments(this.pool.disk, this.folder)
    this.fileSize = usualLength(this.segments)
    this.drop()
  }

  get view(): DataView {
    return this.chunkView
  }

  /** Index of the first unit that a file has room for. */
  get firstIndex(): number {
    return Math.floor((this.segments[0]?.startOffset ?? 0) / this.unitSize)
  }

  /** Index behind the last unit that a file has room for. */
  get endIndex(): number {
    const last = this.segments.at(-1)
    return last === undefined ? 0 : Math.floor((last.startOffset + last.length) / this.unitSize)
  }

  /** Where unit `index` is in {@link view}; -1 when it must be {@link load}ed first. */
  locate(index: number): number {
    const at = index * this.unitSize - this.chunkStart
    return at >= 0 && at + this.unitSize <= this.chunk.length ? at : -1
  }

  /** Reads the units from `index` on; -1 when no file holds it, else where it is in {@link view}. */
  async load(index: number): Promise<number> {
    const position = index * this.unitSize
    const file = this.segmentAt(position)
    if (file === undefined) return -1
    const at = position - file.startOffset
    const length = Math.min(CHUNK_UNITS * this.unitSize, file.length - at)
    const buffer = Buffer.allocUnsafeSlow(length - (length % this.unitSize))
    const open = await this.pool.files.open(file.path)
    const got = await open.read(buffer, at)
    this.chunk = got < buffer.length ? buffer.subarray(0, got - (got % this.unitSize)) : buffer
    this.chunkView = viewOf(this.chunk)
    this.chunkStart = position
    this.pool.keep(this)
    return this.locate(index)
  }

  private segmentAt(position: number): SegmentFile | undefined {
    const { segments, fileSize, unitSize } = this
    const first = segments[0]
    if (first === undefined || position < first.startOffset) return undefined
    const holds = (file: SegmentFile | undefined): boolean =>
      file !== undefined && position >= file.startOffset && position + unitSize <= file.startOffset + file.length
    const guess = segments[Math.floor((position - first.startOffset) / Math.max(1, fileSize))]
    return holds(guess) ? guess : segments.find(holds)
  }

  /** The file and the byte in it where unit `index` stands. */
  placeOf(index: number): { file: string; position: number } {
    const position = index * this.unitSize
    const file = this.segmentAt(position) ?? this.segments.findLast(one => one.startOffset <= position)
    return { file: file?.path ?? this.folder, position: position - (file?.startOffset ?? 0) }
  }

  /** Whether every byte in memory is zero. */
  get isZero(): boolean {
    return this.chunk.every(byte => byte === 0)
  }

  /** Index behind the last unit in memory. */
  get loadedEnd(): number {
    return (this.chunkStart + this.chunk.length) / this.unitSize
  }

  drop(): void {
    this.chunk = Buffer.alloc(0)
    this.chunkView = viewOf(this.chunk)
  }
}
