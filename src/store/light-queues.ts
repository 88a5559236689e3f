import {
  appendProperties,
  bodyLengthPosition,
  encodeProperty,
  isLmq,
  LMQ_QUEUE_ID,
  MIN_RECORD_LENGTH,
  MULTI_DISPATCH_SEPARATOR,
  PropertyName,
  readProperty,
  removeProperty,
  topicAllowsLmq,
} from '../common/index.js'
import { type CommitLog, fail } from './commit-log.js'
import type { ConsumeQueue } from './consume-queue.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { AppendResult, MessageToStore } from './put-status.js'
import type { StoreSettings } from './settings.js'
import type { TopicQueues } from './topic-queues.js'

export interface LightQueuesOptions {
  settings: Pick<StoreSettings, 'enableLmq' | 'enableMultiDispatch' | 'maxLmqConsumeQueueNum' | 'maxMessageSize'>
  log: CommitLog
  queues: ConsumeQueueStore
}

/** A light queue that a record is in, beside its own queue, and its number there. */
export interface LightEntry {
  readonly name: string
  readonly queueOffset: number
}

/** The properties of a record; borrowed. */
export interface LightRecord {
  readonly topic: { readonly topic: string }
  readonly bytes: Buffer
  readonly propertiesStart: number
  readonly propertiesEnd: number
}

const NAMES = Buffer.from(PropertyName.INNER_MULTI_DISPATCH)
const OFFSETS = Buffer.from(PropertyName.INNER_MULTI_QUEUE_OFFSET)
const NAMES_ENTRY = `${PropertyName.INNER_MULTI_DISPATCH}\u0001`
/** The name becomes that of a folder. */
const LONGEST_NAME = 255
const NO_ENTRIES: readonly LightEntry[] = []

/**
 * Light queues (LMQ): a message names in INNER_MULTI_DISPATCH the queues `%LMQ%...` that it is in beside its own, and
 * gets its numbers there as INNER_MULTI_QUEUE_OFFSET. Each has one queue, whose units point to the same record
 * (store-format 2.13).
 */
export class LightQueues {
  /** Whether messages are numbered and entered there; both keys are needed. */
  readonly isOn: boolean
  /** Names that have a queue, or had one; brought up to date when there are too many. */
  private known: Set<string> | undefined

  constructor(private readonly options: LightQueuesOptions) {
    const { enableLmq, enableMultiDispatch } = options.settings
    this.isOn = enableLmq && enableMultiDispatch
  }

  /** Whether a record may be in one: without the keys, those that are there are kept whole. */
  get mayHave(): boolean {
    return this.isOn || this.names().size > 0
  }

  /** Appends a message to `queue`, with numbers for the light queues it names. */
  append(message: MessageToStore, topic: TopicQueues, queue: ConsumeQueue, result: AppendResult): AppendResult {
    const { log, queues, settings } = this.options
    const bytes = topicAllowsLmq(topic.topic) ? withNames(message.properties) : undefined
    const names = bytes && readProperty(bytes, NAMES)?.split(MULTI_DISPATCH_SEPARATOR)
    if (bytes === undefined || !names?.some(name => name.trim() !== '')) {
      return log.append(message, topic, queue.nextOffset, result)
    }
    if (names.some(name => isLmq(name) && !canBeFolder(name))) return fail(result, 'MESSAGE_ILLEGAL')
    const light = new Set(names.filter(isUsable))
    if (!this.hasRoomFor(light)) return fail(result, 'LMQ_CONSUME_QUEUE_NUM_EXCEEDED')
    const queueOf = (name: string): ConsumeQueue => queues.queueOf(queues.topicOf(name), LMQ_QUEUE_ID)
    const offsets = names.map(name => (light.has(name) ? queueOf(name).nextOffset : isLmq(name) ? 0 : ''))
    const entry = encodeProperty(PropertyName.INNER_MULTI_QUEUE_OFFSET, offsets.join(MULTI_DISPATCH_SEPARATOR))
    const own = message.properties
    const properties = appendProperties(removeProperty(bytes, OFFSETS), entry)
    const length = bodyLengthPosition(message.sysFlag) + 4 + message.body.length + topic.encoded.length + 2
    // what carries such a message is limited as a whole
    if (length + properties.length > settings.maxMessageSize) return fail(result, 'MESSAGE_ILLEGAL')
    message.properties = properties
    log.append(message, topic, queue.nextOffset, result)
    message.properties = own
    if (result.status === 'PROPERTIES_SIZE_EXCEEDED') return fail(result, 'MESSAGE_ILLEGAL')
    if (result.status === 'PUT_OK') for (const name of light) queueOf(name).nextOffset++
    return result
  }

  private hasRoomFor(names: ReadonlySet<string>): boolean {
    const { maxLmqConsumeQueueNum } = this.options.settings
    const fresh = [...names].filter(name => !this.names().has(name))
    if (fresh.length === 0) return true
    // some may have been deleted
    if (this.names().size + fresh.length > maxLmqConsumeQueueNum) this.known = undefined
    if (this.names().size + fresh.length > maxLmqConsumeQueueNum) return false
    for (const name of fresh) this.names().add(name)
    return true
  }

  private names(): Set<string> {
    this.known ??= new Set([...this.options.queues.topics.keys()].filter(isLmq))
    return this.known
  }

  /** The light queues that a record is in. Numbers may be those of a damaged record: see {@link isPossible}. */
  entriesOf(record: LightRecord): readonly LightEntry[] {
    const { bytes, propertiesStart, propertiesEnd, topic } = record
    if (!topicAllowsLmq(topic.topic)) return NO_ENTRIES
    const names = readProperty(bytes, NAMES, propertiesStart, propertiesEnd)?.split(MULTI_DISPATCH_SEPARATOR)
    if (names === undefined) return NO_ENTRIES
    const offsets = readProperty(bytes, OFFSETS, propertiesStart, propertiesEnd)?.split(MULTI_DISPATCH_SEPARATOR)
    if (offsets?.length !== names.length) return NO_ENTRIES
    const entries = new Map<string, LightEntry>()
    for (const [i, name] of names.entries()) {
      const isOurs = isUsable(name) && (this.isOn || this.names().has(name)) && /^\d{1,15}$/.test(offsets[i]!)
      if (isOurs) entries.set(name, { name, queueOffset: Number(offsets[i]) })
    }
    return [...entries.values()]
  }

  /** The queue of an entry, made when it is new. */
  queueOf({ name }: LightEntry): ConsumeQueue {
    const { queues } = this.options
    return queues.queueOf(queues.topicOf(name), LMQ_QUEUE_ID)
  }

  /** Every record takes room in the log: there cannot have been more of them than fit. */
  isPossible(queue: ConsumeQueue, queueOffset: number, physicalOffset: number): boolean {
    const room = physicalOffset - Math.max(0, queue.maxPhysicalOffset)
    return queueOffset - queue.maxOffset <= room / MIN_RECORD_LENGTH
  }
}

/** The properties as bytes when they may name queues; undefined when they surely do not. */
function withNames(properties: string | Buffer): Buffer | undefined {
  if (!properties.includes(NAMES_ENTRY)) return undefined
  return typeof properties === 'string' ? Buffer.from(properties) : properties
}

/** As in Java a name with a path separator gets no queue. */
function isUsable(name: string): boolean {
  return isLmq(name) && !name.includes('/') && canBeFolder(name)
}

function canBeFolder(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) < 0x20) return false
  return Buffer.byteLength(name) <= LONGEST_NAME
}
