import { Command, CommanderError } from 'commander'
import { ExitCode } from '../util/index.js'
import type { SettingsSource } from './load-settings.js'

/** One option of a daemon; long names without value-taking meaning of their own are setting keys, as in Java. */
interface DaemonOption {
  readonly short?: string
  readonly long: string
  readonly takesValue: boolean
  readonly doc: string
}

export interface DaemonArguments {
  readonly kind: 'run'
  readonly configFile: string | undefined
  readonly print: 'all' | 'important' | undefined
  /** Settings given on the command line. */
  readonly flags: SettingsSource
  /** Words that belong to no option: ignored by Java, too. */
  readonly ignored: readonly string[]
}

/** The process is to print this and end. */
export interface ExitRequest {
  readonly kind: 'exit'
  readonly code: number
  readonly stdout?: string
  readonly stderr?: string
}

const CONFIG_FILE = { short: 'c', long: 'configFile', takesValue: true, doc: 'Properties file with the settings' }
const PRINT_ALL = { short: 'p', long: 'printConfigItem', takesValue: false, doc: 'Print all settings and exit' }
const PRINT_IMPORTANT = {
  short: 'm',
  long: 'printImportantConfig',
  takesValue: false,
  doc: 'Print the important settings and exit',
}
const HELP = { short: 'h', long: 'help', takesValue: false, doc: 'Print this help and exit' }
const NAMESRV_ADDR = {
  short: 'n',
  long: 'namesrvAddr',
  takesValue: true,
  doc: "NameServers, e.g. '192.168.0.1:9876;192.168.0.2:9876'",
}
const LOG_LEVEL = { long: 'logLevel', takesValue: true, doc: 'error, warn, info or debug' }
const LOG_FORMAT = { long: 'logFormat', takesValue: true, doc: 'text or json' }
const SET = { long: 'set', takesValue: true, doc: 'Any setting as key=value; may be repeated' }
const PROXY = { long: 'enable-proxy', takesValue: false, doc: 'Run a proxy in this process (not supported yet)' }

const NAMESRV_OPTIONS: readonly DaemonOption[] = [
  CONFIG_FILE,
  HELP,
  NAMESRV_ADDR,
  PRINT_ALL,
  LOG_FORMAT,
  LOG_LEVEL,
  SET,
]
const BROKER_OPTIONS: readonly DaemonOption[] = [
  CONFIG_FILE,
  HELP,
  PRINT_IMPORTANT,
  NAMESRV_ADDR,
  PRINT_ALL,
  PROXY,
  LOG_FORMAT,
  LOG_LEVEL,
  SET,
]

export const parseNamesrvArguments = (argv: readonly string[]) => parseArguments('mqnamesrv', NAMESRV_OPTIONS, argv)
export const parseBrokerArguments = (argv: readonly string[]) => parseArguments('mqbroker', BROKER_OPTIONS, argv)

/**
 * Reads a daemon's command line. Long names also work with one dash and shortened as long as they are unique, as Java's
 * parser has it. A mistake is answered as Java does: the message on stderr, the usage on stdout, exit code 1.
 */
function parseArguments(
  program: string,
  options: readonly DaemonOption[],
  argv: readonly string[],
): DaemonArguments | ExitRequest {
  const usage = usageOf(program, options)
  const command = new Command(program).helpOption(false).allowExcessArguments(true).exitOverride()
  command.configureOutput({ writeOut: () => {}, writeErr: () => {} })
  for (const option of options) declare(command, option)
  try {
    command.parse(spelledOut(argv, options), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return { kind: 'exit', code: ExitCode.usage, stdout: usage, stderr: `${javaMessage(error)}\n` }
  }
  const given = command.opts<Record<string, string | string[] | true | undefined>>()
  if (given.help) return { kind: 'exit', code: ExitCode.ok, stdout: usage }
  if (given.enableProxy) {
    const stderr = '--enable-proxy: the proxy is not supported yet; start without it\n'
    return { kind: 'exit', code: ExitCode.usage, stderr }
  }
  const flags = readFlags(given, options)
  if (typeof flags === 'string') return { kind: 'exit', code: ExitCode.usage, stdout: usage, stderr: `${flags}\n` }
  return {
    kind: 'run',
    configFile: given.configFile as string | undefined,
    print: given.printImportantConfig ? 'important' : given.printConfigItem ? 'all' : undefined,
    flags,
    ignored: command.args,
  }
}

function declare(command: Command, { short, long, takesValue, doc }: DaemonOption): void {
  const flags = `${short === undefined ? '' : `-${short}, `}--${long}${takesValue ? ' <arg>' : ''}`
  if (long === 'set') command.option(flags, doc, (word: string, before: string[]) => [...before, word], [])
  else command.option(flags, doc)
}

const NO_SETTING = new Set(['configFile', 'set'])

/** The settings among the options, or what is wrong with a `--set`. */
function readFlags(given: Record<string, unknown>, options: readonly DaemonOption[]): SettingsSource | string {
  const flags = options
    .filter(({ long, takesValue }) => takesValue && !NO_SETTING.has(long) && given[long] !== undefined)
    .map(({ long }) => ({ key: long, value: String(given[long]), where: `option --${long}` }))
  for (const word of given.set as string[]) {
    const at = word.indexOf('=')
    if (at <= 0) return `--set ${word}: must be key=value`
    flags.push({ key: word.slice(0, at).trim(), value: word.slice(at + 1), where: 'option --set' })
  }
  return flags
}

/** `-configFile` and `--config` become `--configFile`; what is no option of ours stays. */
function spelledOut(argv: readonly string[], options: readonly DaemonOption[]): string[] {
  const shorts = new Map(options.map(option => [option.short, option]))
  const words: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    const [, dashes, name, value = ''] = /^(--?)([A-Za-z][\w-]*)(=[\s\S]*)?$/.exec(word) ?? []
    if (dashes === undefined || name === undefined) {
      words.push(word)
      continue
    }
    const short = dashes === '-' ? shorts.get(name) : undefined
    const matches = options.filter(({ long }) => long.startsWith(name))
    const option = short ?? options.find(({ long }) => long === name) ?? (matches.length === 1 ? matches[0] : undefined)
    words.push(option === undefined ? word : `--${option.long}${value}`)
    // The next word is this option's value, whatever it looks like.
    if (option?.takesValue === true && value === '' && i + 1 < argv.length) words.push(argv[++i]!)
  }
  return words
}

function javaMessage(error: CommanderError): string {
  const name = /'(?:-\w, )?--?([\w-]+)/.exec(error.message)?.[1] ?? ''
  const short = [CONFIG_FILE, NAMESRV_ADDR].find(({ long }) => long === name)?.short ?? name
  if (error.code === 'commander.optionMissingArgument') return `Missing argument for option: ${short}`
  const word = /'([^']+)'/.exec(error.message)?.[1] ?? ''
  return error.code === 'commander.unknownOption' ? `Unrecognized option: ${word}` : error.message
}

function usageOf(program: string, options: readonly DaemonOption[]): string {
  const heads = options.map(({ short, long, takesValue }) => {
    return `${short === undefined ? '    ' : ` -${short},`}--${long}${takesValue ? ' <arg>' : ''}`
  })
  const width = Math.max(...heads.map(head => head.length)) + 3
  const brief = options.map(({ short, long, takesValue }) => {
    return `[${short === undefined ? `--${long}` : `-${short}`}${takesValue ? ' <arg>' : ''}]`
  })
  const table = options.map(({ doc }, i) => `${heads[i]!.padEnd(width)}${doc}`)
  return `usage: ${program} ${brief.join(' ')}\n${table.join('\n')}\n`
}
