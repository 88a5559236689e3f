import { defineCommand } from '../command.js'
import { printMessageBlock } from '../message-block.js'
import { needed, optional } from '../option-spec.js'
import { charsetDecoder, wholeNumber } from '../read-values.js'

export const queryMsgByOffset = defineCommand({
  name: 'queryMsgByOffset',
  description: 'Show the message at an offset of a queue.',
  javaName: 'QueryMsgByOffsetSubCommand',
  options: {
    topic: needed('t', 'name of the topic'),
    brokerName: needed('b', 'name of the broker'),
    queueId: needed('i', 'id of the queue'),
    offset: needed('o', 'offset in the queue'),
    bodyFormat: optional('f', 'charset to print the body in'),
  },
  async run({ options, admin, out }) {
    const { topic, brokerName } = options
    const queue = { topic, brokerName, queueId: wholeNumber(options.queueId, 0) }
    const offset = wholeNumber(options.offset, 0)
    const decoder = options.bodyFormat === undefined ? undefined : charsetDecoder(options.bodyFormat)
    // makes the brokers of the topic known
    await admin.topicRoute(topic).catch(() => undefined)
    const pulled = await admin.pull({ queue, offset, maxNums: 1 })
    const [message] = pulled.messages
    if (message === undefined) {
      out.problem(`no message at offset ${offset}: the queue holds ${pulled.minOffset} to ${pulled.maxOffset - 1}`)
      return undefined
    }
    return printMessageBlock(admin, out, message, { decoder })
  },
})
