import { defineCommand } from '../command.js'
import { findByKey, lookupOf } from '../find-message.js'
import { messageData, messageId } from '../message-text.js'
import { needed, optional } from '../option-spec.js'
import { wholeNumber } from '../read-values.js'

export const queryMsgByKey = defineCommand({
  name: 'queryMsgByKey',
  description: 'List messages with a key.',
  javaName: 'QueryMsgByKeySubCommand',
  options: {
    topic: needed('t', 'name of the topic'),
    msgKey: needed('k', 'the key'),
    beginTimestamp: optional('b', 'stored since then, in ms since 1970 (0)'),
    endTimestamp: optional('e', 'stored before then, in ms since 1970'),
    maxNum: optional('m', 'at most so many (64)'),
    cluster: optional('c', 'cluster name or parent of an LMQ, whose route leads to the brokers'),
  },
  async run({ options, admin, out }) {
    const messages = await findByKey(admin, {
      ...lookupOf(options.topic, options.cluster),
      key: options.msgKey,
      maxNum: wholeNumber(options.maxNum, 64),
      beginTimestamp: wholeNumber(options.beginTimestamp, 0),
      endTimestamp: wholeNumber(options.endTimestamp, Number.MAX_SAFE_INTEGER),
    })
    out.row('%-50s %4s %40s', '#Message ID', '#QID', '#Offset')
    for (const message of messages) {
      out.row('%-50s %4d %40d', messageId(message), message.queueId, message.queueOffset)
    }
    return messages.map(message => messageData(message))
  },
})
