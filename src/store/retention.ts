import { type Clock, type Disk, errorText, type Logger, PeriodicTask, sleep } from '../util/index.js'
import type { CommitLog } from './commit-log.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import { forcibleRatio, maxUsedRatio, usedRatio, warningRatio } from './disk-ratio.js'
import type { IndexService } from './index-service.js'
import type { Purge } from './purge.js'
import { RunningFlag, type RunningFlags } from './running-flags.js'
import type { StoreSettings } from './settings.js'

export interface RetentionOptions {
  settings: StoreSettings
  disk: Disk
  clock: Clock
  logger: Logger
  log: CommitLog
  /** The commit log's folders. */
  folders: readonly string[]
  queues: ConsumeQueueStore
  index: IndexService | undefined
  flags: RunningFlags
  rootDir: string
  purge: Purge
  /** How long (ms) a topic's messages are kept at most. */
  reserveTimeOf: (topic: string) => number | undefined
}

export interface DiskRatios {
  /** 0 to 1, whole percents rounded up; of the emptiest commit log folder. */
  readonly commitLog: number
  readonly consumeQueue: number
}

const MANUAL_ROUNDS = 20
/** Topics with a time of their own are looked at this often. */
const PURGE_PERIOD_MS = 60_000
const FIRST_RUN_MS = 60_000
const HOUR_MS = 3_600_000

/**
 * Deletes what is old, or more when the disk gets full, and keeps messages out before nothing is left (store-format
 * 9).
 */
export class Retention {
  private readonly task: PeriodicTask
  private manualRounds = 0
  private expiredTo = -1
  private lastPurge = Number.NEGATIVE_INFINITY
  private undeletable: string | undefined

  constructor(private readonly options: RetentionOptions) {
    const { settings, clock, logger } = options
    this.task = new PeriodicTask({
      name: 'cleaning the store',
      periodMs: settings.cleanResourceInterval,
      clock,
      logger,
      run: () => this.run(),
    })
  }

  start(): void {
    this.task.start(Math.min(FIRST_RUN_MS, this.options.settings.cleanResourceInterval * 6))
  }

  stop(): Promise<void> {
    return this.task.stop()
  }

  /** As the admin command: the next rounds delete expired files whatever the hour. */
  async deleteExpired(): Promise<void> {
    this.manualRounds = MANUAL_ROUNDS
    await this.task.runNow()
  }

  /** How full the disks are now. */
  ratios(): DiskRatios {
    const { disk, folders, rootDir } = this.options
    return {
      commitLog: Math.min(...folders.map(folder => usedRatio(disk, folder))),
      consumeQueue: usedRatio(disk, rootDir),
    }
  }

  /** How full the disk of a folder is, 0 to 1; -1 when there is no such folder. */
  ratioOf(folder: string): number {
    return this.options.disk.stat(folder) === undefined ? -1 : usedRatio(this.options.disk, folder)
  }

  async run(): Promise<void> {
    const { settings, log } = this.options
    const ratios = this.ratios()
    const isTight = this.judge(ratios)
    const maxUsed = maxUsedRatio(settings)
    const isDue =
      isTight || ratios.commitLog > maxUsed || ratios.consumeQueue > maxUsed || this.isHour() || this.manualRounds > 0
    if (this.manualRounds > 0) this.manualRounds--
    if (isDue) await this.deleteFiles(isTight && settings.cleanFileForciblyEnable)
    await this.purgeTopics()
    if (log.minOffset > this.expiredTo) {
      this.expiredTo = log.minOffset
      await this.expireQueues(log.minOffset)
    }
  }

  /** Takes away what topics with a time of their own have kept long enough. */
  private async purgeTopics(): Promise<void> {
    const { queues, reserveTimeOf, purge, clock, logger } = this.options
    const now = clock.monotonic()
    if (now - this.lastPurge < PURGE_PERIOD_MS) return
    this.lastPurge = now
    for (const topic of [...queues.topics.keys()]) {
      const keepMs = reserveTimeOf(topic)
      if (keepMs === undefined || keepMs < 0) continue
      const { messages } = await purge.purge(topic, clock.now() - keepMs)
      if (messages > 0) {
        logger.info(
          { event: 'topic-purged', topic, messages },
          `${messages} messages of ${topic} were too old: taken away`,
        )
      }
    }
  }

  private isHour(): boolean {
    const hour = new Date(this.options.clock.now()).getHours()
    return this.options.settings.deleteWhen.split(';').some(text => Number(text) === hour && text.trim() !== '')
  }

  /** Sets and clears the disk-full flags; whether files must go whatever their age. */
  private judge(ratios: DiskRatios): boolean {
    const { folders, rootDir } = this.options
    const log = this.judgeOne(RunningFlag.DISK_FULL, ratios.commitLog, folders.join(', '))
    const queues = this.judgeOne(RunningFlag.LOGIC_DISK_FULL, ratios.consumeQueue, rootDir)
    return log || queues
  }

  private judgeOne(flag: number, ratio: number, where: string): boolean {
    const { settings, flags, logger } = this.options
    const warning = warningRatio(settings)
    const forcibly = forcibleRatio(settings)
    if (ratio > warning) {
      const reason =
        `the disk of ${where} is ${percent(ratio)} full, above ${percent(warning)}: messages are taken again below ` +
        `${percent(forcibly)}; ${this.outlook()}`
      if (flags.set(flag, reason)) logger.error({ event: 'disk-full', ratio, where }, reason)
    } else if (ratio <= forcibly && flags.clear(flag)) {
      logger.info(
        { event: 'disk-space-back', ratio, where },
        `the disk of ${where} is ${percent(ratio)} full: taking messages`,
      )
    }
    return ratio > forcibly
  }

  /** What is going to be deleted, and when. */
  outlook(): string {
    const { log, settings } = this.options
    const [first] = log.files.files
    if (first === undefined || log.files.files.length < 2) return 'the only commit log file is in use and stays'
    if (settings.cleanFileForciblyEnable) return `the oldest file ${first.path} is deleted next`
    const due = new Date(first.modifiedMs + settings.fileReservedTime * HOUR_MS).toISOString()
    return `the oldest file ${first.path} is deleted after ${due} (fileReservedTime)`
  }

  private async deleteFiles(atOnce: boolean): Promise<void> {
    const { settings, log, clock, logger } = this.options
    const keepMs = settings.fileReservedTime * HOUR_MS
    for (let deleted = 0; deleted < settings.deleteFileBatchMax && log.files.files.length > 1; deleted++) {
      const file = log.files.files[0]!
      if (!atOnce && clock.now() < file.modifiedMs + keepMs) break
      if (deleted > 0) await sleep(clock, settings.deleteCommitLogFilesInterval)
      try {
        log.files.deleteFirst()
      } catch (error) {
        this.noteUndeletable(file.path, error)
        return
      }
      logger.info(
        { event: 'commit-log-file-deleted', path: file.path, forced: atOnce },
        `${file.path} deleted${atOnce ? ' because the disk is nearly full' : ''}: the log begins at ${log.minOffset}`,
      )
    }
  }

  /** Said once for each file: the next round tries again. */
  private noteUndeletable(path: string, error: unknown): void {
    if (this.undeletable === path) return
    this.undeletable = path
    this.options.logger.error(
      { event: 'commit-log-file-not-deleted', path, err: error },
      `${path} is old but could not be deleted: ${errorText(error)}; it and all newer files stay until it can be`,
    )
  }

  private async expireQueues(minPhysicalOffset: number): Promise<void> {
    const { settings, queues, index, clock, logger } = this.options
    for (const queue of [...queues.all()]) {
      let deleted = 0
      try {
        deleted = queues.expire(queue, minPhysicalOffset)
      } catch (error) {
        logger.error(
          { event: 'queue-clean-failed', topic: queue.topic, queueId: queue.queueId, err: error },
          `old units of ${queue.topic}-${queue.queueId} could not be deleted: ${errorText(error)}`,
        )
      }
      if (deleted > 0) await sleep(clock, settings.deleteConsumeQueueFilesInterval)
    }
    index?.expire(minPhysicalOffset)
  }
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)}%`
}
