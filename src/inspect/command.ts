import type { Output } from './output.js'
import type { Progress } from './progress.js'
import { StoreDirectory } from './store-directory.js'

/** Exit codes of mqstore. */
export const InspectExit = {
  ok: 0,
  /** Damage, or a difference; or nothing found where one thing was asked for. */
  found: 1,
  /** A bad command line, or something that cannot be read. */
  failed: 2,
} as const

export interface InspectContext {
  readonly out: Output
  readonly progress: Progress
  /** Remarks and errors, on stderr. */
  readonly remark: (text: string) => void
}

export interface OptionRow {
  /** As commander reads it: `-t, --topic <name>`. */
  readonly flags: string
  readonly description: string
  /** Throws commander's InvalidArgumentError. */
  readonly parse?: (text: string, previous: unknown) => unknown
  readonly fallback?: unknown
}

export interface CommandSpec<O> {
  readonly name: string
  /** As commander reads it: `<store>`. */
  readonly arguments: readonly (readonly [name: string, description: string])[]
  readonly description: string
  readonly options: readonly OptionRow[]
  /** Gives the exit code. */
  run(context: InspectContext, args: readonly string[], options: O & CommonOptions): Promise<number>
}

/** Options of every command. */
export interface CommonOptions {
  readonly commitlog?: readonly string[]
}

/** A command, whatever its options are. */
export type InspectCommand = CommandSpec<object>

export function defineInspectCommand<O extends object>(spec: CommandSpec<O>): InspectCommand {
  return spec as InspectCommand
}

export const STORE_ARGUMENT = ['<store>', 'folder of the store (storePathRootDir)'] as const

export function openStore(root: string, options: CommonOptions): StoreDirectory {
  return new StoreDirectory({ root, commitLogFolders: options.commitlog ?? [] })
}
