import { decodeOffsetMessageId, PropertyName, readProperty } from '../../common/index.js'
import { defineInspectCommand, type InspectContext, InspectExit, openStore, STORE_ARGUMENT } from '../command.js'
import type { LogRecord } from '../log-record.js'
import { LogScanner, readRecordAt, type UnreadableRange } from '../log-scanner.js'
import { lookUpKey } from '../look-up-key.js'
import { describeRecord, messagesOf, type RecordJson } from '../message-json.js'
import { hashSlotsOption, toCount, toList, topicOption } from '../option-values.js'
import { type Output, timeText } from '../output.js'
import type { StoreDirectory } from '../store-directory.js'

interface LogCommandOptions {
  from?: number
  to?: number
  topic?: readonly string[]
  queue?: number
  id?: readonly string[]
  limit?: number
  body?: boolean
  hashSlots?: number
}

const UNIQ_KEY = Buffer.from(PropertyName.UNIQ_KEY)

export const logCommand = defineInspectCommand<LogCommandOptions>({
  name: 'log',
  description: 'Records of the commit log, one line each, in a range or by message id.',
  arguments: [STORE_ARGUMENT],
  options: [
    { flags: '--from <offset>', description: 'first position in the log; default its begin', parse: toCount },
    { flags: '--to <offset>', description: 'position at which to end; default the end of the log', parse: toCount },
    topicOption,
    { flags: '-q, --queue <id>', description: 'only this queue id', parse: toCount },
    { flags: '--id <messageId>', description: 'only the message with this id (either kind)', parse: toList },
    { flags: '--limit <number>', description: 'end after so many records', parse: toCount },
    { flags: '--body', description: 'with the bodies, unpacked' },
    hashSlotsOption,
  ],
  async run(context, [root], options) {
    const directory = openStore(root!, options)
    if (options.id !== undefined) return showById(context, directory, options)
    const { from = 0, to = Number.POSITIVE_INFINITY, limit = Number.POSITIVE_INFINITY } = options
    let shown = 0
    const scanner: LogScanner = new LogScanner({
      directory,
      from,
      to,
      onProgress: context.progress.advance,
      visitor: {
        async record(record) {
          if (!isWanted(record, options)) return
          await show(context.out, record, options.body === true)
          shown++
          if (shown >= limit) scanner.stop()
        },
        async blank(position, size) {
          if (options.topic !== undefined || options.queue !== undefined) return
          await context.out.line(`${position} ${size} bytes  (end of the file)`)
          await context.out.json({ physicalOffset: position, size, blank: true })
        },
        unreadable: range => showUnreadable(context, range),
      },
    })
    context.progress.start('reading the log', bytesBetween(directory, from, to))
    await scanner.run()
    context.progress.end()
    return InspectExit.ok
  },
})

function bytesBetween({ log }: StoreDirectory, from: number, to: number): number {
  return log.reduce((sum, { startOffset, length }) => {
    const bytes = Math.min(to, startOffset + length) - Math.max(from, startOffset)
    return sum + Math.max(0, bytes)
  }, 0)
}

function isWanted(record: LogRecord, { topic, queue }: LogCommandOptions): boolean {
  return (
    (topic === undefined || topic.includes(record.topic)) && (queue === undefined || queue === record.reader.queueId)
  )
}

async function show(out: Output, record: LogRecord, withBody: boolean): Promise<void> {
  for (const message of withBody ? await messagesOf(record) : [describeRecord(record)]) {
    await out.json(message)
    await out.line(textOf(message))
  }
}

function textOf(message: RecordJson): string {
  const { physicalOffset, size, topic, queueId, queueOffset, storeTimestamp } = message
  const parts = [
    `${physicalOffset} ${size} bytes  ${topic}-${queueId}#${queueOffset}  ${timeText(storeTimestamp)}`,
    ...['uniqueKey', 'tags', 'keys', 'body', 'bodyBase64']
      .filter(name => message[name] !== undefined)
      .map(name => `${name}=${String(message[name])}`),
  ]
  if (message.problem !== undefined) parts.push(`DAMAGED: ${String(message.problem)}`)
  return parts.join('  ')
}

async function showUnreadable({ out }: InspectContext, { position, end, problem }: UnreadableRange): Promise<void> {
  await out.line(`${position} ${end - position} bytes  DAMAGED: no record can be read: ${problem}`)
  await out.json({ physicalOffset: position, size: end - position, unreadable: true, problem })
}

async function showById(
  context: InspectContext,
  directory: StoreDirectory,
  options: LogCommandOptions,
): Promise<number> {
  let exit: number = InspectExit.ok
  for (const id of options.id ?? []) {
    const records = await findById(context, directory, { id, options })
    for (const record of records) await show(context.out, record, options.body === true)
    if (records.length > 0) continue
    context.remark(`no record of the store has the id ${id}`)
    exit = InspectExit.found
  }
  return exit
}

/** Ids made by brokers say where the record is; ids made by clients are keys. */
async function findById(
  { progress }: InspectContext,
  directory: StoreDirectory,
  { id, options }: { id: string; options: LogCommandOptions },
): Promise<LogRecord[]> {
  if (/^([0-9a-fA-F]{32}|[0-9a-fA-F]{56})$/.test(id)) {
    const record = await readRecordAt(directory, decodeOffsetMessageId(id).commitLogOffset)
    if (record !== undefined && describeRecord(record).offsetMsgId === id.toUpperCase()) return [record]
  }
  const found: LogRecord[] = []
  for (const topic of options.topic ?? []) {
    found.push(...(await lookUpKey(directory, { topic, key: id, hashSlots: options.hashSlots })))
  }
  if (found.length > 0) return found
  const scanner = new LogScanner({
    directory,
    onProgress: progress.advance,
    visitor: {
      async record(record) {
        const { propertiesStart, propertiesEnd } = record.reader
        if (readProperty(record.buffer, UNIQ_KEY, propertiesStart, propertiesEnd) !== id) return
        const copy = await readRecordAt(directory, record.position)
        if (copy !== undefined) found.push(copy)
      },
    },
  })
  progress.start('looking for the id', bytesBetween(directory, 0, Number.POSITIVE_INFINITY))
  await scanner.run()
  progress.end()
  return found
}
