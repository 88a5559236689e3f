import { MQError } from '../util/index.js'
import type { Setting, SettingValue } from './setting.js'

/** `ERR_SETTING_INVALID`: the text of a value does not fit its key. The message lists every problem, one per line. */
export function invalidSettings(problems: readonly string[]): MQError {
  return new MQError('ERR_SETTING_INVALID', problems.join('\n'))
}

export type ParsedSetting =
  | { readonly ok: true; readonly value: SettingValue; readonly clampedFrom?: number }
  /** `allowed` continues "... must be". */
  | { readonly ok: false; readonly allowed: string }

const WHOLE_NUMBER = /^[+-]?\d+$/
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/**
 * The value a text stands for. Blanks around it do not count (Java would take `true ` for false and drop a number with
 * a blank behind it).
 */
export function parseSetting(setting: Setting, raw: string): ParsedSetting {
  const text = raw.trim()
  switch (setting.type) {
    case 'string':
      return { ok: true, value: text }
    case 'enum':
      return setting.values?.includes(text) ? { ok: true, value: text } : refuse(setting)
    case 'boolean': {
      const word = text.toLowerCase()
      return word === 'true' || word === 'false' ? { ok: true, value: word === 'true' } : refuse(setting)
    }
    case 'double':
      return DECIMAL.test(text) ? checkNumber(setting, Number(text)) : refuse(setting)
    case 'int':
    case 'long':
      return WHOLE_NUMBER.test(text) ? checkNumber(setting, Number(text)) : refuse(setting)
  }
}

/** What may stand there, for error texts and docs. */
export function allowedValues(setting: Setting): string {
  switch (setting.type) {
    case 'string':
      return 'any text'
    case 'enum':
      return `one of ${(setting.values ?? []).join(', ')}`
    case 'boolean':
      return 'true or false'
    case 'double':
      return `a number${range(setting)}`
    case 'int':
    case 'long':
      return `a whole number${range(setting)}`
  }
}

/** The value as Java prints it: a double keeps its `.0`. */
export function formatSetting(setting: Setting, value: SettingValue): string {
  if (setting.type === 'double' && Number.isInteger(value)) return `${String(value)}.0`
  return String(value)
}

/** Why this value of a known key must stop the start, or undefined. */
export function refusalOf(setting: Setting, value: SettingValue, defaultValue: SettingValue): string | undefined {
  const ofValue = setting.refuse?.[String(value)]
  if (ofValue !== undefined) return ofValue
  return setting.state.kind === 'planned' && value !== defaultValue ? setting.state.refusal : undefined
}

function checkNumber(setting: Setting, value: number): ParsedSetting {
  if (setting.clamp !== undefined) {
    const [min, max] = setting.clamp
    const clamped = Math.min(max, Math.max(min, value))
    return clamped === value ? { ok: true, value } : { ok: true, value: clamped, clampedFrom: value }
  }
  const tooSmall = setting.min !== undefined && value < setting.min
  const tooLarge = setting.max !== undefined && value > setting.max
  return tooSmall || tooLarge ? refuse(setting) : { ok: true, value }
}

function refuse(setting: Setting): ParsedSetting {
  return { ok: false, allowed: allowedValues(setting) }
}

function range({ min, max, clamp, unit }: Setting): string {
  const [low, high] = clamp ?? [min, max]
  const ofUnit = unit === undefined ? '' : ` (${unit})`
  if (low === undefined && high === undefined) return ofUnit
  if (high === undefined || high === Number.MAX_SAFE_INTEGER) return ` not below ${low}${ofUnit}`
  if (low === undefined) return ` not above ${high}${ofUnit}`
  return ` from ${low} to ${high}${ofUnit}`
}
