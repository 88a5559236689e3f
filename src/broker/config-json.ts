import { stringifyFastJson } from '../common/index.js'
import type { Clock, Timer } from '../util/index.js'

/** What a value of a table looks like in a file: its JSON, its lines after the first led by `indent`. */
type ValueText = (value: object, indent: string) => string

// no line break stands inside a JSON string, so each one starts a line to indent
const prettyText = (value: unknown, indent: string): string =>
  stringifyFastJson(value, { pretty: true }).replaceAll('\n', indent)

/**
 * Pretty JSON of a large table in pieces, as Java lays out its configuration files: a member per piece, so that the
 * event loop is not held up by the whole. `members` come in the order they are written.
 */
export function* prettyMembers(
  members: Iterable<readonly [string, object]>,
  depth: number,
  textOf: ValueText = prettyText,
): Generator<string> {
  const indent = `\n${'\t'.repeat(depth + 1)}`
  let separator = `{${indent}`
  let isEmpty = true
  for (const [key, value] of members) {
    yield `${separator}${JSON.stringify(key)}:${textOf(value, indent)}`
    separator = `,${indent}`
    isEmpty = false
  }
  yield isEmpty ? '{}' : `\n${'\t'.repeat(depth)}}`
}

/** {@link prettyMembers} for a file whose members are tables themselves: each is given as its pieces. */
export function* prettyTables(tables: Iterable<readonly [string, Iterable<string>]>): Generator<string> {
  let separator = '{\n\t'
  for (const [key, pieces] of tables) {
    yield `${separator}${JSON.stringify(key)}:`
    yield* pieces
    separator = ',\n\t'
  }
  yield '\n}'
}

/** A value of {@link prettyTables} that is small. */
export function prettyValue(value: unknown): string[] {
  return [prettyText(value, '\n\t')]
}

/** How long after the last write of a table its texts are kept. */
const KEEP_MS = 10_000

/**
 * Remembers the texts of one table's values, for a table that is written again and again while a single entry changes:
 * most of the work of writing it is putting values into words. The values must be replaced, never changed. Forgets all
 * when the table has not been written for a while.
 */
export class KeptTexts {
  private texts = new WeakMap<object, string>()
  private timer: Timer | undefined

  constructor(private readonly clock: Clock) {}

  readonly textOf: ValueText = (value, indent) => {
    let text = this.texts.get(value)
    if (text === undefined) this.texts.set(value, (text = prettyText(value, indent)))
    return text
  }

  /** To be called at each write. */
  keepOn(): void {
    this.timer?.cancel()
    this.timer = this.clock.after(KEEP_MS, () => {
      this.texts = new WeakMap()
    })
  }
}
