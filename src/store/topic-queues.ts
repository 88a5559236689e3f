import { isRetryTopic, MESSAGE_MAGIC_V1, MESSAGE_MAGIC_V2, SystemTopic } from '../common/index.js'
import { javaHash } from '../util/index.js'
import type { ConsumeQueue } from './consume-queue.js'

const LONGEST_TOPIC = 127
const LONGEST_RETRY_TOPIC = 255

/** What the store keeps per topic: its queues, and whatever can be worked out once instead of per message. */
export class TopicQueues {
  /** Set when the topic is deleted: from then on another entry is the topic's. */
  isDropped = false
  /** By queue id. */
  readonly queues: (ConsumeQueue | undefined)[] = []
  /** The topic as it stands in a record of {@link magic}: length (1 or 2 bytes), then the name. */
  readonly encoded: Buffer
  readonly magic: number
  /** Java's hash of `topic#`, which every index key of the topic begins with. */
  readonly indexKeyHash: number
  /** Units of the schedule topic hold the time of delivery instead of a tag. */
  readonly isSchedule: boolean
  /** Longer than the length byte of a record of version 1 can say. */
  readonly isLong: boolean
  /** Of all long topics only these are taken. */
  readonly mayBeLong: boolean

  constructor(
    readonly topic: string,
    /** Its queues keep batches undivided. */
    readonly isBatch = false,
  ) {
    const bytes = Buffer.from(topic)
    this.magic = topic.length > 127 ? MESSAGE_MAGIC_V2 : MESSAGE_MAGIC_V1
    const length = Buffer.alloc(this.magic === MESSAGE_MAGIC_V2 ? 2 : 1)
    if (length.length === 2) length.writeInt16BE(Math.min(bytes.length, 0x7fff))
    else length.writeUInt8(Math.min(bytes.length, 0xff))
    this.encoded = Buffer.concat([length, bytes])
    this.indexKeyHash = javaHash(`${topic}#`)
    this.isSchedule = topic === SystemTopic.SCHEDULE
    this.isLong = bytes.length > LONGEST_TOPIC
    this.mayBeLong = isRetryTopic(topic) && bytes.length <= LONGEST_RETRY_TOPIC
  }
}
