import { Producer } from '../../client/index.js'
import { errorText } from '../../util/index.js'
import { type CommandContext, defineCommand } from '../command.js'
import { findMessage, lookupOf } from '../find-message.js'
import { handOver } from '../hand-over.js'
import { printMessageBlock } from '../message-block.js'
import { needed, optional } from '../option-spec.js'
import { charsetDecoder, isTrue } from '../read-values.js'
import { outgoingCopy, sendResultText } from '../resend.js'

const queryOptions = {
  topic: needed('t', 'name of the topic'),
  msgId: needed('i', 'ids of messages, separated by commas: offset ids or unique ids'),
  consumerGroup: optional('g', 'with -d: consumer group that is handed the messages'),
  clientId: optional('d', 'with -g: the member of the group that is handed the messages'),
  sendMessage: optional('s', 'whether the messages are sent again (true|false)'),
  unitName: optional('u', 'with -s: unit to send to'),
  bodyFormat: optional('f', 'charset to print bodies in'),
  cluster: optional('c', 'cluster name or parent of an LMQ, whose route leads to the brokers'),
} as const

type Context = CommandContext<typeof queryOptions>

export const queryMsgById = defineCommand({
  name: 'queryMsgById',
  description: 'Show a message by its id.',
  javaName: 'QueryMsgByIdSubCommand',
  options: queryOptions,
  async run(context) {
    const { options, admin, out } = context
    const ids = options.msgId
      .split(',')
      .map(id => id.trim())
      .filter(id => id !== '')
    if (options.consumerGroup !== undefined && options.clientId !== undefined) {
      const { topic, consumerGroup: group, clientId, cluster } = options
      return handOver(context, ids, { group, clientId, topic, lookup: lookupOf(topic, cluster) })
    }
    if (options.sendMessage !== undefined) return isTrue(options.sendMessage) ? sendAgain(context, ids) : []
    const decoder = options.bodyFormat === undefined ? undefined : charsetDecoder(options.bodyFormat)
    const result: object[] = []
    for (const id of ids) {
      const message = await findMessage(admin, lookupOf(options.topic, options.cluster), id)
      result.push(await printMessageBlock(admin, out, message, { decoder }))
    }
    return result
  },
})

async function sendAgain(context: Context, ids: readonly string[]): Promise<object[]> {
  const { options, admin, out, namesrvAddr, clock } = context
  const unit = options.unitName === undefined ? {} : { unitName: options.unitName }
  const producer = new Producer({ group: 'ReSendMsgById', namesrvAddr: [...namesrvAddr], clock, ...unit })
  const results: object[] = []
  await producer.start()
  try {
    for (const id of ids) {
      try {
        const message = await findMessage(admin, lookupOf(options.topic, options.cluster), id)
        out.text(`prepare resend msg. originalMsgId=${id}`)
        const result = await producer.send(outgoingCopy(message))
        out.text(sendResultText(result))
        results.push({ originalMsgId: id, ...result })
      } catch (error) {
        out.failure(`${id}: ${errorText(error)}`)
      }
    }
  } finally {
    await producer.stop()
  }
  return results
}
