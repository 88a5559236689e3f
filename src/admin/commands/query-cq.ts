import {
  parseFastJson,
  RequestCode,
  readArray,
  readNumber,
  readObject,
  readString,
  stringifyFastJson,
} from '../../common/index.js'
import { QueryConsumeQueueRequestHeader } from '../../remoting/index.js'
import { routeAddresses } from '../brokers.js'
import { type CommandContext, defineCommand } from '../command.js'
import { needed, optional } from '../option-spec.js'
import { wholeNumber } from '../read-values.js'

const RULE = '='.repeat(38)

const queryOptions = {
  topic: needed('t', 'name of the topic'),
  queue: needed('q', 'id of the queue'),
  index: needed('i', 'first offset in the queue'),
  count: optional('c', 'number of entries (10)'),
  broker: optional('b', 'address of the broker (the first of the topic)'),
  consumer: optional('g', 'consumer group whose subscription and filter are shown as well'),
} as const

export const queryCq = defineCommand({
  name: 'queryCq',
  description: 'Show entries of a consume queue.',
  javaName: 'QueryConsumeQueueCommand',
  refusals: 'client',
  wrapper: 'none',
  options: queryOptions,
  async run(context) {
    const { options, admin, out } = context
    const address = options.broker ?? routeAddresses(await admin.topicRoute(options.topic))[0]!.address
    const index = wholeNumber(options.index, 0)
    const header = QueryConsumeQueueRequestHeader.encode({
      topic: options.topic,
      queueId: wholeNumber(options.queue, 0),
      index,
      count: wholeNumber(options.count, 10),
      ...(options.consumer === undefined ? {} : { consumerGroup: options.consumer }),
    })
    const answer = await admin.invokeBroker(address, RequestCode.QUERY_CONSUME_QUEUE, { header })
    if (answer.body.length === 0) {
      // a success without a body, which Java's tool stumbles over
      out.failure(answer.remark ?? `there is no entry ${index}`)
      return undefined
    }
    return print(context, readObject(parseFastJson(answer.body)), index)
  },
})

function print({ out }: CommandContext<typeof queryOptions>, body: ReturnType<typeof readObject>, index: number) {
  if (body.subscriptionData !== undefined && body.subscriptionData !== null) {
    out.line('Subscription data: ')
    out.line(subscriptionText(readObject(body.subscriptionData)))
    out.line(RULE)
  }
  const filterData = readString(body.filterData)
  if (filterData !== undefined) {
    out.line('Filter data: ')
    out.line(filterData)
    out.line(RULE)
  }
  out.line('Queue data: ')
  out.line(`max: ${readNumber(body.maxQueueIndex, 0)}, min: ${readNumber(body.minQueueIndex, 0)}`)
  out.line(RULE)
  for (const [i, json] of readArray(body.queueData).entries()) {
    const unit = readObject(json)
    const text = (name: string): string => readString(unit[name]) ?? 'null'
    const number = (name: string): number => readNumber(unit[name], 0)
    out.line(`idx: ${index + i}`)
    out.line(
      `ConsumeQueueData{physicOffset=${number('physicOffset')}, physicSize=${number('physicSize')}, ` +
        `tagsCode=${number('tagsCode')}, extendDataJson='${text('extendDataJson')}', ` +
        `bitMap='${text('bitMap')}', eval=${unit.eval === true}, msg='${text('msg')}'}`,
    )
    out.line(RULE)
  }
  return body
}

/** As Java prints it: a member per line, lists in one. */
function subscriptionText(subscription: ReturnType<typeof readObject>): string {
  const members = Object.entries(subscription)
    .filter(([, value]) => value !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `\t${JSON.stringify(name)}:${stringifyFastJson(value)}`)
  return `{\n${members.join(',\n')}\n}`
}
