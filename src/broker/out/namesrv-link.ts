import type { DataVersion, TopicConfig } from '../../common/index.js'
import { type Clock, errorText, type Logger, type Timer } from '../../util/index.js'
import type { BrokerIdentity } from '../identity.js'
import type { BrokerSettings } from '../settings.js'
import type { BrokerOuterApi } from './broker-outer-api.js'

export type RegistrationSettings = Pick<
  BrokerSettings,
  | 'brokerPermission'
  | 'forceRegister'
  | 'compressedRegister'
  | 'registerBrokerTimeoutMills'
  | 'registerNameServerPeriod'
  | 'enableSplitRegistration'
  | 'splitRegistrationSize'
  | 'enableSingleTopicRegister'
  | 'isScanAvailableNameSrv'
  | 'disappearTimeAfterStart'
>

/** What a link registers, and where it tells what it learns. */
export interface RegistrationSource {
  out: Pick<BrokerOuterApi, 'registerBroker' | 'needRegister' | 'registerSingleTopic'>
  identity: BrokerIdentity
  settings: RegistrationSettings
  clock: Clock
  logger: Logger
  /** A copy. */
  dataVersion(): DataVersion
  allTopics(): TopicConfig[]
  topic(name: string): TopicConfig | undefined
  onOrderTopics(names: readonly string[]): void
}

/** How soon a NameServer that could not be reached is tried again. */
const RETRY_MS = 1000
const SINGLE_TOPIC_TIMEOUT_MS = 3000

type Work = 'nothing' | 'check' | 'all'

/**
 * The state of one NameServer: whether it knows this broker, and what it is still to be told. Requests to it leave one
 * after the other, so that an older table never follows a newer one.
 */
export class NamesrvLink {
  isRegistered = false
  private work: Work = 'nothing'
  private readonly changedTopics = new Set<string>()
  private running: Promise<void> | undefined
  /** Who waits for what is being told, and for what is told next. */
  private waiting: (() => void)[] = []
  private readonly waitingForNext: (() => void)[] = []
  private retry: Timer | undefined
  private failures = 0
  private stopped = false

  constructor(
    private readonly address: string,
    private readonly source: RegistrationSource,
  ) {}

  /** Registers all topics, or with `force` false asks first whether that is needed. Never rejects. */
  registerAll(force: boolean): Promise<void> {
    if (force || !this.isRegistered) this.work = 'all'
    else if (this.work === 'nothing') this.work = 'check'
    return this.run()
  }

  /** Registers topics that have changed. */
  registerTopics(names: readonly string[]): void {
    for (const name of names) this.changedTopics.add(name)
    // while a retry is due all topics are: a few must not be the first a NameServer sees of a broker
    if (this.retry === undefined) void this.run()
  }

  /** Resolves when all that has changed by now is told, or the NameServer is down. */
  async settled(): Promise<void> {
    if (this.failures > 0 || this.running === undefined) return
    // not the end of the work: as long as others make topics, there is more to tell
    const waiting = this.hasWork ? this.waitingForNext : this.waiting
    await new Promise<void>(resolve => waiting.push(resolve))
  }

  private get hasWork(): boolean {
    return this.work !== 'nothing' || this.changedTopics.size > 0
  }

  /** The NameServer may have been restarted, and then knows nothing of us. */
  connectionLost(): void {
    if (!this.isRegistered || this.stopped) return
    this.isRegistered = false
    this.work = 'all'
    this.tryAgainSoon()
  }

  /** Tells nothing more; resolves when the request under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true
    this.retry?.cancel()
    await this.running
  }

  private run(): Promise<void> {
    this.running ??= this.tellAll()
    return this.running
  }

  private async tellAll(): Promise<void> {
    // what has gathered in this turn leaves as one request
    await Promise.resolve()
    this.retry?.cancel()
    this.retry = undefined
    try {
      while (!this.stopped && this.hasWork) {
        this.waiting = this.waitingForNext.splice(0)
        await this.tellNext()
        release(this.waiting)
      }
    } catch (error) {
      this.failed(error)
    } finally {
      // in the same turn as the last look at the work, so that none added later is taken for done
      this.running = undefined
      release(this.waiting)
      release(this.waitingForNext)
    }
  }

  private async tellNext(): Promise<void> {
    const { work } = this
    const names = [...this.changedTopics]
    this.work = 'nothing'
    this.changedTopics.clear()
    try {
      if (work === 'all') await this.tellTable()
      else if (work === 'check' && (await this.isBehind())) await this.tellTable()
      else if (names.length > 0) await this.tellTopics(names)
      this.succeeded()
    } catch (error) {
      this.work = 'all'
      throw error
    }
  }

  private isBehind(): Promise<boolean> {
    const { out, identity, settings } = this.source
    return out.needRegister(this.address, identity, this.source.dataVersion(), settings.registerBrokerTimeoutMills)
  }

  private async tellTable(): Promise<void> {
    const { settings } = this.source
    // a small request first: the table is not put into words for one that is still down
    if (this.failures > 0) await this.isBehind()
    const topics = this.source.allTopics()
    const size = settings.enableSplitRegistration ? settings.splitRegistrationSize : topics.length
    // the rest goes last: a table of one topic would be refused as the first
    for (let from = 0; from < Math.max(1, topics.length); from += Math.max(1, size)) {
      await this.register(topics.slice(from, from + Math.max(1, size)))
    }
  }

  private async tellTopics(names: readonly string[]): Promise<void> {
    const { out, identity, settings } = this.source
    const topics = names.flatMap(name => this.source.topic(name) ?? [])
    if (topics.length === 0) return
    if (!settings.enableSingleTopicRegister) return this.register(topics)
    for (const config of topics) {
      await out.registerSingleTopic(this.address, identity.brokerName, config, SINGLE_TOPIC_TIMEOUT_MS)
    }
  }

  private async register(topics: readonly TopicConfig[]): Promise<void> {
    const { out, identity, settings } = this.source
    const result = await out.registerBroker(this.address, {
      identity,
      topics,
      dataVersion: this.source.dataVersion(),
      compressed: settings.compressedRegister,
      timeoutMs: settings.registerBrokerTimeoutMills,
    })
    this.source.onOrderTopics(result.orderTopics)
  }

  private succeeded(): void {
    this.failures = 0
    if (this.isRegistered) return
    this.isRegistered = true
    const { logger } = this.source
    logger.info({ event: 'broker-registered', namesrv: this.address }, `registered with NameServer ${this.address}`)
  }

  private failed(error: unknown): void {
    const isNews = this.failures === 0
    this.isRegistered = false
    this.failures++
    if (isNews) {
      const text = `NameServer ${this.address} does not know this broker, and is tried again: ${errorText(error)}`
      this.source.logger.warn({ event: 'register-failed', namesrv: this.address }, text)
    }
    this.tryAgainSoon()
  }

  /** Unless it is to wait for the next period. */
  private tryAgainSoon(): void {
    if (this.stopped || !this.source.settings.isScanAvailableNameSrv) return
    this.retry?.cancel()
    this.retry = this.source.clock.after(RETRY_MS, () => {
      this.retry = undefined
      void this.run()
    })
  }
}

function release(waiting: (() => void)[]): void {
  for (const resolve of waiting.splice(0)) resolve()
}
