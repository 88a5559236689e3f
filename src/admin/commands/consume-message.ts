import { queueText } from '../../client/index.js'
import type { MessageQueue } from '../../common/index.js'
import { readableQueues } from '../brokers.js'
import { type CommandContext, defineCommand } from '../command.js'
import { messageData } from '../message-text.js'
import { needed, optional } from '../option-spec.js'
import { printMessages } from '../print-messages.js'
import { timestampOf, wholeNumber } from '../read-values.js'

const DEFAULT_COUNT = 128
const decoder = new TextDecoder()

const consumeOptions = {
  topic: needed('t', 'name of the topic'),
  brokerName: optional('b', 'name of the broker, with -i'),
  queueId: optional('i', 'id of the queue on that broker'),
  offset: optional('o', 'queue offset to begin at, with -i'),
  consumerGroup: optional('g', 'group to pull as (TOOLS_CONSUMER); its offsets stay as they are'),
  beginTimestamp: optional('s', 'stored since then: ms since 1970, or yyyy-MM-dd#HH:mm:ss:SSS', {
    long: 'beginTimestamp ',
  }),
  endTimestamp: optional('e', 'stored before then: ms since 1970, or yyyy-MM-dd#HH:mm:ss:SSS', {
    long: 'endTimestamp ',
  }),
  MessageNumber: optional('c', 'how many messages (128)'),
} as const

type Context = CommandContext<typeof consumeOptions>

/** What the options ask for, once they make sense together. */
interface Wish {
  count: number
  /** Ms; 0 is no bound. */
  begin: number
  end: number
}

export const consumeMessage = defineCommand({
  name: 'consumeMessage',
  description: 'Pull messages and print them.',
  javaName: 'ConsumeMessageCommand',
  wrapper: 'none',
  options: consumeOptions,
  async run(context) {
    const { options, out } = context
    const wish = { count: wholeNumber(options.MessageNumber, DEFAULT_COUNT), ...timesOf(context) }
    const refusal = refusalOf(context, wish)
    if (refusal !== undefined) {
      out.text(refusal)
      out.problem(refusal)
      return undefined
    }
    const found: object[] = []
    if (options.queueId === undefined) await consumeAll(context, wish, found)
    else await consumeQueue(context, wish, found)
    return found
  },
})

function timesOf({ options, clock }: Context): { begin: number; end: number } {
  const time = (text: string | undefined): number => (text === undefined ? 0 : timestampOf(text, clock.now()))
  return { begin: time(options.beginTimestamp), end: time(options.endTimestamp) }
}

/** Java's texts for options that do not go together. */
function refusalOf({ options, clock }: Context, { count, begin, end }: Wish): string | undefined {
  const now = clock.now()
  if (count <= 0) return 'Please input a positive messageNumber!'
  if (options.queueId !== undefined && options.brokerName === undefined) {
    return 'Please set the brokerName before queueId!'
  }
  if (options.offset !== undefined && options.queueId === undefined) return 'Please set queueId before offset!'
  if (begin > now) return 'Please set the beginTimestamp before now!'
  if (end > now) return 'Please set the endTimestamp before now!'
  if (end > 0 && begin > end) {
    return 'Please make sure that the beginTimestamp is less than or equal to the endTimestamp'
  }
  return undefined
}

async function bounds({ admin }: Context, queue: MessageQueue, { begin, end }: Wish): Promise<[number, number]> {
  const from = begin > 0 ? await admin.searchOffset(queue, begin) : await admin.minOffset(queue)
  const to = end > 0 ? await admin.searchOffset(queue, end) : await admin.maxOffset(queue)
  return [from, to]
}

/** All queues one after the other until there are enough messages. */
async function consumeAll(context: Context, wish: Wish, found: object[]): Promise<void> {
  const { admin, options, out } = context
  let left = wish.count
  for (const queue of await readableQueues(admin, options.topic)) {
    if (left <= 0) return
    const [from, end] = await bounds(context, queue, wish)
    if (end - from > left) {
      out.line(`The older ${left} message of the ${queue.queueId} queue will be provided`)
      await pullRange(context, queue, { from, to: from + left - 1 }, found)
      return
    }
    left -= end - from
    await pullRange(context, queue, { from, to: end }, found)
  }
}

async function consumeQueue(context: Context, wish: Wish, found: object[]): Promise<void> {
  const { options, out } = context
  const queue = {
    topic: options.topic,
    brokerName: options.brokerName ?? '',
    queueId: wholeNumber(options.queueId, 0),
  }
  const offset = wholeNumber(options.offset, 0)
  const [min, max] = await bounds(context, queue, wish)
  if (offset > max) {
    out.line(`${queueText(queue)} no matched msg, offset=${offset}`)
    out.problem(`the queue ends at offset ${max}`)
    return
  }
  const from = Math.max(min, offset)
  const isTooMuch = max - from > wish.count
  if (isTooMuch) out.line(`The oldler ${wish.count} message will be provided`)
  await pullRange(context, queue, { from, to: isTooMuch ? from + wish.count - 1 : max }, found)
}

/** Prints the messages from `from` to `to`; at the end of the queue Java says so. */
async function pullRange(
  { admin, out, options }: Context,
  queue: MessageQueue,
  { from, to }: { from: number; to: number },
  found: object[],
): Promise<void> {
  const group = options.consumerGroup === undefined ? {} : { group: options.consumerGroup }
  for (let offset = from; offset <= to; ) {
    const pulled = await admin.pull({ queue, offset, maxNums: to - offset + 1, ...group })
    offset = pulled.nextBeginOffset
    const state = `status=${pulled.status}, offset=${offset}`
    if (pulled.status === 'FOUND') {
      out.line('Consume ok')
      printMessages(out, pulled.messages, { decoder, isShown: true })
      if (out.isJson) found.push(...pulled.messages.map(message => messageData(message)))
    } else if (pulled.status === 'NO_MATCHED_MSG') {
      out.line(`${queueText(queue)} no matched msg. ${state}`)
    } else {
      out.line(`${queueText(queue)} print msg finished. ${state}`)
      return
    }
  }
}
