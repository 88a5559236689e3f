import type { TopicConfig } from '../../common/index.js'
import { type Clock, errorText, type Logger, PeriodicTask } from '../../util/index.js'
import type { BrokerIdentity } from '../identity.js'
import type { TopicConfigManager } from '../topic/topic-config-manager.js'
import type { BrokerOuterApi } from './broker-outer-api.js'
import { NamesrvLink, type RegistrationSettings, type RegistrationSource } from './namesrv-link.js'

export interface BrokerRegistrationOptions {
  out: RegistrationSource['out'] &
    Pick<BrokerOuterApi, 'namesrvAddresses' | 'updateNamesrvAddr' | 'onClosed' | 'unregisterBroker'>
  topics: Pick<
    TopicConfigManager,
    'topicConfigTable' | 'dataVersion' | 'onChange' | 'updateOrderTopics' | 'bumpDataVersion' | 'selectTopicConfig'
  >
  identity: BrokerIdentity
  settings: RegistrationSettings
  clock: Clock
  logger: Logger
}

const FIRST_PERIODIC_MS = 10_000
const MIN_PERIOD_MS = 10_000
const MAX_PERIOD_MS = 60_000
const READ_WRITE = 6
const UNREGISTER_TIMEOUT_MS = 3000

/**
 * Keeps every NameServer informed of this broker and its topics (broker-behaviour 1.6): all of them at the start and
 * every `registerNameServerPeriod`, what changes at once. Each NameServer has its own {@link NamesrvLink}, so that one
 * that is down holds up no other.
 */
export class BrokerRegistration {
  private readonly links = new Map<string, NamesrvLink>()
  private readonly source: RegistrationSource
  private readonly task: PeriodicTask
  private isRunning = false
  private startedAt = 0

  constructor(private readonly options: BrokerRegistrationOptions) {
    const { out, topics, settings, identity, clock, logger } = options
    this.source = {
      out,
      identity,
      settings,
      clock,
      logger,
      dataVersion: () => ({ ...topics.dataVersion }),
      allTopics: () => Array.from(topics.topicConfigTable.values(), config => this.published(config)),
      topic: name => {
        const config = topics.selectTopicConfig(name)
        return config === undefined ? undefined : this.published(config)
      },
      onOrderTopics: names => topics.updateOrderTopics(names),
    }
    const period = Math.min(MAX_PERIOD_MS, Math.max(MIN_PERIOD_MS, settings.registerNameServerPeriod))
    this.task = new PeriodicTask({
      name: 'registration with NameServers',
      periodMs: period,
      clock,
      logger,
      run: () => {
        // as in Java, the registration at the start is not held back
        if (clock.monotonic() - this.startedAt < settings.disappearTimeAfterStart) return
        return this.registerAll({ force: settings.forceRegister })
      },
    })
    topics.onChange(changed => this.topicsChanged(changed))
    out.onClosed(address => {
      if (this.isRunning) this.links.get(address)?.connectionLost()
    })
  }

  /** Registers with every NameServer; resolves when each has taken it or could not be reached. */
  async start(): Promise<void> {
    this.isRunning = true
    this.startedAt = this.options.clock.monotonic()
    await this.registerAll()
    if (this.isRunning) this.task.start(FIRST_PERIODIC_MS)
  }

  /** Registers all topics. With `force: false` only where the NameServer does not know their version. */
  async registerAll({ force = true }: { force?: boolean } = {}): Promise<void> {
    if (!this.isRunning) return
    this.syncLinks()
    await Promise.all(Array.from(this.links.values(), link => link.registerAll(force)))
  }

  /** Resolves when every NameServer that is up knows of the changes so far. */
  async whenSettled(): Promise<void> {
    await Promise.all(Array.from(this.links.values(), link => link.settled()))
  }

  /** `brokerPermission` has another value: all topics are published anew. */
  async brokerPermissionChanged(): Promise<void> {
    this.options.topics.bumpDataVersion()
    await this.registerAll()
  }

  /** Takes other NameServers; a new one is registered with, one left out is told goodbye. */
  async updateNamesrvAddr(addresses: readonly string[]): Promise<void> {
    if (this.options.out.updateNamesrvAddr(addresses)) await this.registerAll()
  }

  /** Registers no more and tells every NameServer that the broker is going. */
  async stop(): Promise<void> {
    if (!this.isRunning) return
    this.isRunning = false
    await this.task.stop()
    await Promise.all(Array.from(this.links.keys(), address => this.leave(address)))
  }

  private topicsChanged(changed: readonly TopicConfig[]): void {
    if (!this.isRunning) return
    const names = changed.map(config => config.topicName)
    for (const link of this.links.values()) link.registerTopics(names)
  }

  private syncLinks(): void {
    const addresses = new Set(this.options.out.namesrvAddresses)
    for (const address of addresses) {
      if (!this.links.has(address)) this.links.set(address, new NamesrvLink(address, this.source))
    }
    for (const address of [...this.links.keys()]) if (!addresses.has(address)) void this.leave(address)
  }

  private async leave(address: string): Promise<void> {
    const { out, identity, logger } = this.options
    const link = this.links.get(address)
    this.links.delete(address)
    await link?.stop()
    if (!link?.isRegistered) return
    try {
      await out.unregisterBroker(address, identity, UNREGISTER_TIMEOUT_MS)
      logger.info({ event: 'broker-unregistered', namesrv: address }, `unregistered from NameServer ${address}`)
    } catch (error) {
      const text = `NameServer ${address} was not told that the broker is going: ${errorText(error)}`
      logger.warn({ event: 'unregister-failed', namesrv: address }, text)
    }
  }

  /** A topic as clients may use it. */
  private published(config: TopicConfig): TopicConfig {
    const { brokerPermission } = this.options.settings
    if ((brokerPermission & READ_WRITE) === READ_WRITE) return config
    return { ...config, perm: config.perm & brokerPermission }
  }
}
