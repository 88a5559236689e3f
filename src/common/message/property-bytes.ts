/** Properties as bytes: looking up, adding and removing without making strings of the rest. */

const NAME_END = 1
const PROPERTY_END = 2

/** Where a value lies in a buffer: `start` inclusive, `end` exclusive. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * Finds the value of the property `name` (its UTF-8 bytes) in `bytes[from, to)`; undefined when missing or empty.
 * As in the parsed form the last of several wins.
 */
export function findProperty(bytes: Buffer, name: Buffer, from = 0, to = bytes.length): ByteRange | undefined {
  const start = valueStartOf(bytes, name, from, to)
  return start < 0 ? undefined : { start, end: endOfProperty(bytes, start, to) }
}

/** Where the value of the last property `name` that has one starts, else -1. */
function valueStartOf(bytes: Buffer, name: Buffer, from: number, to: number): number {
  let found = -1
  let at = from
  while (at < to) {
    const valueStart = matchName(bytes, name, at, to)
    if (valueStart >= 0 && valueStart < to && bytes[valueStart] !== PROPERTY_END) found = valueStart
    at = endOfProperty(bytes, valueStart < 0 ? at : valueStart, to) + 1
  }
  return found
}

function endOfProperty(bytes: Buffer, from: number, to: number): number {
  let end = from
  while (end < to && bytes[end] !== PROPERTY_END) end++
  return end
}

/** Where the value starts when the property at `at` is `name`, else -1. */
function matchName(bytes: Buffer, name: Buffer, at: number, to: number): number {
  const separator = at + name.length
  if (separator >= to || bytes[separator] !== NAME_END) return -1
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return -1
  return separator + 1
}

/** The value of a property as text; undefined when missing or empty. */
export function readProperty(bytes: Buffer, name: Buffer, from = 0, to = bytes.length): string | undefined {
  const start = valueStartOf(bytes, name, from, to)
  return start < 0 ? undefined : bytes.toString('utf8', start, endOfProperty(bytes, start, to))
}

/** The bytes of one property, `name 0x01 value 0x02`. */
export function encodeProperty(name: string, value: string): Buffer {
  return Buffer.from(`${name}\u0001${value}\u0002`)
}

/** Whether something can be appended as it is: empty, or ended by 0x02. */
export function endsWithSeparator(bytes: Buffer, from = 0, to = bytes.length): boolean {
  return to === from || bytes[to - 1] === PROPERTY_END
}

/** `properties` followed by `tail` (entries in their byte form), with the 0x02 between them that old writers omit. */
export function appendProperties(properties: Buffer, tail: Buffer): Buffer {
  if (tail.length === 0) return properties
  if (endsWithSeparator(properties)) return Buffer.concat([properties, tail])
  return Buffer.concat([properties, Buffer.of(PROPERTY_END), tail])
}

/** `properties` without every entry called `name`; the same buffer when there is none. */
export function removeProperty(properties: Buffer, name: Buffer): Buffer {
  const kept: Buffer[] = []
  let keptFrom = 0
  let at = 0
  while (at < properties.length) {
    let end = properties.indexOf(PROPERTY_END, at)
    end = end < 0 ? properties.length : end + 1
    if (matchName(properties, name, at, end) >= 0) {
      if (at > keptFrom) kept.push(properties.subarray(keptFrom, at))
      keptFrom = end
    }
    at = end
  }
  if (keptFrom === 0) return properties
  if (keptFrom < properties.length) kept.push(properties.subarray(keptFrom))
  return Buffer.concat(kept)
}
