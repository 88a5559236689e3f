import { BatchQueueReader } from './batch-queue-reader.js'
import { type CheckpointContent, readCheckpoint } from './checkpoint-file.js'
import { readConfigFiles } from './config-files.js'
import { type IndexHeader, IndexReader } from './index-reader.js'
import { findLogEnd } from './log-end.js'
import { logGaps } from './log-gaps.js'
import { type LogEnd, LogScanner } from './log-scanner.js'
import { QueueReader } from './queue-reader.js'
import type { StoreDirectory } from './store-directory.js'
import { UnitPool } from './unit-files.js'

export interface LogSummary {
  readonly folders: readonly string[]
  readonly fileSize: number
  readonly files: readonly { readonly name: string; readonly size: number; readonly path: string }[]
  /** Parts `[from, to)` for which there are no files between the others. */
  readonly gaps: readonly { readonly from: number; readonly to: number }[]
  readonly minOffset: number
  readonly endOffset: number
  readonly tail: LogEnd['tail']
  /** Only when they were counted. */
  readonly records?: number
  readonly blanks?: readonly { readonly offset: number; readonly size: number }[]
  readonly unreadable?: readonly { readonly offset: number; readonly size: number; readonly problem: string }[]
}

export interface QueueSummary {
  readonly topic: string
  readonly queueId: number
  readonly files: readonly { readonly name: string; readonly size: number }[]
  readonly min: number
  readonly max: number
  /** Entries in front of `min` whose records are gone. */
  readonly staleEntries: number
}

export interface BatchQueueSummary {
  readonly topic: string
  readonly queueId: number
  readonly files: readonly { readonly name: string; readonly size: number }[]
  readonly entries: number
  readonly messages: number
}

export interface IndexSummary extends Partial<IndexHeader> {
  readonly name: string
  readonly size: number
  readonly hashSlotNum?: number
  readonly indexNum?: number
  readonly problem?: string
}

export interface StoreSummary {
  readonly store: string
  /** `closed` after a stop in order; `running` or `crashed` when there is a file abort. */
  readonly state: 'closed' | 'running' | 'crashed'
  readonly pid?: number
  readonly commitLog: LogSummary
  readonly consumeQueues: readonly QueueSummary[]
  readonly batchConsumeQueues: readonly BatchQueueSummary[]
  readonly indexFiles: readonly IndexSummary[]
  readonly checkpoint: CheckpointContent | undefined
  readonly configFiles: readonly { readonly name: string; readonly size: number; readonly problem?: string }[]
}

export interface SummaryOptions {
  /** Reads the whole log to count its records. */
  countsRecords: boolean
  hashSlots?: number | undefined
  onProgress?: (bytes: number) => void
}

export async function summarize(directory: StoreDirectory, options: SummaryOptions): Promise<StoreSummary> {
  return {
    store: directory.root,
    ...stateOf(directory.abort),
    commitLog: await summarizeLog(directory, options),
    consumeQueues: await summarizeQueues(directory),
    batchConsumeQueues: await summarizeBatchQueues(directory),
    indexFiles: await summarizeIndex(directory, options.hashSlots),
    checkpoint: readCheckpoint(directory),
    configFiles: readConfigFiles(directory, false).map(({ name, bytes, problem }) => ({
      name,
      size: bytes,
      ...(problem === undefined ? {} : { problem }),
    })),
  }
}

/** Only this machine's processes can be asked whether they live. */
function stateOf(abort: string | undefined): Pick<StoreSummary, 'state' | 'pid'> {
  if (abort === undefined) return { state: 'closed' }
  const pid = Number(abort)
  if (!Number.isInteger(pid) || pid <= 0) return { state: 'crashed' }
  try {
    process.kill(pid, 0)
    return { state: 'running', pid }
  } catch (error) {
    const isOther = error instanceof Error && 'code' in error && error.code === 'EPERM'
    return { state: isOther ? 'running' : 'crashed', pid }
  }
}

async function summarizeLog(directory: StoreDirectory, options: SummaryOptions): Promise<LogSummary> {
  const counted = options.countsRecords ? await countLog(directory, options) : undefined
  const end = counted?.end ?? (await findLogEnd(directory, options.onProgress))
  return {
    folders: directory.commitLogFolders,
    fileSize: directory.logFileSize,
    files: directory.log.map(({ name, length, path }) => ({ name, size: length, path })),
    gaps: logGaps(directory).map(({ from, to }) => ({ from, to })),
    minOffset: directory.log[0]?.startOffset ?? 0,
    endOffset: end.offset,
    tail: end.tail,
    ...counted?.counts,
  }
}

async function countLog(directory: StoreDirectory, { onProgress }: SummaryOptions) {
  let records = 0
  const blanks: { offset: number; size: number }[] = []
  const unreadable: { offset: number; size: number; problem: string }[] = []
  const scanner = new LogScanner({
    directory,
    visitor: {
      record: () => {
        records++
      },
      blank: (offset, size) => void blanks.push({ offset, size }),
      unreadable: ({ position, end, problem }) =>
        void unreadable.push({ offset: position, size: end - position, problem }),
    },
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  const end = await scanner.run()
  return { end, counts: { records, blanks, unreadable } }
}

async function summarizeQueues(directory: StoreDirectory): Promise<QueueSummary[]> {
  const pool = new UnitPool(directory.disk)
  const logMin = directory.log[0]?.startOffset ?? 0
  const summaries: QueueSummary[] = []
  for (const { topic, queueId, folder } of directory.queueFolders('consumequeue')) {
    const reader = new QueueReader(pool, topic, queueId, folder)
    const { min, max, first } = await reader.bounds(logMin)
    const files = reader.units.segments.map(({ name, length }) => ({ name, size: length }))
    summaries.push({ topic, queueId, files, min, max, staleEntries: min - first })
  }
  pool.close()
  return summaries
}

async function summarizeBatchQueues(directory: StoreDirectory): Promise<BatchQueueSummary[]> {
  const pool = new UnitPool(directory.disk)
  const summaries: BatchQueueSummary[] = []
  for (const { topic, queueId, folder } of directory.queueFolders('batchconsumequeue')) {
    const reader = new BatchQueueReader(pool, topic, queueId, folder)
    let entries = 0
    let messages = 0
    for await (const [, entry] of reader.entries()) {
      entries++
      messages += entry.batchSize
    }
    const files = reader.units.segments.map(({ name, length }) => ({ name, size: length }))
    summaries.push({ topic, queueId, files, entries, messages })
  }
  pool.close()
  return summaries
}

export async function summarizeIndex(directory: StoreDirectory, hashSlots?: number): Promise<IndexSummary[]> {
  const summaries: IndexSummary[] = []
  for (const name of directory.indexFileNames()) {
    const size = directory.disk.stat(directory.path('index', name))?.length ?? 0
    try {
      const reader = await IndexReader.open(directory, name, hashSlots)
      const { slots: hashSlotNum, items: indexNum } = reader.shape
      summaries.push({ name, size, ...(await reader.header()), hashSlotNum, indexNum })
      reader.close()
    } catch (error) {
      summaries.push({ name, size, problem: error instanceof Error ? error.message : String(error) })
    }
  }
  return summaries
}
