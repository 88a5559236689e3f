import { defineCommand } from '../command.js'
import { needed, optional } from '../option-spec.js'
import { isTrue, timestampOf } from '../read-values.js'
import { printRollback, resetTheOldWay } from '../reset-offsets.js'

/** A class of Java's tools that is not registered there; here it can be called. */
export const resetOffsetByTimeOld = defineCommand({
  name: 'resetOffsetByTimeOld',
  description: 'Store offsets for a consumer group none of whose members runs.',
  javaName: 'ResetOffsetByTimeOldCommand',
  options: {
    group: needed('g', 'name of the consumer group'),
    topic: needed('t', 'name of the topic'),
    timestamp: needed('s', 'consume what was stored since: now, ms since 1970, or yyyy-MM-dd#HH:mm:ss:SSS'),
    force: optional('f', 'move forward as well (true)'),
    cluster: optional('c', 'cluster name or parent of an LMQ, whose route leads to the brokers'),
  },
  async run({ options, admin, out, clock }) {
    const { topic, group } = options
    const timestamp = timestampOf(options.timestamp, clock.now())
    const isForce = isTrue(options.force, true)
    const rollback = await resetTheOldWay(admin, {
      topic,
      group,
      timestamp,
      isForce,
      routeTopic: options.cluster ?? topic,
    })
    out.line(
      `reset consumer offset by specified consumerGroup[${group}], topic[${topic}], force[${isForce}], ` +
        `timestamp(string)[${options.timestamp}], timestamp(long)[${timestamp}]`,
    )
    printRollback(out, rollback, '#resetOffset')
    return { group, topic, timestamp, rollback }
  },
})
