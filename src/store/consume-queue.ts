import { isLmq } from '../common/index.js'
import { assert, type FilePiece, MQError } from '../util/index.js'
import { BLANK_UNIT_SIZE, CHUNK_UNITS, ConsumeQueueChunk, UNIT_SIZE } from './consume-queue-chunk.js'
import type { ConsumeQueueExt } from './consume-queue-ext.js'
import {
  type ConsumeQueueShared,
  type QueueReach,
  type UnitFields,
  type UnitPut,
  unitAt,
} from './consume-queue-types.js'
import { setInt64, viewOf } from './int64-view.js'
import { bytesOf, neighbours, positionOf, type UnwrittenPart, type UnwrittenUnits } from './queue-writing.js'
import { UnitFiles } from './unit-files.js'
import { firstRecordAsNoted, UnitSearch } from './unit-search.js'

/** Room for the largest unit there is. */
const unit = Buffer.alloc(64)
const unitView = viewOf(unit)
let lastSerial = 0

/**
 * One queue of a topic: units of 20 bytes that point into the commit log (store-format 5). New units stay in memory
 * until {@link writeOut} brings them to the files, so that 50 000 queues need neither 50 000 mappings nor a page
 * fault per append; what a crash takes of them is built again from the log.
 */
export class ConsumeQueue {
  // what an append needs stands first and together: with tens of thousands of queues each line of it is waited for
  /** Number after the last unit. */
  endUnit = 0
  /** Offset that the next appended message gets; ahead of {@link maxOffset} while records wait to be dispatched. */
  nextOffset = 0
  /** The last of {@link chunks}, which takes new units. */
  private tail: ConsumeQueueChunk | undefined = undefined
  /** Set between {@link ConsumeQueueShared.onDirty} and the write that makes it clean. */
  isDirty = false
  /** Where units say more of their messages; only in an {@link ExtendedConsumeQueue}. */
  readonly ext: ConsumeQueueExt | undefined = undefined
  /** End of the record that the last unit points to; -1 when there is none. */
  maxPhysicalOffset = -1

  /** Number of the first unit whose record still exists; a unit's number is its place in the files. */
  minUnit = 0
  /** An operator took away what stands before this offset. */
  purgedTo = 0
  /** Set by a delete: what is still under way must not make files again. */
  isDropped = false
  /** {@link maxOffset} and {@link maxPhysicalOffset} as far as the files held them at the last write. */
  private writtenTo: QueueReach = { maxOffset: 0, maxPhysicalOffset: -1 }
  /** The same as far as a power cut cannot take it. */
  flushedTo = this.writtenTo
  /** What {@link minUnit} was found for; -1 when it must be looked for again. */
  private beginsFor = -1
  /** Its units point to records of other queues too (LMQ): those say nothing of this queue. */
  readonly isShared: boolean

  protected readonly files: UnitFiles
  private readonly chunkSize: number
  /** New whenever units were taken back, so that nothing cached before is read again. */
  private serial = ++lastSerial
  /** Oldest first. All units before the first of them are in the files. */
  private chunks: ConsumeQueueChunk[] = []

  constructor(
    private readonly shared: ConsumeQueueShared,
    readonly topic: string,
    readonly queueId: number,
    readonly folder: string,
    /** Bytes of a unit. */
    readonly unitSize = UNIT_SIZE,
  ) {
    const fileSize = Math.ceil(shared.fileSize(unitSize) / unitSize) * unitSize
    this.files = new UnitFiles(shared.disk, shared.files, folder, fileSize)
    this.chunkSize = CHUNK_UNITS * unitSize
    this.isShared = isLmq(topic)
  }

  get unitSearch(): UnitSearch {
    return new UnitSearch(this.files, this.unitSize, number => this.readUnitSync(number))
  }

  /** Offset of the first message whose record still exists. */
  get minOffset(): number {
    return Math.max(this.minUnit, this.purgedTo)
  }

  /** Offset after the last message: how far consumers see. */
  get maxOffset(): number {
    return this.endUnit
  }

  /** Number of the unit that holds a message. */
  locate(queueOffset: number): number | Promise<number> {
    return queueOffset
  }

  /** Offset of a unit's first message; `at` is the unit's position in `view`. */
  offsetOfUnit(number: number, _view: DataView, _at: number): number {
    return number
  }

  /** Messages of the unit at `at` in `view`. */
  messagesOfUnit(_view: DataView, _at: number): number {
    return 1
  }

  /** The queue id that a record of this queue holds, when it says `own`. */
  recordQueueId(own: number): number {
    return this.isShared ? own : this.queueId
  }

  /** Called when units have come or gone other than by {@link put}. */
  protected unitsChanged(): void {}

  /** Bytes of memory held for units that are not in the files, or were appended a moment ago. */
  get bufferedBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.capacity, 0)
  }

  get isEmpty(): boolean {
    return this.endUnit === 0
  }

  /**
   * Takes the unit of a record in log order (store-format 5.2). A record that is already in the queue changes nothing.
   * A queue without units begins at `queueOffset`. In front of a hole (records lost from the log) blank units are
   * put, so that offsets keep their meaning; the answer is then `gap`.
   */
  put(physicalOffset: number, size: number, tagsCode: number, queueOffset: number): UnitPut {
    if (queueOffset !== this.endUnit) {
      if (physicalOffset + size <= this.maxPhysicalOffset || queueOffset < this.endUnit) return 'present'
      const isFirst = this.endUnit === 0
      if (isFirst) this.beginAt(queueOffset)
      else this.appendBlanks(queueOffset - this.endUnit)
      this.append(physicalOffset, size, tagsCode)
      return isFirst ? 'appended' : 'gap'
    }
    if (physicalOffset + size <= this.maxPhysicalOffset) return 'present'
    this.append(physicalOffset, size, tagsCode)
    return 'appended'
  }

  protected append(physicalOffset: number, size: number, tagsCode: number): void {
    this.chunkForNext().append(physicalOffset, size, tagsCode)
    this.noteAppended(physicalOffset, size)
  }

  /** Where the next unit goes. */
  protected chunkForNext(): ConsumeQueueChunk {
    const chunk = this.tail
    return chunk === undefined || chunk.length === chunk.capacity ? this.makeRoom(chunk) : chunk
  }

  protected noteAppended(physicalOffset: number, size: number): void {
    this.endUnit++
    this.maxPhysicalOffset = physicalOffset + size
    this.shared.unwritten.units++
    if (!this.isDirty) this.markDirty()
  }

  markDirty(): void {
    if (this.isDirty) return
    this.isDirty = true
    this.shared.onDirty(this)
  }

  private makeRoom(last: ConsumeQueueChunk | undefined): ConsumeQueueChunk {
    if (last?.grow(this.chunkLimit(last.start) - last.start)) return last
    const start = this.endUnit * this.unitSize
    const chunk = ConsumeQueueChunk.empty(start, this.chunkLimit(start) - start, this.unitSize)
    this.chunks.push(chunk)
    this.tail = chunk
    return chunk
  }

  /** The first unit of the queue is number `queueOffset`: what stands before it in its file is blank. */
  private beginAt(queueOffset: number): void {
    const position = queueOffset * this.unitSize
    this.minUnit = queueOffset
    this.beginsFor = -1
    this.endUnit = Math.floor(position / this.files.fileSize) * (this.files.fileSize / this.unitSize)
    this.appendBlanks(queueOffset - this.endUnit)
  }

  private appendBlanks(count: number): void {
    const physicalEnd = this.maxPhysicalOffset
    for (let i = 0; i < count; i++) this.append(0, BLANK_UNIT_SIZE, 0)
    this.maxPhysicalOffset = physicalEnd
  }

  private chunkStart(position: number): number {
    const fileStart = this.files.startOf(position)
    return fileStart + Math.floor((position - fileStart) / this.chunkSize) * this.chunkSize
  }

  private chunkLimit(position: number): number {
    return Math.min(this.chunkStart(position) + this.chunkSize, this.files.startOf(position) + this.files.fileSize)
  }

  private cacheKey(position: number): number {
    return this.serial * 2 ** 31 + this.chunkStart(position) / this.unitSize
  }

  /** Index of the first unit of the file after the one that holds `queueOffset`. */
  nextFileOffset(queueOffset: number): number {
    return (this.files.startOf(queueOffset * this.unitSize) + this.files.fileSize) / this.unitSize
  }

  /** The units in memory around `queueOffset`; undefined when they must be {@link loadChunk}ed first. */
  chunkAt(queueOffset: number): ConsumeQueueChunk | undefined {
    const position = queueOffset * this.unitSize
    const chunks = this.chunks
    if (chunks.length > 0 && position >= chunks[0]!.start) {
      for (let i = chunks.length - 1; i >= 0; i--) if (position >= chunks[i]!.start) return chunks[i]
    }
    const cached = this.shared.cache.get(this.cacheKey(position))
    return cached !== undefined && position < cached.end ? cached : undefined
  }

  /** Whether some file or buffer holds the unit. */
  holds(queueOffset: number): boolean {
    if (queueOffset >= this.endUnit) return false
    const position = queueOffset * this.unitSize
    if (this.chunks.length > 0 && position >= this.chunks[0]!.start) return true
    return this.files.holds(position)
  }

  /** Reads the units around `queueOffset` from their file, off the loop, into the cache that all queues share. */
  async loadChunk(queueOffset: number): Promise<ConsumeQueueChunk> {
    const position = queueOffset * this.unitSize
    const start = this.chunkStart(position)
    const end = Math.min(this.chunkLimit(position), this.chunks[0]?.start ?? this.endUnit * this.unitSize)
    assert(end > position, `unit ${queueOffset} of ${this.topic}-${this.queueId} is not in a file`)
    const buffer = await this.files.read(start, end - start)
    const chunk = ConsumeQueueChunk.read(start, buffer)
    this.shared.cache.put(this.cacheKey(position), chunk)
    return chunk
  }

  /** The unit's fields, read at once: for start-up, where nothing waits. Undefined when no file holds it. */
  readUnitSync(number: number): UnitFields | undefined {
    const view = this.unitViewSync(number)
    return view && unitAt(view, 0)
  }

  /** The bytes of a unit; borrowed until the next call. */
  protected unitViewSync(number: number): DataView | undefined {
    const position = number * this.unitSize
    const inMemory = this.chunks.find(chunk => position >= chunk.start && position < chunk.end)
    if (inMemory !== undefined) {
      const at = position - inMemory.start
      unit.set(inMemory.bytes(at, at + this.unitSize))
      return unitView
    }
    const part = unit.subarray(0, this.unitSize)
    return this.files.readSync(part, position) < this.unitSize ? undefined : unitView
  }

  /**
   * Finds the files and the end of the units in them, by halving. Throws MQError `ERR_FILE_LENGTH` for a file of
   * another length than configured; where that length is known to be right all files go, and the answer is what was
   * wrong.
   */
  load(isLengthKnown = false, expected?: QueueReach, minPhysicalOffset = Number.POSITIVE_INFINITY): string | undefined {
    const { files, unitSize } = this
    const isPlain = unitSize === UNIT_SIZE
    const firstRecord = expected && isPlain ? firstRecordAsNoted(files, expected) : undefined
    if (expected !== undefined && firstRecord !== undefined) {
      ;({ maxOffset: this.endUnit, maxPhysicalOffset: this.maxPhysicalOffset } = expected)
      if (firstRecord >= minPhysicalOffset) this.beginsFor = minPhysicalOffset
      return undefined
    }
    files.list()
    const problem = files.problem(isPlain ? 'mappedFileSizeConsumeQueue' : 'mapperFileSizeBatchConsumeQueue')
    if (problem !== undefined) {
      if (!isLengthKnown) throw new MQError('ERR_FILE_LENGTH', problem)
      files.remove([...files.starts])
      return problem
    }
    const [first] = files.starts
    if (first === undefined) return undefined
    this.minUnit = first / unitSize
    this.endUnit = (files.starts.at(-1)! + files.fileSize) / unitSize
    if (expected === undefined || !this.endsNear(expected)) this.cutWhere(() => true)
    return undefined
  }

  /** Takes over where a queue was said to end, or not far behind it, if the files say so too: one read, no search. */
  private endsNear(expected: QueueReach): boolean {
    const { maxOffset } = expected
    if (this.unitSize !== UNIT_SIZE || maxOffset <= this.minUnit || maxOffset > this.endUnit) return false
    const end = this.unitSearch.endNear(expected, this.endUnit)
    if (end === undefined) return false
    this.endUnit = end.maxOffset
    this.maxPhysicalOffset = end.maxPhysicalOffset
    // a crash may leave more behind a gap: units put later would join it
    if (this.files.eraseFrom(this.endUnit * this.unitSize)) this.shared.onErased(this)
    return true
  }

  /**
   * Drops every unit from the first one on that points at or behind `physicalOffset`, or to nothing. `known`: how far
   * the queue was once, which saves the search where it was that far.
   */
  truncateTo(physicalOffset: number, known?: QueueReach): void {
    if (this.endUnit === 0 || this.maxPhysicalOffset <= physicalOffset) return
    if (known?.maxPhysicalOffset === physicalOffset && this.reached(known)) this.cutAt(known.maxOffset, known)
    else this.cutWhere(at => at < physicalOffset)
  }

  private reached({ maxOffset, maxPhysicalOffset }: QueueReach): boolean {
    const isInside = this.unitSize === UNIT_SIZE && maxOffset > this.minUnit && maxOffset <= this.endUnit
    return isInside && this.unitSearch.physicalEndOf(maxOffset - 1) === maxPhysicalOffset
  }

  /** Keeps the leading units that are valid and pass; the others are zeroed in the files. */
  private cutWhere(keeps: (physicalOffset: number) => boolean): void {
    assert(!this.isDirty, 'a queue is cut before it takes new units')
    this.cutAt(this.unitSearch.endWhere(keeps, (this.files.starts[0] ?? 0) / this.unitSize, this.endUnit))
  }

  /** Units from `end` on are zeroed in the files. */
  private cutAt(end: number, known?: QueueReach): void {
    const first = (this.files.starts[0] ?? 0) / this.unitSize
    const before = this.endUnit
    this.endUnit = end
    this.forgetChunks()
    this.serial = ++lastSerial
    this.beginsFor = -1
    const last = end > first ? this.readUnitSync(end - 1) : undefined
    if (last === undefined) this.removeFiles()
    else {
      this.maxPhysicalOffset = known?.maxPhysicalOffset ?? this.unitSearch.physicalEnd(first, end)
      if (end < before && this.files.eraseFrom(end * this.unitSize)) this.shared.onErased(this)
    }
    this.unitsChanged()
  }

  /** Whether the first message of some file lies in front of `physicalOffset`, or it has none at all. */
  pointsBefore(physicalOffset: number): boolean {
    return this.unitSearch.pointsBefore(physicalOffset, this.endUnit)
  }

  /** Numbers the next message `queueOffset`; nothing stands for the ones before it. */
  padTo(queueOffset: number): void {
    if (this.endUnit === 0) this.beginAt(queueOffset)
    else if (queueOffset > this.endUnit) this.appendBlanks(queueOffset - this.endUnit)
  }

  /** Puts the fields of a unit right that the files hold wrongly. */
  async repair(number: number, fields: UnitFields): Promise<void> {
    const position = number * this.unitSize
    const bytes = Buffer.alloc(UNIT_SIZE)
    const view = viewOf(bytes)
    setInt64(view, 0, fields.physicalOffset)
    view.setInt32(8, fields.size)
    setInt64(view, 12, fields.tagsCode)
    for (const chunk of [...this.chunks, this.shared.cache.get(this.cacheKey(position))]) {
      if (chunk && position >= chunk.start && position < chunk.end) chunk.set(bytes, position - chunk.start)
    }
    if (this.files.holds(position)) await this.files.write([bytes], position)
  }

  private removeFiles(): void {
    this.files.remove([...this.files.starts])
    this.minUnit = this.endUnit = 0
    this.maxPhysicalOffset = -1
  }

  /** Deletes every unit and file; the queue begins again at 0. */
  reset(): void {
    this.forgetChunks()
    this.isDirty = false
    this.serial = ++lastSerial
    this.beginsFor = -1
    this.removeFiles()
    this.unitsChanged()
  }

  /**
   * Moves {@link minOffset} to the first unit whose record lies at or behind `minPhysicalOffset`; to the end when there
   * is none (the queue keeps its numbering).
   */
  correctMinOffset(minPhysicalOffset: number): void {
    // new units do not change where the queue begins
    if (this.beginsFor === minPhysicalOffset) return
    this.beginsFor = minPhysicalOffset
    const low = (this.files.starts[0] ?? this.chunks[0]?.start ?? 0) / this.unitSize
    this.minUnit = this.unitSearch.firstBehind(minPhysicalOffset, low, this.endUnit)
    this.unitsChanged()
  }

  /** Deletes the files, the newest excepted, that hold no unit at or behind {@link minOffset}; how many. */
  deleteExpiredFiles(): number {
    const { starts, fileSize } = this.files
    const expired = starts.slice(0, -1).filter(start => start + fileSize <= this.minUnit * this.unitSize)
    this.files.remove(expired)
    return expired.length
  }

  /**
   * Brings all units so far to the files, off the loop. One call at a time per queue. Rejects with what the disk
   * says; the units stay in memory then.
   */
  async writeOut(): Promise<void> {
    const units = this.takeUnwritten()
    try {
      for (const parts of neighbours(units.parts, position => this.files.startOf(position))) {
        if (this.isDropped) break
        await this.files.write(parts.map(bytesOf), positionOf(parts[0]!))
        for (const part of parts) part.chunk.written = part.to
      }
    } catch (error) {
      this.markDirty()
      throw error
    }
    this.noteWritten(units)
  }

  /** Whether {@link takeUnwritten} is all that its files lack. */
  get canWriteTogether(): boolean {
    return this.ext === undefined
  }

  /** What its files lack; the caller writes it, and calls {@link noteWritten} or {@link markDirty}. */
  takeUnwritten(): UnwrittenUnits {
    this.isDirty = false
    const unwritten = this.chunks.filter(chunk => chunk.length > chunk.written)
    const parts = unwritten.map(chunk => ({ chunk, from: chunk.written, to: chunk.length }))
    return { reached: this.reach(), parts }
  }

  pieceFor(part: UnwrittenPart): FilePiece {
    return this.files.pieceFor(bytesOf(part), positionOf(part))
  }

  noteWritten({ reached, parts }: UnwrittenUnits): void {
    for (const { chunk, to } of parts) {
      chunk.written = to
      if (!this.isDropped) this.files.noteWritten(chunk.start)
    }
    this.writtenTo = reached
    this.releaseWritten()
  }

  private reach(): QueueReach {
    return { maxOffset: this.maxOffset, maxPhysicalOffset: this.maxPhysicalOffset }
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
    if (!this.isDirty && this.chunks.every(chunk => chunk.written === chunk.length)) this.forgetChunks()
  }

  private forgetChunks(): void {
    this.chunks = []
    this.tail = undefined
  }

  /** Makes what {@link writeOut} wrote durable. */
  async flush(): Promise<void> {
    const reached = this.writtenTo
    await this.files.flush()
    this.flushedTo = reached
  }

  /** Everything written was made durable by other means. */
  noteFlushed(reached: QueueReach): void {
    this.files.noteFlushed()
    this.flushedTo = reached
  }

  /** What {@link writeOut} brought to the files last. */
  get written(): QueueReach {
    return this.writtenTo
  }

  /** After a start: what the files hold counts as durable. */
  noteLoaded(): void {
    if (!this.isDirty) this.flushedTo = this.writtenTo = this.reach()
  }

  /** Forgets files that were closed elsewhere; deletes the folder. */
  destroy(): void {
    this.isDropped = true
    this.reset()
    this.shared.disk.removeFolder(this.folder)
  }
}
