import { type AdminClient, MQClientError } from '../../client/index.js'
import { ResponseCode } from '../../common/index.js'
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
  /**
   * The brokers copy (314), the topic named and no other. Java's tool stores what it read, one queue after the other:
   * of all topics of the group, whatever `-t` names, and 0 for queues without an offset.
   */
  async run({ options, admin, out }) {
    const { srcGroup, destGroup, topic } = options
    const offline = isTrue(options.offline)
    const brokers = routeAddresses(await admin.topicRoute(topic))
    await assertGroups(admin, brokers, { srcGroup, destGroup })
    let hasOffsets = false
    for (const { address } of brokers) {
      if (out.tellsProblems) hasOffsets ||= (await admin.topicsOfConsumer(address, srcGroup)).includes(topic)
      await admin.cloneGroupOffset(address, { srcGroup, destGroup, topic, offline })
    }
    if (out.tellsProblems) {
      if (!hasOffsets) out.problem(`group ${srcGroup} has no offsets of topic ${topic}: nothing was copied`)
      const sources = await groupConnection(admin, srcGroup).catch(() => undefined)
      if (hasOffsets && !offline && sources !== undefined && !sources.subscriptions.has(topic)) {
        out.problem(
          `members of ${srcGroup} do not subscribe to ${topic}: nothing was copied; -o true copies all the same`,
        )
      }
      const members = await groupConnection(admin, destGroup).catch(() => undefined)
      if (members !== undefined) {
        out.problem(`group ${destGroup} is online: its members will store their own offsets over the copied ones`)
      }
    }
    out.text(`clone group offset success. srcGroup[${srcGroup}], destGroup=[${destGroup}], topic[${topic}]`)
    return { srcGroup, destGroup, topic, brokers }
  },
})

/** As brokers say it of offsets for a group they do not know; before anything is copied. */
async function assertGroups(
  admin: AdminClient,
  brokers: readonly { address: string }[],
  { srcGroup, destGroup }: { srcGroup: string; destGroup: string },
): Promise<void> {
  let hasSource = false
  for (const { address } of brokers) {
    const groups = await admin.allGroups(address)
    hasSource ||= groups.has(srcGroup)
    if (!groups.has(destGroup)) throw groupMissing(destGroup, address)
  }
  if (!hasSource) throw groupMissing(srcGroup, brokers[0]!.address)
}

function groupMissing(group: string, address: string): MQClientError {
  const remark = `Group ${group} not exist!`
  const responseCode = ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST
  return new MQClientError('ERR_CLIENT_RESPONSE', `CODE: ${responseCode}  DESC: ${remark} (from ${address})`, {
    responseCode,
    remark,
    address,
  })
}
