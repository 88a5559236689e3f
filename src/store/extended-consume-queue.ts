import { MQError } from '../util/index.js'
import { ConsumeQueue } from './consume-queue.js'
import { BLANK_UNIT_SIZE, type ConsumeQueueChunk } from './consume-queue-chunk.js'
import { ConsumeQueueExt, type ExtUnit } from './consume-queue-ext.js'
import type { ConsumeQueueShared, QueueReach, UnitPut } from './consume-queue-types.js'
import { extOffsetAt, setExtAddress } from './ext-address.js'

export interface ExtensionPlace {
  readonly folder: string
  readonly fileSize: number
  /** Whether new units get extensions; without it those there are only read. */
  readonly isWritten: boolean
}

/** Bytes of a unit in front of its tags code or address. */
const TAGS_CODE_POSITION = 12

/**
 * A queue whose units may point to extensions (`enableConsumeQueueExt`). Units are written before what they point to:
 * what counts as written out, or durable, then has both, and what a crash finds with one alone is built again.
 */
export class ExtendedConsumeQueue extends ConsumeQueue {
  override readonly ext: ConsumeQueueExt
  readonly isWritten: boolean
  /** Of the unit being put. */
  private next: ExtUnit | undefined
  /** Extensions end where the units do: seen to before the first new one, when units of a crash are gone. */
  private isFitted = false

  constructor(
    shared: ConsumeQueueShared,
    name: { topic: string; queueId: number },
    folder: string,
    at: ExtensionPlace,
  ) {
    super(shared, name.topic, name.queueId, folder)
    this.ext = new ConsumeQueueExt(shared, at.folder, at.fileSize)
    this.isWritten = at.isWritten
  }

  /** As {@link put}; the tags code goes into the extension. */
  putExtended(physicalOffset: number, size: number, queueOffset: number, extension: ExtUnit): UnitPut {
    this.next = this.isWritten ? extension : undefined
    const put = this.put(physicalOffset, size, extension.tagsCode, queueOffset)
    this.next = undefined
    return put
  }

  protected override append(physicalOffset: number, size: number, tagsCode: number): void {
    const { next } = this
    if (!this.isFitted) this.fit()
    const offset = next === undefined || size === BLANK_UNIT_SIZE ? -1 : this.ext.put(next)
    if (offset < 0) super.append(physicalOffset, size, tagsCode)
    else {
      const chunk: ConsumeQueueChunk = this.chunkForNext()
      const at = chunk.length
      chunk.append(physicalOffset, size, 0)
      setExtAddress(chunk.view, at + TAGS_CODE_POSITION, offset)
      this.noteAppended(physicalOffset, size)
    }
  }

  override get bufferedBytes(): number {
    return super.bufferedBytes + this.ext.bufferedBytes
  }

  override load(isLengthKnown = false, expected?: QueueReach, minPhysicalOffset?: number): string | undefined {
    const problem = this.ext.open()
    const own = super.load(isLengthKnown, expected, minPhysicalOffset)
    if (problem !== undefined) {
      if (!isLengthKnown) throw new MQError('ERR_FILE_LENGTH', problem)
      // the units that point there are built again with it
      this.reset()
      return own ?? problem
    }
    return own
  }

  override truncateTo(physicalOffset: number): void {
    super.truncateTo(physicalOffset)
    this.isFitted = false
  }

  /** The address in a unit; -1 where it holds a tags code. */
  private addressOf(number: number): number {
    const view = number >= 0 ? this.unitViewSync(number) : undefined
    return view === undefined ? -1 : extOffsetAt(view, TAGS_CODE_POSITION)
  }

  /** Takes away what no unit points to. */
  private fit(): void {
    this.isFitted = true
    if (this.ext.isEmpty && this.endUnit === 0) return
    const last = this.addressOf(this.endUnit - 1)
    if (this.endUnit === 0) this.ext.reset()
    else if (last >= 0) this.ext.endBehind(last)
    else if (!this.ext.isEmpty) this.ext.endWhereFilesEnd()
  }

  override reset(): void {
    super.reset()
    this.ext.reset()
  }

  override deleteExpiredFiles(): number {
    const deleted = super.deleteExpiredFiles()
    const first = this.addressOf(Math.min(this.minUnit, this.endUnit - 1))
    return deleted + (first < 0 ? 0 : this.ext.deleteBefore(first))
  }

  override async writeOut(): Promise<void> {
    await super.writeOut()
    try {
      await this.ext.writeOut()
    } catch (error) {
      this.markDirty()
      throw error
    }
  }

  override dropWritten(): void {
    super.dropWritten()
    if (!this.isDirty) this.ext.dropWritten()
  }

  override async flush(): Promise<void> {
    await this.ext.flush()
    await super.flush()
  }

  override noteFlushed(reached: QueueReach): void {
    this.ext.noteFlushed()
    super.noteFlushed(reached)
  }

  override destroy(): void {
    super.destroy()
    this.ext.destroy()
  }
}
