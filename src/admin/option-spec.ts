/** One option of a command. Its key in the command's table is its long name unless `long` says otherwise. */
export interface OptionSpec {
  readonly kind: 'needed' | 'optional' | 'flag'
  /** One letter; undefined for options that only have a long name. */
  readonly short: string | undefined
  readonly description: string
  /** The long name where it is no identifier: some of Java's have a blank. */
  readonly long?: string
  /** Exactly one option of a group must be given. */
  readonly group?: string
  /** Only the full name counts, no beginning of it: for options Java does not have. */
  readonly exactName?: boolean
}

export interface Needed extends OptionSpec {
  readonly kind: 'needed'
}
export interface Optional extends OptionSpec {
  readonly kind: 'optional'
}
interface Flag extends OptionSpec {
  readonly kind: 'flag'
}

/** An option that must be given, with a value. */
export function needed(short: string, description: string, more: { long?: string } = {}): Needed {
  return { kind: 'needed', short, description, ...more }
}

/** An option that may be given, with a value. */
export function optional(
  short: string | undefined,
  description: string,
  more: { long?: string; group?: string } = {},
): Optional {
  return { kind: 'optional', short, description, ...more }
}

/** An option without a value. */
export function flag(short: string | undefined, description: string): Flag {
  return { kind: 'flag', short, description }
}

/** An option without a value that Java's command does not have: it has no letter. */
export function ownFlag(description: string): Flag {
  return { kind: 'flag', short: undefined, description, exactName: true }
}

export type OptionTable = Readonly<Record<string, OptionSpec>>

/** What the parser makes of a table: texts without blanks around them, and booleans for flags. */
export type OptionValues<O extends OptionTable> = {
  readonly [K in keyof O]: O[K]['kind'] extends 'needed'
    ? string
    : O[K]['kind'] extends 'flag'
      ? boolean
      : string | undefined
}

/** The options of every command; `--json` and `--strict` are ours. */
export const commonOptions = {
  help: flag('h', 'print this help'),
  namesrvAddr: optional('n', "NameServer addresses, separated by ';', e.g. '10.0.0.1:9876;10.0.0.2:9876'"),
  json: { ...flag(undefined, 'print the result as JSON'), exactName: true },
  strict: { ...flag(undefined, 'exit with 2 when the command fails or has no effect'), exactName: true },
} as const

/** An option with its names, as the parser and the usage text handle it. */
export interface NamedOption extends OptionSpec {
  /** Key in the table. */
  readonly name: string
  readonly long: string
}

export function namedOptions(table: OptionTable): NamedOption[] {
  return Object.entries(table).map(([name, spec]) => ({ ...spec, name, long: spec.long ?? name }))
}

/** What Java's texts call an option: its letter, or its long name where it has none. */
export function optionKey(option: NamedOption): string {
  return option.short ?? option.long
}
