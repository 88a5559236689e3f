import { UnitFiles, type UnitPool } from './unit-files.js'

/** Bytes of a unit (store-format 5.6). */
const BATCH_UNIT_SIZE = 46

export interface BatchEntry {
  readonly physicalOffset: number
  readonly size: number
  readonly tagsCode: number
  readonly storeTimestamp: number
  /** Queue offset of the first message in the record. */
  readonly msgBaseOffset: number
  readonly batchSize: number
  readonly compactedOffset: number
}

/** The entries of a queue of a BatchCQ topic; their positions say nothing of queue offsets. */
export class BatchQueueReader {
  readonly units: UnitFiles

  constructor(
    pool: UnitPool,
    readonly topic: string,
    readonly queueId: number,
    folder: string,
  ) {
    this.units = new UnitFiles(pool, folder, BATCH_UNIT_SIZE)
  }

  /** Entry number `index` of the files; undefined when it was never written. */
  async entry(index: number): Promise<BatchEntry | undefined> {
    const loaded = this.units.locate(index)
    const at = loaded >= 0 ? loaded : await this.units.load(index)
    return at < 0 ? undefined : decode(this.units.view, at)
  }

  async *entries(): AsyncIterable<readonly [number, BatchEntry]> {
    const { firstIndex, endIndex } = this.units
    for (let index = firstIndex; index < endIndex; index++) {
      const entry = await this.entry(index)
      if (entry === undefined || entry.size <= 0 || entry.batchSize <= 0) return
      yield [index, entry]
    }
  }
}

function decode(view: DataView, at: number): BatchEntry | undefined {
  const size = view.getInt32(at + 8)
  const batchSize = view.getInt16(at + 36)
  if (size === 0 && batchSize === 0 && view.getBigInt64(at) === 0n) return undefined
  return {
    physicalOffset: Number(view.getBigInt64(at)),
    size,
    tagsCode: Number(view.getBigInt64(at + 12)),
    storeTimestamp: Number(view.getBigInt64(at + 20)),
    msgBaseOffset: Number(view.getBigInt64(at + 28)),
    batchSize,
    compactedOffset: view.getInt32(at + 38),
  }
}
