import type { AdminClient } from '../../client/index.js'
import {
  CometRequestCode,
  parseFastJson,
  readArray,
  readBoolean,
  readNumber,
  readObject,
  readString,
} from '../../common/index.js'
import { errorText } from '../../util/index.js'
import { targets } from '../brokers.js'
import { type CommandContext, defineCommand, USAGE } from '../command.js'
import { front, millisText } from '../format.js'
import { flag, optional } from '../option-spec.js'
import { timestampOf, wholeNumber } from '../read-values.js'

const HEADING = '%-23s  %-5s  %-32s  %-4s  %-40s  %-32s  %-24s  %s'
const ROW = '%-23s  %-5s  %-32s  %-4d  %-40s  %-32s  %-24s  %s'

const scheduleOptions = {
  brokerAddr: optional('b', 'address of a broker'),
  clusterName: optional('c', 'name of a cluster, all of whose masters are asked'),
  topic: optional('t', 'only messages for this topic'),
  key: optional('k', 'only messages with this key'),
  msgId: optional('i', 'only the message with this unique id or message id'),
  beginTime: optional('s', 'due since then: ms since 1970, yyyy-MM-dd#HH:mm:ss:SSS, or now'),
  endTime: optional('e', 'due until then'),
  maxNum: optional('m', 'most messages of each broker (100)'),
  cancel: flag('x', 'take the message named with -i back: it is not delivered'),
  deliverTime: optional('d', 'give the message named with -i this time; now delivers it at once'),
} as const

type Context = CommandContext<typeof scheduleOptions>

interface Row {
  readonly brokerName: string
  readonly deliverTime: number
  readonly kind: string
  readonly topic: string
  readonly queueId: number
  readonly uniqKey: string
  readonly offsetMsgId: string
  readonly keys: string
}

export const schedule = defineCommand({
  name: 'schedule',
  description: 'List, search, cancel and re-time messages that wait for their time.',
  javaName: 'ScheduleSubCommand',
  refusals: 'broker',
  options: scheduleOptions,
  async run(context) {
    const { options } = context
    const addresses = await targets(context, options)
    const isChange = options.cancel || options.deliverTime !== undefined
    if (addresses === undefined) return USAGE
    if (!isChange) return list(context, addresses)
    if (options.msgId === undefined || (options.cancel && options.deliverTime !== undefined)) return USAGE
    return change(context, addresses, options.msgId)
  },
})

async function list({ options, admin, out, clock }: Context, addresses: readonly string[]) {
  const time = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : timestampOf(text, clock.now())
  const header = {
    topic: options.topic,
    key: options.key,
    id: options.msgId,
    beginTime: time(options.beginTime),
    endTime: time(options.endTime),
    maxNum: wholeNumber(options.maxNum, 100),
  }
  const rows: Row[] = []
  for (const address of addresses) {
    const { body, brokerName } = await ask(admin, address, CometRequestCode.LIST_SCHEDULED, header)
    rows.push(...readArray(body.messages).map(message => rowOf(readObject(message), brokerName)))
    if (readBoolean(body.hasMore, false)) {
      out.problem(`${brokerName} has more than the ${header.maxNum} messages shown: narrow the search, or raise -m`)
    }
  }
  rows.sort((a, b) => a.deliverTime - b.deliverTime)
  out.row(HEADING, '#Due', '#Kind', '#Topic', '#QID', '#Unique Id', '#Message Id', '#Keys', '#Broker')
  for (const row of rows) {
    const { deliverTime, kind, topic, queueId, uniqKey, offsetMsgId, keys, brokerName } = row
    const place = [millisText(deliverTime), kind, front(topic, 32), queueId]
    out.row(ROW, ...place, uniqKey, offsetMsgId, front(keys, 24), brokerName)
  }
  return rows
}

async function change({ options, admin, out, clock }: Context, addresses: readonly string[], id: string) {
  const { topic, deliverTime } = options
  const time = deliverTime === undefined ? undefined : timestampOf(deliverTime, clock.now())
  const code = time === undefined ? CometRequestCode.CANCEL_SCHEDULED : CometRequestCode.RETIME_SCHEDULED
  const failures: unknown[] = []
  for (const address of addresses) {
    try {
      const { body, brokerName } = await ask(admin, address, code, { id, topic, deliverTime: time })
      const row = rowOf(readObject(body.message), brokerName)
      const what = time === undefined ? 'is taken back' : `is due at ${millisText(row.deliverTime)}`
      out.line(`message ${id} of topic ${row.topic} on ${brokerName} ${what}`)
      return row
    } catch (error) {
      // on one of several brokers it is
      failures.push(error)
    }
  }
  if (failures.length === 1) throw failures[0]
  for (const failure of failures) out.failure(errorText(failure))
  return undefined
}

async function ask(admin: AdminClient, address: string, code: number, header: Record<string, unknown>) {
  const given = Object.entries(header).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  const body = readObject(
    parseFastJson((await admin.invokeBroker(address, code, { header: Object.fromEntries(given) })).body),
  )
  return { body, brokerName: readString(body.brokerName, address) }
}

function rowOf(message: ReturnType<typeof readObject>, brokerName: string): Row {
  return {
    brokerName,
    deliverTime: readNumber(message.deliverTime, 0),
    kind: readString(message.kind, ''),
    topic: readString(message.topic, ''),
    queueId: readNumber(message.queueId, 0),
    uniqKey: readString(message.uniqKey, ''),
    offsetMsgId: readString(message.offsetMsgId, ''),
    keys: readString(message.keys, ''),
  }
}
