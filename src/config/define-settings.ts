import { type Clock, systemClock } from '../util/index.js'
import { type LoadedValues, loadValues, type SettingsNote, type SettingsSource, suggestion } from './load-settings.js'
import { formatSetting, invalidSettings } from './parse-setting.js'
import type { SettingsOf, SettingsTable, SettingValue, Surroundings } from './setting.js'
import { Settings } from './settings.js'
import { readSurroundings } from './surroundings.js'

/** Some rows under a heading; in the order of Java's classes and fields, which is the order of `-p`. */
export interface SettingsSection {
  readonly title: string
  readonly rows: SettingsTable
}

export interface DefinitionParts<T extends SettingsTable> {
  readonly name: string
  readonly rows: T
  readonly sections: readonly SettingsSection[]
  /** Keys that a remote update must not touch. */
  readonly blocked: readonly string[]
  /** Where updates go when no file was given at start. */
  defaultFile(values: SettingsOf<T>): string
  /** Values that follow from others once all sources are read. */
  derive(values: SettingsOf<T>): Partial<SettingsOf<T>>
}

export interface LoadOptions {
  readonly sources: readonly SettingsSource[]
  readonly surroundings: Surroundings
  readonly clock?: Clock
  /** The `-c` file; updates are written there. */
  readonly file?: string | undefined
}

export interface SettingsDefinition<T extends SettingsTable> extends DefinitionParts<T> {
  load(options: LoadOptions): { settings: Settings<SettingsOf<T>>; notes: readonly SettingsNote[] }
  /**
   * Settings from typed values alone: no file, no environment, updates are not saved. An undefined value is none.
   * `ERR_SETTING_INVALID`: a value does not fit, or there is no such key.
   */
  create(overrides?: Partial<SettingsOf<T>>, clock?: Clock): Settings<SettingsOf<T>>
}

/** Makes the settings of a program out of its rows (one per key). */
export function defineSettings<T extends SettingsTable>(parts: DefinitionParts<T>): SettingsDefinition<T> {
  const { rows, blocked } = parts
  const read = (sources: readonly SettingsSource[], surroundings: Surroundings): LoadedValues => {
    const loaded = loadValues(rows, sources, surroundings)
    const derived = Object.entries(parts.derive(loaded.values as SettingsOf<T>)) as [string, SettingValue][]
    const notes = derived.flatMap(([key, value]) => replacedBy(key, value, loaded))
    return {
      ...loaded,
      values: { ...loaded.values, ...Object.fromEntries(derived) },
      notes: [...loaded.notes, ...notes],
    }
  }
  return {
    ...parts,
    load({ sources, surroundings, clock = systemClock, file }) {
      const loaded = read(sources, surroundings)
      const savedIn = file ?? parts.defaultFile(loaded.values as SettingsOf<T>)
      const settings = new Settings<SettingsOf<T>>({ rows, loaded, surroundings, clock, blocked, file: savedIn })
      return { settings, notes: loaded.notes }
    },
    create(overrides = {}, clock = systemClock) {
      const surroundings = readSurroundings({})
      const given = Object.entries(overrides).filter(([, value]) => value !== undefined)
      refuseUnknown(given, rows)
      const source = given.map(([key, value]) => ({ key, value: String(value), where: 'given' }))
      const loaded = read([source], surroundings)
      return new Settings<SettingsOf<T>>({ rows, loaded, surroundings, clock, blocked, file: undefined })
    },
  }
}

/** Unlike a file, which may be older or newer than the program, a caller can only have mistyped a key. */
function refuseUnknown(given: readonly [string, unknown][], rows: SettingsTable): void {
  const unknown = given.filter(([key]) => !Object.hasOwn(rows, key))
  if (unknown.length === 0) return
  throw invalidSettings(unknown.map(([key]) => `given: there is no setting ${key}${suggestion(key, rows)}`))
}

/** A word about a value that somebody gave and that another one replaces. */
function replacedBy(key: string, value: SettingValue, { values, setBy }: LoadedValues): SettingsNote[] {
  const where = setBy.get(key)
  if (where === undefined || values[key] === value) return []
  const text = `${where}: ${key}=${values[key]} does not go with the other settings, ${value} is used`
  return [{ level: 'info', fields: { event: 'setting-derived', key }, text }]
}

/**
 * The lines of `-p` and `-m`: section by section in Java's order, a null printed empty. A key that two of Java's
 * classes have stands there twice.
 */
export function printLines<T extends SettingsTable>(
  definition: SettingsDefinition<T>,
  values: SettingsOf<T>,
  which: 'all' | 'important',
): string[] {
  return definition.sections.flatMap(section =>
    Object.entries(section.rows)
      .filter(([, row]) => row.unprinted !== true && (which === 'all' || row.important === true))
      .map(([key, row]) => `${key}=${formatSetting(row, values[key] ?? '')}`),
  )
}
