import {
  askAddressServer,
  type Clock,
  errorText,
  type HostLookup,
  type HttpGet,
  type Logger,
  MQError,
  PeriodicTask,
  splitAddresses,
} from '../../util/index.js'
import type { BrokerSettings } from '../settings.js'

export interface NamesrvAddressesOptions {
  settings: Pick<
    BrokerSettings,
    | 'namesrvAddr'
    | 'updateNameServerAddrPeriod'
    | 'fetchNameSrvAddrByDnsLookup'
    | 'fetchNamesrvAddrByAddressServer'
    | 'fetchNamesrvAddrInterval'
    | 'rmqAddressServerDomain'
    | 'rmqAddressServerSubGroup'
  >
  clock: Clock
  logger: Logger
  lookUpHost: HostLookup
  httpGet: HttpGet
  /** Told of the addresses each time; resolves when the broker has registered with those that are new. */
  onAddresses: (addresses: readonly string[]) => Promise<void>
}

const FIRST_LOOK_MS = 10_000

/**
 * Where the NameServers are: what `namesrvAddr` lists, with `fetchNameSrvAddrByDnsLookup` the addresses of the names in
 * it; without `namesrvAddr`, what an address server says. Looked up at the start, when `namesrvAddr` changes, and again
 * and again. A lookup that fails changes nothing.
 */
export class NamesrvAddresses {
  private readonly tasks: PeriodicTask[]
  /** Addresses of each name, as last found. */
  private readonly found = new Map<string, readonly string[]>()

  constructor(private readonly options: NamesrvAddressesOptions) {
    const { settings, clock, logger } = options
    const task = (name: string, periodMs: number, isDue: () => boolean): PeriodicTask =>
      new PeriodicTask({ name, periodMs, clock, logger, run: () => (isDue() ? this.refresh() : undefined) })
    this.tasks = [
      task('lookup of NameServers', settings.updateNameServerAddrPeriod, () => settings.namesrvAddr !== ''),
      task('question to the address server', settings.fetchNamesrvAddrInterval, () => settings.namesrvAddr === ''),
    ]
  }

  /** Looks for the first time; a failure is logged. */
  async start(): Promise<void> {
    await this.refresh()
    for (const task of this.tasks) task.start(FIRST_LOOK_MS)
  }

  async stop(): Promise<void> {
    await Promise.all(this.tasks.map(task => task.stop()))
  }

  /** Looks now; resolves when the broker has registered with what is new. Never rejects. */
  async refresh(): Promise<void> {
    const addresses = await this.look()
    if (addresses !== undefined) await this.options.onAddresses(addresses)
  }

  private async look(): Promise<readonly string[] | undefined> {
    const { settings } = this.options
    if (settings.namesrvAddr === '') return settings.fetchNamesrvAddrByAddressServer ? this.askServer() : []
    const listed = splitAddresses(settings.namesrvAddr)
    if (!settings.fetchNameSrvAddrByDnsLookup) return listed
    const found = await Promise.all(listed.map(address => this.resolve(address)))
    const addresses = [...new Set(found.flat())]
    return addresses.length === 0 ? undefined : addresses
  }

  /** Every address of the name in front of the port; those it had when it cannot be looked up. */
  private async resolve(address: string): Promise<readonly string[]> {
    const colon = address.lastIndexOf(':')
    const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
    try {
      const ips = await this.options.lookUpHost(host)
      if (ips.length === 0) throw new MQError('ERR_ADDRESS', 'it has no address')
      this.found.set(
        address,
        ips.map(ip => `${ip.includes(':') ? `[${ip}]` : ip}${address.slice(colon)}`),
      )
    } catch (error) {
      const text = `the address of NameServer ${address} could not be looked up: ${errorText(error)}`
      this.options.logger.warn({ event: 'namesrv-lookup-failed', namesrv: address }, text)
    }
    return this.found.get(address) ?? []
  }

  private async askServer(): Promise<readonly string[] | undefined> {
    const { settings, logger, httpGet } = this.options
    const { rmqAddressServerDomain: domain, rmqAddressServerSubGroup: subGroup } = settings
    try {
      const addresses = splitAddresses(await askAddressServer({ domain, subGroup }, httpGet))
      if (addresses.length > 0) return addresses
      throw new MQError('ERR_ADDRESS', 'it named none')
    } catch (error) {
      const text = `the address server did not tell the NameServers: ${errorText(error)}`
      logger.warn({ event: 'address-server-failed', domain }, text)
      return undefined
    }
  }
}
