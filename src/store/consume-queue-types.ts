import type { Disk } from '../util/index.js'
import type { ConsumeQueue } from './consume-queue.js'
import type { ChunkCache, OpenFiles } from './consume-queue-files.js'
import { getInt64 } from './int64-view.js'

/** What all queues of a store share. */
export interface ConsumeQueueShared {
  readonly disk: Disk
  readonly files: OpenFiles
  readonly cache: ChunkCache
  /** Of extensions. */
  readonly extCache: ChunkCache
  /** Bytes per file of units of this size, as configured. */
  readonly fileSize: (unitSize: number) => number
  /** Counts units that were taken since the last write. */
  readonly unwritten: { units: number }
  /** Told once when a queue begins to hold units that its files do not. */
  readonly onDirty: (queue: ConsumeQueue) => void
  /** Told when units were taken out of its files: that must become durable too. */
  readonly onErased: (queue: ConsumeQueue) => void
}

/** What every unit begins with. */
export interface UnitFields {
  readonly physicalOffset: number
  readonly size: number
  readonly tagsCode: number
}

/** How far a queue goes. */
export interface QueueReach {
  readonly maxOffset: number
  readonly maxPhysicalOffset: number
}

/** Outcome of {@link ConsumeQueue.put}. */
export type UnitPut = 'appended' | 'present' | 'gap'

/** The unit at `at`. */
export function unitAt(view: DataView, at: number): UnitFields {
  return { physicalOffset: getInt64(view, at), size: view.getInt32(at + 8), tagsCode: getInt64(view, at + 12) }
}
