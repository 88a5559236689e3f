import { ResponseCode, ResponseError } from '../common/index.js'
import type { ExtFields, RemotingCommand } from './command.js'
import { binaryKey, binaryValue } from './header-binary.js'

/** How a field's text on the wire becomes a value and back. */
export interface FieldType<T> {
  /** Name used in error texts. */
  readonly name: string
  /** Returns undefined when the text is not of this type. */
  parse(text: string): T | undefined
  format(value: T): string
  /** Whether the text may need escaping in JSON. */
  readonly plain: boolean
}

const INT = /^[+-]?\d{1,19}$/

function parseInteger(text: string, min: number, max: number): number | undefined {
  if (text.length > 20) return undefined
  const value = +text
  if (Number.isInteger(value) && value >= min && value <= max && (text.length < 16 || INT.test(text)) && text !== '')
    return value
  return undefined
}

/** The types of Java header fields. A `long` is a number: every offset, timestamp and id in use is within 2^53. */
export const t = {
  /** A text of letters and digits, which never needs escaping. */
  token: { name: 'a text', parse: text => text, format: value => value, plain: true } as FieldType<string>,
  string: { name: 'a text', parse: text => text, format: value => value, plain: false } as FieldType<string>,
  int: {
    name: 'a whole number of 32 bits',
    parse: text => parseInteger(text, -2147483648, 2147483647),
    format: String,
    plain: true,
  } as FieldType<number>,
  long: {
    name: 'a whole number of 64 bits',
    parse: text => parseInteger(text, -(2 ** 63), 2 ** 63),
    format: String,
    plain: true,
  } as FieldType<number>,
  double: {
    name: 'a number',
    parse: text => (text === '' || Number.isNaN(+text) ? undefined : +text),
    format: String,
    plain: true,
  } as FieldType<number>,
  /** Java: only the text `true`, in any case, is true. */
  bool: {
    name: 'true or false',
    parse: text => text === 'true' || (text.length === 4 && text.toLowerCase() === 'true'),
    format: String,
    plain: true,
  } as FieldType<boolean>,
}

/** What authorization looks at: the field names a topic or a group. */
export type ResourceKind = 'TOPIC' | 'GROUP'

export interface FieldOptions {
  /** The key on the wire where it is not the field's name (one-letter keys of the V2 send header). */
  key?: string
  resource?: ResourceKind
}

export interface Field<T, Required extends boolean> {
  readonly type: FieldType<T>
  readonly required: Required
  readonly options: FieldOptions
}

/** A field that must be there (`@CFNotNull` in Java). */
export function req<T>(type: FieldType<T>, options: FieldOptions = {}): Field<T, true> {
  return { type, required: true, options }
}

export function opt<T>(type: FieldType<T>, options: FieldOptions = {}): Field<T, false> {
  return { type, required: false, options }
}

// biome-ignore lint/suspicious/noExplicitAny: a field table mixes value types; HeaderValue gives each its own again
type Fields = Record<string, Field<any, boolean>>

type FieldValue<F> = F extends Field<infer T, boolean> ? T : never
type RequiredKeys<F extends Fields> = { [K in keyof F]: F[K] extends Field<unknown, true> ? K : never }[keyof F]

export type ValueOf<F extends Fields> = { [K in RequiredKeys<F>]: FieldValue<F[K]> } & {
  [K in Exclude<keyof F, RequiredKeys<F>>]?: FieldValue<F[K]> | undefined
}

/** The value type of a header declared with {@link defineHeader}. */
export type HeaderValue<H> = H extends HeaderCodec<infer V> ? V : never

/** Header fields ready to be written in both serializations. */
export interface EncodedFields {
  readonly json: string
  readonly binary: string
}

interface FieldEntry {
  name: string
  key: string
  /** `"key":` ready to be written. */
  jsonKey: string
  /** `"key":"`, what a present field begins with. */
  jsonStart: string
  /** The key as it stands in a binary entry. */
  binaryKey: string
  type: FieldType<unknown>
  required: boolean
  resource: ResourceKind | undefined
}

/** Everything that follows from a header's declaration. */
export class HeaderCodec<V> {
  private readonly fields: readonly FieldEntry[]
  /** All fields, undefined: copying it gives every decoded header one shape, and costs less than adding fields. */
  private readonly blank: Record<string, unknown>

  constructor(
    readonly name: string,
    fields: Fields,
  ) {
    this.fields = Object.entries(fields).map(([fieldName, field]) => {
      const key = field.options.key ?? fieldName
      return {
        name: fieldName,
        key,
        jsonKey: `${JSON.stringify(key)}:`,
        jsonStart: `${JSON.stringify(key)}:"`,
        binaryKey: binaryKey(key),
        type: field.type,
        required: field.required,
        resource: field.options.resource,
      }
    })
    this.blank = Object.fromEntries(this.fields.map(field => [field.name, undefined]))
  }

  /** @throws ResponseError SYSTEM_ERROR naming the field that is missing or malformed (the code Java ends up with). */
  decode(ext: ExtFields | undefined): V {
    const value = { ...this.blank }
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i]!
      const text = ext === undefined ? undefined : ext[field.key]
      if (text === undefined) {
        if (field.required) this.refuse(field, 'is missing')
        continue
      }
      const parsed = field.type.parse(text)
      if (parsed === undefined) this.refuse(field, `is ${JSON.stringify(text.slice(0, 60))}, not ${field.type.name}`)
      value[field.name] = parsed
    }
    return value as V
  }

  /**
   * Decodes what a request carries: from its JSON text where the fields stand there in the order declared (V2 sends
   * do), else from the map. Throws as {@link decode} does.
   */
  decodeFrom(command: RemotingCommand): V {
    const json = command.extJson
    return (json === undefined ? undefined : this.decodeOrdered(json)) ?? this.decode(extFieldsOf(command))
  }

  /** Reads `{"key":"value",...}`; undefined when a key is unknown or out of order, or a value needs a closer look. */
  private decodeOrdered(json: string): V | undefined {
    const value = { ...this.blank }
    let escapeAt = json.indexOf('\\')
    let at = 1
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i]!
      if (!json.startsWith(field.jsonStart, at)) {
        if (field.required) return undefined
        continue
      }
      const start = at + field.jsonStart.length
      let end = json.indexOf('"', start)
      let text: string
      if (escapeAt < 0 || escapeAt > end) text = json.slice(start, end)
      else {
        end = endOfString(json, start)
        const unescaped = stringLiteral(json.slice(start - 1, end + 1))
        if (unescaped === undefined) return undefined
        text = unescaped
        escapeAt = json.indexOf('\\', end)
      }
      const parsed = field.type.parse(text)
      if (parsed === undefined) return undefined
      value[field.name] = parsed
      at = end + 1
      if (json.charCodeAt(at) === COMMA) at++
    }
    return at === json.length - 1 ? (value as V) : undefined
  }

  /** The wire form as a map; undefined fields are left out. */
  encode(value: V): ExtFields {
    const ext: ExtFields = {}
    this.forEach(value, (key, text) => {
      ext[key] = text
    })
    return ext
  }

  /** Calls `visit` for each present field in declaration order, which is the wire order of the binary form. */
  forEach(value: V, visit: (key: string, text: string) => void): void {
    const record = value as Record<string, unknown>
    for (const field of this.fields) {
      const present = record[field.name]
      if (present !== undefined && present !== null) visit(field.key, field.type.format(present))
    }
  }

  /** The inside of the JSON object: `"k":"v","k2":"v2"`, or an empty text. */
  toJson(value: V): string {
    const record = value as Record<string, unknown>
    let json = ''
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i]!
      const present = record[field.name]
      if (present === undefined || present === null) continue
      if (json !== '') json += ','
      json += field.jsonKey
      json += field.type.plain ? `"${present as string}"` : quote(present as string)
    }
    return json
  }

  /** The entries of the binary form, as a byte string. */
  toBinary(value: V): string {
    const record = value as Record<string, unknown>
    let entries = ''
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i]!
      const present = record[field.name]
      if (present === undefined || present === null || present === '') continue
      entries += field.binaryKey + binaryValue(field.type.format(present))
    }
    return entries
  }

  /** The encoded form of fields that are the same in many answers; see `Reply.constant`. */
  encoded(value: V): EncodedFields {
    return { json: this.toJson(value), binary: this.toBinary(value) }
  }

  /** The fields that name a topic or group, for authorization. */
  resources(value: V): { kind: ResourceKind; name: string }[] {
    const record = value as Record<string, unknown>
    return this.fields.flatMap(field => {
      const name = record[field.name]
      return field.resource && typeof name === 'string' ? [{ kind: field.resource, name }] : []
    })
  }

  private refuse(field: FieldEntry, what: string): never {
    throw new ResponseError(ResponseCode.SYSTEM_ERROR, `the field ${field.key} of ${this.name} ${what}`)
  }
}

const COMMA = 44
const QUOTE = 34
const BACKSLASH = 92

/** Position of the quote that ends the JSON string whose characters begin at `start`. */
function endOfString(json: string, start: number): number {
  for (let at = start; at < json.length; at++) {
    const char = json.charCodeAt(at)
    if (char === BACKSLASH) at++
    else if (char === QUOTE) return at
  }
  return json.length
}

/** The text of a JSON string, undefined when it is none. */
function stringLiteral(json: string): string | undefined {
  try {
    return JSON.parse(json) as string
  } catch {
    return undefined
  }
}

/** @throws ResponseError SYSTEM_ERROR when the extFields are not JSON. */
function extFieldsOf(command: RemotingCommand): ExtFields | undefined {
  try {
    return command.extFields
  } catch {
    throw new ResponseError(ResponseCode.SYSTEM_ERROR, 'the extFields of the request are not JSON')
  }
}

const NEEDS_ESCAPE = /["\\\u0000-\u001f]/

/** A JSON string literal; the common case costs one scan. */
export function quote(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`
}

/**
 * Declares a header once: its type, decoding, encoding in wire order, required check, short keys and resources follow.
 * The name is Java's class name.
 */
export function defineHeader<F extends Fields>(name: string, fields: F): HeaderCodec<ValueOf<F>> {
  return new HeaderCodec<ValueOf<F>>(name, fields)
}

/** Keys that Java headers inherit from RpcRequestHeader: spread into a declaration. */
export const rpcFields = { ns: opt(t.string), nsd: opt(t.bool), bname: opt(t.string), oway: opt(t.bool) }

/** Keys inherited from TopicRequestHeader and TopicQueueRequestHeader. */
export const topicRpcFields = { lo: opt(t.bool), ...rpcFields }

/** A header without fields. */
export const NoHeader = defineHeader('NoHeader', {})
