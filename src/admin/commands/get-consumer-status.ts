import type { QueueOffset } from '../../client/index.js'
import { routeAddresses } from '../brokers.js'
import { defineCommand } from '../command.js'
import { front } from '../format.js'
import { needed, optional } from '../option-spec.js'

/** A class of Java's tools that is not registered there; here it can be called. */
export const getConsumerStatus = defineCommand({
  name: 'getConsumerStatus',
  description: 'Show the offsets the members of a consumer group have in memory.',
  javaName: 'GetConsumerStatusCommand',
  refusals: 'client',
  options: {
    group: needed('g', 'name of the consumer group'),
    topic: needed('t', 'name of the topic'),
    originClientId: optional('i', 'only this member'),
  },
  async run({ options, admin, out }) {
    const { group, topic, originClientId } = options
    const table = new Map<string, QueueOffset[]>()
    // every member is known to every broker, and tells all its queues
    const [broker] = routeAddresses(await admin.topicRoute(topic))
    const status = broker && (await admin.consumerStatus(broker.address, topic, group, originClientId))
    for (const [clientId, offsets] of status ?? []) table.set(clientId, offsets)
    out.line(`get consumer status from client. group=${group}, topic=${topic}, originClientId=${originClientId ?? ''}`)
    out.row('%-50s  %-15s  %-15s  %-20s', '#clientId', '#brokerName', '#queueId', '#offset')
    for (const [clientId, offsets] of table) {
      for (const { queue, offset } of offsets) {
        out.row('%-50s  %-15s  %-15d  %-20d', front(clientId, 50), queue.brokerName, queue.queueId, offset)
      }
    }
    if (originClientId !== undefined && !table.has(originClientId)) {
      out.problem(`${originClientId} is no member of ${group}, or did not answer`)
    }
    return table
  },
})
