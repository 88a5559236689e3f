import { join } from 'node:path'
import { type Disk, MQError } from '../util/index.js'
import { readOnlyDisk } from './read-only-disk.js'

/** One file of a stream of files that are named after the stream offset of their first byte. */
export interface SegmentFile {
  readonly path: string
  readonly name: string
  readonly startOffset: number
  /** Bytes, when the store was opened. */
  readonly length: number
}

export interface QueueFolder {
  readonly topic: string
  readonly queueId: number
  readonly folder: string
}

export interface StoreDirectoryOptions {
  /** `storePathRootDir`. */
  root: string
  /** Where the commit log is when it is not below the root; several folders for a log over several disks. */
  commitLogFolders?: readonly string[]
  disk?: Disk
}

/** The files of a store, found by looking: no setting is needed to read them. */
export class StoreDirectory {
  readonly root: string
  readonly commitLogFolders: readonly string[]
  readonly disk: Disk
  /** Files of the commit log over all its folders, by offset. */
  log: readonly SegmentFile[] = []

  /** @throws MQError ERR_NO_STORE when the folder holds no store */
  constructor(options: StoreDirectoryOptions) {
    const { root, disk = readOnlyDisk } = options
    this.root = root
    this.disk = disk
    const given = options.commitLogFolders ?? []
    this.commitLogFolders = given.length > 0 ? [...new Set(given)] : [join(root, 'commitlog')]
    this.checkFolders(given)
    this.listLog()
  }

  /** Looks again which files the log has: a broker may have made one. @throws MQError ERR_FILE_TWICE */
  listLog(): void {
    const files = this.commitLogFolders
      .flatMap(folder => listSegments(this.disk, folder))
      .sort((a, b) => a.startOffset - b.startOffset)
    for (const [i, { path, startOffset }] of files.entries()) {
      if (files[i + 1]?.startOffset !== startOffset) continue
      const text = `${path} and ${files[i + 1]!.path} are the same part of the log: name the folders that belong to it`
      throw new MQError('ERR_FILE_TWICE', text)
    }
    // an empty last file is one that is just being made, or was when the broker ended; brokers delete it
    this.log = files.at(-1)?.length === 0 ? files.slice(0, -1) : files
  }

  private checkFolders(given: readonly string[]): void {
    const { root, disk } = this
    for (const folder of [root, ...given]) {
      const stat = disk.stat(folder)
      if (stat === undefined) throw new MQError('ERR_NO_STORE', `there is no folder ${folder}`)
      if (!stat.isFolder) {
        throw new MQError('ERR_NO_STORE', `${folder} is a file: name the folder of the store (storePathRootDir)`)
      }
    }
    const isStore = ['commitlog', 'consumequeue', 'index', 'config', 'checkpoint'].some(
      name => disk.stat(join(root, name)) !== undefined,
    )
    if (given.length === 0 && !isStore) {
      const hint = listSegments(disk, root).length > 0 ? 'it looks like a commit log: name the folder above it' : HINT
      throw new MQError('ERR_NO_STORE', `${root} holds no store: ${hint}`)
    }
  }

  /** Path of something below the root. */
  path(...names: string[]): string {
    return join(this.root, ...names)
  }

  /** Process id in `abort`; undefined when the store was stopped in order. Empty when the file does not say. */
  get abort(): string | undefined {
    return this.disk.readWhole(this.path('abort'))?.toString('utf8').trim()
  }

  /** Bytes of most files of the commit log; 0 without files. */
  get logFileSize(): number {
    return usualLength(this.log)
  }

  /** The file whose part of the log holds `offset`. */
  logFileAt(offset: number): SegmentFile | undefined {
    return this.log.find(file => file.startOffset <= offset && offset < file.startOffset + file.length)
  }

  /** Queues in `consumequeue` or `batchconsumequeue`, by topic and id. */
  queueFolders(kind: 'consumequeue' | 'batchconsumequeue'): QueueFolder[] {
    const { disk } = this
    const found: QueueFolder[] = []
    for (const topic of disk.list(this.path(kind))) {
      if (!topic.isFolder) continue
      for (const queue of disk.list(this.path(kind, topic.name))) {
        if (!queue.isFolder || !/^\d+$/.test(queue.name)) continue
        const folder = this.path(kind, topic.name, queue.name)
        found.push({ topic: topic.name, queueId: Number(queue.name), folder })
      }
    }
    return found.sort((a, b) => compareText(a.topic, b.topic) || a.queueId - b.queueId)
  }

  /** Names of the files in `index`, oldest first. */
  indexFileNames(): string[] {
    return this.disk
      .list(this.path('index'))
      .filter(entry => !entry.isFolder && /^\d+$/.test(entry.name))
      .map(entry => entry.name)
      .sort()
  }
}

const HINT =
  'name the folder that storePathRootDir says, and when the log is elsewhere its folders with --commitlog, or the ' +
  'configuration file of the broker with --config'

export function listSegments(disk: Disk, folder: string): SegmentFile[] {
  return disk
    .list(folder)
    .filter(entry => !entry.isFolder && /^\d{20}$/.test(entry.name))
    .map(({ name }) => {
      const path = join(folder, name)
      return { path, name, startOffset: Number(name), length: disk.stat(path)?.length ?? 0 }
    })
    .sort((a, b) => a.startOffset - b.startOffset)
}

/** The length that most files have, the longer one of two that are as frequent: a cut file is short. */
export function usualLength(files: Iterable<{ readonly length: number }>): number {
  const counts = new Map<number, number>()
  for (const { length } of files) counts.set(length, (counts.get(length) ?? 0) + 1)
  let usual = 0
  for (const [length, count] of counts) {
    const most = counts.get(usual) ?? 0
    if (count > most || (count === most && length > usual)) usual = length
  }
  return usual
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
