import { parseNamesrvArguments } from './command-line.js'
import { type DaemonExit, type DaemonHost, type DaemonStart, loadDaemon } from './load-daemon.js'
import { type NamesrvSettings, namesrvSettings } from './namesrv-settings.js'

/**
 * Everything `mqnamesrv` does before there is a NameServer: options, file, environment, Java's texts and exit codes.
 */
export function loadNamesrvSettings(
  argv: readonly string[],
  host: DaemonHost = {},
): DaemonStart<NamesrvSettings> | DaemonExit {
  const parts = {
    definition: namesrvSettings,
    parse: parseNamesrvArguments,
    // The file given with -c is where run-time changes go, and says so when asked.
    fromFile: (path: string) => [{ key: 'configStorePath', value: path, where: 'option --configFile' }],
    fileRead: (path: string) => `load config properties file OK, ${path}`,
  }
  return loadDaemon(parts, argv, host)
}

/** The line that tells people and scripts that a NameServer is up. */
export function namesrvBootLine({ bindAddress, listenPort }: NamesrvSettings): string {
  return `The Name Server boot success. serializeType=JSON, address ${bindAddress}:${listenPort}`
}
