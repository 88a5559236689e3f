import { join } from 'node:path'
import { IndexFile, type IndexFileShape, type IndexItem, indexFileLength } from '../store/index.js'
import { type Disk, type DiskFile, MQError, readInt64 } from '../util/index.js'
import { FileWindow } from './file-window.js'
import { findIndexShape } from './index-shape.js'
import type { StoreDirectory } from './store-directory.js'

export const INDEX_HEADER_SIZE = 40
export const INDEX_ITEM_SIZE = 20
export const INDEX_SLOT_SIZE = 4

export interface IndexHeader {
  readonly beginTimestamp: number
  readonly endTimestamp: number
  readonly beginPhyOffset: number
  readonly endPhyOffset: number
  readonly hashSlotCount: number
  /** Number of the next item; the first is 1. */
  readonly indexCount: number
}

/** One index file, opened for reading. */
export class IndexReader {
  private items: FileWindow | undefined

  private constructor(
    readonly path: string,
    readonly name: string,
    readonly shape: IndexFileShape,
    readonly open: DiskFile,
  ) {}

  /**
   * Opens a file; how many slots it has is found out from its content, unless given.
   * @throws MQError ERR_INDEX_SHAPE when that cannot be found
   */
  static async open(directory: StoreDirectory, name: string, hashSlots?: number): Promise<IndexReader> {
    const path = join(directory.path('index'), name)
    const open = await directory.disk.open(path)
    const shape = await findIndexShape(open, hashSlots)
    if (shape !== undefined) return new IndexReader(path, name, shape, open)
    open.close()
    throw new MQError(
      'ERR_INDEX_SHAPE',
      `${path} does not show how many hash slots it has: say it with --hash-slots (maxHashSlotNum of the broker)`,
    )
  }

  get itemsAt(): number {
    return INDEX_HEADER_SIZE + this.shape.slots * INDEX_SLOT_SIZE
  }

  /** Whether the file has the length that slots and items make; else it has been cut. */
  get hasFullLength(): boolean {
    return indexFileLength(this.shape) === this.open.length
  }

  async header(): Promise<IndexHeader> {
    const bytes = Buffer.alloc(INDEX_HEADER_SIZE)
    await this.open.read(bytes, 0)
    return {
      beginTimestamp: readInt64(bytes, 0),
      endTimestamp: readInt64(bytes, 8),
      beginPhyOffset: readInt64(bytes, 16),
      endPhyOffset: readInt64(bytes, 24),
      hashSlotCount: bytes.readInt32BE(32),
      indexCount: bytes.readInt32BE(36),
    }
  }

  positionOf(item: number): number {
    return this.itemsAt + item * INDEX_ITEM_SIZE
  }

  /** An item; undefined when it was never written. A promise only when it must be read from the file. */
  item(number: number): IndexItem | undefined | Promise<IndexItem | undefined> {
    const at = this.positionOf(number)
    const { items } = this
    return items !== undefined && items.available(at) >= INDEX_ITEM_SIZE
      ? decodeItem(items.view, at - items.start)
      : this.readItem(at)
  }

  private async readItem(at: number): Promise<IndexItem | undefined> {
    this.items ??= new FileWindow(this.open, INDEX_ITEM_SIZE * 16_384)
    await this.items.fill(at)
    return this.items.available(at) >= INDEX_ITEM_SIZE ? decodeItem(this.items.view, at - this.items.start) : undefined
  }

  /** Items in front of the first one that was never written, found by halving. */
  async usedItems(): Promise<number> {
    let low = 1
    let high = Math.max(1, Math.floor((this.open.length - this.itemsAt) / INDEX_ITEM_SIZE))
    const bytes = Buffer.alloc(INDEX_ITEM_SIZE)
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      bytes.fill(0)
      await this.open.read(bytes, this.positionOf(middle))
      if (bytes.some(byte => byte !== 0)) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  async slot(slot: number): Promise<number> {
    const bytes = Buffer.alloc(INDEX_SLOT_SIZE)
    await this.open.read(bytes, INDEX_HEADER_SIZE + slot * INDEX_SLOT_SIZE)
    return bytes.readInt32BE(0)
  }

  /** The same file for look-ups, as brokers do them. */
  forLookUp(disk: Disk): IndexFile {
    return IndexFile.open(disk, this.path, this.shape)
  }

  close(): void {
    this.open.close()
  }
}

export function decodeItem(view: DataView, at: number): IndexItem | undefined {
  const keyHash = view.getInt32(at)
  const physicalOffset = Number(view.getBigInt64(at + 4))
  const timeDiffSeconds = view.getInt32(at + 12)
  const previous = view.getInt32(at + 16)
  const isWritten = keyHash !== 0 || physicalOffset !== 0 || timeDiffSeconds !== 0 || previous !== 0
  return isWritten ? { keyHash, physicalOffset, timeDiffSeconds, previous } : undefined
}
