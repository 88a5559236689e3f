import { JsonSyntaxError } from './json-syntax-error.js'
import { MAX_JSON_DEPTH } from './json-value.js'

/**
 * A map whose keys are objects, written in the raw form `{{"a":1}:2}` that every Java release and Go read
 * (wire-protocol 2.5). C++ needs an array form instead, which is another body.
 */
export class ObjectKeyMap<K, V> {
  readonly entries: readonly (readonly [K, V])[]

  constructor(entries: Iterable<readonly [K, V]>) {
    this.entries = [...entries]
  }
}

/** A number that Java holds as a double: `1` is written `1.0`. */
export class JavaDouble {
  constructor(readonly value: number) {}
}

export interface StringifyOptions {
  /** Tabs and line breaks, as Java writes its configuration files. */
  pretty?: boolean
  /** Only ASCII: other characters as `\uXXXX`, `/` as `\/` (what Java calls browser compatible). */
  ascii?: boolean
  /** Number keys of a Map without quotes, `{0:"a"}`: not JSON, but what some old peers expect. */
  bareNumberKeys?: boolean
}

/**
 * Writes as fastjson does: keys in alphabetical order, members that are null or undefined left out. Map and Set become
 * object and array; integer keys are quoted, which every peer accepts.
 */
export function stringifyFastJson(value: unknown, options: StringifyOptions = {}): string {
  const text = new Writer(options.pretty === true, options.bareNumberKeys === true).write(value, 0)
  return options.ascii ? toAscii(text) : text
}

class Writer {
  constructor(
    private readonly pretty: boolean,
    private readonly bareNumberKeys: boolean,
  ) {}

  write(value: unknown, depth: number): string {
    if (typeof value === 'string') return JSON.stringify(value)
    if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
    if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
    return typeof value === 'object' && value !== null ? this.writeObject(value, depth) : 'null'
  }

  private writeObject(value: object, depth: number): string {
    // ends a circle of objects as well
    if (depth > MAX_JSON_DEPTH) throw new JsonSyntaxError(`more than ${MAX_JSON_DEPTH} levels`)
    if (Array.isArray(value)) return this.writeList(value, depth)
    if (value instanceof Set) return this.writeList([...value], depth)
    if (value instanceof JavaDouble) return writeDouble(value.value)
    if (value instanceof ObjectKeyMap) {
      const members = value.entries.map(([key, item]) => `${this.write(key, depth + 1)}:${this.write(item, depth + 1)}`)
      return this.wrap('{', members, '}', depth)
    }
    return this.writeMembers(value instanceof Map ? [...value] : Object.entries(value), depth)
  }

  private writeList(items: readonly unknown[], depth: number): string {
    const written = items.map(item => this.write(item, depth + 1))
    return this.wrap('[', written, ']', depth)
  }

  private writeMembers(entries: [unknown, unknown][], depth: number): string {
    const members: string[] = []
    for (const [key, item] of entries.sort(([a], [b]) => compareKeys(a, b))) {
      if (item === undefined || item === null) continue
      members.push(`${this.writeKey(key)}:${this.write(item, depth + 1)}`)
    }
    return this.wrap('{', members, '}', depth)
  }

  private writeKey(key: unknown): string {
    return this.bareNumberKeys && typeof key === 'number' ? String(key) : JSON.stringify(String(key))
  }

  private wrap(open: string, items: string[], close: string, depth: number): string {
    if (!this.pretty || items.length === 0) return open + items.join(',') + close
    const outer = `\n${'\t'.repeat(depth)}`
    const inner = `${outer}\t`
    return open + inner + items.join(`,${inner}`) + outer + close
  }
}

/** Numbers by value, anything else in the order of its UTF-16 units, as Java sorts. */
function compareKeys(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const left = String(a)
  const right = String(b)
  return left < right ? -1 : left > right ? 1 : 0
}

function writeDouble(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value)
}

function toAscii(text: string): string {
  return text
    .replace(/\//g, '\\/')
    .replace(/[\u007f-\uffff]/g, c => `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`)
}
