/**
 * The properties string: `name 0x01 value 0x02` repeated, without escaping. Writers before 5.2.0 leave out the last
 * 0x02, so readers do without it and appenders add it.
 */
export const NAME_VALUE_SEPARATOR = '\u0001'
export const PROPERTY_SEPARATOR = '\u0002'

/** The longest properties string in bytes: its length is an i16 in the record. */
export const MAX_PROPERTIES_LENGTH = 32_767

/** Parses as Java does: entries without a name or a value are dropped, a later duplicate wins. */
export function decodeProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  let start = 0
  while (start < text.length) {
    let end = text.indexOf(PROPERTY_SEPARATOR, start)
    if (end < 0) end = text.length
    const separator = text.indexOf(NAME_VALUE_SEPARATOR, start)
    if (separator > start && separator < end - 1) {
      properties.set(text.slice(start, separator), text.slice(separator + 1, end))
    }
    start = end + 1
  }
  return properties
}

/** The properties string of entries; each ends with 0x02. */
export function encodeProperties(properties: Iterable<readonly [string, string]>): string {
  let text = ''
  for (const [name, value] of properties) text += name + NAME_VALUE_SEPARATOR + value + PROPERTY_SEPARATOR
  return text
}
