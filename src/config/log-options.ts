import type { BrokerSettings } from './broker-settings.js'

/** What the log needs to know, as `createLog` takes it. */
export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly format: 'text' | 'json'
  /** `''`: standard output. */
  readonly file: string
  readonly maxBytes: number
  readonly keep: number
}

type LogKeys = 'logLevel' | 'logFormat' | 'logFile' | 'logFileMaxBytes' | 'logFileKeep'

export function logOptions(values: Pick<BrokerSettings, LogKeys>): LogSettings {
  return {
    level: values.logLevel,
    format: values.logFormat,
    file: values.logFile,
    maxBytes: values.logFileMaxBytes,
    keep: values.logFileKeep,
  }
}
