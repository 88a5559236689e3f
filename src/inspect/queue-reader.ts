import { BLANK_UNIT_SIZE, UNIT_SIZE } from '../store/index.js'
import { ExtensionReader } from './extension-reader.js'
import { UnitFiles, type UnitPool } from './unit-files.js'

/** One entry of a queue as its file holds it. */
export interface QueueEntry {
  readonly physicalOffset: number
  readonly size: number
  /** A bigint where a number is not exact: the address of an extension. */
  readonly tagsCode: number | bigint
}

export interface QueueBounds {
  /** Of the first entry whose record is still in the log. */
  readonly min: number
  /** Behind the last entry. */
  readonly max: number
  /** Of the first entry that is no filler, whether or not its record is still there. */
  readonly first: number
}

/** Fields of the unit at `at`; undefined for one that was never written. */
export function decodeEntry(view: DataView, at: number): QueueEntry | undefined {
  const physicalOffset = Number(view.getBigInt64(at))
  const size = view.getInt32(at + 8)
  const tagsCode = view.getBigInt64(at + 12)
  if (physicalOffset === 0 && size === 0 && tagsCode === 0n) return undefined
  const isExact = tagsCode >= Number.MIN_SAFE_INTEGER && tagsCode <= Number.MAX_SAFE_INTEGER
  return { physicalOffset, size, tagsCode: isExact ? Number(tagsCode) : tagsCode }
}

/** Fills the place of messages that the queue never held (store-format 5.2). */
export function isFiller(entry: QueueEntry): boolean {
  return entry.size === BLANK_UNIT_SIZE && entry.physicalOffset === 0
}

/** What a broker takes for an entry. */
export function isEntry(entry: QueueEntry | undefined): entry is QueueEntry {
  return entry !== undefined && entry.physicalOffset >= 0 && entry.size > 0
}

/** The entries of a queue of 20-byte units, read as they are needed. */
export class QueueReader {
  readonly units: UnitFiles
  readonly extensions: ExtensionReader

  constructor(
    pool: UnitPool,
    readonly topic: string,
    readonly queueId: number,
    folder: string,
  ) {
    this.units = new UnitFiles(pool, folder, UNIT_SIZE)
    this.extensions = new ExtensionReader(pool, folder, this)
  }

  /** Entry `index`; undefined when it was never written. A promise only when it must be read from the file. */
  entry(index: number): QueueEntry | undefined | Promise<QueueEntry | undefined> {
    const at = this.units.locate(index)
    return at >= 0 ? decodeEntry(this.units.view, at) : this.readEntry(index)
  }

  async readEntry(index: number): Promise<QueueEntry | undefined> {
    const at = await this.units.load(index)
    return at < 0 ? undefined : decodeEntry(this.units.view, at)
  }

  /** Entries `[from, to)` that brokers would read, with their index, fillers too. */
  async *entries(from: number, to: number): AsyncIterable<readonly [number, QueueEntry]> {
    for (let index = from; index < to; index++) {
      const found = this.entry(index)
      const entry = found instanceof Promise ? await found : found
      if (!isEntry(entry)) return
      yield [index, entry]
    }
  }

  /** Finds both ends by halving, as brokers do. `logMin` is where the log begins. */
  async bounds(logMin: number): Promise<QueueBounds> {
    const { firstIndex, endIndex } = this.units
    const max = await this.firstWhere(firstIndex, endIndex, entry => !isEntry(entry))
    const first = await this.firstWhere(firstIndex, max, entry => entry !== undefined && !isFiller(entry))
    const min = await this.firstWhere(
      first,
      max,
      entry => entry !== undefined && !isFiller(entry) && entry.physicalOffset >= logMin,
    )
    return { min, max, first }
  }

  private async firstWhere(
    from: number,
    to: number,
    holds: (entry: QueueEntry | undefined) => boolean,
  ): Promise<number> {
    let low = from
    let high = to
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (holds(await this.entry(middle))) high = middle
      else low = middle + 1
    }
    return low
  }
}
