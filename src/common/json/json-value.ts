/** What parsing gives: JSON, with integers beyond 2^53 as bigint. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject
export interface JsonObject {
  [key: string]: JsonValue
}

/** Deeper nesting than any body has; a hostile one must not exhaust the stack. */
export const MAX_JSON_DEPTH = 500

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Assigns as an own property whatever the key is: `__proto__` in a peer's body must stay data. */
export function setJsonKey(object: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    object[key] = value
  }
}
