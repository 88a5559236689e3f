import { join } from 'node:path'
import { type Clock, type Disk, errorText, type Logger } from '../util/index.js'
import { ConsumeQueue, type ConsumeQueueShared } from './consume-queue.js'
import { UNIT_SIZE } from './consume-queue-chunk.js'
import { ChunkCache, OpenFiles } from './consume-queue-files.js'
import { TopicQueues } from './topic-queues.js'

export interface ConsumeQueueStoreOptions {
  disk: Disk
  clock: Clock
  logger: Logger
  rootDir: string
  fileSize: number
}

/** Above this many files to make durable, one sync of the whole file system is cheaper than one per file. */
const FILES_TO_SYNC_ONE_BY_ONE = 64
/** Writes under way at once: the pool must have room for the commit log's flush. */
const WRITERS = 2
/** Memory for units of queues that are not being written to any more. */
const BUFFER_BUDGET_BYTES = 64 * 1024 * 1024

/** All queues by topic and id, and the way of their units to the disk. */
export class ConsumeQueueStore {
  readonly topics = new Map<string, TopicQueues>()
  private readonly files: OpenFiles
  private readonly shared: ConsumeQueueShared
  private dirty: ConsumeQueue[] = []
  private readonly unflushed = new Set<ConsumeQueue>()
  private writing: Promise<void> | undefined

  constructor(private readonly options: ConsumeQueueStoreOptions) {
    this.files = new OpenFiles(options.disk)
    this.shared = {
      disk: options.disk,
      files: this.files,
      cache: new ChunkCache(),
      fileSize: Math.ceil(options.fileSize / UNIT_SIZE) * UNIT_SIZE,
      onDirty: queue => this.dirty.push(queue),
    }
  }

  get folder(): string {
    return join(this.options.rootDir, 'consumequeue')
  }

  /** Opens every queue found on the disk. Throws MQError when files have another length than configured. */
  load(): void {
    const { disk } = this.options
    for (const topic of disk.list(this.folder)) {
      if (!topic.isFolder) continue
      for (const queue of disk.list(join(this.folder, topic.name))) {
        if (!queue.isFolder || !/^\d+$/.test(queue.name)) continue
        this.queueOf(this.topicOf(topic.name), Number(queue.name)).load()
      }
    }
  }

  /** The topic's entry, made when it is new. */
  topicOf(topic: string): TopicQueues {
    let entry = this.topics.get(topic)
    if (entry === undefined) {
      entry = new TopicQueues(topic)
      this.topics.set(topic, entry)
    }
    return entry
  }

  /** The topic's queue, made when it is new. */
  queueOf(topic: TopicQueues, queueId: number): ConsumeQueue {
    let queue = topic.queues[queueId]
    if (queue === undefined) {
      queue = new ConsumeQueue(this.shared, topic.topic, queueId, join(this.folder, topic.topic, String(queueId)))
      topic.queues[queueId] = queue
    }
    return queue
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
    while (this.writing !== undefined) await this.writing.catch(() => {})
    this.writing = this.writeDirty().finally(() => {
      this.writing = undefined
    })
    await this.writing
  }

  private async writeDirty(): Promise<void> {
    const queues = this.dirty
    this.dirty = []
    let next = 0
    let failure: unknown
    const writer = async (): Promise<void> => {
      while (next < queues.length) {
        const queue = queues[next++]!
        try {
          await queue.writeOut()
          this.unflushed.add(queue)
        } catch (error) {
          failure = error
        }
      }
    }
    await Promise.all(Array.from({ length: WRITERS }, writer))
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
        await this.options.disk.syncAll(this.options.rootDir)
        for (const queue of queues) queue.noteFlushed()
      } else {
        for (const queue of queues) await queue.flush()
      }
    } catch (error) {
      for (const queue of queues) this.unflushed.add(queue)
      throw error
    }
  }

  /** Deletes a topic's queues. */
  async deleteTopic(topic: string): Promise<void> {
    const entry = this.topics.get(topic)
    if (entry === undefined) return
    this.topics.delete(topic)
    this.dirty = this.dirty.filter(queue => queue.topic !== topic)
    await this.writing?.catch(() => {})
    for (const queue of entry.queues) if (queue !== undefined) this.forget(queue)
    this.options.disk.removeFolder(join(this.folder, topic))
  }

  /** Deletes one queue. */
  async deleteQueue(queue: ConsumeQueue): Promise<void> {
    const topic = this.topics.get(queue.topic)
    if (topic?.queues[queue.queueId] === queue) topic.queues[queue.queueId] = undefined
    this.dirty = this.dirty.filter(other => other !== queue)
    await this.writing?.catch(() => {})
    this.unflushed.delete(queue)
    queue.destroy()
  }

  private forget(queue: ConsumeQueue): void {
    this.unflushed.delete(queue)
    queue.reset()
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
