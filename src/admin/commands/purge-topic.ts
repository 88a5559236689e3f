import {
  CometRequestCode,
  type JsonObject,
  parseFastJson,
  readArray,
  readBoolean,
  readNumber,
  readObject,
  readString,
} from '../../common/index.js'
import { PurgeTopicRequestHeader } from '../../remoting/index.js'
import { routeAddresses, targets } from '../brokers.js'
import { type CommandContext, defineCommand } from '../command.js'
import { front, millisText } from '../format.js'
import { flag, needed, optional, ownFlag } from '../option-spec.js'
import type { Output } from '../output.js'
import { timestampOf } from '../read-values.js'

const QUEUE_ROW = '%-32s  %-4s  %14s  %14s  %14s  %10s'
const GROUP_ROW = '%-32s  %-48s  %10s  %s'

const purgeOptions = {
  topic: needed('t', 'name of the topic'),
  brokerAddr: optional('b', 'address of a broker; without -b and -c all brokers of the topic'),
  clusterName: optional('c', 'all masters of this cluster'),
  before: optional('s', 'take what was stored before: now, ms since 1970, or yyyy-MM-dd#HH:mm:ss:SSS (reserve.time)'),
  force: flag('f', 'take also what groups have not consumed'),
  preview: ownFlag('show what would go and which groups have not consumed it, and change nothing'),
} as const

type Context = CommandContext<typeof purgeOptions>

interface PurgedQueue {
  readonly queueId: number
  readonly minOffset: number
  readonly maxOffset: number
  readonly newMinOffset: number
  readonly messages: number
}

interface UnreadGroup {
  readonly group: string
  readonly messages: number
  readonly isOnline: boolean
}

interface BrokerPurge {
  readonly brokerName: string
  /** Ms. */
  readonly before: number
  readonly messages: number
  readonly isDone: boolean
  readonly queues: readonly PurgedQueue[]
  readonly unread: readonly UnreadGroup[]
}

export const purgeTopic = defineCommand({
  name: 'purgeTopic',
  description: "Take a topic's old messages away, or show what would go and who has not consumed it.",
  javaName: 'PurgeTopicSubCommand',
  refusals: 'broker',
  options: purgeOptions,
  async run(context) {
    const { options, admin, out, clock } = context
    const { topic, preview, force } = options
    const before = options.before === undefined ? undefined : timestampOf(options.before, clock.now())
    const addresses = await addressesOf(context)
    const ask = async (isPreview: boolean): Promise<BrokerPurge[]> => {
      const found: BrokerPurge[] = []
      for (const address of addresses) {
        const header = PurgeTopicRequestHeader.encode({ topic, before, preview: isPreview, force })
        const { body } = await admin.invokeBroker(address, CometRequestCode.PURGE_TOPIC, { header })
        found.push(purgeOf(readObject(parseFastJson(body)), address))
      }
      return found
    }
    let purges = await ask(true)
    const isUnread = purges.some(({ unread }) => unread.length > 0)
    // of several brokers none loses a message when one would have to refuse
    if (!preview && (force || !isUnread)) purges = await ask(false)
    print(out, purges)
    const total = purges.reduce((sum, { messages }) => sum + messages, 0)
    if (!preview && isUnread && !force) {
      out.problem('groups have not consumed messages that would go: nothing was taken away; -f takes them anyway')
    }
    const isDone = purges.length > 0 && purges.every(one => one.isDone)
    out.line(`${total} messages of ${topic} ${isDone ? 'were' : 'would be'} taken away.`)
    return { topic, messages: total, isDone, brokers: purges }
  },
})

async function addressesOf(context: Context): Promise<string[]> {
  const { options, admin } = context
  const chosen = await targets(context, options)
  return chosen ?? routeAddresses(await admin.topicRoute(options.topic)).map(({ address }) => address)
}

function print(out: Output, purges: readonly BrokerPurge[]): void {
  for (const { brokerName, before } of purges) out.line(`${brokerName}: stored before ${millisText(before)}`)
  out.row(QUEUE_ROW, '#Broker', '#QID', '#Min Offset', '#New Min Offset', '#Max Offset', '#Messages')
  for (const { brokerName, queues } of purges) {
    for (const { queueId, minOffset, newMinOffset, maxOffset, messages } of queues) {
      out.row(QUEUE_ROW, front(brokerName, 32), queueId, minOffset, newMinOffset, maxOffset, messages)
    }
  }
  if (purges.every(({ unread }) => unread.length === 0)) return
  out.line()
  out.line('not consumed:')
  out.row(GROUP_ROW, '#Broker', '#Group', '#Messages', '#Online')
  for (const { brokerName, unread } of purges) {
    for (const { group, messages, isOnline } of unread) {
      out.row(GROUP_ROW, front(brokerName, 32), front(group, 48), messages, isOnline ? 'yes' : 'no')
    }
  }
}

function purgeOf(body: JsonObject, address: string): BrokerPurge {
  const number = (object: JsonObject, key: string): number => readNumber(object[key], 0)
  return {
    brokerName: readString(body.brokerName, address),
    before: number(body, 'before'),
    messages: number(body, 'messages'),
    isDone: readBoolean(body.isDone, false),
    queues: readArray(body.queues)
      .map(readObject)
      .map(queue => ({
        queueId: number(queue, 'queueId'),
        minOffset: number(queue, 'minOffset'),
        maxOffset: number(queue, 'maxOffset'),
        newMinOffset: number(queue, 'newMinOffset'),
        messages: number(queue, 'messages'),
      })),
    unread: readArray(body.unread)
      .map(readObject)
      .map(group => ({
        group: readString(group.group, ''),
        messages: number(group, 'messages'),
        isOnline: readBoolean(group.isOnline, false),
      })),
  }
}
