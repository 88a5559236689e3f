import { basename, join } from 'node:path'
import { type Clock, type Disk, errorText, type Logger } from '../util/index.js'
import type { DispatchRequest } from './dispatch-request.js'
import { IndexFile, type IndexFileShape, indexFileLength } from './index-file.js'
import { continueJavaHash, type PropertyScan } from './property-scan.js'
import type { ManifestIndexFile } from './queue-manifest.js'

export interface IndexServiceOptions {
  disk: Disk
  clock: Clock
  logger: Logger
  folder: string
  shape: IndexFileShape
  /** A full file is on the disk: its end timestamp, for the checkpoint. */
  onRolled: (endTimestamp: number) => void
}

const SPACE = 0x20

/** The index files of a store, oldest first; new keys go to the last. */
export class IndexService {
  readonly files: IndexFile[] = []
  /** Set when a file cannot be made or grown: keys are not entered until space returns. */
  failure: string | undefined
  private retryAt = 0
  /** Keys were not entered: after a crash those that the log is read for get their entries. */
  private hasMissed = false
  /** Full files on their way to the disk. */
  private readonly rolling = new Set<Promise<void>>()

  constructor(private readonly options: IndexServiceOptions) {}

  get last(): IndexFile | undefined {
    return this.files[this.files.length - 1]
  }

  /**
   * Opens all files. Throws MQError `ERR_FILE_LENGTH` when their shape is not the configured one; where the shape is
   * known to be right (`isShapeKnown`) such a file is damaged, and goes.
   */
  load(isShapeKnown = false): void {
    const { disk, folder, shape, logger } = this.options
    const names = disk
      .list(folder)
      .filter(entry => !entry.isFolder && /^\d+$/.test(entry.name))
      .map(entry => entry.name)
      .sort()
    for (const name of names) {
      const path = join(folder, name)
      if (isShapeKnown && disk.stat(path)?.length !== indexFileLength(shape)) {
        logger.error({ event: 'index-damaged', path }, `${path} is cut short: the index is built again`)
        disk.remove(path)
      } else this.files.push(IndexFile.open(disk, path, shape))
    }
  }

  /**
   * After a crash: what may not have reached the disk is taken out; the replay of the log enters it again. `flushed`:
   * the name of a file that was flushed with all entries of records in front of an offset, and was the last then.
   */
  rebuildBefore(
    physicalOffset: number,
    safeTimestamp: number,
    storeTimeOf: (physicalOffset: number) => number | undefined,
    flushed?: { readonly name: string; readonly physicalOffset: number },
  ): void {
    let isWhole = true
    for (const file of [...this.files]) {
      if (file.endTimestamp <= safeTimestamp && file.endPhyOffset < physicalOffset && file.indexCount > 1) continue
      // what is taken out of one file is entered again behind the last of all: none may stand there
      const isFlushed = isWhole && flushed !== undefined && basename(file.path) === flushed.name
      isWhole = false
      const end = isFlushed ? Math.max(physicalOffset, flushed.physicalOffset) : physicalOffset
      if (file.rebuildBefore(end, storeTimeOf)) {
        if (file !== this.last) file.unmap()
      } else {
        this.remove(file)
      }
    }
  }

  /** Each file with how far it was filled, for the manifest; none when keys are missing in them. */
  describe(): ManifestIndexFile[] {
    if (this.hasMissed) return []
    return this.files.map(file => ({
      name: basename(file.path),
      count: file.indexCount,
      endPhyOffset: file.endPhyOffset,
    }))
  }

  /**
   * Takes out the first file that is damaged, or not what it was by `expected`, and all after it. What is wrong, and
   * from which physical offset on entries are missing; undefined when all is well.
   */
  dropDamaged(
    expected: readonly ManifestIndexFile[] | undefined,
    storeTimeOf: (physicalOffset: number) => number | undefined,
  ): { path: string; text: string; from: number } | undefined {
    const { folder } = this.options
    const byName = new Map(expected?.map(file => [file.name, file]))
    const names = new Set([...byName.keys(), ...this.files.map(file => basename(file.path))])
    for (const name of [...names].sort()) {
      const i = this.files.findIndex(file => basename(file.path) >= name)
      const file = i >= 0 && basename(this.files[i]!.path) === name ? this.files[i] : undefined
      const wanted = byName.get(name)
      const path = join(folder, name)
      const text = problemOf(file, wanted) ?? file?.timeProblem(storeTimeOf)
      if (text === undefined) continue
      if (i >= 0) for (const late of this.files.slice(i)) this.remove(late)
      return { path, text: `${path} ${text}`, from: this.last === undefined ? 0 : this.last.endPhyOffset + 1 }
    }
    return undefined
  }

  private remove(file: IndexFile): void {
    file.close()
    this.options.disk.remove(file.path)
    this.files.splice(this.files.indexOf(file), 1)
  }

  /** Enters the UNIQ_KEY and each of the KEYS of a record, once: a record seen before is left alone. */
  put(request: DispatchRequest, scan: PropertyScan): void {
    const { bytes } = request
    const last = this.last
    if (last !== undefined && last.endTimestamp > 0 && request.physicalOffset <= last.endPhyOffset) return
    if (scan.uniqKeyStart >= 0) {
      const hash = request.uniqKeyHash ?? hashOf(request, scan.uniqKeyStart, scan.uniqKeyEnd)
      this.putHash(request, positiveHash(hash))
    }
    if (scan.keysStart < 0) return
    let start = scan.keysStart
    for (let at = start; at <= scan.keysEnd; at++) {
      if (at < scan.keysEnd && bytes[at] !== SPACE) continue
      if (at > start) this.putHash(request, positiveHash(hashOf(request, start, at)))
      start = at + 1
    }
  }

  private putHash(request: DispatchRequest, hash: number): void {
    if (this.failure !== undefined && this.options.clock.now() < this.retryAt) return
    try {
      let file = this.last
      if (file === undefined || file.isFull) file = this.roll(file)
      file.map()
      file.put(hash, request.physicalOffset, request.storeTimestamp)
      this.failure = undefined
    } catch (error) {
      this.retryAt = this.options.clock.now() + 1000
      this.hasMissed = true
      if (this.failure === undefined) {
        this.options.logger.error(
          { event: 'index-put-failed', err: error },
          `message keys cannot be indexed: ${errorText(error)}; messages are stored, but queries by key miss them`,
        )
      }
      this.failure = errorText(error)
    }
  }

  private roll(full: IndexFile | undefined): IndexFile {
    const { disk, folder, shape } = this.options
    disk.makeFolder(folder)
    const file = IndexFile.create(disk, join(folder, this.newName(full)), shape, full)
    this.files.push(file)
    if (full !== undefined) this.flushRolled(full)
    return file
  }

  private flushRolled(full: IndexFile): void {
    const done = full.flush().then(
      () => {
        full.unmap()
        this.options.onRolled(full.endTimestamp)
      },
      (error: unknown) =>
        this.options.logger.error(
          { event: 'index-flush-failed', path: full.path, err: error },
          `${full.path} could not be flushed: ${errorText(error)}; after a crash it is built again from the log`,
        ),
    )
    this.rolling.add(done)
    void done.finally(() => this.rolling.delete(done))
  }

  /** The local time as `yyyyMMddHHmmssSSS`, later than any name there is. */
  private newName(previous: IndexFile | undefined): string {
    const taken = previous === undefined ? '' : previous.path.slice(-17)
    let time = this.options.clock.now()
    for (;;) {
      const name = nameOfTime(time)
      if (name > taken) return name
      time++
    }
  }

  /**
   * Physical offsets of messages whose key has the same hash, newest file first, at most `max`, and how far the index
   * reaches. Times in ms.
   */
  async query(
    topic: string,
    key: string,
    range: { max: number; begin: number; end: number },
  ): Promise<{ offsets: number[]; lastUpdateTimestamp: number; lastUpdatePhyOffset: number }> {
    const hash = keyHashOf(topic, key)
    const offsets: number[] = []
    const last = this.last
    for (const file of [...this.files].reverse()) {
      if (file.overlaps(range.begin, range.end)) {
        offsets.push(...(await file.query(hash, range.max - offsets.length, range.begin, range.end)))
      }
      if (file.beginTimestamp < range.begin || offsets.length >= range.max) break
    }
    return {
      offsets,
      lastUpdateTimestamp: last?.endTimestamp ?? 0,
      lastUpdatePhyOffset: last?.endPhyOffset ?? 0,
    }
  }

  /** Deletes files, the newest excepted, all of whose records lie in front of `minPhysicalOffset`; how many. */
  expire(minPhysicalOffset: number): number {
    const expired = this.files.slice(0, -1).filter(file => file.endPhyOffset < minPhysicalOffset)
    for (const file of expired) this.remove(file)
    return expired.length
  }

  /** Makes all entries so far durable. */
  async flush(): Promise<void> {
    await Promise.all(this.rolling)
    await this.last?.flush()
  }

  async close(): Promise<void> {
    try {
      await this.flush()
    } catch (error) {
      this.options.logger.error(
        { event: 'index-flush-failed', err: error },
        `the index could not be flushed: ${errorText(error)}`,
      )
    }
    for (const file of this.files) file.close()
  }
}

function problemOf(file: IndexFile | undefined, expected: ManifestIndexFile | undefined): string | undefined {
  if (file === undefined) return 'is gone'
  const problem = file.problem()
  if (problem !== undefined || expected === undefined) return problem
  // entries of records behind the manifest's end are only more
  return file.indexCount < expected.count ? `had ${expected.count} entries and has ${file.indexCount}` : undefined
}

/** Java's index hash of a key: never negative. */
export function keyHashOf(topic: string, key: string): number {
  const bytes = Buffer.from(`${topic}#${key}`)
  return positiveHash(continueJavaHash(0, bytes, 0, bytes.length))
}

function positiveHash(hash: number): number {
  return hash === -2_147_483_648 ? 0 : Math.abs(hash)
}

function nameOfTime(ms: number): string {
  const date = new Date(ms)
  const parts: [number, number][] = [
    [date.getFullYear(), 4],
    [date.getMonth() + 1, 2],
    [date.getDate(), 2],
    [date.getHours(), 2],
    [date.getMinutes(), 2],
    [date.getSeconds(), 2],
    [date.getMilliseconds(), 3],
  ]
  return parts.map(([value, digits]) => String(value).padStart(digits, '0')).join('')
}

/** Java's hash of `topic#key`, the key being `bytes[from, to)` of the request. */
function hashOf(request: DispatchRequest, from: number, to: number): number {
  return continueJavaHash(request.topic.indexKeyHash, request.bytes, from, to)
}
