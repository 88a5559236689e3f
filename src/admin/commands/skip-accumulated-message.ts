import { routeAddresses } from '../brokers.js'
import { defineCommand } from '../command.js'
import { needed, optional, ownFlag } from '../option-spec.js'
import { isTrue } from '../read-values.js'
import {
  previewOnBrokers,
  printEffects,
  printOffsets,
  printRollback,
  resetOnBrokers,
  resetTheOldWay,
} from '../reset-offsets.js'

/** What a reset calls the end of a queue. */
const END = -1

export const skipAccumulatedMessage = defineCommand({
  name: 'skipAccumulatedMessage',
  description: 'Have a consumer group skip what it has not consumed yet.',
  javaName: 'SkipAccumulationSubCommand',
  refusals: 'client',
  options: {
    group: needed('g', 'name of the consumer group'),
    topic: needed('t', 'name of the topic'),
    force: optional('f', 'whether groups are moved forward by brokers that ask (true)'),
    cluster: optional('c', 'cluster name or parent of an LMQ, whose route leads to the brokers'),
    preview: ownFlag('show what would be skipped, and change nothing'),
  },
  async run({ options, admin, out }) {
    const { topic, group } = options
    const routeTopic = options.cluster ?? topic
    if (options.preview) {
      const addresses = routeAddresses(await admin.topicRoute(routeTopic)).map(({ address }) => address)
      const queues = await previewOnBrokers(admin, addresses, { topic, group, timestamp: END })
      printEffects(out, queues)
      return { group, topic, queues }
    }
    const reset = { topic, group, timestamp: END, isForce: isTrue(options.force, true), routeTopic }
    const moved = await resetOnBrokers(admin, reset)
    if (moved !== undefined) {
      printOffsets(out, moved)
      return { group, topic, queues: moved }
    }
    const rollback = await resetTheOldWay(admin, reset)
    printRollback(out, rollback, '#rollbackOffset')
    return { group, topic, rollback }
  },
})
