import { fixed, int, listedWhenSet, live, oneOf, size, text } from '../setting.js'

/** What Java leaves to its log framework: our own keys. */
export const logging = {
  logLevel: oneOf(['info', 'debug', 'warn', 'error'], live, 'Least serious lines that are logged.', listedWhenSet),
  logFormat: oneOf(['text', 'json'], fixed, 'A readable line or a JSON object per event.', listedWhenSet),
  logFile: text('', fixed, 'File to log to; empty: standard output.', listedWhenSet),
  logFileMaxBytes: size(134_217_728, fixed, 'Size at which the log file is put aside.', {
    ...listedWhenSet,
    min: 4096,
  }),
  logFileKeep: int(10, fixed, 'Log files put aside that are kept.', { ...listedWhenSet, max: 1000 }),
}
