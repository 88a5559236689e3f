import { AdminClient, type MQClientError } from '../client/index.js'
import { stringifyFastJson } from '../common/index.js'
import { type Clock, ExitCode, errorText, MQError, systemClock } from '../util/index.js'
import { type Command, USAGE } from './command.js'
import { commands } from './commands/index.js'
import { failureText } from './failure-text.js'
import { format } from './format.js'
import { commonOptions, type NamedOption, namedOptions } from './option-spec.js'
import { Output, type Sink } from './output.js'
import { nearest, parseOptions, UsageError } from './parse-options.js'
import { usageText } from './usage-text.js'

/** With `--strict`: the command failed, or had no effect. */
const EXIT_FAILED = 2

export interface RunOptions {
  clock?: Clock
}

/**
 * mqadmin: runs one command and gives the exit status. As in Java that is 0 after most failures and 1 for a line
 * that does not parse; with `--strict` it tells the truth.
 */
export async function run(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  io: { stdout: Sink; stderr: Sink },
  { clock = systemClock }: RunOptions = {},
): Promise<number> {
  const [name, ...rest] = argv
  if (name === undefined) {
    io.stdout.write(commandList())
    return ExitCode.ok
  }
  if (name.toLowerCase() === 'help') return help(rest[0], io)
  const command = findCommand(name)
  const isJson = rest.includes('--json')
  if (command === undefined) return unknownCommand(name, io, { isStrict: rest.includes('--strict'), isJson })
  const options = namedOptions({ ...commonOptions, ...command.options })
  let values: Map<string, string | true>
  try {
    values = parseOptions(rest, options)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return refuseUsage(command, error, io, isJson)
  }
  if (values.has('help')) {
    io.stdout.write(usageText(command.name, options))
    return ExitCode.ok
  }
  const namesrvAddr = addressList(values.get('namesrvAddr'), env.NAMESRV_ADDR)
  return new Run({ command, options, values, namesrvAddr, io, clock }).execute()
}

function addressList(given: string | true | undefined, fallback: string | undefined): string[] {
  const text = typeof given === 'string' && given !== '' ? given : (fallback ?? '')
  return text
    .split(/[;,\s]+/)
    .map(address => address.trim())
    .filter(address => address !== '')
}

function findCommand(name: string): Command | undefined {
  return commands.find(command => command.name.toLowerCase() === name.toLowerCase())
}

function commandList(): string {
  const lines = commands.map(({ name, description }) => format('   %-35s %s\n', name, description)).join('')
  return (
    `The most commonly used mqadmin commands are:\n${lines}\n` +
    "See 'mqadmin help <command>' for more information on a specific command.\n"
  )
}

function help(name: string | undefined, io: { stdout: Sink; stderr: Sink }): number {
  if (name === undefined) {
    io.stdout.write(commandList())
    return ExitCode.ok
  }
  const command = findCommand(name)
  if (command === undefined) return unknownCommand(name, io)
  io.stdout.write(usageText(command.name, namedOptions({ ...commonOptions, ...command.options })))
  return ExitCode.ok
}

function unknownCommand(
  name: string,
  io: { stdout: Sink; stderr: Sink },
  { isStrict, isJson } = { isStrict: false, isJson: false },
): number {
  const text = `The sub command ${name} not exist.`
  io.stdout.write(isJson ? usageJson(name, text) : `${text}\n`)
  const near = nearest(
    name,
    commands.map(command => command.name),
  )
  io.stderr.write(
    near === undefined
      ? 'mqadmin without arguments lists the commands there are.\n'
      : `Did you mean ${near}? mqadmin without arguments lists the commands there are.\n`,
  )
  return isStrict ? ExitCode.usage : ExitCode.ok
}

function refuseUsage(command: Command, error: UsageError, io: { stdout: Sink; stderr: Sink }, isJson: boolean): number {
  io.stderr.write(`${error.message}\n`)
  if (error.hint !== undefined) io.stderr.write(`${error.hint}\n`)
  const options = namedOptions({ ...commonOptions, ...command.options })
  io.stdout.write(isJson ? usageJson(command.name, error.message) : usageText(command.name, options))
  return ExitCode.usage
}

/** A line that does not parse, for those who asked for JSON. */
function usageJson(command: string, message: string): string {
  return `${JSON.stringify({ command, error: { code: 'ERR_USAGE', message }, problems: [] })}\n`
}

interface RunParts {
  command: Command
  options: readonly NamedOption[]
  values: ReadonlyMap<string, string | true>
  namesrvAddr: readonly string[]
  io: { stdout: Sink; stderr: Sink }
  clock: Clock
}

/** One command with its options, from the start of the client to the exit status. */
class Run {
  private readonly isJson: boolean
  private readonly isStrict: boolean
  private readonly out: Output

  constructor(private readonly parts: RunParts) {
    this.isJson = parts.values.has('json')
    this.isStrict = parts.values.has('strict')
    this.out = new Output(parts.io.stdout, parts.io.stderr, { isJson: this.isJson, isStrict: this.isStrict })
  }

  async execute(): Promise<number> {
    const { command, options, values, namesrvAddr, io, clock } = this.parts
    const admin = new AdminClient({ namesrvAddr: [...namesrvAddr], clock })
    try {
      await admin.start()
      const entries = options.map(({ name, kind }) => [name, kind === 'flag' ? values.has(name) : values.get(name)])
      const result = await command.run({
        options: Object.fromEntries(entries),
        admin,
        out: this.out,
        namesrvAddr,
        clock,
      })
      if (result === USAGE) {
        const missing = 'options are missing: see mqadmin help'
        io.stdout.write(this.isJson ? usageJson(command.name, missing) : usageText(command.name, options))
        return this.isStrict ? ExitCode.usage : ExitCode.ok
      }
      return this.succeeded(result)
    } catch (error) {
      if (error instanceof UsageError) return refuseUsage(command, error, io, this.isJson)
      return this.failed(error)
    } finally {
      await admin.stop()
    }
  }

  private succeeded(result: unknown): number {
    const { problems } = this.out
    if (this.isJson) {
      const { name: command } = this.parts.command
      // the wire's dialect leaves nulls out
      if (result === undefined) this.parts.io.stdout.write(`${JSON.stringify({ command, problems, result: null })}\n`)
      else this.printJson({ command, result, problems })
    } else if (this.isStrict) {
      for (const problem of problems) this.parts.io.stderr.write(`${problem}\n`)
    }
    return this.isStrict && problems.length > 0 ? EXIT_FAILED : ExitCode.ok
  }

  private failed(error: unknown): number {
    const { command, io, namesrvAddr } = this.parts
    if (this.isJson) this.printJson({ command: command.name, error: errorData(error), problems: this.out.problems })
    else io.stderr.write(`${failureText(command, error, namesrvAddr)}\n`)
    return this.isStrict ? EXIT_FAILED : ExitCode.ok
  }

  private printJson(value: object): void {
    this.parts.io.stdout.write(`${stringifyFastJson(value)}\n`)
  }
}

function errorData(error: unknown): object {
  if (!(error instanceof MQError)) return { message: errorText(error) }
  const { responseCode, remark, address } = error as Partial<MQClientError>
  return { code: error.code, message: error.message, responseCode, remark, address }
}
