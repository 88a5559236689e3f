/** Kinds of tokens, in the order in which Java's messages list what was expected. */
export const tokenKinds = [
  '<EOF>',
  '"NOT"',
  '"AND"',
  '"OR"',
  '"BETWEEN"',
  '"IN"',
  '"TRUE"',
  '"FALSE"',
  '"NULL"',
  '"IS"',
  '"CONTAINS"',
  '"STARTSWITH"',
  '"ENDSWITH"',
  '<DECIMAL_LITERAL>',
  '<FLOATING_POINT_LITERAL>',
  '<STRING_LITERAL>',
  '<ID>',
  '"="',
  '"<>"',
  '">"',
  '">="',
  '"<"',
  '"<="',
  '"("',
  '","',
  '")"',
  '"+"',
  '"-"',
] as const
export type TokenKind = (typeof tokenKinds)[number]

export interface Token {
  readonly kind: TokenKind
  /** The text it was read from. */
  readonly image: string
  /** Index of its first character. */
  readonly start: number
}

/** Text in a message, with everything but printable ASCII escaped. */
export function escapeText(text: string): string {
  return text.replace(/[^ !#-&(-[\]-~]/g, c => simpleEscapes.get(c) ?? `\\u${hex4(c)}`)
}

const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ['\0', ''],
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\f', '\\f'],
  ['\r', '\\r'],
  ['"', '\\"'],
  ["'", "\\'"],
  ['\\', '\\\\'],
])

function hex4(c: string): string {
  return c.charCodeAt(0).toString(16).padStart(4, '0')
}
