import { languageCodeOf, languageName, parseFastJson } from '../common/index.js'
import { MQError } from '../util/index.js'
import { type ExtFields, type RemotingCommand, textValues } from './command.js'
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
  const text = frame.toString('utf8', from, to)
  if (decodeJavaForm(text, into)) return
  const json = parseObject(text)
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

const FRONT = '{"code":'
const EXT = ',"extFields":{'
const AFTER_EXT = '},"flag":'
const JAVA = ',"language":"JAVA","opaque":'
const TAIL = ',"serializeTypeCurrentRPC":"JSON","version":'

/**
 * Reads a header in the form Java's clients write (alphabetical keys, no white space, no remark) without making an
 * object of it. The search for the end of extFields is safe: within a JSON string its quotes would be escaped.
 * @returns false for any other form.
 */
function decodeJavaForm(text: string, into: RemotingCommand): boolean {
  if (!text.startsWith(FRONT)) return false
  const codeEnd = text.indexOf(',', FRONT.length)
  const extEnd = text.indexOf(AFTER_EXT, codeEnd)
  if (!text.startsWith(EXT, codeEnd) || extEnd < codeEnd) return false
  const flagEnd = text.indexOf(',', extEnd + AFTER_EXT.length)
  if (!text.startsWith(JAVA, flagEnd)) return false
  const opaqueEnd = text.indexOf(',', flagEnd + JAVA.length)
  if (!text.startsWith(TAIL, opaqueEnd) || !text.endsWith('}')) return false
  const code = +text.slice(FRONT.length, codeEnd)
  const flag = +text.slice(extEnd + AFTER_EXT.length, flagEnd)
  const opaque = +text.slice(flagEnd + JAVA.length, opaqueEnd)
  const version = +text.slice(opaqueEnd + TAIL.length, -1)
  if (!isInt32(code) || !isInt32(flag) || !isInt32(opaque) || !isInt32(version)) return false
  into.code = code
  into.flag = flag
  into.opaque = opaque
  into.version = version
  into.language = 0
  into.extJson = text.slice(codeEnd + EXT.length - 1, extEnd + 1)
  return true
}

function isInt32(value: number): boolean {
  return (value | 0) === value
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
  const head = `{"code":${h.code}${ext},"flag":${h.flag},"language":${language},"opaque":${h.opaque}`
  return `${head}${remark}${JAVA_TAIL}${h.version}}`
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
