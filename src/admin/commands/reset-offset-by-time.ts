import { routeAddresses } from '../brokers.js'
import { type CommandContext, defineCommand } from '../command.js'
import { needed, optional, ownFlag } from '../option-spec.js'
import { UsageError } from '../parse-options.js'
import { isTrue, timestampOf, wholeNumber } from '../read-values.js'
import {
  previewOnBrokers,
  printEffects,
  printOffsets,
  printRollback,
  resetOnBrokers,
  resetTheOldWay,
} from '../reset-offsets.js'

const resetOptions = {
  group: needed('g', 'name of the consumer group'),
  topic: needed('t', 'name of the topic'),
  timestamp: needed('s', 'consume what was stored since: now, ms since 1970, or yyyy-MM-dd#HH:mm:ss:SSS'),
  force: optional('f', 'move forward as well (true); brokers that move groups themselves always do'),
  cluster: optional('c', 'cluster name or parent of an LMQ, whose route leads to the brokers'),
  broker: optional('b', 'with -q: address of the broker of the queue'),
  queue: optional('q', 'with -b: only this queue'),
  offset: optional('o', 'with -b and -q: the offset to go on from, instead of the time'),
  preview: ownFlag('show what would be delivered again or skipped, and change nothing'),
} as const

type Context = CommandContext<typeof resetOptions>

export const resetOffsetByTime = defineCommand({
  name: 'resetOffsetByTime',
  description: 'Move a consumer group to a time or an offset.',
  javaName: 'ResetOffsetByTimeCommand',
  refusals: 'client',
  options: resetOptions,
  async run(context) {
    const { options, clock } = context
    const timestamp = timestampOf(options.timestamp, clock.now())
    const queueId = wholeNumber(options.queue, -1)
    if (options.offset !== undefined && (options.broker === undefined || queueId < 0)) {
      throw new UsageError('an offset is for one queue: give -b and -q with -o')
    }
    if (options.preview) return preview(context, timestamp, queueId)
    const isOneQueue = options.broker !== undefined && queueId >= 0
    return isOneQueue ? resetQueue(context, options.broker!, { queueId, timestamp }) : resetTopic(context, timestamp)
  },
})

function wishOf({ options }: Context, timestamp: number, queueId: number) {
  const offset = options.offset === undefined ? {} : { offset: wholeNumber(options.offset, -1) }
  const { topic, group } = options
  return { topic, group, timestamp, ...(queueId < 0 ? {} : { queueId }), ...offset }
}

async function preview(context: Context, timestamp: number, queueId: number) {
  const { options, admin, out } = context
  const route = options.broker === undefined ? await admin.topicRoute(options.cluster ?? options.topic) : undefined
  const addresses = route === undefined ? [options.broker!] : routeAddresses(route).map(({ address }) => address)
  const effects = await previewOnBrokers(admin, addresses, wishOf(context, timestamp, queueId))
  printEffects(out, effects)
  return { group: options.group, topic: options.topic, timestamp, queues: effects }
}

async function resetQueue(
  context: Context,
  address: string,
  { queueId, timestamp }: { queueId: number; timestamp: number },
) {
  const { options, admin, out } = context
  const { topic, group } = options
  out.line(
    `start reset consumer offset by specified, group[${group}], topic[${topic}], queueId[${queueId}], ` +
      `broker[${address}], timestamp(string)[${options.timestamp}], timestamp(long)[${timestamp}]`,
  )
  // Java stores the offset by hand before; then the broker would not know where the group was, for an undo
  const moved = await admin.resetOffset(address, { ...wishOf(context, timestamp, queueId), isForce: true })
  const offset = moved.find(({ queue }) => queue.queueId === queueId)?.offset
  out.line(`reset consumer offset to ${offset}`)
  return { group, topic, timestamp, queues: moved }
}

async function resetTopic({ options, admin, out }: Context, timestamp: number) {
  const { topic, group } = options
  const isForce = isTrue(options.force, true)
  const reset = { topic, group, timestamp, isForce, routeTopic: options.cluster ?? topic }
  const times = `timestamp(string)[${options.timestamp}], timestamp(long)[${timestamp}]`
  const where = `topic[${topic}], force[${isForce}], ${times}`
  const moved = await resetOnBrokers(admin, reset)
  out.line(`start reset consumer offset by specified, group[${group}], ${where}`)
  if (moved !== undefined) {
    printOffsets(out, moved)
    return { group, topic, timestamp, queues: moved }
  }
  const rollback = await resetTheOldWay(admin, reset)
  out.line(`reset consumer offset by specified consumerGroup[${group}], ${where}`)
  printRollback(out, rollback, '#resetOffset')
  return { group, topic, timestamp, rollback }
}
