import { type Clock, ExitCode, errorText, type Logger, MQError, systemClock } from '../util/index.js'
import type { DaemonArguments, ExitRequest } from './command-line.js'
import { printLines, type SettingsDefinition } from './define-settings.js'
import { readEnvironment } from './environment.js'
import { logNotes, type SettingsNote, type SettingsSource } from './load-settings.js'
import type { SettingsOf, SettingsTable, Surroundings } from './setting.js'
import type { Settings } from './settings.js'
import { readSettingsFile } from './settings-file.js'
import { readSurroundings } from './surroundings.js'

/** Where a daemon's first words go, and what it finds around it; the process's own unless a test says otherwise. */
export interface DaemonHost {
  readonly surroundings?: Surroundings
  readonly clock?: Clock
  stdout?(text: string): void
  stderr?(text: string): void
}

export interface DaemonStart<V> {
  readonly kind: 'start'
  readonly settings: Settings<V>
  /** Says once what was found wrong, unknown or without effect in the settings. */
  report(logger: Logger): void
}

/** All has been printed; the process ends with this code. */
export interface DaemonExit {
  readonly kind: 'exit'
  readonly code: number
}

export interface DaemonParts<T extends SettingsTable> {
  readonly definition: SettingsDefinition<T>
  readonly parse: (argv: readonly string[]) => DaemonArguments | ExitRequest
  /** More sources, between the file and the environment. */
  readonly fromFile?: (path: string) => SettingsSource
  /** What Java says when it has read the file. */
  readonly fileRead?: (path: string) => string
  /** The last look at the settings: a text and an exit code stop the start. */
  readonly check?: (values: SettingsOf<T>) => { code: number; text: string } | undefined
}

/** Command line, then defaults < file < environment < flags; prints what is to be printed. */
export function loadDaemon<T extends SettingsTable>(
  parts: DaemonParts<T>,
  argv: readonly string[],
  host: DaemonHost,
): DaemonStart<SettingsOf<T>> | DaemonExit {
  const { definition } = parts
  const { surroundings = readSurroundings(), clock = systemClock } = host
  const stdout = host.stdout ?? ((text: string) => void process.stdout.write(text))
  const stderr = host.stderr ?? ((text: string) => void process.stderr.write(text))
  const args = parts.parse(argv)
  if (args.kind === 'exit') {
    if (args.stdout !== undefined) stdout(args.stdout)
    if (args.stderr !== undefined) stderr(args.stderr)
    return { kind: 'exit', code: args.code }
  }
  try {
    const file = args.configFile
    const fromFile = file === undefined ? [] : [...readSettingsFile(file), ...(parts.fromFile?.(file) ?? [])]
    if (file !== undefined && parts.fileRead !== undefined) stdout(`${parts.fileRead(file)}\n`)
    const sources = [fromFile, readEnvironment(definition.rows, surroundings.env), args.flags]
    const { settings, notes } = definition.load({ sources, surroundings, clock, file })
    if (args.print !== undefined) {
      const stamp = consoleStamp(clock.now())
      stdout(
        printLines(definition, settings.values, args.print)
          .map(line => `${stamp}${line}\n`)
          .join(''),
      )
      return { kind: 'exit', code: ExitCode.ok }
    }
    const problem = parts.check?.(settings.values)
    if (problem !== undefined) {
      stderr(`${problem.text}\n`)
      return { kind: 'exit', code: problem.code }
    }
    const all = [...notes, ...args.ignored.map(ignoredWord)]
    return { kind: 'start', settings, report: logger => logNotes(all, logger) }
  } catch (error) {
    if (!(error instanceof MQError)) throw error
    stderr(`${errorText(error)}\n`)
    return { kind: 'exit', code: error.code === 'ERR_SETTING_INVALID' ? ExitCode.notStarted : ExitCode.failed }
  }
}

function ignoredWord(word: string): SettingsNote {
  const advice = 'settings are given by --set key=value or in the -c file'
  const text = `${word} on the command line is ignored, as Java does; ${advice}`
  return { level: 'warn', fields: { event: 'argument-ignored', argument: word }, text }
}

/** Java's console log prefix, whose pattern fixes the zone to GMT+8. */
function consoleStamp(nowMs: number): string {
  const shifted = new Date(nowMs + 8 * 3_600_000).toISOString()
  return `${shifted.slice(0, 10)} ${shifted.slice(11, 19)} INFO main - `
}
