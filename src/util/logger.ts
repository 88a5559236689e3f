/** Stable fields of a log line: `event` names what happened; never a message body or a secret. */
export type LogFields = Readonly<Record<string, unknown>>

/** What components log to. Built in `observability` (the only place that knows pino) and handed down. */
export interface Logger {
  error(fields: LogFields, text: string): void
  warn(fields: LogFields, text: string): void
  info(fields: LogFields, text: string): void
  debug(fields: LogFields, text: string): void
  /** A logger whose lines carry `component`, e.g. `RocketmqStore`. */
  child(component: string): Logger
}

const nothing = (): void => {}

/** Drops everything; for tests and embedded use. */
export const silentLogger: Logger = {
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
  child: () => silentLogger,
}
