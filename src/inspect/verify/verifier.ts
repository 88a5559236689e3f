import { isLmq, readObject } from '../../common/index.js'
import { BatchQueueReader } from '../batch-queue-reader.js'
import { readConfigFiles } from '../config-files.js'
import type { LogRecord } from '../log-record.js'
import { type LogEnd, LogScanner, type UnreadableRange } from '../log-scanner.js'
import { QueueReader } from '../queue-reader.js'
import { RecordFacts } from '../record-facts.js'
import type { StoreDirectory } from '../store-directory.js'
import { UnitPool } from '../unit-files.js'
import { BatchQueueCheck } from './batch-queue-check.js'
import { type AffectedMessage, type Damage, DamageReport } from './damage.js'
import { checkCheckpoint, checkConfig, checkLogEnd, checkLogFiles } from './file-checks.js'
import { IndexCheck } from './index-check.js'
import { LogDamage } from './log-damage.js'
import { type CheckParts, QueueCheck } from './queue-check.js'

export interface VerifyOptions {
  directory: StoreDirectory
  /** Damages told in detail. */
  limit: number
  messageDelayLevel: string
  hashSlots?: number | undefined
  onProgress?: (bytes: number) => void
}

export interface VerifyResult {
  readonly records: number
  readonly bytes: number
  readonly queueEntries: number
  readonly indexItems: number
  readonly logEnd: number
  readonly damageCount: number
  readonly damages: readonly Damage[]
  readonly notes: readonly string[]
}

const DAY_MS = 86_400_000

/** Reads a whole store once, in bounded memory, and compares its parts with each other. */
export class Verifier {
  private readonly report: DamageReport
  private readonly logDamage: LogDamage
  private readonly facts: RecordFacts
  private readonly pool: UnitPool
  private readonly parts: CheckParts
  private readonly queues = new Map<string, QueueCheck>()
  private readonly batchQueues = new Map<string, BatchQueueCheck>()
  private readonly index: IndexCheck
  private hasLmq = false
  /** Records of queues that there are none of, by queue. */
  private readonly homeless = new Map<string, { topic: string; count: number; first: AffectedMessage }>()
  private records = 0
  private bytes = 0
  private lastStoreTimestamp = 0
  private endedWithBlank = false

  constructor(private readonly options: VerifyOptions) {
    const { directory, limit, messageDelayLevel, hashSlots } = options
    this.report = new DamageReport(limit)
    this.logDamage = new LogDamage(this.report)
    this.facts = new RecordFacts(messageDelayLevel)
    this.pool = new UnitPool(directory.disk)
    const { report, logDamage } = this
    const logMin = directory.log[0]?.startOffset ?? 0
    this.parts = {
      directory,
      report,
      logDamage,
      logMin,
      isOpen: directory.abort !== undefined,
      hasExtensions: directory.disk.list(directory.path('consumequeue_ext')).length > 0,
      hasCompaction: directory.disk.list(directory.path('compaction', 'compactionLog')).length > 0,
    }
    this.index = new IndexCheck(this.parts, hashSlots)
  }

  async run(): Promise<VerifyResult> {
    const { directory, onProgress } = this.options
    checkLogFiles(directory, this.logDamage, this.report)
    await this.openQueues()
    const scanner = new LogScanner({
      directory,
      searchesTail: true,
      visitor: {
        record: record => this.onRecord(record),
        blank: () => {
          this.endedWithBlank = true
        },
        unreadable: range => this.onUnreadable(range),
      },
      ...(onProgress === undefined ? {} : { onProgress }),
    })
    const end = await scanner.run()
    await this.finish(end)
    this.pool.close()
    const { records, bytes, report } = this
    return {
      records,
      bytes,
      queueEntries: sum([...this.queues.values(), ...this.batchQueues.values()].map(check => check.checkedEntries)),
      indexItems: this.index.checkedItems,
      logEnd: end.offset,
      damageCount: report.count,
      damages: report.damages,
      notes: report.notes,
    }
  }

  private async openQueues(): Promise<void> {
    for (const { topic, queueId, folder } of this.options.directory.queueFolders('consumequeue')) {
      await this.addQueue(topic, queueId, folder)
    }
    for (const { topic, queueId, folder } of this.options.directory.queueFolders('batchconsumequeue')) {
      const check = new BatchQueueCheck(this.parts, new BatchQueueReader(this.pool, topic, queueId, folder))
      this.batchQueues.set(queueKey(topic, queueId), check)
    }
  }

  private async addQueue(topic: string, queueId: number, folder: string): Promise<QueueCheck> {
    if (isLmq(topic)) this.hasLmq = true
    const check = new QueueCheck(this.parts, new QueueReader(this.pool, topic, queueId, folder))
    this.queues.set(queueKey(topic, queueId), check)
    await check.start()
    return check
  }

  private async onRecord(record: LogRecord): Promise<void> {
    const { facts } = this
    this.records++
    this.bytes += record.size
    this.endedWithBlank = false
    facts.of(record)
    const problem = record.problem
    if (problem !== undefined) this.reportRecord(record, problem)
    else this.checkStoreTime(record)
    if (facts.isQueued) {
      const queued = this.checkQueue()
      if (queued !== undefined) await queued
    }
    if (this.hasLmq) await this.checkExtraEntries(record)
    if (this.index.fileCount > 0) await this.index.record(facts)
  }

  private checkStoreTime(record: LogRecord): void {
    const { storeTimestamp } = this.facts
    const last = this.lastStoreTimestamp
    if (last > 0 && Math.abs(storeTimestamp - last) > 3650 * DAY_MS) {
      this.reportRecord(record, `it says that it was stored at ${storeTimestamp}, the one before it at ${last}`)
    } else {
      this.lastStoreTimestamp = Math.max(last, storeTimestamp)
    }
  }

  private messageOfFacts(): AffectedMessage {
    const { topic, queueId, queueOffset, position: physicalOffset, uniqKey } = this.facts
    return { topic, queueId, queueOffset, physicalOffset, uniqKey }
  }

  private reportRecord(record: LogRecord, problem: string): void {
    const { position, size, file } = record
    const at = position - file.startOffset
    const text = {
      file: file.path,
      position: at,
      end: at + size,
      problem: `the record is damaged: ${problem}`,
      effect: 'brokers skip it, or clients refuse it',
    }
    this.logDamage.add(position, position + size, text, this.messageOfFacts())
  }

  private onUnreadable({ file, position, end, problem }: UnreadableRange): void {
    const at = position - file.startOffset
    this.logDamage.add(position, end, {
      file: file.path,
      position: at,
      end: at + end - position,
      problem: `no record can be read in ${end - position} bytes: ${problem}`,
      effect: 'what stands here is lost, and a broker that recovers may cut the log here',
    })
  }

  private checkQueue(): void | Promise<void> {
    const { topic, queueId } = this.facts
    const key = queueKey(topic, queueId)
    const batch = this.batchQueues.get(key)
    if (batch !== undefined && !this.queues.has(key)) return batch.record(this.facts)
    const queue = this.queues.get(key)
    return queue === undefined ? this.checkUnknownQueue(key) : queue.record(this.facts)
  }

  private async checkUnknownQueue(key: string): Promise<void> {
    const { topic, queueId } = this.facts
    const known = this.homeless.get(key)
    if (known !== undefined) {
      known.count++
      return
    }
    const folder = this.options.directory.path('consumequeue', topic, String(queueId))
    if (this.parts.isOpen && !topic.includes('/') && this.pool.disk.stat(folder) !== undefined) {
      // made since the verification began
      const check = await this.addQueue(topic, queueId, folder)
      await check.record(this.facts)
      return
    }
    this.homeless.set(key, { topic, count: 1, first: this.messageOfFacts() })
  }

  private async checkExtraEntries(record: LogRecord): Promise<void> {
    for (const { topic, queueOffset } of this.facts.extraEntries(record)) {
      await this.queues.get(queueKey(topic, 0))?.record({ ...this.facts, queueOffset })
    }
  }

  private async finish(end: LogEnd): Promise<void> {
    const { directory } = this.options
    this.reportTail(end)
    let behind = 0
    let earlier = 0
    for (const queue of this.queues.values()) {
      behind += await queue.finish()
      earlier += queue.earlierRecords
    }
    for (const queue of this.batchQueues.values()) await queue.finish()
    const keysBehind = await this.index.finish(end.offset)
    if (this.index.fileCount === 0) this.report.note('there is no index')
    if (this.parts.isOpen) {
      this.report.note(
        'the store is open, or was not stopped in order (there is a file abort): ' +
          `${behind} records have no queue entry yet and ${keysBehind} keys no index item, which a start adds`,
      )
    }
    if (earlier > 0) this.report.note(`${earlier} records are of topics that were deleted and made again`)
    this.reportHomeless()
    checkLogEnd(end, this.endedWithBlank, this.report)
    checkCheckpoint(directory, this.report, { end: end.offset, lastStoreTimestamp: this.lastStoreTimestamp })
    checkConfig(directory, this.report)
  }

  /** Bytes behind the last record are of a torn append, or of before a cut: harmless unless something points there. */
  private reportTail({ tail, offset, file, problem }: LogEnd): void {
    if (file === undefined) return
    const why = tail === 'bytes' ? `what stands here is no record: ${problem}` : 'the log ends here'
    this.logDamage.endAt(offset, {
      file: file.path,
      position: offset - file.startOffset,
      problem: `${why}, although queues or index have entries for messages from here on`,
      effect: 'these messages are lost',
    })
    if (tail === 'bytes') {
      this.report.note(`the log ends at ${offset}; the bytes behind it in ${file.path} are no record: ${problem}`)
    }
  }

  private reportHomeless(): void {
    const topics = new Map<string, number>()
    const known = this.configuredTopics()
    for (const { topic, count, first } of this.homeless.values()) {
      if (count === 1 && this.logDamage.at(first.physicalOffset ?? -1) !== undefined) continue
      if (!known.has(topic) || this.parts.isOpen) {
        topics.set(topic, (topics.get(topic) ?? 0) + count)
        continue
      }
      const damage = this.report.add(
        {
          part: 'consumequeue',
          file: this.options.directory.path('consumequeue', topic, String(first.queueId)),
          position: 0,
          problem: `the queue is missing, for which the log has ${count} records`,
          effect: 'consumers do not get them until the queue is built again from the log',
        },
        first,
      )
      damage.messageCount = count
    }
    for (const [topic, count] of topics) {
      this.report.note(`${count} records are of ${topic}, which has no queues: it was deleted, or its name is damaged`)
    }
  }

  private configuredTopics(): ReadonlySet<string> {
    const file = readConfigFiles(this.options.directory, false).find(({ name }) => name === 'topics.json')
    return new Set(Object.keys(readObject(readObject(file?.content).topicConfigTable)))
  }
}

function queueKey(topic: string, queueId: number): string {
  return `${topic}\u0000${queueId}`
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
