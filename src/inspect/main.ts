import { Command, CommanderError } from 'commander'
import { stringifyFastJson } from '../common/index.js'
import { type Clock, errorText, MQError, systemClock } from '../util/index.js'
import { type CommonOptions, type InspectCommand, InspectExit } from './command.js'
import { inspectCommands } from './commands/index.js'
import { toList } from './option-values.js'
import { Output, type Sink } from './output.js'
import { Progress } from './progress.js'

export interface InspectIo {
  stdout: Sink
  stderr: Sink
  /** Whether stderr is a terminal, on which a line can be drawn over. */
  isTerminal?: boolean
  clock?: Clock
}

interface SharedOptions extends CommonOptions {
  readonly json?: boolean
  readonly progress: boolean
}

/** mqstore: runs one command and gives the exit code, see {@link InspectExit}. */
export async function runInspect(argv: readonly string[], io: InspectIo): Promise<number> {
  let exit: number = InspectExit.ok
  const program = new Command('mqstore')
    .description('Looks into the store of a broker, also while it runs: nothing is written and nothing locked.')
    .showHelpAfterError('(mqstore help <command> shows its options)')
  configure(program, io)
  for (const command of inspectCommands) {
    addCommand(program, command, io, code => {
      exit = code
    })
  }
  try {
    await program.parseAsync(argv.length === 0 ? ['help'] : [...argv], { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? InspectExit.ok : InspectExit.failed
    throw error
  }
}

function configure(command: Command, io: InspectIo): void {
  command.exitOverride().configureOutput({
    writeOut: text => void io.stdout.write(text),
    writeErr: text => void io.stderr.write(text),
  })
}

function addCommand(program: Command, spec: InspectCommand, io: InspectIo, done: (exit: number) => void): void {
  const command = program.command(spec.name).description(spec.description)
  configure(command, io)
  for (const [name, description] of spec.arguments) command.argument(name, description)
  for (const { flags, description, parse, fallback } of spec.options) {
    if (parse !== undefined) command.option(flags, description, parse, fallback)
    else command.option(flags, description, fallback as string | undefined)
  }
  command
    .option('--commitlog <folders>', 'folders of the log when it is not below the store (storePathCommitLog)', toList)
    .option('--config <file>', 'configuration file of the broker, which says where the log is')
    .option('--json', 'print JSON: one object, or one per line where there are many')
    .option('--no-progress', 'show no progress')
    .action(async () => {
      const options = command.opts<SharedOptions>()
      done(await runCommand(spec, { args: command.args, options }, io))
    })
}

async function runCommand(
  spec: InspectCommand,
  { args, options }: { args: readonly string[]; options: SharedOptions },
  io: InspectIo,
): Promise<number> {
  const { clock = systemClock, isTerminal = false } = io
  const progress = new Progress({ sink: io.stderr, clock, isTerminal, isEnabled: options.progress })
  const out = new Output(io.stdout, options.json === true)
  const remark = (text: string): void => {
    progress.end()
    void io.stderr.write(`${text}\n`)
  }
  try {
    return await spec.run({ out, progress, remark }, args, options)
  } catch (error) {
    progress.end()
    if (!(error instanceof MQError)) throw error
    if (options.json === true) {
      await io.stdout.write(`${stringifyFastJson({ error: { code: error.code, message: errorText(error) } })}\n`)
    }
    remark(errorText(error))
    return InspectExit.failed
  }
}
