import { appendProperties, encodeProperty, MessageSysFlag, PropertyName } from '../common/index.js'
import { type CommitLog, fail } from './commit-log.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import { PropertyScan, parseDecimal } from './property-scan.js'
import type { AppendResult, MessageToStore } from './put-status.js'
import type { TopicQueues } from './topic-queues.js'

const scan = new PropertyScan()

/** How a message for a batch queue is stored (store-format 2.12). */
interface InnerBatch {
  /** Messages of the record: how far its queue moves. */
  readonly messages: number
  readonly properties: string | Buffer
}

const LARGEST_BATCH = 0x7fff

/**
 * What becomes of a message for a batch queue that begins at `baseOffset`: an undivided batch gets that offset as
 * property INNER_BASE. Undefined when its properties and flags do not fit each other.
 */
function toInnerBatch(message: MessageToStore, baseOffset: number): InnerBatch | undefined {
  const { properties } = message
  const bytes = typeof properties === 'string' ? Buffer.from(properties) : properties
  scan.scan(bytes, 0, bytes.length)
  const isBatch = (message.sysFlag & MessageSysFlag.INNER_BATCH) !== 0
  if (scan.innerNumStart < 0) return isBatch ? undefined : { messages: 1, properties }
  const messages = parseDecimal(bytes, scan.innerNumStart, scan.innerNumEnd, 0)
  if (!isBatch || messages < 1 || messages > LARGEST_BATCH) return undefined
  const base = encodeProperty(PropertyName.INNER_BASE, String(baseOffset))
  return { messages, properties: appendProperties(bytes, base) }
}

/** Appends a message, or several as one record, to a queue that keeps batches undivided; no other topic may. */
export function appendInnerBatch(
  message: MessageToStore,
  target: { log: CommitLog; topic: TopicQueues; queues: ConsumeQueueStore },
  result: AppendResult,
): AppendResult {
  const { log, topic, queues } = target
  const queue = topic.isBatch ? queues.queueOf(topic, message.queueId) : undefined
  const batch = queue && toInnerBatch(message, queue.nextOffset)
  if (queue === undefined || batch === undefined) return fail(result, 'MESSAGE_ILLEGAL')
  const { properties } = message
  message.properties = batch.properties
  log.append(message, topic, queue.nextOffset, result)
  message.properties = properties
  if (result.status !== 'PUT_OK') return result
  queue.nextOffset += batch.messages
  result.messageCount = batch.messages
  result.physicalOffsets.length = 0
  result.physicalOffsets.push(result.physicalOffset)
  return result
}
