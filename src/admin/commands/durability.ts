import {
  CometRequestCode,
  parseFastJson,
  readArray,
  readBoolean,
  readNumber,
  readObject,
  readString,
} from '../../common/index.js'
import { targets } from '../brokers.js'
import { defineCommand, USAGE } from '../command.js'
import { front, millisText } from '../format.js'
import { optional } from '../option-spec.js'
import type { Output } from '../output.js'

const BROKER_ROW = '%-32s  %-11s  %12s  %12s  %14s  %10s  %s'
const TOPIC_ROW = '  %-64s  %12s  %14s  %10s  %s'

interface TopicAtRisk {
  readonly topic: string
  readonly messages: number
  readonly bytes: number
  /** Of the oldest message that is not on the disk; ms. */
  readonly oldestStoreTimestamp: number
  /** Its age. */
  readonly ms: number
}

/** What a power cut at this moment would take of one broker. */
interface BrokerAtRisk {
  readonly brokerName: string
  readonly address: string
  readonly flushDiskType: string
  readonly acknowledgedOffset: number
  readonly writtenOffset: number
  readonly flushedOffset: number
  /** All that is not on the disk; with SYNC_FLUSH none of it has been acknowledged. */
  readonly messages: number
  readonly bytes: number
  readonly ms: number
  readonly acknowledgedMessages: number
  readonly acknowledgedBytes: number
  readonly isWritable: boolean
  readonly whyNotWritable: string
  /** What the disk refuses at the moment; empty when it works. */
  readonly failure: string
  readonly topics: readonly TopicAtRisk[]
  /** Topics beyond those listed. */
  readonly moreTopics: number
  /** Less than `bytes` when messages and topics are those of the first part only. */
  readonly examinedBytes: number
}

export const durability = defineCommand({
  name: 'durability',
  description: 'Show what a power cut at this moment would take: messages, bytes and milliseconds, by topic.',
  javaName: 'DurabilitySubCommand',
  refusals: 'broker',
  options: {
    brokerAddr: optional('b', 'address of the broker', { group: 'target' }),
    clusterName: optional('c', 'all masters of this cluster', { group: 'target' }),
  },
  async run(context) {
    const { admin, out, options } = context
    const addresses = await targets(context, options)
    if (addresses === undefined) return USAGE
    const found: BrokerAtRisk[] = []
    out.row(BROKER_ROW, '#Broker', '#Mode', '#Acknowledged', '#Messages', '#Bytes', '#Millis', '#State')
    for (const address of addresses) {
      const { body } = await admin.invokeBroker(address, CometRequestCode.DURABILITY)
      const broker = brokerOf(readObject(parseFastJson(body)), address)
      found.push(broker)
      const { brokerName, flushDiskType, acknowledgedMessages, messages, bytes, ms } = broker
      const problem = problemOf(broker)
      const state = problem === '' ? 'OK' : `NOT WRITABLE: ${problem}`
      out.row(BROKER_ROW, front(brokerName, 32), flushDiskType, acknowledgedMessages, messages, bytes, ms, state)
      if (problem !== '') out.problem(`${brokerName} takes no messages: ${problem}`)
    }
    for (const broker of found) printTopics(out, broker)
    return found
  },
})

/** Why messages are refused; empty when they are taken. */
function problemOf({ isWritable, whyNotWritable, failure }: BrokerAtRisk): string {
  return isWritable ? failure : whyNotWritable
}

function printTopics(out: Output, { brokerName, topics, moreTopics, bytes, examinedBytes }: BrokerAtRisk): void {
  if (topics.length === 0) return
  const part = examinedBytes < bytes ? ` (of the first ${examinedBytes} bytes)` : ''
  out.line()
  out.line(`not on the disk of ${brokerName} yet${part}:`)
  out.row(TOPIC_ROW, '#Topic', '#Messages', '#Bytes', '#Millis', '#Oldest')
  for (const { topic, messages, bytes: size, ms, oldestStoreTimestamp } of topics) {
    out.row(TOPIC_ROW, front(topic, 64), messages, size, ms, millisText(oldestStoreTimestamp))
  }
  if (moreTopics > 0) out.line(`  and ${moreTopics} more topics`)
}

function brokerOf(body: ReturnType<typeof readObject>, address: string): BrokerAtRisk {
  const atRisk = readObject(body.atRisk)
  const timestamp = readNumber(body.timestamp, 0)
  return {
    brokerName: readString(body.brokerName, address),
    address,
    flushDiskType: readString(body.flushDiskType, ''),
    acknowledgedOffset: readNumber(body.acknowledgedOffset, 0),
    writtenOffset: readNumber(body.writtenOffset, 0),
    flushedOffset: readNumber(body.flushedOffset, 0),
    messages: readNumber(atRisk.messages, 0),
    bytes: readNumber(atRisk.bytes, 0),
    ms: readNumber(atRisk.ms, 0),
    acknowledgedMessages: readNumber(atRisk.acknowledgedMessages, 0),
    acknowledgedBytes: readNumber(atRisk.acknowledgedBytes, 0),
    isWritable: readBoolean(body.isWritable, true),
    whyNotWritable: readString(body.whyNotWritable, ''),
    failure: readString(body.failure, ''),
    topics: readArray(atRisk.topics).map(item => topicOf(readObject(item), timestamp)),
    moreTopics: readNumber(atRisk.moreTopics, 0),
    examinedBytes: readNumber(atRisk.examinedBytes, 0),
  }
}

function topicOf(topic: ReturnType<typeof readObject>, timestamp: number): TopicAtRisk {
  const oldestStoreTimestamp = readNumber(topic.oldestStoreTimestamp, 0)
  return {
    topic: readString(topic.topic, ''),
    messages: readNumber(topic.messages, 0),
    bytes: readNumber(topic.bytes, 0),
    oldestStoreTimestamp,
    ms: Math.max(0, timestamp - oldestStoreTimestamp),
  }
}
