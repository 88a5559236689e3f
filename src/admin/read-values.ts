import { UsageError } from './parse-options.js'

/** A whole number, or the fallback where none was given. @throws UsageError */
export function wholeNumber(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new UsageError(`"${text}" is not a whole number`)
  return value
}

/** Java's: only `true` is true. */
export function isTrue(text: string | undefined, fallback = false): boolean {
  return text === undefined ? fallback : text.toLowerCase() === 'true'
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)#(\d\d):(\d\d):(\d\d):(\d{1,3})$/

/** Ms since the epoch, `yyyy-MM-dd#HH:mm:ss:SSS` in local time, or `now`. @throws UsageError */
export function timestampOf(text: string, now: number): number {
  if (text === 'now') return now
  if (/^\d+$/.test(text)) return Number(text)
  const parts = DATE.exec(text)?.slice(1).map(Number)
  if (parts === undefined) {
    throw new UsageError(`"${text}" is no time: give ms since 1970, or yyyy-MM-dd#HH:mm:ss:SSS`)
  }
  const [year, month, day, hours, minutes, seconds, millis] = parts
  return new Date(year!, month! - 1, day!, hours!, minutes!, seconds!, millis!).getTime()
}

/** Makes a text of a body. */
export interface BodyDecoder {
  decode(body: Uint8Array): string
}

/** A decoder of message bodies by its charset name. @throws UsageError */
export function charsetDecoder(name: string): BodyDecoder {
  try {
    return new TextDecoder(name)
  } catch {
    throw new UsageError(`unknown charset "${name}"`)
  }
}
