import {
  type AddressServer,
  type Clock,
  DEFAULT_ADDRESS_SERVER,
  type Logger,
  silentLogger,
  splitAddresses,
  systemClock,
} from '../util/index.js'
import { badArgument } from './client-error.js'
import type { ClientInstance } from './client-instance.js'

/** What every client takes. Times are ms. */
export interface ClientOptions {
  /** NameServers as `host:port`, several separated by `;` or as a list. Default: the environment's NAMESRV_ADDR. */
  namesrvAddr?: string | readonly string[]
  /**
   * Without NameServers, the HTTP server that is asked for them: `domain` is `host` (then port 8080) or `host:port`.
   * Asked when first needed and every 2 minutes. Default: none.
   */
  addressServer?: { domain?: string; subGroup?: string }
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
  /** Undefined when the NameServers were given. */
  addressServer: AddressServer | undefined
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
  const { addressServer, unitName } = options
  const namesrvAddresses = parseNamesrvAddresses(options.namesrvAddr ?? process.env.NAMESRV_ADDR ?? [])
  const mustAsk = namesrvAddresses.length === 0 && addressServer !== undefined
  return {
    namesrvAddresses,
    addressServer: mustAsk ? { ...DEFAULT_ADDRESS_SERVER, ...addressServer, unitName } : undefined,
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
  return splitAddresses(typeof addresses === 'string' ? addresses : addresses.join(';'))
}

/** @throws MQClientError ERR_CLIENT_ARGUMENT when a number is outside its range; the text is Java's. */
export function checkRange(name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw badArgument(`${name} Out of range [${min}, ${max}]`)
}
