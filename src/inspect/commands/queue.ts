import { MQError } from '../../util/index.js'
import { BatchQueueReader } from '../batch-queue-reader.js'
import {
  defineInspectCommand,
  type InspectContext,
  InspectExit,
  type OptionRow,
  openStore,
  STORE_ARGUMENT,
} from '../command.js'
import { extensionOffset } from '../extension-reader.js'
import { readRecordAt } from '../log-scanner.js'
import { describeRecord } from '../message-json.js'
import { toCount } from '../option-values.js'
import { timeText } from '../output.js'
import { isFiller, type QueueBounds, type QueueEntry, QueueReader } from '../queue-reader.js'
import type { StoreDirectory } from '../store-directory.js'
import { UnitPool } from '../unit-files.js'

interface QueueCommandOptions {
  from?: number
  limit?: number
  stale?: boolean
  records?: boolean
}

const options: readonly OptionRow[] = [
  {
    flags: '--from <queueOffset>',
    description: 'first entry; default the first whose record is there',
    parse: toCount,
  },
  { flags: '--limit <number>', description: 'end after so many entries', parse: toCount },
  { flags: '--stale', description: 'also entries whose records are gone' },
  { flags: '--records', description: 'with the record that each entry points to' },
]

export const queueCommand = defineInspectCommand<QueueCommandOptions>({
  name: 'queue',
  description: 'The entries of one queue, one line each.',
  arguments: [STORE_ARGUMENT, ['<topic>', 'name of the topic'], ['<queueId>', 'number of the queue']],
  options,
  async run(context, [root, topic, queueId], options) {
    const directory = openStore(root!, options)
    const id = Number(queueId)
    const isThis = (one: { topic: string; queueId: number }): boolean => one.topic === topic && one.queueId === id
    const queue = directory.queueFolders('consumequeue').find(isThis)
    const batch = directory.queueFolders('batchconsumequeue').find(isThis)
    const pool = new UnitPool(directory.disk)
    try {
      if (queue !== undefined) {
        await showQueue(context, directory, { reader: new QueueReader(pool, topic!, id, queue.folder), options })
      } else if (batch !== undefined) {
        await showBatchQueue(context, new BatchQueueReader(pool, topic!, id, batch.folder), options)
      } else {
        throw new MQError('ERR_NO_QUEUE', noQueue(directory, topic!, queueId!))
      }
    } finally {
      pool.close()
    }
    return InspectExit.ok
  },
})

function noQueue(directory: StoreDirectory, topic: string, queueId: string): string {
  const known = [...directory.queueFolders('consumequeue'), ...directory.queueFolders('batchconsumequeue')]
  const ids = known.filter(queue => queue.topic === topic).map(queue => queue.queueId)
  if (ids.length > 0) return `${topic} has no queue ${queueId}, only ${ids.join(', ')}`
  return `the store has no queue of ${topic}; mqstore summary lists the topics`
}

async function showQueue(
  { out }: InspectContext,
  directory: StoreDirectory,
  { reader, options }: { reader: QueueReader; options: QueueCommandOptions },
): Promise<void> {
  const bounds: QueueBounds = await reader.bounds(directory.log[0]?.startOffset ?? 0)
  const { min, max, first } = bounds
  const { topic, queueId } = reader
  await out.line(`${topic}-${queueId}: entries ${min} to ${max - 1}, ${min - first} stale ones in front`)
  const from = options.from ?? (options.stale === true ? first : min)
  let left = options.limit ?? Number.POSITIVE_INFINITY
  for await (const [queueOffset, entry] of reader.entries(from, max)) {
    if (left-- <= 0) break
    const record = options.records === true ? await readRecordAt(directory, entry.physicalOffset) : undefined
    const described = record === undefined ? undefined : describeRecord(record)
    const { physicalOffset, size } = entry
    const { tagsCode, extension } = await extended(reader, entry)
    const isStale = queueOffset < min
    const more = { ...(isStale ? { isStale } : {}), ...(isFiller(entry) ? { isFiller: true } : {}) }
    const fields = { topic, queueId, queueOffset, physicalOffset, size, tagsCode, extension, ...more }
    await out.json({ ...fields, record: described })
    const about = described === undefined ? '' : `  ${timeText(described.storeTimestamp)}  ${keyOf(described)}`
    const bits = extension?.bitMap === undefined ? '' : `  bits ${extension.bitMap}`
    await out.line(`${queueOffset}  ${physicalOffset} ${size} bytes  tags code ${tagsCode ?? 'lost'}${bits}${about}`)
  }
}

interface Extended {
  /** Undefined when it is lost with the extension. */
  readonly tagsCode: number | bigint | undefined
  readonly extension?: { offset: number; storeTimestamp?: number; bitMap?: string | undefined }
}

/** The tags code of an entry, from its extension where it has one. */
async function extended({ extensions }: QueueReader, { tagsCode }: QueueEntry): Promise<Extended> {
  const offset = extensionOffset(tagsCode)
  if (offset < 0) return { tagsCode }
  const unit = await extensions.unit(offset)
  if (unit === undefined) return { tagsCode: undefined, extension: { offset } }
  const { storeTimestamp } = unit
  return { tagsCode: unit.tagsCode, extension: { offset, storeTimestamp, bitMap: unit.bitMap?.toString('hex') } }
}

function keyOf(record: Readonly<Record<string, unknown>>): string {
  return String(record.uniqueKey ?? record.offsetMsgId)
}

async function showBatchQueue(
  { out }: InspectContext,
  reader: BatchQueueReader,
  options: QueueCommandOptions,
): Promise<void> {
  const { topic, queueId } = reader
  let left = options.limit ?? Number.POSITIVE_INFINITY
  for await (const [index, entry] of reader.entries()) {
    if (entry.msgBaseOffset + entry.batchSize <= (options.from ?? 0)) continue
    if (left-- <= 0) break
    await out.json({ topic, queueId, index, ...entry })
    const last = entry.msgBaseOffset + entry.batchSize - 1
    await out.line(
      `${entry.msgBaseOffset} to ${last}  ${entry.physicalOffset} ${entry.size} bytes  tags code ${entry.tagsCode}`,
    )
  }
}
