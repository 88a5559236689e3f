/**
 * One `key=value` of a properties text, with the lines it stands on (1-based, inclusive; a continued entry has
 * several).
 */
export interface PropertyEntry {
  readonly key: string
  readonly value: string
  readonly firstLine: number
  readonly lastLine: number
}

const BLANK = /[ \t\f]/

/**
 * UTF-8 where the bytes are that, else ISO-8859-1 as Java reads them: editors write the one, Java's rule is the
 * other.
 */
export function decodeProperties(bytes: Buffer): { text: string; encoding: 'utf8' | 'latin1' } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), encoding: 'utf8' }
  } catch {
    return { text: bytes.toString('latin1'), encoding: 'latin1' }
  }
}

/**
 * Reads a Java properties text: `#` and `!` comments, `=`, `:` or blanks between key and value, `\` continuing a line,
 * the escapes `\t \n \r \f \uXXXX` (any other escaped character stands for itself). Blanks at the end of a value are
 * kept. Entries come in file order, doubles included: the last one counts. No input is refused: a `\u` without four hex
 * digits, which makes Java give up on the whole file, is read as a plain `u`.
 */
export function parseProperties(text: string): PropertyEntry[] {
  const entries: PropertyEntry[] = []
  const lines = text.split(/\r\n|\n|\r/)
  for (let at = 0; at < lines.length; at++) {
    const firstLine = at + 1
    let logical = withoutLeadingBlanks(lines[at]!)
    if (logical === '' || logical.startsWith('#') || logical.startsWith('!')) continue
    while (endsInContinuation(logical)) {
      logical = logical.slice(0, -1)
      if (at + 1 >= lines.length) break
      logical += withoutLeadingBlanks(lines[++at]!)
    }
    entries.push({ ...splitEntry(logical), firstLine, lastLine: at + 1 })
  }
  return entries
}

/** {@link parseProperties} as a map; the last of several equal keys counts. */
export function readProperties(text: string): Map<string, string> {
  return new Map(parseProperties(text).map(entry => [entry.key, entry.value]))
}

/** One `key=value` line that Java and {@link parseProperties} read back as given. Plain ASCII; no line end. */
export function formatProperty(key: string, value: string): string {
  return `${escaped(key, true)}=${escaped(value, false)}`
}

/** A line per entry, each ended by `\n`. */
export function formatProperties(entries: Iterable<readonly [string, string]>): string {
  let text = ''
  for (const [key, value] of entries) text += `${formatProperty(key, value)}\n`
  return text
}

/**
 * The text with the values of `changes` in place of the old ones; everything else (comments, order, other keys) stays.
 * A key that stands there several times is changed where it counts, at its last place; a new key is added at the end.
 */
export function editProperties(text: string, changes: ReadonlyMap<string, string>): string {
  const normal = text.replace(/\r(?!\n)/g, '\n')
  const lines = normal.split('\n')
  const last = new Map(parseProperties(normal).map(entry => [entry.key, entry]))
  const places = [...changes].map(([key, value]) => ({ key, value, entry: last.get(key) }))
  // From the bottom up, so that a removed continuation line does not move the places still to be changed.
  const known = places.filter(place => place.entry !== undefined)
  known.sort((a, b) => b.entry!.firstLine - a.entry!.firstLine)
  for (const { key, value, entry } of known) {
    const lineEnd = lines[entry!.lastLine - 1]!.endsWith('\r') ? '\r' : ''
    lines.splice(entry!.firstLine - 1, entry!.lastLine - entry!.firstLine + 1, formatProperty(key, value) + lineEnd)
  }
  let edited = lines.join('\n')
  const added = places.filter(place => place.entry === undefined)
  if (added.length > 0 && edited !== '' && !edited.endsWith('\n')) edited += '\n'
  return edited + formatProperties(added.map(place => [place.key, place.value]))
}

function withoutLeadingBlanks(line: string): string {
  return line.replace(/^[ \t\f]+/, '')
}

/** An odd number of backslashes at the end: the last one is not escaped itself. */
function endsInContinuation(line: string): boolean {
  let count = 0
  while (line.charCodeAt(line.length - 1 - count) === 0x5c) count++
  return count % 2 === 1
}

function splitEntry(line: string): { key: string; value: string } {
  let at = 0
  while (at < line.length && !isSeparator(line[at]!)) at += line[at] === '\\' ? 2 : 1
  const key = line.slice(0, at)
  while (at < line.length && BLANK.test(line[at]!)) at++
  if (line[at] === '=' || line[at] === ':') at++
  while (at < line.length && BLANK.test(line[at]!)) at++
  return { key: unescaped(key), value: unescaped(line.slice(at)) }
}

function isSeparator(character: string): boolean {
  return character === '=' || character === ':' || BLANK.test(character)
}

const NAMED_ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|([\s\S])?)/g,
    (_all, hex: string | undefined, plain: string | undefined) =>
      hex !== undefined ? String.fromCharCode(Number.parseInt(hex, 16)) : (NAMED_ESCAPES[plain ?? ''] ?? plain ?? ''),
  )
}

const WRITTEN_ESCAPES: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f' }

/** A key hides its separators and blanks, a value only its leading blanks; a comment sign matters at the start only. */
function escaped(text: string, isKey: boolean): string {
  let out = ''
  let leading = true
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!
    const code = text.charCodeAt(i)
    if (WRITTEN_ESCAPES[character] !== undefined) out += WRITTEN_ESCAPES[character]
    else if (character === '\\') out += '\\\\'
    else if (character === ' ') out += isKey || leading ? '\\ ' : ' '
    else if (isKey && (character === '=' || character === ':')) out += `\\${character}`
    else if (isKey && i === 0 && (character === '#' || character === '!')) out += `\\${character}`
    else if (!isKey && leading && (character === '=' || character === ':')) out += `\\${character}`
    else if (code < 0x20 || code > 0x7e) out += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
    else out += character
    if (character !== ' ') leading = false
  }
  return out
}
