import { LogBytes } from '../log-bytes.js'
import type { LogRecord } from '../log-record.js'
import { LogScanner, readRecordAt } from '../log-scanner.js'
import { describeRecord, type RecordJson } from '../message-json.js'
import type { StoreDirectory } from '../store-directory.js'
import type { DifferenceList } from './difference.js'

export interface LogComparison {
  /** Records that are in both, at the same place, with the same bytes. */
  readonly sameRecords: number
}

/** Compares two logs record by record, by their place in the log. */
export async function diffLog(
  a: StoreDirectory,
  b: StoreDirectory,
  { list, onProgress }: { list: DifferenceList; onProgress: (bytes: number) => void },
): Promise<LogComparison> {
  const other = new LogBytes(b)
  let sameRecords = 0
  let firstDifference = Number.POSITIVE_INFINITY
  const visitor = {
    async record(record: LogRecord): Promise<void> {
      const { position, size } = record
      const bytes = await other.at(position, size)
      if (bytes?.equals(record.bytes)) {
        sameRecords++
        return
      }
      firstDifference = Math.min(firstDifference, position)
      const theirs = await readRecordAt(b, position)
      if (theirs === undefined) list.add('log', String(position), textOf(record), undefined)
      else addChanged(list, record, theirs)
    },
  }
  const end = await new LogScanner({ directory: a, visitor, onProgress }).run()
  other.close()
  const startA = a.log[0]?.startOffset ?? 0
  await onlyInB(a, b, { list, onProgress, from: 0, to: Math.min(startA, firstDifference) })
  const from = Math.min(firstDifference, end.offset)
  await onlyInB(a, b, { list, onProgress, from: Math.max(from, startA), to: Number.POSITIVE_INFINITY })
  return { sameRecords }
}

async function onlyInB(
  a: StoreDirectory,
  b: StoreDirectory,
  {
    list,
    onProgress,
    from,
    to,
  }: { list: DifferenceList; onProgress: (bytes: number) => void; from: number; to: number },
): Promise<void> {
  if (from >= to) return
  const visitor = {
    async record(record: LogRecord): Promise<void> {
      const ours = await readRecordAt(a, record.position)
      if (ours === undefined) list.add('log', String(record.position), undefined, textOf(record))
    },
  }
  await new LogScanner({ directory: b, from, to, visitor, onProgress }).run()
}

function textOf(record: LogRecord): string {
  const { topic, queueId, queueOffset, size, offsetMsgId } = describeRecord(record)
  return `${topic}-${queueId}#${queueOffset} ${size} bytes ${String(offsetMsgId)}`
}

/** Says the fields in which two records at one place differ. */
function addChanged(list: DifferenceList, a: LogRecord, b: LogRecord): void {
  const ours = describeRecord(a)
  const theirs = describeRecord(b)
  const names = Object.keys({ ...ours, ...theirs }).filter(
    name => textOfField(ours, name) !== textOfField(theirs, name),
  )
  const fields = (record: RecordJson): string => names.map(name => `${name}=${textOfField(record, name)}`).join(' ')
  const isBodyOnly = names.length === 0
  list.add(
    'log',
    String(a.position),
    isBodyOnly ? textOf(a) : fields(ours),
    isBodyOnly ? 'another body' : fields(theirs),
  )
}

function textOfField(record: RecordJson, name: string): string {
  const value = record[name]
  return value instanceof Map ? JSON.stringify([...value].sort()) : String(value)
}
