const LEVEL_NAMES: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO ', 40: 'WARN ', 50: 'ERROR' }

/** Keys that have a place of their own in the line. */
const PLACED = new Set(['level', 'time', 'component', 'msg', 'err'])

/**
 * One event as one readable line: time, level, component, text, then `key=value` for the other fields. Control
 * characters are escaped: what peers send must not make lines of its own.
 */
export function formatLogLine(record: Readonly<Record<string, unknown>>): string {
  const time = typeof record.time === 'number' ? new Date(record.time) : new Date(0)
  const level = LEVEL_NAMES[record.level as number] ?? String(record.level)
  const component = record.component === undefined ? '' : ` ${String(record.component)}`
  const stamp = time.toISOString().replace('T', ' ').slice(0, 23)
  let line = `${stamp} ${level}${component} ${oneLine(String(record.msg ?? ''))}`
  for (const [key, value] of Object.entries(record)) {
    if (!PLACED.has(key) && value !== undefined) line += ` ${key}=${fieldText(value)}`
  }
  return line + errorFields(record.err)
}

function errorFields(err: unknown): string {
  if (err === undefined || err === null) return ''
  const { message, stack, code } = err as { message?: unknown; stack?: unknown; code?: unknown }
  const codeField = typeof code === 'string' ? ` code=${fieldText(code)}` : ''
  const shown = stack ?? message ?? err
  return `${codeField} err=${fieldText(shown)}`
}

function fieldText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string' && value !== '' && !/[\s"=\p{Cc}\u2028\u2029]/u.test(value)) return value
  // JSON leaves some control characters and line separators as they are.
  return oneLine(JSON.stringify(value) ?? String(value))
}

function oneLine(text: string): string {
  return /[\p{Cc}\u2028\u2029]/u.test(text)
    ? text.replace(/[\p{Cc}\u2028\u2029]/gu, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : text
}
