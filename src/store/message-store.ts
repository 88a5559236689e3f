import { totalmem } from 'node:os'
import { MessageSysFlag, transactionType } from '../common/index.js'
import {
  assert,
  type Clock,
  type Disk,
  type DiskLock,
  errorText,
  type Logger,
  type MQError,
  PeriodicTask,
  systemDisk,
} from '../util/index.js'
import { StoreCheckpoint } from './checkpoint.js'
import { CommitLog, fail } from './commit-log.js'
import { CommitLogFlusher } from './commit-log-flusher.js'
import { ConsumeQueueStore } from './consume-queue-store.js'
import { DamageLog } from './damage.js'
import { DelayLevels } from './delay-levels.js'
import { Dispatcher, type OnArrival } from './dispatcher.js'
import { DurabilityMeter, type DurabilityStatus } from './durability.js'
import type { GetMessageRequest, GetMessageResult } from './get-message-result.js'
import { IndexService } from './index-service.js'
import { appendInnerBatch } from './inner-batch.js'
import { LightQueues } from './light-queues.js'
import { MessageReader } from './message-reader.js'
import { Purge, type PurgePreview } from './purge.js'
import { type AppendResult, type MessageToStore, newAppendResult, type PutStatus } from './put-status.js'
import { QueueFlushing } from './queue-flushing.js'
import type { RecoveryReport } from './recovery.js'
import { refuseUnsupported } from './refuse-unsupported.js'
import { Reput } from './reput.js'
import { Retention } from './retention.js'
import { RunningFlag, RunningFlags } from './running-flags.js'
import type { StoreSettings } from './settings.js'
import { StoreAdmin } from './store-admin.js'
import { StoreFolders } from './store-folders.js'
import { lockStore } from './store-lock.js'
import { StoreMarks } from './store-marks.js'
import { openStore } from './store-opening.js'
import type { MessageStoreOptions } from './store-options.js'
import { type QueueUnit, StoreQueries } from './store-queries.js'
import { tagsCodeOfRecord } from './tags-code.js'
import type { TopicQueues } from './topic-queues.js'

const CHECKPOINT_PERIOD_MS = 1000

/**
 * The messages of a broker: log, queues and index under one root folder, in the files of the Java broker. All of it
 * belongs to one event loop; appending and warm reading are synchronous.
 */
export class MessageStore {
  readonly settings: StoreSettings
  readonly folders: StoreFolders
  readonly flags = new RunningFlags()
  readonly delayLevels: DelayLevels
  readonly log: CommitLog
  readonly queues: ConsumeQueueStore
  readonly queries: StoreQueries
  readonly retention: Retention
  readonly admin: StoreAdmin
  /** What was found damaged since the start. */
  readonly damage: DamageLog
  /** Of the last start. */
  recovery: RecoveryReport | undefined

  readonly clock: Clock
  readonly logger: Logger
  readonly disk: Disk
  readonly checkpoint: StoreCheckpoint
  readonly marks: StoreMarks
  readonly index: IndexService | undefined
  readonly dispatcher: Dispatcher
  readonly light: LightQueues
  private readonly reput: Reput
  private readonly flusher: CommitLogFlusher
  private readonly reader: MessageReader
  private readonly flushing: QueueFlushing
  private readonly durability: DurabilityMeter
  private readonly purging: Purge
  private readonly tasks: PeriodicTask[]
  private readonly result: AppendResult
  private lock: DiskLock | undefined
  private state: 'new' | 'running' | 'stopped' = 'new'

  constructor(private readonly options: MessageStoreOptions) {
    const { settings, clock, logger, storeHost, disk = systemDisk, memoryBytes = totalmem() } = options
    this.settings = settings
    this.clock = clock
    this.logger = logger
    this.disk = disk
    this.folders = new StoreFolders(settings)
    this.delayLevels = new DelayLevels(settings.messageDelayLevel)
    this.checkpoint = new StoreCheckpoint(disk, this.folders.checkpoint)
    this.marks = new StoreMarks(disk, this.folders.marks, logger)
    this.damage = new DamageLog(logger)
    this.log = new CommitLog({
      settings,
      disk,
      clock,
      logger,
      storeHost,
      folders: this.folders.commitLog,
      readOnlyFolders: this.folders.readOnlyCommitLog,
      onAppended: record => this.reput.onAppended(record),
    })
    this.queues = this.createQueues()
    this.index = this.createIndex()
    const { log, queues, index, delayLevels } = this
    this.light = new LightQueues({ settings, log, queues })
    const { light } = this
    const { bitMapOf } = options
    this.dispatcher = new Dispatcher({
      ...{ queues, light, index, delayLevels, bitMapOf },
      onGap: request => this.logGap(request),
    })
    this.reput = new Reput({
      log,
      queues,
      dispatcher: this.dispatcher,
      marks: this.marks,
      confirmOffset: () => this.confirmOffset,
      monotonic: () => clock.monotonic(),
      onBadRecord: (physicalOffset, problem, length) => {
        const text = `the commit log is damaged at ${physicalOffset}: ${problem}; ${length} bytes are skipped`
        this.damage.add({ kind: 'record', physicalOffset, length, text })
      },
    })
    this.flusher = new CommitLogFlusher({
      log,
      settings,
      clock,
      logger,
      onFlushed: (_offset, timestamp) => {
        if (timestamp > 0) this.checkpoint.physicMsgTimestamp = timestamp
        this.reput.catchUp()
      },
      onFailed: error => this.stopWriting(error),
    })
    this.reader = new MessageReader({
      ...{ settings, log, queues, light, memoryBytes },
      damage: this.damage,
      tagsCodeOf: (record, head) => tagsCodeOfRecord(record, head, delayLevels),
    })
    this.queries = new StoreQueries({ settings, log, queues, index, reader: this.reader })
    this.durability = this.createDurability()
    this.purging = new Purge({ log, queues, queries: this.queries, marks: this.marks })
    this.retention = this.createRetention()
    this.admin = this.createAdmin()
    this.flushing = this.createFlushing()
    this.tasks = this.createTasks()
    this.result = newAppendResult()
  }

  private createQueues(): ConsumeQueueStore {
    const { settings, disk, clock, logger, options } = this
    return new ConsumeQueueStore({
      disk,
      clock,
      logger,
      rootDir: this.folders.root,
      fileSize: settings.mappedFileSizeConsumeQueue,
      batchFileSize: settings.mapperFileSizeBatchConsumeQueue,
      extension: { fileSize: settings.mappedFileSizeConsumeQueueExt, isWritten: settings.enableConsumeQueueExt },
      ...(options.isBatchQueue && { isBatchQueue: options.isBatchQueue }),
    })
  }

  private createIndex(): IndexService | undefined {
    const { settings, disk, clock, logger } = this
    if (!settings.messageIndexEnable) return undefined
    return new IndexService({
      disk,
      clock,
      logger,
      folder: this.folders.index,
      shape: { slots: settings.maxHashSlotNum, items: settings.maxIndexNum },
      onRolled: endTimestamp => {
        this.checkpoint.indexMsgTimestamp = endTimestamp
      },
    })
  }

  private createRetention(): Retention {
    const { settings, disk, clock, logger, log, queues, index, flags } = this
    const { commitLog: folders, root: rootDir } = this.folders
    return new Retention({
      ...{ settings, disk, clock, logger, log, folders, queues, index, flags, rootDir },
      purge: this.purging,
      reserveTimeOf: this.options.reserveTimeOf ?? (() => undefined),
    })
  }

  private createAdmin(): StoreAdmin {
    const { disk, clock, logger, folders, log, queues, retention, marks } = this
    return new StoreAdmin({
      ...{ disk, clock, logger, folders, log, queues, retention, marks },
      dispatchBehindBytes: () => log.maxOffset - this.reput.offset,
      flushedOffset: () => this.flusher.flushedOffset,
    })
  }

  private createDurability(): DurabilityMeter {
    const { log, clock, settings, flusher } = this
    return new DurabilityMeter({
      ...{ log, clock },
      flushDiskType: () => settings.flushDiskType,
      flushedOffset: () => flusher.flushedOffset,
      failure: () => flusher.failure?.message ?? log.rollFailure,
    })
  }

  private createFlushing(): QueueFlushing {
    const { settings, disk, clock, folders, queues, index, checkpoint, marks, reput } = this
    return new QueueFlushing({
      ...{ settings, disk, clock, folders, queues, index, checkpoint, marks, reput },
      flushedOffset: () => this.flusher.flushedOffset,
    })
  }

  private createTasks(): PeriodicTask[] {
    const { clock, logger, settings } = this
    return [
      new PeriodicTask({
        name: 'writing queues',
        periodMs: settings.flushIntervalConsumeQueue,
        clock,
        logger,
        run: () => this.flushing.run(),
      }),
      new PeriodicTask({
        name: 'writing the checkpoint',
        periodMs: CHECKPOINT_PERIOD_MS,
        clock,
        logger,
        run: () => this.checkpoint.flush(),
      }),
    ]
  }

  /**
   * Takes the lock, reads the store, brings it into order after a crash, and begins to flush and clean. Throws MQError
   * `ERR_STORE_LOCKED` when another broker uses the folder, `ERR_FILE_LENGTH` when files have other sizes than
   * configured.
   */
  async start(): Promise<RecoveryReport> {
    assert(this.state === 'new', 'a store is started once')
    const { disk, folders } = this
    refuseUnsupported(this.settings, folders)
    for (const folder of [folders.root, ...folders.commitLog]) disk.makeFolder(folder)
    this.lock = lockStore(disk, folders)
    try {
      await this.options.onLocked?.()
      const isAfterCrash = disk.stat(folders.abort) !== undefined
      disk.replaceWholeSync(folders.abort, Buffer.from(String(process.pid)))
      this.recovery = await this.recover(isAfterCrash)
    } catch (error) {
      this.lock?.release()
      throw error
    }
    if (this.log.files.last === undefined) this.log.files.prepareNext()
    this.state = 'running'
    this.flusher.start()
    for (const task of this.tasks) task.start()
    this.retention.start()
    return this.recovery
  }

  private async recover(isAfterCrash: boolean): Promise<RecoveryReport> {
    const { log, checkpoint } = this
    const { report, mustFlush } = await openStore(this, isAfterCrash)
    log.files.last?.map()
    log.lastStoreTimestamp = report.lastStoreTimestamp
    checkpoint.confirmPhyOffset = report.lastRecordOffset
    if (isAfterCrash) await this.flushScanned(report.scannedFrom)
    this.flusher.flushedOffset = report.endOffset
    this.reput.startAt(report.endOffset)
    this.reput.lastStoreTimestamp = report.lastStoreTimestamp
    await this.flushing.begin({ isAfterCrash, mustFlush })
    return report
  }

  /** What a crash left may be in the page cache only. */
  private async flushScanned(scannedFrom: number): Promise<void> {
    for (const file of this.log.files.files) {
      if (file.startOffset < scannedFrom) continue
      file.flushedPosition = 0
      await file.flush()
    }
  }

  /** Told of every message that consumers can see from now on, in the turn of its append. */
  set onArrival(listener: OnArrival | undefined) {
    this.dispatcher.onArrival = listener
  }

  /** How far messages may be shown: with SYNC_FLUSH only what is on the disk (store-format 7.4). */
  get confirmOffset(): number {
    const { flushDiskType, readUnCommitted } = this.settings
    return flushDiskType === 'SYNC_FLUSH' && !readUnCommitted ? this.flusher.flushedOffset : this.log.maxOffset
  }

  /** Appends one message (`topic`: its topic's entry, if at hand). The answer is one object, filled anew each time. */
  append(message: MessageToStore, topic?: TopicQueues): AppendResult {
    return this.put(message, topic, false)
  }

  /** Appends the messages of a batch's body, each as a record of its own; see {@link append}. */
  appendBatch(message: MessageToStore): AppendResult {
    return this.put(message, undefined, true)
  }

  private put(message: MessageToStore, known: TopicQueues | undefined, isBatch: boolean): AppendResult {
    const { result } = this
    if (this.state !== 'running' || !this.flags.isWritable) return fail(result, 'SERVICE_NOT_AVAILABLE')
    const topic = known === undefined || known.isDropped ? this.queues.topicOf(message.topic) : known
    if (topic.isLong && (isBatch || !topic.mayBeLong || !this.settings.autoMessageVersionOnTopicLen)) {
      return fail(result, 'MESSAGE_ILLEGAL')
    }
    const type = transactionType(message.sysFlag)
    const isQueued = type === MessageSysFlag.TRANSACTION_NOT_TYPE || type === MessageSysFlag.TRANSACTION_COMMIT_TYPE
    if (isBatch && type !== MessageSysFlag.TRANSACTION_NOT_TYPE) return fail(result, 'MESSAGE_ILLEGAL')
    if (topic.isBatch || (message.sysFlag & MessageSysFlag.INNER_BATCH) !== 0) {
      const { log, queues } = this
      if (!isBatch) return appendInnerBatch(message, { log, queues, topic }, result)
    }
    if (!isQueued) this.log.append(message, topic, 0, result)
    else {
      const queue = this.queues.queueOf(topic, message.queueId)
      if (isBatch) this.log.appendBatch(message, topic, queue.nextOffset, result)
      else if (this.light.isOn) this.light.append(message, topic, queue, result)
      else this.log.append(message, topic, queue.nextOffset, result)
      queue.nextOffset += result.messageCount
    }
    return result
  }

  /** Whether a power cut can no longer take what lies in front of `endOffset`; always true for ASYNC_FLUSH. */
  isDurable(endOffset: number): boolean {
    return this.flusher.isDurable(endOffset)
  }

  /** PUT_OK, FLUSH_DISK_TIMEOUT after `syncFlushTimeout`, or UNKNOWN_ERROR when the disk refuses. Never rejects. */
  whenDurable(endOffset: number): Promise<PutStatus> {
    return this.flusher.whenDurable(endOffset)
  }

  /**
   * Makes what was appended so far durable. Rejects when the disk refuses. To be awaited before anything is saved that
   * refers to messages by offset: what is on the disk is then never ahead of the log.
   */
  flush(): Promise<void> {
    return this.flusher.flush()
  }

  /** What is acknowledged, written and flushed, and what a power cut now would take. Looks at the log only now. */
  durabilityStatus(): Promise<DurabilityStatus> {
    return this.durability.status()
  }

  /** What {@link purge} would take of a topic: messages stored before `before` (ms). */
  previewPurge(topic: string, before: number): Promise<PurgePreview> {
    return this.purging.preview(topic, before)
  }

  /** Takes a topic's messages stored before `before` (ms) from consumers, durably; what went. */
  purge(topic: string, before: number): Promise<PurgePreview> {
    return this.purging.purge(topic, before)
  }

  /** Everything in front of it is on the disk. */
  get flushedOffset(): number {
    return this.flusher.flushedOffset
  }

  /** Reads messages of a queue; a promise only when something must come from the disk. Undefined when not readable. */
  getMessage(request: GetMessageRequest): GetMessageResult | Promise<GetMessageResult> | undefined {
    if (this.state !== 'running' || !this.flags.isReadable) return undefined
    return this.reader.get(request)
  }

  /** Offset of the first message of a queue; 0 for an unknown one. */
  minOffset(topic: string, queueId: number): number {
    return this.queues.find(topic, queueId)?.minOffset ?? 0
  }

  /** Offset that the next message of a queue gets to consumers; 0 for an unknown one. */
  maxOffset(topic: string, queueId: number): number {
    return this.queues.find(topic, queueId)?.maxOffset ?? 0
  }

  /** Deletes topics' queues; the records stay in the log until it is cleaned. */
  async deleteTopics(topics: Iterable<string>): Promise<void> {
    await this.admin.deleteTopics([...topics])
  }

  deleteTopic(topic: string): Promise<void> {
    return this.admin.deleteTopics([topic])
  }

  /** Store time of message `queueOffset` in ms, -1 when there is none. */
  getMessageStoreTimestamp(topic: string, queueId: number, queueOffset: number): Promise<number> {
    return this.queries.storeTimeAt(topic, queueId, queueOffset)
  }

  /** Store time in ms of a queue's first message, or of the log's; -1 when there is none. */
  getEarliestMessageTime(topic?: string, queueId?: number): Promise<number> {
    return this.queries.earliestStoreTime(topic, queueId)
  }

  /** Up to `count` units from `from` on; undefined for an unknown queue. */
  async getConsumeQueueUnits(
    topic: string,
    queueId: number,
    from: number,
    count: number,
  ): Promise<QueueUnit[] | undefined> {
    const isKnown = this.queues.find(topic, queueId) !== undefined
    return isKnown ? this.queries.units(topic, queueId, from, count) : undefined
  }

  cleanExpiredConsumeQueue(): Promise<void> {
    return this.admin.cleanExpiredConsumeQueue()
  }

  cleanUnusedTopic(retain: ReadonlySet<string>): Promise<void> {
    return this.admin.cleanUnusedTopic(retain)
  }

  /** The next rounds of cleaning delete expired commit log files whatever the hour. */
  executeDeleteFilesManually(): Promise<void> {
    return this.retention.deleteExpired()
  }

  getRuntimeInfo(): ReadonlyMap<string, string> {
    return this.admin.runtimeInfo()
  }

  private stopWriting(error: MQError): void {
    this.flags.set(RunningFlag.NOT_WRITABLE, error.message)
    this.logger.error(
      { event: 'flush-failed', code: error.code, err: error },
      `${error.message}; no message is acknowledged until the broker is started again on a sound disk`,
    )
  }

  private logGap(request: { topic: { topic: string }; queueId: number; queueOffset: number }): void {
    this.logger.error(
      { event: 'queue-gap', topic: request.topic.topic, queueId: request.queueId, queueOffset: request.queueOffset },
      `messages of ${request.topic.topic}-${request.queueId} in front of ${request.queueOffset} are not in the log`,
    )
  }

  /** Flushes everything and closes. The `abort` file goes only when all of it worked. */
  async shutdown(): Promise<void> {
    if (this.state !== 'running') return
    this.state = 'stopped'
    await this.retention.stop()
    for (const task of this.tasks) await task.stop()
    await this.flusher.stop()
    const isClean = await this.flushAll()
    await this.index?.close()
    if (isClean) {
      // without it the next start looks through the log instead
      await this.flushing
        .writeManifest(this.log.maxOffset, true)
        .catch((error: unknown) => this.logShutdownFailure(error))
    }
    await this.log.files.close()
    this.checkpoint.close()
    if (isClean && this.flags.isWritable) this.disk.remove(this.folders.abort)
    this.lock?.release()
  }

  private logShutdownFailure(error: unknown): void {
    this.logger.error(
      { event: 'shutdown-flush-failed', err: error },
      `the store is not flushed: ${errorText(error)}; the next start recovers as after a crash`,
    )
  }

  private async flushAll(): Promise<boolean> {
    let isClean = true
    try {
      await this.flusher.flush()
      this.reput.drain()
    } catch (error) {
      isClean = false
      this.logShutdownFailure(error)
    }
    const dispatched = this.reput.lastStoreTimestamp
    if (!(await this.queues.close())) isClean = false
    else if (dispatched > 0) this.checkpoint.logicsMsgTimestamp = dispatched
    await this.checkpoint.flush().catch(() => {
      isClean = false
    })
    return isClean
  }
}
