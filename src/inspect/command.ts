import { MQError } from '../util/index.js'
import { configuredLogFolders } from './broker-config.js'
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
  /** Configuration file of the broker, which says where the log is. */
  readonly config?: string
}

/** A command, whatever its options are. */
export type InspectCommand = CommandSpec<object>

export function defineInspectCommand<O extends object>(spec: CommandSpec<O>): InspectCommand {
  return spec as InspectCommand
}

export const STORE_ARGUMENT = ['<store>', 'folder of the store (storePathRootDir)'] as const

export function openStore(root: string, { commitlog, config }: CommonOptions): StoreDirectory {
  if (commitlog !== undefined && config !== undefined) {
    throw new MQError('ERR_OPTIONS', 'both --commitlog and --config say where the log is: give one of them')
  }
  const commitLogFolders = config === undefined ? (commitlog ?? []) : configuredLogFolders(config, root)
  return new StoreDirectory({ root, commitLogFolders })
}
