import type { Clock, Disk } from '../util/index.js'
import type { StoreCheckpoint } from './checkpoint.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { IndexService } from './index-service.js'
import { manifestLines, writeManifest } from './queue-manifest.js'
import type { Reput } from './reput.js'
import type { StoreSettings } from './settings.js'
import type { StoreFolders } from './store-folders.js'
import { type StoreMarks, shapeOf } from './store-marks.js'

export interface QueueFlushingOptions {
  settings: StoreSettings
  disk: Disk
  clock: Clock
  folders: StoreFolders
  queues: ConsumeQueueStore
  index: IndexService | undefined
  checkpoint: StoreCheckpoint
  marks: StoreMarks
  reput: Reput
  flushedOffset: () => number
}

/**
 * Each queue costs a few system calls, however few units it got: many are written out once they have got so many on
 * average, at the latest with the thorough flush. Until then the log has what a crash takes of them.
 */
const MANY_QUEUES = 1000
const UNITS_PER_QUEUE = 48

/** Brings queues to their files often, and makes them durable, with index, checkpoint and manifest, now and then. */
export class QueueFlushing {
  private lastThorough = 0

  constructor(private readonly options: QueueFlushingOptions) {}

  /**
   * From here on the files are ours: what they are like is on the disk before the first message, with `mustFlush` how
   * full queues are, too. Without it a crash may have left units to be written: the log has them, and the first
   * {@link run} writes them, while messages are taken already.
   */
  async begin({ isAfterCrash, mustFlush }: { isAfterCrash: boolean; mustFlush: boolean }): Promise<void> {
    const { clock, marks, settings, disk, folders } = this.options
    this.lastThorough = isAfterCrash && !mustFlush ? Number.NEGATIVE_INFINITY : clock.monotonic()
    const shape = shapeOf(settings)
    if (JSON.stringify(marks.shape) !== JSON.stringify(shape)) {
      marks.shape = shape
      marks.save()
    }
    // files that recovery took away must not come back with the next power cut
    if (isAfterCrash || mustFlush) for (const folder of [folders.root, ...folders.commitLog]) await disk.syncAll(folder)
    if (mustFlush || disk.stat(folders.manifest) === undefined) await this.flush()
  }

  async run(): Promise<void> {
    const { clock, settings, queues } = this.options
    const now = clock.monotonic()
    if (now - this.lastThorough >= settings.flushConsumeQueueThoroughInterval) {
      this.lastThorough = now
      return this.flush()
    }
    const { dirtyCount, unwrittenUnits } = queues
    if (dirtyCount < MANY_QUEUES || unwrittenUnits >= dirtyCount * UNITS_PER_QUEUE) await queues.writeOut()
  }

  /** Makes queues and index durable, and says in checkpoint and manifest how far they reach. */
  async flush(): Promise<void> {
    const { reput, queues, index, checkpoint, flushedOffset } = this.options
    const dispatched = reput.lastStoreTimestamp
    const logEnd = Math.min(reput.offset, flushedOffset())
    await queues.flush()
    await index?.flush()
    if (dispatched > 0) checkpoint.logicsMsgTimestamp = dispatched
    await checkpoint.flush()
    await this.writeManifest(logEnd, false)
  }

  async writeManifest(logEnd: number, isClean: boolean): Promise<void> {
    const { queues, index, clock, disk, folders } = this.options
    const lines = await manifestLines({ logEnd, isClean, queues, index }, clock)
    await writeManifest(disk, folders.manifest, lines)
  }
}
