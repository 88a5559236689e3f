import { languageCodeOf, languageName, parseFastJson } from '../common/index.js'
import { MQError } from '../util/index.js'
import type { ExtFields, RemotingCommand } from './command.js'
import { quote } from './header.js'

interface JsonHeader {
  code?: unknown
  extFields?: Record<string, unknown> | null
  flag?: unknown
  language?: unknown
  opaque?: unknown
  remark?: unknown
  version?: unknown
}

/**
 * Decodes header serialization 0 (wire-protocol 2) into `into`. Standard JSON takes the fast way; fastjson's leniency
 * (unquoted keys, single quotes) the tolerant parser.
 * @throws MQError ERR_REMOTING_HEADER when it is no JSON object: such a peer's connection is closed.
 */
export function decodeJsonHeader(frame: Buffer, from: number, to: number, into: RemotingCommand): void {
  const json = parseObject(frame.toString('utf8', from, to))
  into.code = integer(json.code, 0)
  into.opaque = integer(json.opaque, 0)
  into.flag = integer(json.flag, 0)
  into.version = integer(json.version, 0)
  const language = json.language
  into.language =
    language === 'JAVA' || language === undefined
      ? 0
      : typeof language === 'string'
        ? languageCodeOf(language)
        : integer(language, -1)
  into.remark = typeof json.remark === 'string' ? json.remark : undefined
  into.extFields = json.extFields ? textValues(json.extFields) : undefined
}

function parseObject(text: string): JsonHeader {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    try {
      json = parseFastJson(text)
    } catch (error) {
      throw new MQError('ERR_REMOTING_HEADER', 'the header is not JSON', { cause: error })
    }
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new MQError('ERR_REMOTING_HEADER', 'the header is JSON, but not an object')
  return json
}

/** Java accepts a number or its text. */
function integer(value: unknown, missing: number): number {
  if (typeof value === 'number') return value | 0
  if (value === undefined || value === null) return missing
  const number = Number(value)
  if (!Number.isInteger(number))
    throw new MQError('ERR_REMOTING_HEADER', `the header has ${String(value)} where a number belongs`)
  return number | 0
}

/** C++ sends numbers among the ext values, others objects: Java turns each into text, null into an absent field. */
function textValues(ext: Record<string, unknown>): ExtFields {
  for (const key in ext) {
    const value = ext[key]
    if (typeof value === 'string') continue
    if (value === null || value === undefined) delete ext[key]
    else ext[key] = typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
  return ext as ExtFields
}

export interface HeaderFields {
  code: number
  flag: number
  language: number
  opaque: number
  version: number
  remark: string | undefined
  /** The inside of the extFields object, or undefined when there is no such key. */
  extJson: string | undefined
}

const JAVA_TAIL = `,"serializeTypeCurrentRPC":"JSON","version":`

/** Encodes header serialization 0: Java's keys in Java's order, without white space. */
export function encodeJsonHeader(h: HeaderFields): string {
  const ext = h.extJson === undefined ? '' : `,"extFields":{${h.extJson}}`
  const remark = h.remark === undefined ? '' : `,"remark":${quote(h.remark)}`
  const language = h.language === 0 ? '"JAVA"' : `"${languageName(h.language)}"`
  return `{"code":${h.code}${ext},"flag":${h.flag},"language":${language},"opaque":${h.opaque}${remark}${JAVA_TAIL}${h.version}}`
}

/** The inside of an extFields object. */
export function extFieldsJson(ext: ExtFields): string {
  let json = ''
  for (const key in ext) {
    if (json !== '') json += ','
    json += `${quote(key)}:${quote(ext[key]!)}`
  }
  return json
}
