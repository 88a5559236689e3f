import { type Clock, type Disk, MQError } from '../util/index.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import { readOwnFile, writeOwnFile } from './own-file.js'

/** How far a queue was when all of it was on the disk. */
export interface ManifestQueue {
  readonly topic: string
  readonly queueId: number
  readonly maxOffset: number
  readonly maxPhysicalOffset: number
}

export interface ManifestIndexFile {
  readonly name: string
  readonly count: number
  readonly endPhyOffset: number
}

/** What the index says of its files. */
interface DescribedIndex {
  describe(): readonly ManifestIndexFile[]
}

/** What the store's files held when they were last all on the disk: what a start compares them with. */
export interface Manifest {
  /** End of the log up to which queues and index were complete. */
  readonly logEnd: number
  /** Written by a clean stop: then files hold this and no more. */
  readonly isClean: boolean
  readonly queues: readonly ManifestQueue[]
  readonly index: readonly ManifestIndexFile[]
}

const SLICE_MS = 2

/** Undefined when there is none, or `damaged`. */
export function readManifest(disk: Disk, path: string): Manifest | 'missing' | 'damaged' {
  const lines = readOwnFile(disk, path)
  if (typeof lines === 'string') return lines
  const head = JSON.parse(lines[0] ?? '{}') as Pick<Manifest, 'logEnd' | 'isClean' | 'index'>
  const queues: ManifestQueue[] = []
  for (const line of lines.slice(1)) {
    const [topic, ...rows] = JSON.parse(line) as [string, ...[number, number, number][]]
    for (const [queueId, maxOffset, maxPhysicalOffset] of rows) {
      queues.push({ topic, queueId, maxOffset, maxPhysicalOffset })
    }
  }
  return { ...head, queues }
}

/** Notes the queues as they are, without keeping the loop for long. */
export async function manifestLines(
  state: { logEnd: number; isClean: boolean; queues: ConsumeQueueStore; index: DescribedIndex | undefined },
  clock: Clock,
): Promise<string[]> {
  const { logEnd, isClean, queues, index } = state
  const lines = [JSON.stringify({ logEnd, isClean, index: index?.describe() ?? [] })]
  let sliceStart = clock.monotonic()
  for (const topic of [...queues.topics.values()]) {
    const rows: [number, number, number][] = []
    for (const queue of topic.queues) {
      if (queue !== undefined) rows.push([queue.queueId, queue.flushedTo.maxOffset, queue.flushedTo.maxPhysicalOffset])
    }
    if (rows.length > 0) lines.push(JSON.stringify([topic.topic, ...rows]))
    if (clock.monotonic() - sliceStart < SLICE_MS) continue
    await new Promise(resolve => setImmediate(resolve))
    sliceStart = clock.monotonic()
  }
  return lines
}

export async function writeManifest(disk: Disk, path: string, lines: readonly string[]): Promise<void> {
  try {
    await writeOwnFile(disk, path, lines)
  } catch (error) {
    throw new MQError('ERR_STORE_MANIFEST', `${path} could not be written`, { cause: error })
  }
}
