import { stringifyFastJson } from '../common/index.js'

/**
 * Pretty JSON of a large table in pieces, as Java lays out its configuration files: a member per piece, so that the
 * event loop is not held up by the whole. `members` come in the order they are written.
 */
export function* prettyMembers(members: Iterable<readonly [string, unknown]>, depth: number): Generator<string> {
  const indent = `\n${'\t'.repeat(depth + 1)}`
  let separator = `{${indent}`
  let isEmpty = true
  for (const [key, value] of members) {
    // no line break stands inside a JSON string, so each one starts a line to indent
    const text = stringifyFastJson(value, { pretty: true }).replaceAll('\n', indent)
    yield `${separator}${JSON.stringify(key)}:${text}`
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
  return [stringifyFastJson(value, { pretty: true }).replaceAll('\n', '\n\t')]
}
