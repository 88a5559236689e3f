import { BatchQueueReader } from '../batch-queue-reader.js'
import { extensionOffset } from '../extension-reader.js'
import { type QueueEntry, QueueReader } from '../queue-reader.js'
import type { QueueFolder, StoreDirectory } from '../store-directory.js'
import { UnitPool } from '../unit-files.js'
import type { DifferenceList } from './difference.js'

/** Compares all queues: which there are, how far they reach, and what they hold. */
export async function diffQueues(a: StoreDirectory, b: StoreDirectory, list: DifferenceList): Promise<void> {
  const poolA = new UnitPool(a.disk)
  const poolB = new UnitPool(b.disk)
  for (const [name, ours, theirs] of pairs(a.queueFolders('consumequeue'), b.queueFolders('consumequeue'))) {
    if (ours === undefined || theirs === undefined) list.add('queues', name, ours && 'a queue', theirs && 'a queue')
    else {
      await diffQueue(
        { name, logMin: a.log[0]?.startOffset ?? 0, queue: readerOf(poolA, ours) },
        { name, logMin: b.log[0]?.startOffset ?? 0, queue: readerOf(poolB, theirs) },
        list,
      )
    }
  }
  const batches = pairs(a.queueFolders('batchconsumequeue'), b.queueFolders('batchconsumequeue'))
  for (const [name, ours, theirs] of batches) {
    if (ours === undefined || theirs === undefined) {
      list.add('queues', name, ours && 'a batch queue', theirs && 'a batch queue')
    } else {
      const readers = [ours, theirs].map(
        ({ topic, queueId, folder }, i) => new BatchQueueReader(i === 0 ? poolA : poolB, topic, queueId, folder),
      )
      await diffBatchQueue(name, readers as [BatchQueueReader, BatchQueueReader], list)
    }
  }
  poolA.close()
  poolB.close()
}

function readerOf(pool: UnitPool, { topic, queueId, folder }: QueueFolder): QueueReader {
  return new QueueReader(pool, topic, queueId, folder)
}

function pairs(
  a: readonly QueueFolder[],
  b: readonly QueueFolder[],
): [name: string, QueueFolder | undefined, QueueFolder | undefined][] {
  const nameOf = ({ topic, queueId }: QueueFolder): string => `${topic}-${queueId}`
  const ours = new Map(a.map(queue => [nameOf(queue), queue]))
  const theirs = new Map(b.map(queue => [nameOf(queue), queue]))
  return [...new Set([...ours.keys(), ...theirs.keys()])].map(name => [name, ours.get(name), theirs.get(name)])
}

interface Side {
  readonly name: string
  readonly logMin: number
  readonly queue: QueueReader
}

async function diffQueue(a: Side, b: Side, list: DifferenceList): Promise<void> {
  const ours = await a.queue.bounds(a.logMin)
  const theirs = await b.queue.bounds(b.logMin)
  const { name } = a
  if (ours.min !== theirs.min) list.add('queues', `${name} min`, String(ours.min), String(theirs.min))
  if (ours.max !== theirs.max) list.add('queues', `${name} max`, String(ours.max), String(theirs.max))
  const to = Math.min(ours.max, theirs.max)
  for (let index = Math.max(ours.min, theirs.min); index < to; index++) {
    const [one, other] = [await a.queue.entry(index), await b.queue.entry(index)]
    const [text, otherText] = [await entryText(a.queue, one), await entryText(b.queue, other)]
    if (text !== otherText) list.add('queues', `${name} entry ${index}`, text, otherText)
  }
}

/** Extensions may lie elsewhere and still say the same. */
async function entryText(queue: QueueReader, entry: QueueEntry | undefined): Promise<string | undefined> {
  if (entry === undefined) return undefined
  const text = `${entry.physicalOffset} ${entry.size} bytes tags code`
  const offset = extensionOffset(entry.tagsCode)
  if (offset < 0) return `${text} ${entry.tagsCode}`
  const unit = await queue.extensions.unit(offset)
  if (unit === undefined) return `${text} lost`
  const bits = unit.bitMap === undefined ? '' : ` bits ${unit.bitMap.toString('hex')}`
  return `${text} ${unit.tagsCode} stored ${unit.storeTimestamp}${bits}`
}

async function diffBatchQueue(
  name: string,
  [a, b]: readonly [BatchQueueReader, BatchQueueReader],
  list: DifferenceList,
): Promise<void> {
  const ours = a.entries()[Symbol.asyncIterator]()
  const theirs = b.entries()[Symbol.asyncIterator]()
  for (;;) {
    const [one, other] = [await ours.next(), await theirs.next()]
    if (one.done && other.done) return
    const text = one.done ? undefined : JSON.stringify(one.value[1])
    const otherText = other.done ? undefined : JSON.stringify(other.value[1])
    const index = one.done ? other.value?.[0] : one.value[0]
    if (text !== otherText) list.add('queues', `${name} entry number ${index}`, text, otherText)
  }
}
