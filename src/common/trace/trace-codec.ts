import { KEY_SEPARATOR } from '../message/property-names.js'
import {
  type TraceFieldKind,
  type TraceRecord,
  type TraceType,
  traceContextCodes,
  traceLayouts,
  traceMessageTypes,
  traceTransactionStates,
} from './trace-record.js'

const FIELD_SEPARATOR = '\u0001'
const RECORD_END = '\u0002'
/** Java's text for a missing value. */
const MISSING = 'null'

type FieldValue = string | number | boolean | undefined

/** The body of a trace message. */
export function encodeTrace(records: Iterable<TraceRecord>): string {
  let body = ''
  for (const record of records) body += encodeRecord(record)
  return body
}

function encodeRecord(record: TraceRecord): string {
  const values = new Map<string, FieldValue>(Object.entries(record))
  const fields: string[] = [record.type]
  for (const [name, kind] of traceLayouts[record.type]) {
    const value = values.get(name)
    if (value === undefined && isLate(kind)) break
    fields.push(value === undefined ? MISSING : encodeField(kind, value))
  }
  return fields.join(FIELD_SEPARATOR) + RECORD_END
}

function encodeField(kind: TraceFieldKind, value: string | number | boolean): string {
  const names = enumNames[kind]
  return names === undefined ? String(value) : String(names.indexOf(String(value)))
}

/** Kinds that are sent as an index. */
const enumNames: Partial<Record<TraceFieldKind, readonly string[]>> = {
  messageType: traceMessageTypes,
  contextCode: traceContextCodes,
}

function isLate(kind: TraceFieldKind): boolean {
  return kind === 'lateText' || kind === 'lateNumber'
}

/**
 * The records in the body of a trace message. Records of unknown types, and those that cannot be read, are left out:
 * a trace is for looking at, and one odd record must not hide the others.
 */
export function decodeTrace(body: string): TraceRecord[] {
  return body.split(RECORD_END).flatMap(text => decodeRecord(text) ?? [])
}

function decodeRecord(text: string): TraceRecord | undefined {
  const [type = '', ...fields] = text.split(FIELD_SEPARATOR)
  if (!isTraceType(type)) return undefined
  const record: Record<string, FieldValue> & { type: TraceType } = { type }
  let at = 0
  for (const [name, kind] of traceLayouts[type]) {
    // the oldest releases knew no offset id: 12 fields and the type
    const isSkipped = type === 'Pub' && name === 'offsetMsgId' && fields.length === 12
    const field = isSkipped ? undefined : fields[at++]
    const value = decodeField(kind, field)
    if (value === BAD) return undefined
    if (value !== undefined || !isLate(kind)) record[name] = value
  }
  return record as TraceRecord
}

const BAD = Symbol('bad')

function decodeField(kind: TraceFieldKind, field: string | undefined): FieldValue | typeof BAD {
  const isMissing = field === undefined || field === '' || field === MISSING
  switch (kind) {
    case 'text':
    case 'lateText':
      return field === MISSING ? undefined : field
    case 'number':
      return isMissing || !Number.isFinite(Number(field)) ? BAD : Number(field)
    case 'lateNumber':
      return isMissing || !Number.isFinite(Number(field)) ? undefined : Number(field)
    case 'boolean':
      return field?.toLowerCase() === 'true'
    case 'messageType':
      return traceMessageTypes[Number(field)] ?? BAD
    case 'contextCode':
      // SubAfter of the oldest releases ends before it
      return isMissing ? 'SUCCESS' : (traceContextCodes[Number(field)] ?? BAD)
    case 'transactionState':
      return traceTransactionStates.find(state => state === field) ?? BAD
  }
}

function isTraceType(text: string): text is TraceType {
  return Object.hasOwn(traceLayouts, text)
}

/** What the trace message gets as KEYS, so that the trace of a message is found by its id and by its keys. */
export function traceKeys(records: Iterable<TraceRecord>): string {
  const keys = new Set<string>()
  for (const record of records) {
    if (record.msgId) keys.add(record.msgId)
    const own = 'keys' in record ? record.keys : undefined
    for (const key of own?.split(KEY_SEPARATOR) ?? []) if (key !== '') keys.add(key)
  }
  return [...keys].join(KEY_SEPARATOR)
}
