import type { AdminClient } from '../client/index.js'
import { retryTopic } from '../common/index.js'
import { errorText } from '../util/index.js'
import { findRoute, routeAddresses } from './brokers.js'
import { findMessage, type Lookup } from './find-message.js'
import type { Output } from './output.js'

export interface HandOver {
  group: string
  clientId: string
  topic: string
  lookup: Lookup
}

/** Has one member of a group handle stored messages now, whatever the group's offsets are. */
export async function handOver(
  { admin, out }: { admin: AdminClient; out: Output },
  ids: readonly string[],
  { group, clientId, topic, lookup }: HandOver,
): Promise<object[]> {
  const route = (await findRoute(admin, retryTopic(group))) ?? (await admin.topicRoute(lookup.routeTopic))
  const [broker] = routeAddresses(route)
  const results: object[] = []
  for (const msgId of broker === undefined ? [] : ids) {
    const { address } = broker!
    try {
      const info = await admin.consumerRunningInfo(address, group, clientId)
      if (info.properties.get('PROP_CONSUME_TYPE') !== 'CONSUME_PASSIVELY') {
        out.line(`this ${clientId} client is not push consumer ,not support direct push `)
        out.problem(`${clientId} is no push consumer`)
        continue
      }
      const { offsetMsgId } = await findMessage(admin, lookup, msgId)
      const result = await admin.consumeMessageDirectly(address, { group, clientId, topic, msgId: offsetMsgId })
      const { order, autoCommit, consumeResult, remark = null, spentTimeMills } = result
      out.text(
        `ConsumeMessageDirectlyResult [order=${order}, autoCommit=${autoCommit}, consumeResult=${consumeResult}, ` +
          `remark=${remark}, spentTimeMills=${spentTimeMills}]`,
      )
      results.push({ msgId, ...result })
    } catch (error) {
      out.failure(`${msgId}: ${errorText(error)}`)
    }
  }
  return results
}
