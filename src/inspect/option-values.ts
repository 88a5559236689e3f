import { InvalidArgumentError } from 'commander'

/** An integer that is not negative. */
export function toCount(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value
  throw new InvalidArgumentError(`a whole number is needed, not "${text}".`)
}

/** Ms since 1970, `2026-11-21T09:45:26Z` (any ISO 8601), or RocketMQ's `2026-11-21#09:45:26:118` in local time. */
export function toTime(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  const java = /^(\d{4}-\d\d-\d\d)#(\d\d:\d\d:\d\d):(\d{3})$/.exec(text)
  const ms = Date.parse(java === null ? text : `${java[1]}T${java[2]}.${java[3]}`)
  if (!Number.isNaN(ms)) return ms
  throw new InvalidArgumentError(`a time is needed: ms since 1970, or like 2026-11-21T09:45:26Z; not "${text}".`)
}

/** Values of an option that may be given several times, or with commas. */
export function toList(text: string, previous: unknown): string[] {
  const before = Array.isArray(previous) ? (previous as string[]) : []
  return [...before, ...text.split(',').map(one => one.trim())].filter(one => one !== '')
}

export const hashSlotsOption = {
  flags: '--hash-slots <number>',
  description: 'maxHashSlotNum of the broker, where the index files do not show it',
  parse: toCount,
}

export const topicOption = {
  flags: '-t, --topic <name>',
  description: 'only this topic; may be repeated',
  parse: toList,
}
