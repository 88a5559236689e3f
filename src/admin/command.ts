import type { AdminClient } from '../client/index.js'
import type { Clock } from '../util/index.js'
import type { OptionTable, OptionValues } from './option-spec.js'
import type { Output } from './output.js'

export interface CommandContext<O extends OptionTable> {
  readonly options: OptionValues<O>
  /** Started; the frame stops it. */
  readonly admin: AdminClient
  readonly out: Output
  readonly namesrvAddr: readonly string[]
  readonly clock: Clock
}

/** Ends a command with its usage text: what Java does when an option is missing that its parser does not insist on. */
export const USAGE = Symbol('usage')

export interface CommandSpec<O extends OptionTable> {
  readonly name: string
  readonly description: string
  readonly options: O
  /** What Java's failure text calls the command: the name of its class. */
  readonly javaName: string
  /**
   * Which exception Java's tool shows when a broker refuses: `broker` adds the broker's address. NameServers and the
   * client itself are always `client`.
   */
  readonly refusals?: 'client' | 'broker'
  /** `javaName` is all of the failure text: for a command whose text has a slip. */
  readonly isFullFailure?: boolean
  /** How Java wraps a failure; default `SubCommandException`. */
  readonly wrapper?: 'SubCommandException' | 'RuntimeException' | 'none'
  /** Prints as Java does, and gives the same as data for `--json`. */
  run(context: CommandContext<O>): Promise<unknown>
}

/** A command of mqadmin, whatever its options. */
export type Command = Omit<CommandSpec<OptionTable>, 'run'> & {
  run(context: CommandContext<OptionTable>): Promise<unknown>
}

export function defineCommand<const O extends OptionTable>(spec: CommandSpec<O>): Command {
  return spec as unknown as Command
}
