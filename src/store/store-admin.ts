import { isLmq, isSystemTopic } from '../common/index.js'
import type { Clock, Disk, Logger } from '../util/index.js'
import type { CommitLog } from './commit-log.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { Retention } from './retention.js'
import type { StoreFolders } from './store-folders.js'
import type { StoreMarks } from './store-marks.js'

export interface StoreAdminOptions {
  disk: Disk
  clock: Clock
  logger: Logger
  folders: StoreFolders
  log: CommitLog
  queues: ConsumeQueueStore
  retention: Retention
  marks: StoreMarks
  /** Bytes of the log that consumers cannot see yet. */
  dispatchBehindBytes: () => number
  flushedOffset: () => number
}

const NO_POOL = '2147483647'

/** What operators order and ask of a store. */
export class StoreAdmin {
  private readonly bootTimestamp: number

  constructor(private readonly options: StoreAdminOptions) {
    this.bootTimestamp = options.clock.now()
  }

  /** Deletes queues whose every record is gone from the log; those of system topics stay. */
  async cleanExpiredConsumeQueue(): Promise<void> {
    const { queues, log, logger } = this.options
    for (const queue of [...queues.all()]) {
      const isEmpty = queue.maxPhysicalOffset >= 0 && queue.maxPhysicalOffset <= log.minOffset
      if (!isEmpty || isSystemTopic(queue.topic)) continue
      await queues.deleteQueue(queue)
      logger.info(
        { event: 'queue-deleted', topic: queue.topic, queueId: queue.queueId },
        `the queue ${queue.topic}-${queue.queueId} had no message left and is deleted`,
      )
    }
  }

  /** Deletes the queues of every topic that is not in `retain`, but for system topics and LMQs. */
  async cleanUnusedTopic(retain: ReadonlySet<string>): Promise<void> {
    const { queues, logger } = this.options
    for (const topic of [...queues.topics.keys()]) {
      if (retain.has(topic) || isSystemTopic(topic) || isLmq(topic)) continue
      await this.deleteTopics([topic])
      logger.info({ event: 'unused-topic-deleted', topic }, `the queues of ${topic}, which is no topic, are deleted`)
    }
  }

  /**
   * Deletes topics' queues; records stay in the log until it is cleaned, but never come back to a topic of the same
   * name. Throws MQError `ERR_STORE_MARKS` when the disk refuses; nothing is deleted then.
   */
  async deleteTopics(topics: readonly string[]): Promise<void> {
    const { queues, marks, log } = this.options
    const known = topics.filter(topic => queues.topics.has(topic))
    if (known.length > 0) await queues.deleteTopics(known, () => marks.markDeleted(known, log.maxOffset))
  }

  /** The store's keys of GET_BROKER_RUNTIME_INFO (broker-behaviour 12.6). */
  runtimeInfo(): Map<string, string> {
    const { log, folders, clock, retention, disk } = this.options
    const ratios = retention.ratios()
    const table = new Map([
      ['bootTimestamp', String(this.bootTimestamp)],
      ['runtime', runtimeText(clock.now() - this.bootTimestamp)],
      ['dispatchMaxBuffer', '0'],
    ])
    let total = 0
    let free = 0
    for (const folder of folders.commitLog) {
      table.set(`commitLogDiskRatio_${folder}`, String(retention.ratioOf(folder)))
      const usage = disk.usage(folder)
      total += usage.totalBytes
      free += usage.totalBytes - usage.usedBytes
    }
    table.set('commitLogDiskRatio', String(ratios.commitLog))
    table.set('consumeQueueDiskRatio', String(ratios.consumeQueue))
    table.set('commitLogDirCapacity', `Total : ${bytesText(total)}, Free : ${bytesText(free)}.`)
    table.set('commitLogMinOffset', String(log.minOffset))
    table.set('commitLogMaxOffset', String(log.maxOffset))
    table.set('dispatchBehindBytes', String(this.options.dispatchBehindBytes()))
    table.set('remainHowManyDataToFlush', bytesText(log.maxOffset - this.options.flushedOffset()))
    table.set('remainTransientStoreBufferNumbs', NO_POOL)
    return table
  }
}

function runtimeText(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const days = Math.floor(seconds / 86_400).toLocaleString('en-US')
  const hours = Math.floor((seconds % 86_400) / 3600)
  return `[ ${days} days, ${hours} hours, ${Math.floor((seconds % 3600) / 60)} minutes, ${seconds % 60} seconds ]`
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']

/** `512 B`, `1.5 KiB`, as Java prints bytes. */
function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let value = bytes / 1024
  let unit = 0
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024
  return `${value.toFixed(1)} ${UNITS[unit]}`
}
