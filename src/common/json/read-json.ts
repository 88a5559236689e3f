import { isJsonObject, type JsonObject, type JsonValue } from './json-value.js'

/*
 * Reading fields as fastjson casts them: numbers may come as text, booleans as 0 and 1, enums as ordinals. What cannot
 * be cast, like what is missing, gives the fallback.
 */

/** The value as an object, or an empty one. */
export function readObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

export function readArray(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : []
}

export function readNumber(value: JsonValue | undefined, fallback: number): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint' || (typeof value === 'string' && value.trim() !== '')) {
    const number = Number(value)
    return Number.isNaN(number) ? fallback : number
  }
  return fallback
}

export function readBoolean(value: JsonValue | undefined, fallback: boolean): boolean {
  if (typeof value === 'boolean') return value
  if (value === 1 || value === 'true' || value === '1') return true
  if (value === 0 || value === 'false' || value === '0') return false
  return fallback
}

export function readString(value: JsonValue | undefined): string | undefined
export function readString(value: JsonValue | undefined, fallback: string): string
export function readString(value: JsonValue | undefined, fallback?: string): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : fallback
}

export function readStrings(value: JsonValue | undefined): string[] {
  return readArray(value).flatMap(item => readString(item) ?? [])
}

/** An object of texts as a Map; members of other kinds are left out. */
export function readStringMap(value: JsonValue | undefined): Map<string, string> {
  const map = new Map<string, string>()
  for (const [key, item] of Object.entries(readObject(value))) {
    const text = readString(item)
    if (text !== undefined) map.set(key, text)
  }
  return map
}

/** An enum by name or by its ordinal in `names`. */
export function readEnum<T extends string>(value: JsonValue | undefined, names: readonly T[], fallback: T): T {
  if (typeof value === 'number') return names[value] ?? fallback
  return names.find(name => name === value) ?? fallback
}
