import {
  decodeTrace,
  hostAddressToString,
  type MessageExt,
  SystemTopic,
  type TraceRecord,
  type TraceRecordOf,
} from '../../common/index.js'
import { defineCommand } from '../command.js'
import { findByKey } from '../find-message.js'
import { secondsText } from '../format.js'
import { needed, optional } from '../option-spec.js'
import type { Output } from '../output.js'
import { wholeNumber } from '../read-values.js'

const ROW = '%-10s %-20s %-20s %-20s %-10s %-10s'

/** A record and where its client wrote it from. */
type Traced<R extends TraceRecord = TraceRecord> = R & { from: string }

export const queryMsgTraceById = defineCommand({
  name: 'queryMsgTraceById',
  description: 'Show who sent and who consumed a message.',
  // the blank is missing in Java's text
  javaName: 'QueryMsgTraceByIdSubCommandcommand failed',
  isFullFailure: true,
  options: {
    msgId: needed('i', 'id of the message'),
    traceTopic: optional('t', 'topic the traces are written to (RMQ_SYS_TRACE_TOPIC)'),
    beginTimestamp: optional('b', 'traces stored since then, in ms since 1970 (0)'),
    endTimestamp: optional('e', 'traces stored before then, in ms since 1970'),
    maxNum: optional('c', 'at most so many trace messages (64)'),
  },
  async run({ options, admin, out }) {
    const messages = await findByKey(admin, {
      topic: options.traceTopic ?? SystemTopic.TRACE,
      key: options.msgId,
      maxNum: wholeNumber(options.maxNum, 64),
      beginTimestamp: wholeNumber(options.beginTimestamp, 0),
      endTimestamp: wholeNumber(options.endTimestamp, Number.MAX_SAFE_INTEGER),
    })
    const records = messages.flatMap(message => recordsOf(message, options.msgId))
    printSends(out, records)
    printConsumptions(out, records)
    return records
  },
})

function recordsOf(message: MessageExt, msgId: string): Traced[] {
  const from = hostAddressToString(message.bornHost).replace(/:\d+$/, '')
  return decodeTrace(message.body.toString())
    .filter(record => record.msgId?.split(',').includes(msgId))
    .map(record => ({ ...record, from }))
}

function statusText(success: boolean): string {
  return success ? 'success' : 'failed'
}

function printSends(out: Output, records: readonly Traced[]): void {
  for (const record of records) {
    if (record.type !== 'Pub') continue
    const { group = '', from, timestamp, costTime, success } = record
    out.row(ROW, '#Type', '#ProducerGroup', '#ClientHost', '#SendTime', '#CostTimes', '#Status')
    out.row(ROW, 'Pub', group, from, secondsText(timestamp), `${costTime}ms`, statusText(success))
    out.line()
  }
}

function printConsumptions(out: Output, records: readonly Traced[]): void {
  const begun = new Map<string, Traced<TraceRecordOf<'SubBefore'>>>()
  for (const record of records) if (record.type === 'SubBefore') begun.set(record.requestId ?? '', record)
  const byGroup = new Map<string, Traced<TraceRecordOf<'SubAfter'>>[]>()
  for (const record of records) {
    if (record.type !== 'SubAfter') continue
    // old clients name the group only when they begin
    const group = record.group ?? begun.get(record.requestId ?? '')?.group ?? ''
    byGroup.set(group, [...(byGroup.get(group) ?? []), record])
  }
  for (const [group, ends] of byGroup) {
    out.row(ROW, '#Type', '#ConsumerGroup', '#ClientHost', '#ConsumerTime', '#CostTimes', '#Status')
    for (const { from, requestId, timestamp, costTime, success } of ends) {
      const time = timestamp ?? begun.get(requestId ?? '')?.timestamp ?? 0
      out.row(ROW, 'Sub', group, from, secondsText(time), `${costTime}ms`, statusText(success))
    }
    out.line()
  }
}
