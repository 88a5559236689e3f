import { routeAddresses } from '../brokers.js'
import { defineCommand } from '../command.js'
import { groupConnection } from '../group-state.js'
import { needed, optional } from '../option-spec.js'
import { isTrue } from '../read-values.js'

export const cloneGroupOffset = defineCommand({
  name: 'cloneGroupOffset',
  description: 'Give a consumer group the offsets another has of a topic.',
  javaName: 'CloneGroupOffsetCommand',
  options: {
    srcGroup: needed('s', 'group whose offsets are copied'),
    destGroup: needed('d', 'group that gets them'),
    topic: needed('t', 'name of the topic'),
    offline: optional('o', 'true: copy although the members of the group do not subscribe to the topic'),
  },
  /** The brokers copy: Java's tool stores the ends of all queues of all topics instead of the offsets. */
  async run({ options, admin, out }) {
    const { srcGroup, destGroup, topic } = options
    const offline = isTrue(options.offline)
    const brokers = routeAddresses(await admin.topicRoute(topic))
    let hasOffsets = false
    for (const { address } of brokers) {
      if (out.tellsProblems) hasOffsets ||= (await admin.topicsOfConsumer(address, srcGroup)).includes(topic)
      await admin.cloneGroupOffset(address, { srcGroup, destGroup, topic, offline })
    }
    if (out.tellsProblems) {
      if (!hasOffsets) out.problem(`group ${srcGroup} has no offsets of topic ${topic}: nothing was copied`)
      const members = await groupConnection(admin, destGroup).catch(() => undefined)
      if (members !== undefined) {
        out.problem(`group ${destGroup} is online: its members will store their own offsets over the copied ones`)
      }
    }
    out.text(`clone group offset success. srcGroup[${srcGroup}], destGroup=[${destGroup}], topic[${topic}]`)
    return { srcGroup, destGroup, topic, brokers }
  },
})
