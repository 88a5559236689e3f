/*
 * Printing as Java's tool does: the templates of its columns are facts, so they are kept as they are and a small printf
 * reads them.
 */

/** `%s`, `%d`, `%f` with `-`, `0`, width and precision; `%%`. */
const PLACEHOLDER = /%[-0]*\d*(?:\.\d+)?[sdf%]/g
const PARTS = /^%([-0]*)(\d*)(?:\.(\d+))?(.)$/

export function format(template: string, ...values: readonly unknown[]): string {
  let next = 0
  return template.replace(PLACEHOLDER, placeholder =>
    placeholder === '%%' ? '%' : formatOne(placeholder, values[next++]),
  )
}

function formatOne(placeholder: string, value: unknown): string {
  const [, flags = '', width = '', precision = '6', kind] = PARTS.exec(placeholder) ?? []
  const text = kind === 'f' ? Number(value).toFixed(Number(precision)) : String(value)
  if (flags.includes('-')) return text.padEnd(Number(width))
  return text.padStart(Number(width), flags.includes('0') ? '0' : ' ')
}

/** The first `size` characters: what Java does with names in columns. */
export function front(text: string, size: number): string {
  return text.slice(0, size)
}

/** `yyyy-MM-dd HH:mm:ss` in local time. */
export function secondsText(timestamp: number): string {
  const date = new Date(timestamp)
  const pad = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
}

/** `yyyy-MM-dd HH:mm:ss,SSS` in local time. */
export function millisText(timestamp: number): string {
  return `${secondsText(timestamp)},${String(new Date(timestamp).getMilliseconds()).padStart(3, '0')}`
}

/** A number as Java prints a double. */
export function doubleText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value)
}

/** A map as Java prints it. */
export function mapText(entries: Iterable<readonly [unknown, unknown]>): string {
  return `{${Array.from(entries, ([key, value]) => `${key}=${value}`).join(', ')}}`
}
