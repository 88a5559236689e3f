import type { LogFields, Logger } from '../util/index.js'
import { nearestKey } from './nearest-key.js'
import { invalidSettings, parseSetting, refusalOf } from './parse-setting.js'
import { defaultOf, type Setting, type SettingsTable, type SettingValue, type Surroundings } from './setting.js'

/**
 * Settings from one place (a file, the environment, the command line), in order; `where` names the spot for messages.
 */
export type SettingsSource = readonly { readonly key: string; readonly value: string; readonly where: string }[]

/** Something to say in the log once it is open. */
export interface SettingsNote {
  readonly level: 'info' | 'warn'
  readonly fields: LogFields & { readonly event: string }
  readonly text: string
}

export interface LoadedValues {
  readonly values: Record<string, SettingValue>
  /** Keys that a source gave, to where. */
  readonly setBy: ReadonlyMap<string, string>
  /** Unknown keys and their texts: kept, so that they show up in get...Config as in Java. */
  readonly extra: ReadonlyMap<string, string>
  readonly notes: readonly SettingsNote[]
}

/**
 * Defaults, then the sources in turn; the last value counts. `ERR_SETTING_INVALID` with a line for every value that
 * does not fit, and for every one that asks for what must not be ignored and is not there yet.
 */
export function loadValues(
  rows: SettingsTable,
  sources: readonly SettingsSource[],
  surroundings: Surroundings,
): LoadedValues {
  const values: Record<string, SettingValue> = {}
  for (const [key, row] of Object.entries(rows)) values[key] = defaultOf(row, surroundings)
  const setBy = new Map<string, string>()
  const extra = new Map<string, string>()
  const notes: SettingsNote[] = []
  const problems: string[] = []

  for (const { key, value: raw, where } of sources.flat()) {
    const row = Object.hasOwn(rows, key) ? rows[key] : undefined
    if (row === undefined) {
      extra.set(key, raw)
      notes.push(unknownKey(key, where, rows))
      continue
    }
    const parsed = parseSetting(row, raw)
    if (!parsed.ok) {
      problems.push(`${where}: ${key}=${raw}: must be ${parsed.allowed}`)
      continue
    }
    if (parsed.clampedFrom !== undefined) notes.push(clamped(key, parsed.clampedFrom, parsed.value, where))
    values[key] = parsed.value
    setBy.set(key, where)
  }
  for (const [key, where] of setBy) {
    const row = rows[key]!
    const refusal = refusalOf(row, values[key]!, defaultOf(row, surroundings))
    if (refusal !== undefined) problems.push(`${where}: ${key}=${values[key]}: ${refusal}`)
    else if (values[key] !== defaultOf(row, surroundings)) notes.push(...ineffective(key, row, values[key]!, where))
  }
  if (problems.length > 0) throw invalidSettings(problems)
  return { values, setBy, extra, notes }
}

export function logNotes(notes: readonly SettingsNote[], logger: Logger): void {
  for (const { level, fields, text } of notes) logger[level](fields, text)
}

/** ` (did you mean X?)`, or nothing. */
export function suggestion(key: string, rows: SettingsTable): string {
  const nearest = nearestKey(key, Object.keys(rows))
  return nearest === undefined ? '' : ` (did you mean ${nearest}?)`
}

function unknownKey(key: string, where: string, rows: SettingsTable): SettingsNote {
  const text = `${where}: unknown key ${key} is kept and has no effect${suggestion(key, rows)}`
  return { level: 'warn', fields: { event: 'setting-unknown', key }, text }
}

function clamped(key: string, from: number, to: SettingValue, where: string): SettingsNote {
  const text = `${where}: ${key}=${from} is out of bounds, ${to} is used`
  return { level: 'warn', fields: { event: 'setting-clamped', key }, text }
}

function ineffective(key: string, row: Setting, value: SettingValue, where: string): SettingsNote[] {
  if (row.state.kind === 'planned') {
    const text = `${where}: ${key}=${value} has no effect: the setting is known, but not supported yet`
    return [{ level: 'warn', fields: { event: 'setting-planned', key }, text }]
  }
  if (row.state.kind === 'noEffect') {
    const text = `${where}: ${key}=${value} has no effect: ${row.state.reason}`
    return [{ level: 'info', fields: { event: 'setting-no-effect', key }, text }]
  }
  return []
}
