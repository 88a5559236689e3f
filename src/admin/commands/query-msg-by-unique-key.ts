import { defineCommand } from '../command.js'
import { findByUniqueKey, lookupOf } from '../find-message.js'
import { handOver } from '../hand-over.js'
import { printMessageBlock } from '../message-block.js'
import { flag, needed, optional } from '../option-spec.js'

export const queryMsgByUniqueKey = defineCommand({
  name: 'queryMsgByUniqueKey',
  description: 'Show a message by the id its sender gave it.',
  javaName: 'QueryMsgByUniqueKeySubCommand',
  options: {
    msgId: needed('i', 'unique id of the message'),
    consumerGroup: optional('g', 'with -d: consumer group that is handed the message'),
    clientId: optional('d', 'with -g: the member of the group that is handed the message'),
    topic: needed('t', 'name of the topic'),
    showAll: flag('a', 'all messages with this id, at most 32'),
    cluster: optional('c', 'cluster name or parent of an LMQ, whose route leads to the brokers'),
  },
  async run({ options, admin, out }) {
    const { topic, msgId, consumerGroup, clientId, cluster } = options
    if (consumerGroup !== undefined && clientId !== undefined) {
      return handOver({ admin, out }, [msgId], {
        group: consumerGroup,
        clientId,
        topic,
        lookup: lookupOf(topic, cluster),
      })
    }
    const messages = await findByUniqueKey(admin, lookupOf(topic, cluster), msgId)
    const shown: object[] = []
    for (const [index, message] of messages.slice(0, options.showAll ? messages.length : 1).entries()) {
      shown.push(await printMessageBlock(admin, out, message, { hasOffsetId: false, index }))
    }
    return shown
  },
})
