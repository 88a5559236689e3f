import { type Clock, errorText, formatProperty, MQError, readProperties } from '../util/index.js'
import { type LoadedValues, suggestion } from './load-settings.js'
import { formatSetting, invalidSettings, parseSetting, refusalOf } from './parse-setting.js'
import { defaultOf, type SettingsTable, type SettingValue, type Surroundings } from './setting.js'
import { writeSettingsFile } from './settings-file.js'

export interface SettingChange {
  readonly key: string
  readonly value: SettingValue
  readonly previous: SettingValue
}

export interface UpdateOutcome {
  /** Keys whose value is another one now. */
  readonly changed: readonly string[]
  /** Keys that nobody knows: left alone, as in Java. */
  readonly unknown: readonly string[]
  /** Keys that were changed and have no effect (yet). */
  readonly noEffect: readonly string[]
  /** All of it in one line. */
  readonly text: string
}

export interface SettingsParts {
  readonly rows: SettingsTable
  readonly loaded: LoadedValues
  readonly surroundings: Surroundings
  readonly clock: Clock
  /** Keys that a remote update must not touch, beside those in `configBlackList`. */
  readonly blocked: readonly string[]
  /** Where updates are written; undefined: nowhere (embedded). */
  readonly file: string | undefined
}

type Plan = Map<string, { text: string; value?: SettingValue }>

/**
 * The settings of one process. `values` is live: what reads it at use time sees updates. Updates are checked as a
 * whole, saved, then applied; two at once run one after the other.
 */
export class Settings<V> {
  readonly values: V
  private readonly current: Record<string, SettingValue>
  private readonly extra: Map<string, string>
  private readonly setKeys: Set<string>
  private readonly listeners = new Set<{ keys: ReadonlySet<string>; listener: (change: SettingChange) => void }>()
  private updating: Promise<unknown> = Promise.resolve()
  private counter = 0
  private timestamp: number

  constructor(private readonly parts: SettingsParts) {
    this.current = parts.loaded.values
    this.values = this.current as V
    this.extra = new Map(parts.loaded.extra)
    this.setKeys = new Set(parts.loaded.setBy.keys())
    this.timestamp = parts.clock.now()
  }

  /** Whether somebody gave the key a value, be it the default. */
  isSet(key: keyof V & string): boolean {
    return this.setKeys.has(key)
  }

  /** The file that updates go to. */
  get file(): string | undefined {
    return this.parts.file
  }

  /** Counts updates; the JSON of GET_BROKER_CONFIG's `version`. */
  dataVersion(): { counter: number; stateVersion: number; timestamp: number } {
    return { counter: this.counter, stateVersion: 0, timestamp: this.timestamp }
  }

  /** Every key, unknown ones included, as sorted `key=value` lines; nulls are left out, as in Java. */
  asProperties(): string {
    const lines = [...this.extra].map(([key, value]) => ({ key, value }))
    for (const [key, row] of Object.entries(this.parts.rows)) {
      const value = this.current[key]!
      if (row.nullable === true && value === '') continue
      if (row.listed === 'whenSet' && !this.setKeys.has(key)) continue
      lines.push({ key, value: formatSetting(row, value) })
    }
    lines.sort((a, b) => (a.key < b.key ? -1 : 1))
    return lines.map(({ key, value }) => `${formatProperty(key, value)}\n`).join('')
  }

  /** Calls `listener` after each change of one of `keys`. Returns what unsubscribes it. */
  onChange(keys: readonly (keyof V & string)[], listener: (change: SettingChange) => void): () => void {
    const entry = { keys: new Set<string>(keys), listener }
    this.listeners.add(entry)
    return () => this.listeners.delete(entry)
  }

  /**
   * Changes settings by a properties text or a map. All or nothing: `ERR_SETTING_BLOCKED` (a key of the black list),
   * `ERR_SETTING_FIXED` (needs a restart), `ERR_SETTING_INVALID` (value), `ERR_SETTINGS_NOT_SAVED` (file).
   */
  update(changes: string | ReadonlyMap<string, string>): Promise<UpdateOutcome> {
    const wanted = typeof changes === 'string' ? readProperties(changes) : changes
    const run = this.updating.then(() => this.apply(wanted))
    this.updating = run.catch(() => undefined)
    return run
  }

  private async apply(wanted: ReadonlyMap<string, string>): Promise<UpdateOutcome> {
    this.refuseBlocked(wanted)
    const plan = this.plan(wanted)
    if (plan.size > 0 && this.parts.file !== undefined) {
      await writeSettingsFile(this.parts.file, new Map([...plan].map(([key, { text }]) => [key, text])))
    }
    const said: string[] = []
    const noEffect: string[] = []
    const done: SettingChange[] = []
    for (const [key, { text, value }] of plan) {
      const row = this.parts.rows[key]
      const previous = row === undefined ? (this.extra.get(key) ?? '') : this.current[key]!
      if (row === undefined || value === undefined) this.extra.set(key, text)
      else {
        this.current[key] = value
        this.setKeys.add(key)
        done.push({ key, value, previous })
      }
      const hasEffect = row?.state.kind === 'implemented'
      if (!hasEffect) noEffect.push(key)
      said.push(`${key}: ${previous} -> ${text}${hasEffect ? '' : ` (no effect${effectOf(row?.state)})`}`)
    }
    const unknown = [...wanted.keys()].filter(key => !this.knows(key))
    for (const key of unknown) said.push(`unknown key ${key} is ignored${suggestion(key, this.parts.rows)}`)
    this.counter++
    this.timestamp = this.parts.clock.now()
    this.notify(done)
    return { changed: [...plan.keys()], unknown, noEffect, text: said.join('; ') || 'nothing to change' }
  }

  private refuseBlocked(wanted: ReadonlyMap<string, string>): void {
    const blackList = this.current.configBlackList
    const blocked = new Set(this.parts.blocked)
    if (typeof blackList === 'string') for (const key of blackList.split(';')) blocked.add(key.trim())
    for (const key of wanted.keys()) {
      if (blocked.has(key)) throw new MQError('ERR_SETTING_BLOCKED', 'Can not update config in black list.')
    }
  }

  /** What is to be changed, all of it checked: known keys whose value differs, unknown ones that a file brought. */
  private plan(wanted: ReadonlyMap<string, string>): Plan {
    const plan: Plan = new Map()
    const problems: string[] = []
    for (const [key, raw] of wanted) {
      const row = Object.hasOwn(this.parts.rows, key) ? this.parts.rows[key] : undefined
      if (row === undefined) {
        if (this.extra.has(key) && this.extra.get(key) !== raw) plan.set(key, { text: raw })
        continue
      }
      const parsed = parseSetting(row, raw)
      if (!parsed.ok) {
        problems.push(`${key}=${raw}: must be ${parsed.allowed}`)
        continue
      }
      if (parsed.value === this.current[key]) continue
      if (row.state.kind === 'implemented' && !row.state.mutable) {
        const advice = this.parts.file === undefined ? 'start with it' : `set it in ${this.parts.file} and restart`
        throw new MQError('ERR_SETTING_FIXED', `${key} cannot change at run time; ${advice}`)
      }
      const refusal = refusalOf(row, parsed.value, defaultOf(row, this.parts.surroundings))
      if (refusal !== undefined) problems.push(`${key}=${raw}: ${refusal}`)
      plan.set(key, { text: formatSetting(row, parsed.value), value: parsed.value })
    }
    if (problems.length > 0) throw invalidSettings(problems)
    return plan
  }

  private knows(key: string): boolean {
    return Object.hasOwn(this.parts.rows, key) || this.extra.has(key)
  }

  private notify(changes: readonly SettingChange[]): void {
    const failures: unknown[] = []
    for (const change of changes) {
      for (const { keys, listener } of this.listeners) {
        if (!keys.has(change.key)) continue
        try {
          listener(change)
        } catch (error) {
          failures.push(error)
        }
      }
    }
    if (failures.length === 0) return
    const texts = failures.map(errorText).join('; ')
    throw new MQError('ERR_SETTING_LISTENER', `the change is saved, but not everything took it over: ${texts}`, {
      cause: failures[0],
    })
  }
}

function effectOf(state: SettingsTable[string]['state'] | undefined): string {
  if (state?.kind === 'noEffect') return `: ${state.reason}`
  return state?.kind === 'planned' ? ': not supported yet' : ''
}
