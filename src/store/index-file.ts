import { type Disk, type DiskFile, type Mapping, MQError } from '../util/index.js'
import { getInt64, setInt64, viewOf } from './int64-view.js'

const HEADER_SIZE = 40
const SLOT_SIZE = 4
const ITEM_SIZE = 20
/** Items are given blocks this many bytes ahead, so that a full disk is an error and not a signal. */
const ALLOCATION_STEP = 4 * 1024 * 1024
const MAX_TIME_DIFF = 0x7fffffff

export interface IndexFileShape {
  /** `maxHashSlotNum`. */
  readonly slots: number
  /** `maxIndexNum`. */
  readonly items: number
}

export function indexFileLength(shape: IndexFileShape): number {
  return HEADER_SIZE + shape.slots * SLOT_SIZE + shape.items * ITEM_SIZE
}

/** One entry as the file holds it. */
export interface IndexItem {
  readonly keyHash: number
  readonly physicalOffset: number
  readonly timeDiffSeconds: number
  readonly previous: number
}

/**
 * A hash index over message keys (store-format 6): slots, each with the number of its newest item; items linked from
 * newest to oldest. Only the newest file of a store is mapped; older ones are read off the loop.
 */
export class IndexFile {
  beginTimestamp = 0
  endTimestamp = 0
  beginPhyOffset = 0
  endPhyOffset = 0
  /** Slots in use. */
  hashSlotCount = 0
  /** Number of the next item; the first is 1. */
  indexCount = 1

  private readonly itemsAt: number
  private mapping: Mapping | undefined
  private view: DataView | undefined
  private file: Promise<DiskFile> | undefined
  private allocatedTo = 0
  private allocating = false

  private constructor(
    private readonly disk: Disk,
    readonly path: string,
    readonly shape: IndexFileShape,
  ) {
    this.itemsAt = HEADER_SIZE + shape.slots * SLOT_SIZE
  }

  /** Makes an empty file; its header begins with what the full one before it ended with, as Java's does. */
  static create(disk: Disk, path: string, shape: IndexFileShape, previous: IndexFile | undefined): IndexFile {
    const file = new IndexFile(disk, path, shape)
    file.adopt(disk.mapSync(path, { length: indexFileLength(shape), create: true, allocate: false }))
    file.mapping!.allocateSync(0, Math.min(file.itemsAt + ITEM_SIZE, file.length))
    file.allocatedTo = file.itemsAt + ITEM_SIZE
    if (previous !== undefined) {
      file.beginTimestamp = file.endTimestamp = previous.endTimestamp
      file.beginPhyOffset = file.endPhyOffset = previous.endPhyOffset
      file.writeHeader()
    }
    return file
  }

  /** Opens a file of the disk without mapping it. Throws MQError `ERR_FILE_LENGTH` when it has another shape. */
  static open(disk: Disk, path: string, shape: IndexFileShape): IndexFile {
    const file = new IndexFile(disk, path, shape)
    const length = disk.stat(path)?.length
    if (length !== file.length) {
      throw new MQError(
        'ERR_FILE_LENGTH',
        `${path} has ${length} bytes instead of the ${file.length} that maxHashSlotNum and maxIndexNum make: ` +
          'set what this store was written with, or delete the folder index to begin a new one',
      )
    }
    const opened = disk.openSync(path)
    const header = Buffer.alloc(HEADER_SIZE)
    opened.readSync(header, 0)
    opened.close()
    file.readHeader(viewOf(header))
    return file
  }

  get length(): number {
    return indexFileLength(this.shape)
  }

  get isFull(): boolean {
    return this.indexCount >= this.shape.items
  }

  /** What of the header cannot be; undefined when all of it fits the newest entry. */
  problem(): string | undefined {
    const { indexCount, hashSlotCount, shape } = this
    if (indexCount > shape.items || hashSlotCount < 0 || hashSlotCount > Math.min(shape.slots, indexCount - 1)) {
      return `has a damaged header (${indexCount} entries, ${hashSlotCount} slots)`
    }
    if (this.beginPhyOffset > this.endPhyOffset || this.beginTimestamp < 0 || this.endTimestamp < 0) {
      return 'has a damaged header (it ends before it begins)'
    }
    if (indexCount === 1) return undefined
    const [first, last] = [this.readItemSync(1), this.readItemSync(indexCount - 1)]
    if (first.physicalOffset !== this.beginPhyOffset || last.physicalOffset !== this.endPhyOffset) {
      return 'has a header that does not fit its entries'
    }
    return undefined
  }

  /** Whether its times are those of its first and last record, as far as the log still has them. */
  timeProblem(storeTimeOf: (physicalOffset: number) => number | undefined): string | undefined {
    if (this.indexCount === 1) return undefined
    const begin = storeTimeOf(this.beginPhyOffset) ?? this.beginTimestamp
    const end = storeTimeOf(this.endPhyOffset) ?? this.endTimestamp
    return begin === this.beginTimestamp && end === this.endTimestamp ? undefined : 'has damaged times in its header'
  }

  private readItemSync(item: number): IndexItem {
    const bytes = Buffer.alloc(ITEM_SIZE)
    const position = this.itemsAt + item * ITEM_SIZE
    if (this.mapping !== undefined) this.mapping.buffer.copy(bytes, 0, position, position + ITEM_SIZE)
    else {
      const opened = this.disk.openSync(this.path)
      opened.readSync(bytes, position)
      opened.close()
    }
    return itemAt(viewOf(bytes), 0)
  }

  get isMapped(): boolean {
    return this.mapping !== undefined
  }

  /** Maps the file for writing. */
  map(): void {
    if (this.mapping !== undefined) return
    this.adopt(this.disk.mapSync(this.path, { length: this.length, create: false, allocate: false }))
    const used = this.itemsAt + Math.min(this.indexCount, this.shape.items) * ITEM_SIZE
    // files of Java are sparse: give the part in use its blocks
    this.mapping!.allocateSync(0, used)
    this.allocatedTo = used
  }

  private adopt(mapping: Mapping): void {
    this.mapping = mapping
    this.view = viewOf(mapping.buffer)
  }

  private readHeader(view: DataView): void {
    this.beginTimestamp = getInt64(view, 0)
    this.endTimestamp = getInt64(view, 8)
    this.beginPhyOffset = getInt64(view, 16)
    this.endPhyOffset = getInt64(view, 24)
    this.hashSlotCount = view.getInt32(32)
    this.indexCount = Math.max(1, view.getInt32(36))
  }

  private writeHeader(): void {
    const view = this.view!
    setInt64(view, 0, this.beginTimestamp)
    setInt64(view, 8, this.endTimestamp)
    setInt64(view, 16, this.beginPhyOffset)
    setInt64(view, 24, this.endPhyOffset)
    view.setInt32(32, this.hashSlotCount)
    view.setInt32(36, this.indexCount)
  }

  /** Enters a key by its hash (not negative). False when the file is full; throws ENOSPC when the disk is. */
  put(keyHash: number, physicalOffset: number, storeTimestamp: number): boolean {
    if (this.isFull) return false
    const view = this.view!
    const itemAt = this.itemsAt + this.indexCount * ITEM_SIZE
    if (itemAt + ALLOCATION_STEP / 2 > this.allocatedTo) this.allocateAhead(itemAt)
    const slotAt = HEADER_SIZE + (keyHash % this.shape.slots) * SLOT_SIZE
    let previous = view.getInt32(slotAt)
    if (previous <= 0 || previous > this.indexCount) previous = 0
    view.setInt32(itemAt, keyHash)
    setInt64(view, itemAt + 4, physicalOffset)
    view.setInt32(itemAt + 12, this.timeDiff(storeTimestamp))
    view.setInt32(itemAt + 16, previous)
    view.setInt32(slotAt, this.indexCount)
    if (this.indexCount <= 1) {
      this.beginPhyOffset = physicalOffset
      this.beginTimestamp = storeTimestamp
    }
    if (previous === 0) this.hashSlotCount++
    this.indexCount++
    this.endPhyOffset = physicalOffset
    this.endTimestamp = storeTimestamp
    this.writeHeader()
    return true
  }

  private timeDiff(storeTimestamp: number): number {
    if (this.beginTimestamp <= 0) return 0
    const seconds = Math.trunc((storeTimestamp - this.beginTimestamp) / 1000)
    return Math.max(0, Math.min(seconds, MAX_TIME_DIFF))
  }

  private allocateAhead(itemAt: number): void {
    const mapping = this.mapping!
    if (itemAt + ITEM_SIZE > this.allocatedTo) {
      const to = Math.min(itemAt + ITEM_SIZE + ALLOCATION_STEP, this.length)
      mapping.allocateSync(this.allocatedTo, to)
      this.allocatedTo = to
    } else if (!this.allocating && this.allocatedTo < this.length) {
      this.allocating = true
      const to = Math.min(this.allocatedTo + ALLOCATION_STEP, this.length)
      // a failure is met again, and answered, when the items get there
      const settle = (): void => {
        this.allocating = false
      }
      mapping.allocate(this.allocatedTo, to).then(() => {
        this.allocatedTo = Math.max(this.allocatedTo, to)
        settle()
      }, settle)
    }
  }

  /** Whether messages stored in `[begin, end]` (ms) may be in this file. */
  overlaps(begin: number, end: number): boolean {
    return this.indexCount > 1 && this.beginTimestamp <= end && this.endTimestamp >= begin
  }

  /**
   * Physical offsets of messages with this key hash stored in `[begin, end]` (ms, to the second), newest first, at most
   * `max`. Hashes only: the caller compares keys. Lets the loop go on between reads.
   */
  async query(keyHash: number, max: number, begin: number, end: number): Promise<number[]> {
    const found: number[] = []
    let item = await this.readSlot(keyHash % this.shape.slots)
    for (let steps = 1; item > 0 && item < this.indexCount && found.length < max; steps++) {
      const { keyHash: hash, physicalOffset, timeDiffSeconds, previous } = await this.readItem(item)
      // an entry of another slot: the chain is damaged here
      if (timeDiffSeconds < 0 || hash % this.shape.slots !== keyHash % this.shape.slots) break
      const time = this.beginTimestamp + timeDiffSeconds * 1000
      if (hash === keyHash && time >= begin && time <= end) found.push(physicalOffset)
      if (previous === item || time < begin) break
      item = previous
      if (steps % 256 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    return found
  }

  async readSlot(slot: number): Promise<number> {
    return (await this.bytesAt(HEADER_SIZE + slot * SLOT_SIZE, SLOT_SIZE)).readInt32BE(0)
  }

  async readItem(item: number): Promise<IndexItem> {
    return itemAt(viewOf(await this.bytesAt(this.itemsAt + item * ITEM_SIZE, ITEM_SIZE)), 0)
  }

  private async bytesAt(position: number, length: number): Promise<Buffer> {
    if (this.mapping !== undefined) return this.mapping.buffer.subarray(position, position + length)
    const bytes = Buffer.alloc(length)
    this.file ??= this.disk.open(this.path)
    await (await this.file).read(bytes, position)
    return bytes
  }

  /**
   * After a crash: keeps the items of records in front of `physicalOffset`, which are known to be on the disk, and
   * builds slots and header from them again, whatever those held. `storeTimeOf` gives the store time of the last one
   * kept. False when nothing is left and the file can go.
   */
  rebuildBefore(physicalOffset: number, storeTimeOf: (physicalOffset: number) => number | undefined): boolean {
    this.map()
    const view = this.view!
    const low = this.firstItemBehind(view, physicalOffset)
    if (low === 1) return false
    this.mapping!.zero(HEADER_SIZE, this.itemsAt)
    this.mapping!.zero(this.itemsAt + low * ITEM_SIZE, this.length)
    this.mapping!.allocateSync(0, this.itemsAt + low * ITEM_SIZE)
    this.hashSlotCount = 0
    for (let item = 1; item < low; item++) this.relink(view, item)
    this.indexCount = low
    const first = itemAt(view, this.itemsAt + ITEM_SIZE)
    const last = itemAt(view, this.itemsAt + (low - 1) * ITEM_SIZE)
    this.beginPhyOffset = first.physicalOffset
    this.beginTimestamp = storeTimeOf(first.physicalOffset) ?? this.beginTimestamp
    this.endPhyOffset = last.physicalOffset
    this.endTimestamp = storeTimeOf(last.physicalOffset) ?? this.beginTimestamp + last.timeDiffSeconds * 1000
    this.writeHeader()
    return true
  }

  /**
   * The number after the last item of a record in front of `physicalOffset`; a damaged one between is made harmless.
   */
  private firstItemBehind(view: DataView, physicalOffset: number): number {
    let previous = 0
    let item = 1
    for (; item < this.shape.items; item++) {
      const at = this.itemsAt + item * ITEM_SIZE
      const offset = getInt64(view, at + 4)
      const isWritten = offset !== 0 || view.getInt32(at) !== 0
      if (isWritten && offset >= previous && offset < physicalOffset && view.getInt32(at) >= 0) {
        previous = offset
        continue
      }
      const next = item + 1 < this.shape.items ? getInt64(view, at + ITEM_SIZE + 4) : 0
      if (next === 0 || next < previous || next >= physicalOffset) break
      view.setInt32(at, 0)
      setInt64(view, at + 4, previous)
    }
    return item
  }

  private relink(view: DataView, item: number): void {
    const at = this.itemsAt + item * ITEM_SIZE
    const slotAt = HEADER_SIZE + (view.getInt32(at) % this.shape.slots) * SLOT_SIZE
    const previous = view.getInt32(slotAt)
    if (previous === 0) this.hashSlotCount++
    view.setInt32(at + 16, previous)
    view.setInt32(slotAt, item)
  }

  async flush(): Promise<void> {
    await this.mapping?.flush()
  }

  /** Ends writing: the mapping goes, reads go through the pool from here on. */
  unmap(): void {
    this.mapping?.close()
    this.mapping = undefined
    this.view = undefined
  }

  close(): void {
    this.unmap()
    // a file that failed to open has nothing to close
    this.file?.then(opened => opened.close()).catch(() => {})
    this.file = undefined
  }
}

function itemAt(view: DataView, at: number): IndexItem {
  return {
    keyHash: view.getInt32(at),
    physicalOffset: getInt64(view, at + 4),
    timeDiffSeconds: view.getInt32(at + 12),
    previous: view.getInt32(at + 16),
  }
}
