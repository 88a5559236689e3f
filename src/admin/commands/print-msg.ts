import { queueText } from '../../client/index.js'
import type { MessageQueue } from '../../common/index.js'
import { errorText } from '../../util/index.js'
import { readableQueues } from '../brokers.js'
import { type CommandContext, defineCommand } from '../command.js'
import { messageData } from '../message-text.js'
import { needed, optional } from '../option-spec.js'
import { printMessages } from '../print-messages.js'
import { charsetDecoder, isTrue, timestampOf } from '../read-values.js'

const RULE = '-'.repeat(56)
const MESSAGES_PER_PULL = 32

const printOptions = {
  topic: needed('t', 'name of the topic'),
  charsetName: optional('c', 'charset of the bodies, e.g. UTF-8 or GBK (UTF-8)', { long: 'charsetName ' }),
  subExpression: optional('s', 'only these tags, e.g. TagA || TagB', { long: 'subExpression ' }),
  beginTimestamp: optional('b', 'stored since then: ms since 1970, or yyyy-MM-dd#HH:mm:ss:SSS', {
    long: 'beginTimestamp ',
  }),
  endTimestamp: optional('e', 'stored before then: ms since 1970, or yyyy-MM-dd#HH:mm:ss:SSS', {
    long: 'endTimestamp ',
  }),
  printBody: optional('d', 'whether bodies are printed (true)', { long: 'printBody ' }),
  lmqParentTopic: optional('l', 'parent topic of an LMQ, whose route leads to it'),
} as const

export const printMsg = defineCommand({
  name: 'printMsg',
  description: 'Print the messages of a topic.',
  javaName: 'PrintMessageSubCommand',
  options: printOptions,
  async run(context) {
    const { options, admin } = context
    const found: object[] = []
    for (const queue of await readableQueues(admin, options.topic, options.lmqParentTopic)) {
      await printQueue(context, queue, found)
    }
    return found
  },
})

/** Prints a queue to its end; with `--json` its messages are added to `found` instead. */
async function printQueue(
  { options, admin, out, clock }: CommandContext<typeof printOptions>,
  queue: MessageQueue,
  found: object[],
): Promise<void> {
  const decoder = charsetDecoder(options.charsetName ?? 'utf-8')
  const { beginTimestamp, endTimestamp } = options
  const begin =
    beginTimestamp === undefined
      ? await admin.minOffset(queue)
      : await admin.searchOffset(queue, timestampOf(beginTimestamp, clock.now()))
  const end =
    endTimestamp === undefined
      ? await admin.maxOffset(queue)
      : await admin.searchOffset(queue, timestampOf(endTimestamp, clock.now()))
  out.line(`minOffset=${begin}, maxOffset=${end}, ${queueText(queue)}`)
  const subscription = options.subExpression ?? '*'
  for (let offset = begin; offset < end; ) {
    try {
      const pulled = await admin.pull({ queue, offset, maxNums: MESSAGES_PER_PULL, subscription })
      offset = pulled.nextBeginOffset
      const state = `status=${pulled.status}, offset=${offset}`
      if (pulled.status === 'FOUND') {
        printMessages(out, pulled.messages, { decoder, isShown: isTrue(options.printBody, true) })
        if (out.isJson) found.push(...pulled.messages.map(message => messageData(message, decoder)))
      } else if (pulled.status === 'NO_MATCHED_MSG') {
        out.line(`${queueText(queue)} no matched msg. ${state}`)
      } else {
        out.line(`${queueText(queue)} print msg finished. ${state}`)
        break
      }
    } catch (error) {
      out.failure(`${queueText(queue)} at offset ${offset}: ${errorText(error)}`)
      break
    }
  }
  out.line(RULE)
}
