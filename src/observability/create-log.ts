import pino from 'pino'
import type { LogFields, Logger } from '../util/index.js'
import { formatLogLine } from './log-line.js'
import { type LogOutput, rotatingFile, standardOutput } from './log-output.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogOptions {
  readonly level?: LogLevel
  /** `text`: a readable line per event (default). `json`: an object per event. */
  readonly format?: 'text' | 'json'
  /** `''` (default): standard output. */
  readonly file?: string
  readonly maxBytes?: number
  readonly keep?: number
  /** Instead of file or standard output; for tests. */
  readonly output?: LogOutput
}

export interface Log {
  readonly logger: Logger
  /** For all loggers made from this one, at once. */
  setLevel(level: LogLevel): void
  /** Resolves when all lines are written, or after a second of somebody who does not read them. */
  drained(): Promise<void>
  /** Writes what still waits; call it last. */
  flush(): void
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 }

/** Opens the log of a process. `component` of its lines is `component`, or that of the child. */
export function createLog(options: LogOptions = {}, component = 'CometMQ'): Log {
  const { level = 'info', format = 'text', file = '', maxBytes = 134_217_728, keep = 10 } = options
  const output = options.output ?? (file === '' ? standardOutput() : rotatingFile({ file, maxBytes, keep }))
  const write = (line: string): void => output.write(format === 'json' ? line : `${readable(line)}\n`)
  const root = pino({ base: null, level: 'debug', serializers: { err: pino.stdSerializers.err } }, { write })
  // pino's children keep the level they were made with; ours follow this one.
  const threshold = { severity: SEVERITY[level] }
  return {
    logger: wrap(root, component, threshold),
    setLevel(wanted) {
      threshold.severity = SEVERITY[wanted]
    },
    drained: () => output.drained(),
    flush: () => output.flush(),
  }
}

function wrap(root: pino.Logger, component: string, threshold: { readonly severity: number }): Logger {
  const at = (level: LogLevel) => (fields: LogFields, text: string) => {
    if (SEVERITY[level] >= threshold.severity) root[level]({ component, ...fields }, text)
  }
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    child: name => wrap(root, name, threshold),
  }
}

function readable(jsonLine: string): string {
  return formatLogLine(JSON.parse(jsonLine) as Record<string, unknown>)
}
