/** Every value is one of these in memory; sizes, durations and Java's int, long, float and double are numbers. */
export type SettingValue = boolean | number | string

export type SettingType = 'boolean' | 'int' | 'long' | 'double' | 'string' | 'enum'

/** What a default may depend on. Looked up once at start, or made up by a test. */
export interface Surroundings {
  readonly cores: number
  readonly home: string
  readonly hostName: string
  /** The address other machines reach us at (`local-address.ts`). */
  readonly localAddress: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A default worked out at start; `text` says how, for the docs. */
export interface ComputedDefault<V extends SettingValue> {
  readonly text: string
  readonly of: (surroundings: Surroundings) => V
}

export type SettingState =
  | { readonly kind: 'implemented'; readonly mutable: boolean }
  /** Accepted and not yet supported; `refusal` says why any other value than the default stops the start. */
  | { readonly kind: 'planned'; readonly refusal?: string }
  | { readonly kind: 'noEffect'; readonly reason: string }

/** Implemented, and a change at run time takes effect. */
export const live: SettingState = { kind: 'implemented', mutable: true }
/** Implemented; read once at start, so a change needs a restart. */
export const fixed: SettingState = { kind: 'implemented', mutable: false }
/** Accepted and kept, said once in the log when set, not supported yet. */
export const planned: SettingState = { kind: 'planned' }
/** Meaningless here; `reason` continues "has no effect: ...". */
export const noEffect = (reason: string): SettingState => ({ kind: 'noEffect', reason })
/** Not supported yet, and too dangerous to ignore; `refusal` says what is missing. */
export const refused = (refusal: string): SettingState => ({ kind: 'planned', refusal })

export interface SettingOptions {
  /** Of the number, for docs and error texts. */
  readonly unit?: 'ms' | 's' | 'h' | 'bytes' | '%' | 'files' | 'pages'
  /** Bounds, inclusive; a value outside is an error. */
  readonly min?: number
  readonly max?: number
  /** Bounds that Java applies without a word: a value outside is moved to the nearest, and said once. */
  readonly clamp?: readonly [min: number, max: number]
  /** Printed by `-m`. */
  readonly important?: boolean
  /** `''` stands for Java's null: printed empty by `-p`, left out of get...Config. */
  readonly nullable?: boolean
  /** `whenSet`: in get...Config only when somebody set it (keys that the Java release does not list either). */
  readonly listed?: 'always' | 'whenSet'
  /** Left out of `-p`, as in Java. */
  readonly unprinted?: boolean
  /** Values of an otherwise supported key that stop the start, with the reason. */
  readonly refuse?: Readonly<Record<string, string>>
}

/** One key: everything that is known of it. The table of these is the only place that states any of it. */
export interface Setting<V extends SettingValue = SettingValue> extends SettingOptions {
  readonly type: SettingType
  readonly default: V | ComputedDefault<V>
  readonly state: SettingState
  /** One line, our own words. */
  readonly doc: string
  /** The constants of an enum. */
  readonly values?: readonly string[]
}

export type SettingsTable = Readonly<Record<string, Setting>>

/** The value object of a table: Java's key names, JavaScript's types. */
export type SettingsOf<T extends SettingsTable> = {
  readonly [K in keyof T]: T[K] extends Setting<infer V> ? V : never
}

/** A default worked out from its surroundings. */
export function computed<V extends SettingValue>(text: string, of: (from: Surroundings) => V): ComputedDefault<V> {
  return { text, of }
}

type Default<V extends SettingValue> = V | ComputedDefault<V>

export function bool(value: boolean, state: SettingState, doc: string, options?: SettingOptions): Setting<boolean> {
  return { type: 'boolean', default: value, state, doc, ...options }
}

export const INT_MAX = 2_147_483_647

export function int(
  value: Default<number>,
  state: SettingState,
  doc: string,
  options?: SettingOptions,
): Setting<number> {
  return { type: 'int', default: value, state, doc, min: 0, max: INT_MAX, ...options }
}

export function long(value: number, state: SettingState, doc: string, options?: SettingOptions): Setting<number> {
  return { type: 'long', default: value, state, doc, min: 0, max: Number.MAX_SAFE_INTEGER, ...options }
}

export function double(value: number, state: SettingState, doc: string, options?: SettingOptions): Setting<number> {
  return { type: 'double', default: value, state, doc, ...options }
}

/** A size in bytes; Java's files give it as a plain number. */
export function size(value: number, state: SettingState, doc: string, options?: SettingOptions): Setting<number> {
  return long(value, state, doc, { unit: 'bytes', ...options })
}

/** A duration in ms unless `unit` says otherwise. */
export function duration(value: number, state: SettingState, doc: string, options?: SettingOptions): Setting<number> {
  return long(value, state, doc, { unit: 'ms', ...options })
}

export function text(
  value: Default<string>,
  state: SettingState,
  doc: string,
  options?: SettingOptions,
): Setting<string> {
  return { type: 'string', default: value, state, doc, ...options }
}

/** A string that is null in Java until set. */
export function unset(state: SettingState, doc: string, options?: SettingOptions): Setting<string> {
  return text('', state, doc, { nullable: true, ...options })
}

/** One of some words; the first is the default. */
export function oneOf<const V extends string>(
  values: readonly [V, ...V[]],
  state: SettingState,
  doc: string,
  options?: SettingOptions,
): Setting<V> {
  return { type: 'enum', default: values[0], values, state, doc, ...options }
}

export function defaultOf(setting: Setting, surroundings: Surroundings): SettingValue {
  return typeof setting.default === 'object' ? setting.default.of(surroundings) : setting.default
}

/** For rows of keys that the Java release we follow does not list. */
export const listedWhenSet = { listed: 'whenSet', unprinted: true } as const
