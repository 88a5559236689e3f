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
import { front } from '../format.js'
import { optional } from '../option-spec.js'

const BROKER_ROW = '%-32s  %-11s  %10s  %14s  %10s  %s'
const TOPIC_ROW = '  %-64s  %10s  %10s  %s'

interface TopicLoss {
  readonly topic: string
  readonly messages: number
  readonly ms: number
  /** The oldest message. */
  readonly queueId: number
  readonly queueOffset: number
  readonly storeTimestamp: number
}

/** What a power cut at this moment would take of one broker. */
interface BrokerLoss {
  readonly brokerName: string
  readonly address: string
  readonly flushDiskType: string
  readonly messages: number
  readonly bytes: number
  /** Age of the oldest message that is not on the disk. */
  readonly ms: number
  readonly writtenOffset: number
  readonly flushedOffset: number
  readonly isWritable: boolean
  readonly whyNotWritable: string
  readonly topics: readonly TopicLoss[]
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
    const losses: BrokerLoss[] = []
    out.row(BROKER_ROW, '#Broker', '#Mode', '#Messages', '#Bytes', '#Millis', '#State')
    for (const address of addresses) {
      const { body } = await admin.invokeBroker(address, CometRequestCode.DURABILITY)
      const loss = lossOf(readObject(parseFastJson(body)), address)
      losses.push(loss)
      const { brokerName, flushDiskType, messages, bytes, ms, isWritable, whyNotWritable } = loss
      const state = isWritable ? 'OK' : `NOT WRITABLE: ${whyNotWritable}`
      out.row(BROKER_ROW, front(brokerName, 32), flushDiskType, messages, bytes, ms, state)
      if (!isWritable) out.problem(`${brokerName} takes no messages: ${whyNotWritable}`)
    }
    printTopics(
      losses,
      text => out.line(text),
      (...values) => out.row(TOPIC_ROW, ...values),
    )
    return losses
  },
})

function printTopics(
  losses: readonly BrokerLoss[],
  line: (text: string) => void,
  row: (...values: readonly unknown[]) => void,
): void {
  for (const { brokerName, topics } of losses) {
    if (topics.length === 0) continue
    line('')
    line(`not on the disk of ${brokerName} yet:`)
    row('#Topic', '#Messages', '#Millis', '#Oldest')
    for (const { topic, messages, ms, queueId, queueOffset } of topics) {
      row(front(topic, 64), messages, ms, `queue ${queueId} offset ${queueOffset}`)
    }
  }
}

function lossOf(body: ReturnType<typeof readObject>, address: string): BrokerLoss {
  return {
    brokerName: readString(body.brokerName, address),
    address,
    flushDiskType: readString(body.flushDiskType, ''),
    messages: readNumber(body.messages, 0),
    bytes: readNumber(body.bytes, 0),
    ms: readNumber(body.ms, 0),
    writtenOffset: readNumber(body.writtenOffset, 0),
    flushedOffset: readNumber(body.flushedOffset, 0),
    isWritable: readBoolean(body.isWritable, true),
    whyNotWritable: readString(body.whyNotWritable, ''),
    topics: readArray(body.topics).map(item => {
      const topic = readObject(item)
      return {
        topic: readString(topic.topic, ''),
        messages: readNumber(topic.messages, 0),
        ms: readNumber(topic.ms, 0),
        queueId: readNumber(topic.queueId, 0),
        queueOffset: readNumber(topic.queueOffset, 0),
        storeTimestamp: readNumber(topic.storeTimestamp, 0),
      }
    }),
  }
}
