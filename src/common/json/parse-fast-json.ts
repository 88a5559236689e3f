import { resolveJsonRefs } from './json-refs.js'
import { JsonSyntaxError } from './json-syntax-error.js'
import { type JsonObject, type JsonValue, MAX_JSON_DEPTH, setJsonKey } from './json-value.js'
import { stringifyFastJson } from './stringify-fast-json.js'

/** Integers that JSON.parse could round. */
const mayHoldBigInteger = /\d{16}/

/**
 * Parses what Java and Go write (wire-protocol 2.5): JSON, and besides unquoted integer keys, objects as keys (the
 * key is then their {@link stringifyFastJson} text), single quotes, unquoted names, comments, `$ref`. Blank text is
 * null, integers beyond 2^53 are bigint. Throws {@link JsonSyntaxError}.
 */
export function parseFastJson(source: string | Buffer): JsonValue {
  const text = typeof source === 'string' ? source : source.toString('utf8')
  const value = parseStandard(text) ?? new Parser(text).parse()
  return text.includes('$ref') ? resolveJsonRefs(value) : value
}

/** The fast path; undefined when the text needs the tolerant parser, or is `null`. */
function parseStandard(text: string): JsonValue | undefined {
  if (mayHoldBigInteger.test(text)) return undefined
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    // not standard JSON: the tolerant parser finds out what is wrong, if anything is
    return undefined
  }
}

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  F: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  0: '\0',
}

const literals: Readonly<Record<string, JsonValue>> = {
  true: true,
  false: false,
  null: null,
  undefined: null,
  NaN: null,
}

const blank = /(?:[\s\uFEFF]+|\/\*[\s\S]*?\*\/|\/\/[^\n]*)+/y
const doubleQuotedPart = /[^"\\]+/y
const singleQuotedPart = /[^'\\]+/y
const SLASH = 0x2f
const numberToken = /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[LlSsBbFfDd]?(?![\w$])/y
const nameToken = /[A-Za-z_$\u0080-\uFFFF][\w$\u0080-\uFFFF-]*/y

class Parser {
  private at = 0
  private depth = 0

  constructor(private readonly text: string) {}

  parse(): JsonValue {
    this.skip()
    if (this.at === this.text.length) return null
    const value = this.value()
    this.skip()
    if (this.at < this.text.length) throw this.unexpected('the end')
    return value
  }

  private value(): JsonValue {
    const first = this.text[this.at]
    if (first === '{') return this.nested(() => this.object())
    if (first === '[') return this.nested(() => this.array())
    return first === '"' || first === "'" ? this.string() : this.token()
  }

  private nested(read: () => JsonValue): JsonValue {
    if (++this.depth > MAX_JSON_DEPTH) throw new JsonSyntaxError(`more than ${MAX_JSON_DEPTH} levels`, this.at)
    this.at++
    const value = read()
    this.depth--
    return value
  }

  private object(): JsonValue {
    const object: JsonObject = {}
    for (;;) {
      this.skipCommas()
      if (this.text[this.at] === '}') break
      const key = this.key()
      this.skip()
      if (this.text[this.at] !== ':') throw this.unexpected('":"')
      this.at++
      this.skip()
      setJsonKey(object, key, this.value())
      this.skip()
      const next = this.text[this.at]
      if (next !== ',' && next !== '}') throw this.unexpected('"," or "}"')
    }
    this.at++
    return object
  }

  private key(): string {
    const key = this.value()
    return typeof key === 'string' ? key : stringifyFastJson(key)
  }

  private array(): JsonValue {
    const array: JsonValue[] = []
    for (;;) {
      this.skipCommas()
      if (this.text[this.at] === ']') break
      array.push(this.value())
      this.skip()
      const next = this.text[this.at]
      if (next !== ',' && next !== ']') throw this.unexpected('"," or "]"')
    }
    this.at++
    return array
  }

  private string(): string {
    const part = this.text[this.at] === '"' ? doubleQuotedPart : singleQuotedPart
    const start = this.at++
    let text = ''
    for (;;) {
      text += this.take(part) ?? ''
      if (this.at === this.text.length) throw new JsonSyntaxError('a string is not closed', start)
      if (this.text[this.at] !== '\\') break
      text += this.escape()
    }
    this.at++
    return text
  }

  private escape(): string {
    const letter = this.text[this.at + 1] ?? ''
    const digits = letter === 'u' ? 4 : letter === 'x' ? 2 : 0
    if (digits === 0) {
      this.at += 2
      return escapes[letter] ?? letter
    }
    const hex = this.text.slice(this.at + 2, this.at + 2 + digits)
    if (hex.length < digits || !/^[0-9a-fA-F]+$/.test(hex)) throw new JsonSyntaxError('bad escape', this.at)
    this.at += 2 + digits
    return String.fromCharCode(Number.parseInt(hex, 16))
  }

  private token(): JsonValue {
    const start = this.at
    const number = this.take(numberToken)
    if (number !== undefined) return toNumber(number)
    const name = this.take(nameToken)
    if (name === undefined) throw this.unexpected('a value')
    // a bare word is a name only before a colon; elsewhere it must be a literal
    const after = this.at
    this.skip()
    const isKey = this.text[this.at] === ':'
    this.at = after
    if (isKey) return name
    if (Object.hasOwn(literals, name)) return literals[name]!
    this.at = start
    throw this.unexpected('a value')
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.at = pattern.lastIndex
    return match[0]
  }

  private skip(): void {
    const code = this.text.charCodeAt(this.at)
    // most tokens touch each other; the pattern is for those that do not
    if (code <= 0x20 || code === SLASH || code > 0x7f) this.take(blank)
  }

  private skipCommas(): void {
    this.skip()
    while (this.text[this.at] === ',') {
      this.at++
      this.skip()
    }
  }

  private unexpected(wanted: string): JsonSyntaxError {
    const found = this.at < this.text.length ? JSON.stringify(this.text[this.at]) : 'the end'
    return new JsonSyntaxError(`${wanted} expected, ${found} found`, this.at)
  }
}

function toNumber(token: string): number | bigint {
  const digits = token.replace(/[A-Za-z]$/, '')
  const value = Number(digits)
  if (Number.isSafeInteger(value) || !/^[+-]?\d+$/.test(digits)) return value
  return BigInt(digits.replace(/^\+/, ''))
}
