import { join } from 'node:path'
import { isLmq } from '../common/index.js'
import { type Clock, type Disk, errorText, type Logger, MQError } from '../util/index.js'
import { BATCH_UNIT_SIZE, BatchConsumeQueue } from './batch-consume-queue.js'
import { ConsumeQueue } from './consume-queue.js'
import { UNIT_SIZE } from './consume-queue-chunk.js'
import { ChunkCache, OpenFiles } from './consume-queue-files.js'
import type { ConsumeQueueShared, QueueReach } from './consume-queue-types.js'
import { ExtendedConsumeQueue } from './extended-consume-queue.js'
import { writeQueues } from './queue-writing.js'
import { TopicQueues } from './topic-queues.js'

export interface ConsumeQueueStoreOptions {
  disk: Disk
  clock: Clock
  logger: Logger
  rootDir: string
  fileSize: number
  /** Bytes per file of batch queues; default: as many units as a plain file holds. */
  batchFileSize?: number
  /** Queues get extensions, in files of so many bytes; absent: only the queues that have some already. */
  extension?: { readonly fileSize: number; readonly isWritten: boolean }
  /** Whether a topic's messages are kept in batches (`queue.type=BatchCQ`). Asked once per topic. */
  isBatchQueue?: (topic: string) => boolean
}

export interface QueueLoading {
  /** The configured length of files is right: a file of another is damaged, its queue is dropped and told of. */
  readonly isLengthKnown?: boolean
  readonly onDamaged?: (queue: ConsumeQueue, text: string) => void
  /** Where queues are said to end. */
  readonly expected?: ReadonlyMap<string, ReadonlyMap<number, QueueReach>>
  /** Where the log begins. */
  readonly minPhysicalOffset?: number
  /** Told now and then how many queues are open. */
  readonly onProgress?: (queues: number) => void
}

/** Above this many files to make durable, one sync of the whole file system is cheaper than one per file. */
const FILES_TO_SYNC_ONE_BY_ONE = 64
/** Memory for units of queues that are not being written to any more. */
const BUFFER_BUDGET_BYTES = 64 * 1024 * 1024
/** Extensions read from files, for consumers that follow. */
const EXTENSION_CACHE_BYTES = 8 * 1024 * 1024

/** All queues by topic and id, and the way of their units to the disk. */
export class ConsumeQueueStore {
  readonly topics = new Map<string, TopicQueues>()
  private readonly files: OpenFiles
  private readonly shared: ConsumeQueueShared
  private dirty: ConsumeQueue[] = []
  private readonly unflushed = new Set<ConsumeQueue>()
  private writing: Promise<void> | undefined
  /** Some queue may have an extension already: no other gets one that is not to be written. */
  private hasExtensions = true

  constructor(private readonly options: ConsumeQueueStoreOptions) {
    const { batchFileSize = (options.fileSize / UNIT_SIZE) * BATCH_UNIT_SIZE } = options
    this.files = new OpenFiles(options.disk)
    this.shared = {
      disk: options.disk,
      files: this.files,
      cache: new ChunkCache(),
      extCache: new ChunkCache(EXTENSION_CACHE_BYTES),
      unwritten: { units: 0 },
      fileSize: unitSize => (unitSize === UNIT_SIZE ? options.fileSize : batchFileSize),
      onDirty: queue => this.dirty.push(queue),
      onErased: queue => this.unflushed.add(queue),
    }
  }

  /** Where the queues of topics of this kind are. */
  folderOf(isBatch: boolean): string {
    return join(this.options.rootDir, isBatch ? 'batchconsumequeue' : 'consumequeue')
  }

  /**
   * Opens every queue found on the disk. Throws MQError `ERR_FILE_LENGTH` when files have another length than
   * configured, `ERR_QUEUE_TYPE` when a topic has queues of both kinds.
   */
  load(how: QueueLoading = {}): void {
    const { disk } = this.options
    const { isLengthKnown = false, minPhysicalOffset } = how
    let loaded = 0
    this.hasExtensions = disk.list(this.extensionFolder).length > 0
    for (const isBatch of [false, true]) {
      const folder = this.folderOf(isBatch)
      for (const topic of disk.list(folder)) {
        if (!topic.isFolder) continue
        const expected = how.expected?.get(topic.name)
        for (const found of disk.list(join(folder, topic.name))) {
          if (!found.isFolder || !/^\d+$/.test(found.name)) continue
          const queue = this.queueOf(this.topicOfKind(topic.name, isBatch), Number(found.name))
          const problem = queue.load(isLengthKnown, expected?.get(queue.queueId), minPhysicalOffset)
          if (problem !== undefined) how.onDamaged?.(queue, problem)
          // its file is open now
          if (minPhysicalOffset !== undefined) queue.correctMinOffset(minPhysicalOffset)
          loaded++
        }
        how.onProgress?.(loaded)
      }
    }
    this.dropLooseExtensions()
  }

  /** Deletes extensions without a queue: nothing points there, and a queue built again begins with none. */
  private dropLooseExtensions(): void {
    const { disk } = this.options
    for (const topic of disk.list(this.extensionFolder)) {
      for (const found of disk.list(join(this.extensionFolder, topic.name))) {
        const queue = found.isFolder ? this.find(topic.name, Number(found.name)) : undefined
        if (queue === undefined) disk.removeFolder(join(this.extensionFolder, topic.name, found.name))
      }
    }
  }

  private get extensionFolder(): string {
    return join(this.options.rootDir, 'consumequeue_ext')
  }

  private topicOfKind(topic: string, isBatch: boolean): TopicQueues {
    const known = this.topics.get(topic)
    if (known === undefined) {
      const entry = new TopicQueues(topic, isBatch)
      this.topics.set(topic, entry)
      return entry
    }
    if (known.isBatch !== isBatch) {
      throw new MQError(
        'ERR_QUEUE_TYPE',
        `${topic} has queues in both ${this.folderOf(false)} and ${this.folderOf(true)}: delete the folder that does ` +
          'not fit its attribute queue.type; the other is built again from the commit log',
      )
    }
    return known
  }

  /** The topic's entry, made when it is new. */
  topicOf(topic: string): TopicQueues {
    let entry = this.topics.get(topic)
    if (entry === undefined) {
      entry = new TopicQueues(topic, this.options.isBatchQueue?.(topic) ?? false)
      this.topics.set(topic, entry)
    }
    return entry
  }

  /** The topic's queue, made when it is new. */
  queueOf(topic: TopicQueues, queueId: number): ConsumeQueue {
    return topic.queues[queueId] ?? this.makeQueue(topic, queueId)
  }

  private makeQueue(topic: TopicQueues, queueId: number): ConsumeQueue {
    const folder = join(this.folderOf(topic.isBatch), topic.topic, String(queueId))
    const queue = topic.isBatch
      ? new BatchConsumeQueue(this.shared, topic.topic, queueId, folder)
      : this.makePlainQueue(topic.topic, queueId, folder)
    topic.queues[queueId] = queue
    return queue
  }

  private makePlainQueue(topic: string, queueId: number, folder: string): ConsumeQueue {
    const { extension, disk } = this.options
    // units of a light queue hold plain tags codes always
    if (extension !== undefined && !isLmq(topic)) {
      const place = { ...extension, folder: join(this.extensionFolder, topic, String(queueId)) }
      if (place.isWritten || (this.hasExtensions && disk.stat(place.folder) !== undefined)) {
        return new ExtendedConsumeQueue(this.shared, { topic, queueId }, folder, place)
      }
    }
    return new ConsumeQueue(this.shared, topic, queueId, folder)
  }

  /** The queue if there is one; looking makes none. */
  find(topic: string, queueId: number): ConsumeQueue | undefined {
    return this.topics.get(topic)?.queues[queueId]
  }

  *all(): Iterable<ConsumeQueue> {
    for (const topic of this.topics.values()) {
      for (const queue of topic.queues) if (queue !== undefined) yield queue
    }
  }

  /** Queues with units that their files lack. */
  get dirtyCount(): number {
    return this.dirty.length
  }

  /** Units that were taken since the last {@link writeOut} began. */
  get unwrittenUnits(): number {
    return this.shared.unwritten.units
  }

  /** End of the record that the newest unit of any queue points to; -1 when there is none. */
  maxPhysicalOffset(): number {
    let max = -1
    for (const queue of this.all()) if (queue.maxPhysicalOffset > max) max = queue.maxPhysicalOffset
    return max
  }

  /**
   * Writes what is only in memory to the files. Runs once at a time; a call during a run waits for it and runs again.
   * Rejects with what the disk says; units not written stay in memory and are tried again.
   */
  async writeOut(): Promise<void> {
    await this.noWriting()
    this.writing = this.writeDirty().finally(() => {
      this.writing = undefined
    })
    await this.writing
  }

  private async writeDirty(): Promise<void> {
    const queues = this.dirty
    this.dirty = []
    this.shared.unwritten.units = 0
    const failure = await writeQueues(queues, this.options.disk, queue => this.unflushed.add(queue))
    if (failure !== undefined) throw failure
    this.trimBuffers(queues)
  }

  private trimBuffers(written: readonly ConsumeQueue[]): void {
    let bytes = 0
    for (const queue of written) {
      bytes += queue.bufferedBytes
      if (bytes > BUFFER_BUDGET_BYTES) queue.dropWritten()
    }
  }

  /** {@link writeOut}, then makes it durable. */
  async flush(): Promise<void> {
    await this.writeOut()
    const queues = [...this.unflushed]
    this.unflushed.clear()
    try {
      if (queues.length > FILES_TO_SYNC_ONE_BY_ONE) {
        const reached = queues.map(queue => queue.written)
        await this.options.disk.syncAll(this.options.rootDir)
        for (const [i, queue] of queues.entries()) queue.noteFlushed(reached[i]!)
      } else {
        for (const queue of queues) await queue.flush()
      }
    } catch (error) {
      for (const queue of queues) this.unflushed.add(queue)
      throw error
    }
  }

  /** Deletes topics' queues; `mark` is called in the same turn, before, and stops it by throwing. */
  async deleteTopics(topics: readonly string[], mark: () => void): Promise<void> {
    await this.noWriting()
    mark()
    for (const topic of topics) {
      const entry = this.topics.get(topic)
      if (entry === undefined) continue
      this.topics.delete(topic)
      entry.isDropped = true
      for (const queue of entry.queues) if (queue !== undefined) this.forget(queue)
      this.options.disk.removeFolder(join(this.folderOf(entry.isBatch), topic))
      this.options.disk.removeFolder(join(this.extensionFolder, topic))
    }
    this.dirty = this.dirty.filter(queue => !queue.isDropped)
  }

  /** Deletes one queue. */
  async deleteQueue(queue: ConsumeQueue): Promise<void> {
    await this.noWriting()
    const topic = this.topics.get(queue.topic)
    if (topic?.queues[queue.queueId] === queue) topic.queues[queue.queueId] = undefined
    this.dirty = this.dirty.filter(other => other !== queue)
    this.forget(queue)
  }

  /** Resolves in a turn in which no file is being written. */
  private async noWriting(): Promise<void> {
    while (this.writing !== undefined) await this.writing.catch(() => {})
  }

  private forget(queue: ConsumeQueue): void {
    this.unflushed.delete(queue)
    queue.destroy()
  }

  /** Takes away the units of records in front of `minPhysicalOffset`; how many files went. */
  expire(queue: ConsumeQueue, minPhysicalOffset: number): number {
    queue.correctMinOffset(minPhysicalOffset)
    return queue.deleteExpiredFiles()
  }

  /** Flushes and closes. A failure is logged: the units are in the log, the next start builds them again. */
  async close(): Promise<boolean> {
    let ok = true
    try {
      await this.flush()
    } catch (error) {
      ok = false
      this.options.logger.error(
        { event: 'consume-queue-flush-failed', err: error },
        `queue units could not be written: ${errorText(error)}; the next start builds them again from the commit log`,
      )
    }
    this.files.close()
    return ok
  }
}
