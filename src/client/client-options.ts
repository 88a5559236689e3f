import { type Clock, type Logger, silentLogger, systemClock } from '../util/index.js'
import { badArgument } from './client-error.js'
import type { ClientInstance } from './client-instance.js'

/** What every client takes. Times are ms. */
export interface ClientOptions {
  /** NameServers as `host:port`, several separated by `;` or as a list. Default: the environment's NAMESRV_ADDR. */
  namesrvAddr?: string | readonly string[]
  /** Source of time, for tests. Default: the system's. */
  clock?: Clock
  /** Where to log. Default: nowhere. */
  logger?: Logger
  /** The address in the client id. Default: one of this machine's. */
  clientIp?: string
  /** Tells clients of one machine apart. Default: unique per client; `DEFAULT` for broadcasting consumers. */
  instanceName?: string
  unitName?: string
  unitMode?: boolean
  /** Limit for route queries, heartbeats and other small requests. Default 3000. */
  timeoutMs?: number
  /** How often routes are asked for again. Default 30 000. */
  pollNameServerIntervalMs?: number
  /** How often brokers hear that this client lives. Default 30 000. */
  heartbeatBrokerIntervalMs?: number
  /** How often consumed offsets are stored. Default 5000. */
  persistConsumerOffsetIntervalMs?: number
  /**
   * Connections, routes and timers to share with other clients of this process. Without one, each client has its own.
   * The options above are then those of the instance.
   */
  instance?: ClientInstance
}

/** {@link ClientOptions} with the defaults filled in. */
export interface ClientSettings {
  namesrvAddresses: readonly string[]
  clock: Clock
  logger: Logger
  clientIp: string | undefined
  unitName: string | undefined
  unitMode: boolean
  timeoutMs: number
  pollNameServerIntervalMs: number
  heartbeatBrokerIntervalMs: number
  persistConsumerOffsetIntervalMs: number
}

export function clientSettings(options: ClientOptions): ClientSettings {
  return {
    namesrvAddresses: parseNamesrvAddresses(options.namesrvAddr ?? process.env.NAMESRV_ADDR ?? []),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    clientIp: options.clientIp,
    unitName: options.unitName,
    unitMode: options.unitMode ?? false,
    timeoutMs: options.timeoutMs ?? 3000,
    pollNameServerIntervalMs: options.pollNameServerIntervalMs ?? 30_000,
    heartbeatBrokerIntervalMs: options.heartbeatBrokerIntervalMs ?? 30_000,
    persistConsumerOffsetIntervalMs: options.persistConsumerOffsetIntervalMs ?? 5000,
  }
}

/** `a:9876;b:9876` or a list, without blanks and repetitions. */
export function parseNamesrvAddresses(addresses: string | readonly string[]): string[] {
  const list = typeof addresses === 'string' ? addresses.split(';') : addresses
  return [...new Set(list.map(address => address.trim()).filter(address => address !== ''))]
}

/** @throws MQClientError ERR_CLIENT_ARGUMENT when a number is outside its range; the text is Java's. */
export function checkRange(name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw badArgument(`${name} Out of range [${min}, ${max}]`)
}
