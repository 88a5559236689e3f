import { assert, type Disk, type DiskFile, type Mapping, MQError } from '../util/index.js'

const NO_BYTES = Buffer.alloc(0)
const NO_VIEW = new DataView(new ArrayBuffer(0))

/**
 * One file of a {@link MappedFileQueue}: `length` bytes of the queue's stream from `startOffset` on. It is mapped on
 * first use and unmapped when nobody holds a slice of it any more.
 */
export class MappedFile {
  /** End of what was written, relative to the file. Readers may not pass it. */
  wrotePosition = 0
  /** End of what is known to be on the disk, relative to the file. */
  flushedPosition = 0
  /** The mapped bytes, empty until {@link map}. */
  buffer: Buffer = NO_BYTES
  /** Over the same bytes: setters of a view are several times faster than a Buffer's. */
  view: DataView = NO_VIEW
  /** Last write, for retention. */
  modifiedMs: number

  private mapping: Mapping | undefined
  private file: Promise<DiskFile> | undefined
  private references = 0
  private dropped = false
  private readsAhead = true
  /** End of what {@link zeroFrom} changed and no flush has made durable. */
  private zeroedTo = 0

  constructor(
    private readonly disk: Disk,
    readonly path: string,
    readonly startOffset: number,
    readonly length: number,
    modifiedMs: number,
  ) {
    this.modifiedMs = modifiedMs
  }

  get endOffset(): number {
    return this.startOffset + this.length
  }

  get isFull(): boolean {
    return this.wrotePosition === this.length
  }

  /** Whether a delete took the file away while slices of it are still held. */
  get isDropped(): boolean {
    return this.dropped
  }

  /** Takes over a mapping made ahead. */
  adopt(mapping: Mapping): this {
    this.mapping = mapping
    if (!this.readsAhead) mapping.setReadAhead?.(false)
    this.buffer = mapping.buffer
    this.view = new DataView(mapping.buffer.buffer, mapping.buffer.byteOffset, mapping.length)
    return this
  }

  /** Maps the file if it is not. */
  map(): this {
    if (this.mapping !== undefined) return this
    assert(!this.dropped, `${this.path} was deleted`)
    return this.adopt(this.disk.mapSync(this.path, { length: this.length, create: false, allocate: false }))
  }

  /** Keeps the mapping alive for a slice that outlives this turn. */
  retain(): void {
    this.references++
  }

  release(): void {
    assert(this.references > 0, `${this.path} was released more often than retained`)
    this.references--
    if (this.dropped && this.references === 0) this.unmap()
  }

  /** Makes what was written so far durable. */
  async flush(): Promise<void> {
    const upTo = this.wrotePosition
    // a deleted file has nothing to keep
    if (upTo <= this.flushedPosition || this.dropped) return
    this.map()
    const { zeroedTo } = this
    await this.mapping!.flush(this.flushedPosition, Math.max(upTo, zeroedTo))
    // a power cut may not bring a discarded tail back behind a new record, where it would be read
    if (zeroedTo === this.zeroedTo) this.zeroedTo = 0
    if (upTo > this.flushedPosition) this.flushedPosition = upTo
  }

  prefault(from: number, to: number, isBulk: boolean): Promise<void> {
    return this.mapping?.prefault(from, to, isBulk) ?? Promise.resolve()
  }

  /**
   * Where, from a position on, something but zeros may stand: a file that was made ahead is nothing else. All at once,
   * since pages that the kernel reads ahead of a reader count as data from then on.
   */
  dataRanges(from: number): { start: number; end: number }[] {
    this.map()
    const mapping = this.mapping!
    const ranges: { start: number; end: number }[] = []
    for (let start = from; start < this.length; ) {
      start = mapping.nextData?.(start) ?? start
      if (start >= this.length) break
      const end = mapping.nextHole?.(start) ?? this.length
      if (end <= start) return [...ranges, { start, end: this.length }]
      ranges.push({ start, end })
      start = end
    }
    return ranges
  }

  /** Sets everything behind `position` to zeros, so that nothing of a discarded tail is ever read as a record. */
  zeroFrom(position: number): void {
    if (position >= this.length) return
    this.map()
    if (this.mapping!.isReadOnly) {
      throw new MQError(
        'EROFS',
        `${this.path} is on a disk that can only be read, but the log has to go on in it: mount it for writing`,
      )
    }
    this.mapping!.zero(position, this.length)
    this.zeroedTo = this.length
  }

  /** Whether reading a range through the mapping waits for no disk. */
  isInMemory(from: number, to: number): boolean {
    try {
      this.map()
    } catch {
      // whoever reads without the mapping is told why
      return false
    }
    return this.mapping!.isInMemory?.(from, to) ?? false
  }

  /** Reads without the mapping, off the loop: for what is probably not in memory. */
  async read(target: Buffer, position: number): Promise<number> {
    this.file ??= this.openFile()
    return (await this.file).read(target, position)
  }

  private async openFile(): Promise<DiskFile> {
    const file = await this.disk.open(this.path)
    if (!this.readsAhead) file.setReadAhead?.(false)
    return file
  }

  /** Whether the kernel may read ahead of who reads this file. On at first. */
  setReadAhead(isOn: boolean): this {
    this.readsAhead = isOn
    this.mapping?.setReadAhead?.(isOn)
    // one that fails to open tells its reader
    this.file?.then(file => file.setReadAhead?.(isOn)).catch(() => {})
    return this
  }

  /** Closes and unmaps, at once or when the last slice is released. */
  close(): void {
    this.dropped = true
    const file = this.file
    this.file = undefined
    // a file that failed to open has nothing to close
    file?.then(opened => opened.close()).catch(() => {})
    if (this.references === 0) this.unmap()
  }

  /** Deletes the file; slices that are held stay readable. */
  destroy(): void {
    this.disk.remove(this.path)
    this.close()
  }

  private unmap(): void {
    const mapping = this.mapping
    this.mapping = undefined
    this.buffer = NO_BYTES
    this.view = NO_VIEW
    mapping?.close()
  }
}
