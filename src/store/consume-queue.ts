import { join } from 'node:path'
import { assert, type Disk, MQError } from '../util/index.js'
import { BLANK_UNIT_SIZE, CHUNK_SIZE, ConsumeQueueChunk, UNIT_SIZE } from './consume-queue-chunk.js'
import type { ChunkCache, OpenFiles } from './consume-queue-files.js'
import { getInt64, viewOf } from './int64-view.js'
import { fileNameOfOffset } from './mapped-file-queue.js'

/** What all queues of a store share. */
export interface ConsumeQueueShared {
  readonly disk: Disk
  readonly files: OpenFiles
  readonly cache: ChunkCache
  /** Bytes per file, a multiple of 20. */
  readonly fileSize: number
  /** Told once when a queue begins to hold units that its files do not. */
  readonly onDirty: (queue: ConsumeQueue) => void
}

/** Outcome of {@link ConsumeQueue.put}. */
export type UnitPut = 'appended' | 'present' | 'gap'

const unit = Buffer.alloc(UNIT_SIZE)
const unitView = viewOf(unit)
let lastSerial = 0

/**
 * One queue of a topic: units of 20 bytes that point into the commit log (store-format 5). New units stay in memory
 * until {@link writeOut} brings them to the files, so that 50 000 queues need neither 50 000 mappings nor a page
 * fault per append; what a crash takes of them is built again from the log.
 */
export class ConsumeQueue {
  /** Index of the first unit whose record still exists. */
  minOffset = 0
  /** Index after the last unit: how far consumers see. */
  maxOffset = 0
  /** Offset that the next appended message gets; ahead of {@link maxOffset} while records wait to be dispatched. */
  nextOffset = 0
  /** End of the record that the last unit points to; -1 when there is none. */
  maxPhysicalOffset = -1
  /** Set between {@link ConsumeQueueShared.onDirty} and the write that makes it clean. */
  isDirty = false

  private readonly serial = ++lastSerial
  /** Start positions of the files on the disk, ascending. */
  private fileStarts: number[] = []
  /** Start positions of files written to since the last {@link flush}. */
  private readonly unflushed = new Set<number>()
  /** Oldest first; the last takes new units. All units before the first of them are in the files. */
  private chunks: ConsumeQueueChunk[] = []

  constructor(
    private readonly shared: ConsumeQueueShared,
    readonly topic: string,
    readonly queueId: number,
    readonly folder: string,
  ) {}

  /** Bytes of memory held for units that are not in the files, or were appended a moment ago. */
  get bufferedBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.buffer.length, 0)
  }

  get isEmpty(): boolean {
    return this.maxOffset === 0
  }

  /** Whether appending `queueOffset` next would leave a hole, or begin the queue in the middle. */
  wouldSkip(queueOffset: number): boolean {
    return queueOffset > this.maxOffset
  }

  /**
   * Takes the unit of a record in log order (store-format 5.2). A record that is already in the queue changes nothing.
   * A queue without units begins at `queueOffset`. In front of a hole (records lost from the log) blank units are
   * put, so that offsets keep their meaning; the answer is then `gap`.
   */
  put(physicalOffset: number, size: number, tagsCode: number, queueOffset: number): UnitPut {
    if (queueOffset !== this.maxOffset) {
      if (physicalOffset + size <= this.maxPhysicalOffset || queueOffset < this.maxOffset) return 'present'
      const isFirst = this.maxOffset === 0
      if (isFirst) this.beginAt(queueOffset)
      else this.appendBlanks(queueOffset - this.maxOffset)
      this.append(physicalOffset, size, tagsCode)
      return isFirst ? 'appended' : 'gap'
    }
    if (physicalOffset + size <= this.maxPhysicalOffset) return 'present'
    this.append(physicalOffset, size, tagsCode)
    return 'appended'
  }

  private append(physicalOffset: number, size: number, tagsCode: number): void {
    let chunk = this.chunks[this.chunks.length - 1]
    if (chunk === undefined || chunk.length === chunk.buffer.length) chunk = this.makeRoom(chunk)
    chunk.append(physicalOffset, size, tagsCode)
    this.maxOffset++
    this.maxPhysicalOffset = physicalOffset + size
    if (!this.isDirty) {
      this.isDirty = true
      this.shared.onDirty(this)
    }
  }

  private makeRoom(last: ConsumeQueueChunk | undefined): ConsumeQueueChunk {
    if (last?.grow(this.chunkLimit(last.start) - last.start)) return last
    const start = this.maxOffset * UNIT_SIZE
    const chunk = ConsumeQueueChunk.empty(start, this.chunkLimit(start) - start)
    this.chunks.push(chunk)
    return chunk
  }

  /** The first unit of the queue is number `queueOffset`: what stands before it in its file is blank. */
  private beginAt(queueOffset: number): void {
    const position = queueOffset * UNIT_SIZE
    this.minOffset = queueOffset
    this.maxOffset = Math.floor(position / this.shared.fileSize) * (this.shared.fileSize / UNIT_SIZE)
    this.appendBlanks(queueOffset - this.maxOffset)
  }

  private appendBlanks(count: number): void {
    const physicalEnd = this.maxPhysicalOffset
    for (let i = 0; i < count; i++) this.append(0, BLANK_UNIT_SIZE, 0)
    this.maxPhysicalOffset = physicalEnd
  }

  private fileStart(position: number): number {
    return Math.floor(position / this.shared.fileSize) * this.shared.fileSize
  }

  private chunkStart(position: number): number {
    const fileStart = this.fileStart(position)
    return fileStart + Math.floor((position - fileStart) / CHUNK_SIZE) * CHUNK_SIZE
  }

  private chunkLimit(position: number): number {
    return Math.min(this.chunkStart(position) + CHUNK_SIZE, this.fileStart(position) + this.shared.fileSize)
  }

  private cacheKey(position: number): number {
    return this.serial * 2 ** 31 + this.chunkStart(position) / UNIT_SIZE
  }

  private path(fileStart: number): string {
    return join(this.folder, fileNameOfOffset(fileStart))
  }

  /** Index of the first unit of the file after the one that holds `queueOffset`. */
  nextFileOffset(queueOffset: number): number {
    return (this.fileStart(queueOffset * UNIT_SIZE) + this.shared.fileSize) / UNIT_SIZE
  }

  /** The units in memory around `queueOffset`; undefined when they must be {@link loadChunk}ed first. */
  chunkAt(queueOffset: number): ConsumeQueueChunk | undefined {
    const position = queueOffset * UNIT_SIZE
    const chunks = this.chunks
    if (chunks.length > 0 && position >= chunks[0]!.start) {
      for (let i = chunks.length - 1; i >= 0; i--) if (position >= chunks[i]!.start) return chunks[i]
    }
    const cached = this.shared.cache.get(this.cacheKey(position))
    return cached !== undefined && position < cached.end ? cached : undefined
  }

  /** Whether some file or buffer holds the unit. */
  holds(queueOffset: number): boolean {
    if (queueOffset >= this.maxOffset) return false
    const position = queueOffset * UNIT_SIZE
    if (this.chunks.length > 0 && position >= this.chunks[0]!.start) return true
    return this.fileStarts.includes(this.fileStart(position))
  }

  /** Reads the units around `queueOffset` from their file, off the loop, into the cache that all queues share. */
  async loadChunk(queueOffset: number): Promise<ConsumeQueueChunk> {
    const position = queueOffset * UNIT_SIZE
    const start = this.chunkStart(position)
    const fileStart = this.fileStart(position)
    const end = Math.min(this.chunkLimit(position), this.chunks[0]?.start ?? this.maxOffset * UNIT_SIZE)
    assert(end > position, `unit ${queueOffset} of ${this.topic}-${this.queueId} is not in a file`)
    const buffer = Buffer.allocUnsafeSlow(end - start)
    const file = await this.shared.files.open(this.path(fileStart))
    const got = await file.read(buffer, start - fileStart)
    if (got < buffer.length)
      throw new MQError('ERR_SHORT_READ', `${this.path(fileStart)} ends before ${end - fileStart}`)
    const chunk = new ConsumeQueueChunk(start, buffer, buffer.length)
    this.shared.cache.put(this.cacheKey(position), chunk)
    return chunk
  }

  /** The unit's fields, read at once: for start-up, where nothing waits. Undefined when no file holds it. */
  readUnitSync(queueOffset: number): { physicalOffset: number; size: number; tagsCode: number } | undefined {
    const position = queueOffset * UNIT_SIZE
    const inMemory = this.chunks.find(chunk => position >= chunk.start && position < chunk.end)
    if (inMemory !== undefined) return unitAt(inMemory.view, position - inMemory.start)
    const fileStart = this.fileStart(position)
    if (!this.fileStarts.includes(fileStart)) return undefined
    const file = this.shared.files.openSync(this.path(fileStart))
    if (file.readSync(unit, position - fileStart) < UNIT_SIZE) return undefined
    return unitAt(unitView, 0)
  }

  /** Finds the files and the end of the units in them: the first unit that `isValid` refuses, by halving. */
  load(): void {
    const { disk, fileSize } = this.shared
    const names = disk.list(this.folder).filter(entry => !entry.isFolder && /^\d{20}$/.test(entry.name))
    this.fileStarts = names.map(entry => Number(entry.name)).sort((a, b) => a - b)
    for (const start of this.fileStarts) {
      const length = disk.stat(this.path(start))?.length
      if (length !== fileSize && !(length === 0 && start === this.fileStarts.at(-1))) {
        throw new MQError(
          'ERR_FILE_LENGTH',
          `${this.path(start)} has ${length} bytes but mappedFileSizeConsumeQueue is ${fileSize}: set the size that ` +
            'this store was written with, or delete the folder to have the queue built again from the commit log',
        )
      }
    }
    this.dropEmptyLastFile()
    const first = this.fileStarts[0]
    if (first === undefined) return
    this.minOffset = first / UNIT_SIZE
    this.maxOffset = (this.fileStarts.at(-1)! + fileSize) / UNIT_SIZE
    this.cutWhere(() => true)
  }

  private dropEmptyLastFile(): void {
    const last = this.fileStarts.at(-1)
    if (last !== undefined && this.shared.disk.stat(this.path(last))?.length === 0) {
      this.shared.disk.remove(this.path(last))
      this.fileStarts.pop()
    }
  }

  /** Drops every unit from the first one on that points at or behind `physicalOffset`, or to nothing. */
  truncateTo(physicalOffset: number): void {
    if (this.maxOffset > 0) this.cutWhere(at => at < physicalOffset)
  }

  /** Keeps the leading units that are valid and pass; the others are zeroed in the files. */
  private cutWhere(keeps: (physicalOffset: number) => boolean): void {
    assert(!this.isDirty, 'a queue is cut before it takes new units')
    let low = (this.fileStarts[0] ?? 0) / UNIT_SIZE
    let high = this.maxOffset
    const before = high
    const first = low
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const found = this.readUnitSync(middle)
      const keep = found !== undefined && found.size > 0 && found.physicalOffset >= 0
      if (keep && (found.size === BLANK_UNIT_SIZE || keeps(found.physicalOffset))) low = middle + 1
      else high = middle
    }
    this.maxOffset = low
    this.chunks = []
    const last = low > first ? this.readUnitSync(low - 1) : undefined
    if (last === undefined) this.removeFiles()
    else {
      this.maxPhysicalOffset = last.size === BLANK_UNIT_SIZE ? -1 : last.physicalOffset + last.size
      if (low < before) this.eraseFrom(low * UNIT_SIZE)
    }
  }

  private removeFiles(): void {
    for (const start of this.fileStarts) this.removeFile(start)
    this.fileStarts = []
    this.minOffset = this.maxOffset = 0
    this.maxPhysicalOffset = -1
  }

  private removeFile(start: number): void {
    this.unflushed.delete(start)
    this.shared.files.forget(this.path(start))
    this.shared.disk.remove(this.path(start))
  }

  /** Zeros what stands behind `position` and removes the files after it. */
  private eraseFrom(position: number): void {
    const lastFile = this.fileStart(position - UNIT_SIZE)
    for (const start of this.fileStarts) if (start > lastFile) this.removeFile(start)
    this.fileStarts = this.fileStarts.filter(start => start <= lastFile)
    const file = this.shared.files.openSync(this.path(lastFile))
    const chunk = Buffer.alloc(65_536)
    for (let at = position; at < lastFile + this.shared.fileSize; at += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, lastFile + this.shared.fileSize - at))
      const got = file.readSync(part, at - lastFile)
      // units are written in order: a stretch of zeros is the end of what was ever written
      if (!part.subarray(0, got).some(byte => byte !== 0)) return
      file.writeSync(part.fill(0), at - lastFile)
    }
  }

  /** Deletes every unit and file; the queue begins again at 0. */
  reset(): void {
    this.chunks = []
    this.isDirty = false
    this.removeFiles()
  }

  /**
   * Moves {@link minOffset} to the first unit whose record lies at or behind `minPhysicalOffset`; to the end when there
   * is none (the queue keeps its numbering).
   */
  correctMinOffset(minPhysicalOffset: number): void {
    let low = (this.fileStarts[0] ?? this.chunks[0]?.start ?? 0) / UNIT_SIZE
    let high = this.maxOffset
    const first = this.readUnitSync(low)
    if (first !== undefined && first.size !== BLANK_UNIT_SIZE && first.physicalOffset >= minPhysicalOffset) high = low
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      // blank units tell nothing: ask the first real one behind them
      let at = middle
      let found = this.readUnitSync(at)
      while (found?.size === BLANK_UNIT_SIZE && at + 1 < high) found = this.readUnitSync(++at)
      const isReal = found !== undefined && found.size !== BLANK_UNIT_SIZE
      if (isReal && found!.physicalOffset >= minPhysicalOffset) high = middle
      else low = at + 1
    }
    // offsets in front of the first record stand for nothing
    while (low < this.maxOffset && this.readUnitSync(low)?.size === BLANK_UNIT_SIZE) low++
    this.minOffset = low
  }

  /** Deletes the files, the newest excepted, that hold no unit at or behind {@link minOffset}; how many. */
  deleteExpiredFiles(): number {
    const expired = this.fileStarts
      .slice(0, -1)
      .filter(start => start + this.shared.fileSize <= this.minOffset * UNIT_SIZE)
    for (const start of expired) this.removeFile(start)
    this.fileStarts = this.fileStarts.filter(start => !expired.includes(start))
    return expired.length
  }

  /**
   * Brings all units so far to the files, off the loop. One call at a time per queue. Rejects with what the disk
   * says; the units stay in memory then.
   */
  async writeOut(): Promise<void> {
    this.isDirty = false
    try {
      for (const chunk of [...this.chunks]) {
        const upTo = chunk.length
        if (upTo > chunk.written) await this.writeChunk(chunk, upTo)
      }
    } catch (error) {
      if (!this.isDirty) {
        this.isDirty = true
        this.shared.onDirty(this)
      }
      throw error
    }
    this.releaseWritten()
  }

  private async writeChunk(chunk: ConsumeQueueChunk, upTo: number): Promise<void> {
    const fileStart = this.fileStart(chunk.start)
    const path = this.path(fileStart)
    const isNew = !this.fileStarts.includes(fileStart)
    if (isNew) this.shared.disk.makeFolder(this.folder)
    const file = await this.shared.files.open(path, isNew ? this.shared.fileSize : undefined)
    if (isNew && !this.fileStarts.includes(fileStart)) this.fileStarts.push(fileStart)
    await file.write([chunk.buffer.subarray(chunk.written, upTo)], chunk.start + chunk.written - fileStart)
    chunk.written = upTo
    this.unflushed.add(fileStart)
  }

  /** Full chunks that the files hold go to the shared cache; the last stays to be appended to. */
  private releaseWritten(): void {
    while (this.chunks.length > 1) {
      const chunk = this.chunks[0]!
      if (chunk.written < chunk.length) return
      this.chunks.shift()
      const isWhole = chunk.start === this.chunkStart(chunk.start) && chunk.end === this.chunkLimit(chunk.start)
      if (isWhole) this.shared.cache.put(this.cacheKey(chunk.start), chunk)
    }
  }

  /** Frees the memory of units that the files hold: readers load them from there. */
  dropWritten(): void {
    if (!this.isDirty && this.chunks.every(chunk => chunk.written === chunk.length)) this.chunks = []
  }

  /** Makes what {@link writeOut} wrote durable. */
  async flush(): Promise<void> {
    for (const start of [...this.unflushed]) {
      this.unflushed.delete(start)
      try {
        if (this.fileStarts.includes(start)) await (await this.shared.files.open(this.path(start))).flush()
      } catch (error) {
        this.unflushed.add(start)
        throw error
      }
    }
  }

  /** Everything written was made durable by other means. */
  noteFlushed(): void {
    this.unflushed.clear()
  }

  get needsFlush(): boolean {
    return this.unflushed.size > 0
  }

  /** Forgets files that were closed elsewhere; deletes the folder. */
  destroy(): void {
    this.reset()
    this.shared.disk.removeFolder(this.folder)
  }
}

function unitAt(view: DataView, at: number): { physicalOffset: number; size: number; tagsCode: number } {
  return { physicalOffset: getInt64(view, at), size: view.getInt32(at + 8), tagsCode: getInt64(view, at + 12) }
}
