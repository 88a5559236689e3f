import type { AdminClient } from '../../client/index.js'
import {
  buildSubscriptionData,
  ExpressionType,
  type MessageExt,
  type MessageQueue,
  matchesTag,
  PropertyName,
  SqlFilter,
} from '../../common/index.js'
import { errorText } from '../../util/index.js'
import { readableQueues } from '../brokers.js'
import { defineCommand } from '../command.js'
import { messageId } from '../message-text.js'
import { needed, optional } from '../option-spec.js'
import { UsageError } from '../parse-options.js'
import { wholeNumber } from '../read-values.js'

const MESSAGES_PER_PULL = 32
const ROW = '%-50s %-32s %4s %12s  %-5s  %s'

/** Gives the reasons why a message does not match; none when it does. */
type Check = (message: MessageExt) => string[]

export const filterTest = defineCommand({
  name: 'filterTest',
  description: 'Try a subscription on the newest messages of a topic: which match, and why others do not.',
  javaName: 'FilterTestCommand',
  options: {
    topic: needed('t', 'name of the topic'),
    expression: needed('x', "the subscription, e.g. TagA || TagB, or a > 5 AND b = 'c'"),
    expressionType: optional('y', 'TAG or SQL92 (TAG)'),
    count: optional('c', 'number of messages looked at (32)'),
  },
  async run({ options, admin, out }) {
    const { topic, expression } = options
    const check = checkOf(topic, expression, options.expressionType ?? ExpressionType.TAG)
    const messages = await newest(admin, topic, wholeNumber(options.count, 32))
    out.row(ROW, '#Message ID', '#Broker Name', '#QID', '#Offset', '#Match', '#Why not')
    const results = messages.map(message => ({ message, reasons: check(message) }))
    for (const { message, reasons } of results) {
      const { brokerName, queueId, queueOffset } = message
      const place = [messageId(message), brokerName ?? '', queueId, queueOffset]
      out.row(ROW, ...place, reasons.length === 0 ? 'yes' : 'no', reasons.join('; '))
    }
    const matched = results.filter(({ reasons }) => reasons.length === 0).length
    out.line(`${matched} of ${results.length} messages match`)
    return {
      matched,
      messages: results.map(({ message, reasons }) => ({
        msgId: messageId(message),
        brokerName: message.brokerName,
        queueId: message.queueId,
        queueOffset: message.queueOffset,
        matches: reasons.length === 0,
        reasons,
      })),
    }
  },
})

/** @throws UsageError for an expression that does not compile, in the words of the broker */
function checkOf(topic: string, expression: string, type: string): Check {
  try {
    if (type === ExpressionType.SQL92) {
      const filter = new SqlFilter(expression)
      return ({ properties }) => filter.explain(name => properties.get(name))
    }
    if (type !== ExpressionType.TAG) throw new UsageError(`there is no filter of type ${type}: TAG or SQL92`)
    const subscription = buildSubscriptionData({ topic, expression, subVersion: 0 })
    return ({ properties }) => {
      const tag = properties.get(PropertyName.TAGS)
      if (matchesTag(subscription, tag)) return []
      return [`its tag ${tag === undefined ? 'is missing' : `is '${tag}'`}`]
    }
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`the expression is not valid: ${errorText(error)}`)
  }
}

/** The last messages of all queues by store time, the newest first. */
async function newest(admin: AdminClient, topic: string, count: number): Promise<MessageExt[]> {
  const found: MessageExt[] = []
  for (const queue of await readableQueues(admin, topic)) found.push(...(await tail(admin, queue, count)))
  return found.sort((a, b) => b.storeTimestamp - a.storeTimestamp || b.queueOffset - a.queueOffset).slice(0, count)
}

async function tail(admin: AdminClient, queue: MessageQueue, count: number): Promise<MessageExt[]> {
  const end = await admin.maxOffset(queue)
  let offset = Math.max(await admin.minOffset(queue), end - count)
  const messages: MessageExt[] = []
  while (offset < end) {
    const result = await admin.pull({ queue, offset, maxNums: Math.min(MESSAGES_PER_PULL, end - offset) })
    for (const message of result.messages) messages.push({ ...message, brokerName: queue.brokerName })
    if (result.nextBeginOffset <= offset) break
    offset = result.nextBeginOffset
  }
  return messages
}
