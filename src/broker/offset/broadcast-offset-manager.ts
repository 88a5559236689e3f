import type { HeaderValue, PullMessageRequestHeader } from '../../remoting/index.js'
import type { MessageStore } from '../../store/index.js'
import { type Clock, type Logger, PeriodicTask } from '../../util/index.js'
import type { ClientConnection } from '../client/client-channel.js'
import type { ConsumerManager } from '../client/consumer-manager.js'
import type { BrokerSettings } from '../settings.js'
import type { ConsumerOffsetManager } from './consumer-offset-manager.js'

type PullHeader = HeaderValue<typeof PullMessageRequestHeader>

export interface BroadcastOffsetManagerOptions {
  settings: Pick<
    BrokerSettings,
    'enableBroadcastOffsetStore' | 'broadcastOffsetExpireSecond' | 'broadcastOffsetExpireMaxSecond'
  >
  consumers: Pick<ConsumerManager, 'getConsumerGroupInfo' | 'findChannel' | 'findChannelByConnection'>
  offsets: Pick<ConsumerOffsetManager, 'queryOffset' | 'commitOffset'>
  store: Pick<MessageStore, 'minOffset' | 'maxOffset' | 'queries'>
  clock: Clock
  logger: Logger
}

/** A broadcast consumer that pulls. */
export interface BroadcastClient {
  readonly clientId: string
  readonly fromProxy: boolean
}

/** How far one client is. */
interface Progress {
  fromProxy: boolean
  /** Of the last pull, monotonic ms. */
  pulledAt: number
  /** Highest offset asked for, by queue. */
  readonly offsets: Map<number, number>
}

interface GroupProgress {
  readonly topic: string
  readonly group: string
  readonly clients: Map<string, Progress>
}

const SCAN_PERIOD_MS = 5000
/** Value of `requestSource` with which a proxy pulls for a broadcast consumer behind it. */
const PROXY_FOR_BROADCAST = 1

type QueuePull = Pick<PullHeader, 'topic' | 'consumerGroup' | 'queueId' | 'queueOffset' | 'requestSource'>

/**
 * How far each broadcast consumer is (broker-behaviour 3.8). Such consumers keep their offsets themselves; this is for
 * those that move between a proxy, which keeps none, and the broker. Every 5 s the least of a group is committed for
 * `group@broadcast`, where clients start that nothing is known of.
 */
export class BroadcastOffsetManager {
  private readonly groups = new Map<string, GroupProgress>()
  private readonly task: PeriodicTask

  constructor(private readonly options: BroadcastOffsetManagerOptions) {
    const { clock, logger } = options
    const run = (): void => this.scan()
    this.task = new PeriodicTask({ name: 'scan of broadcast offsets', periodMs: SCAN_PERIOD_MS, clock, logger, run })
  }

  start(): void {
    this.task.start()
  }

  async stop(): Promise<void> {
    await this.task.stop()
  }

  /** Who pulls, if it is a broadcast consumer; undefined for others and when offsets are not kept. */
  clientOf(
    header: Pick<PullHeader, 'consumerGroup' | 'requestSource' | 'proxyFrowardClientId'>,
    connection: ClientConnection,
  ): BroadcastClient | undefined {
    const { settings, consumers } = this.options
    if (!settings.enableBroadcastOffsetStore) return undefined
    if (header.requestSource === PROXY_FOR_BROADCAST) {
      const clientId = header.proxyFrowardClientId
      return clientId === undefined ? undefined : { clientId, fromProxy: true }
    }
    const info = consumers.getConsumerGroupInfo(header.consumerGroup)
    if (info?.messageModel !== 'BROADCASTING' || info.consumeType !== 'CONSUME_PASSIVELY') return undefined
    const channel = consumers.findChannelByConnection(header.consumerGroup, connection)
    return channel && { clientId: channel.clientId, fromProxy: false }
  }

  /**
   * Where a client is to go on instead of where it asks: behind a proxy for the first time, or from broker to proxy and
   * back. Undefined when it is to have what it asks for.
   */
  async initialOffset(pull: QueuePull, client: BroadcastClient): Promise<number | undefined> {
    const group = this.groups.get(keyOf(pull))
    const wantsOne = pull.queueOffset < 0
    if (group === undefined) return client.fromProxy && wantsOne ? this.offsetFor(pull, undefined) : undefined
    const progress = this.progressOf(group, client)
    const isNew = progress.fromProxy && wantsOne
    return isNew || progress.fromProxy !== client.fromProxy ? this.offsetFor(pull, progress) : undefined
  }

  /** Whether {@link initialOffset} may have something to say: asked for every pull of a broadcast consumer. */
  mayMove({ queueOffset, ...pull }: QueuePull, client: BroadcastClient): boolean {
    if (queueOffset < 0) return true
    const progress = this.groups.get(keyOf(pull))?.clients.get(client.clientId)
    return progress !== undefined && progress.fromProxy !== client.fromProxy
  }

  /** A client has asked for an offset, or was sent to it. */
  pulled(pull: Pick<QueuePull, 'topic' | 'consumerGroup' | 'queueId'>, client: BroadcastClient, offset: number): void {
    const key = keyOf(pull)
    let group = this.groups.get(key)
    if (group === undefined) {
      group = { topic: pull.topic, group: pull.consumerGroup, clients: new Map() }
      this.groups.set(key, group)
    }
    const progress = this.progressOf(group, client)
    progress.pulledAt = this.options.clock.monotonic()
    progress.fromProxy = client.fromProxy
    progress.offsets.set(pull.queueId, Math.max(offset, progress.offsets.get(pull.queueId) ?? offset))
  }

  /** Forgets clients that are gone and commits the least offset of those that are there. */
  private scan(): void {
    for (const [key, group] of this.groups) {
      const least = new Map<number, number>()
      for (const [clientId, progress] of group.clients) {
        const isExpired = this.isExpired(group, clientId, progress)
        if (isExpired !== 'gone') {
          for (const [queueId, offset] of progress.offsets)
            least.set(queueId, Math.min(offset, least.get(queueId) ?? offset))
        }
        if (isExpired !== undefined) group.clients.delete(clientId)
      }
      if (group.clients.size === 0) this.groups.delete(key)
      const pseudoGroup = broadcastGroup(group.group)
      for (const [queueId, offset] of least)
        this.options.offsets.commitOffset(pseudoGroup, group.topic, queueId, offset)
    }
  }

  private isExpired(group: GroupProgress, clientId: string, { pulledAt }: Progress): 'gone' | 'idle' | undefined {
    const { settings, consumers, clock } = this.options
    const age = clock.monotonic() - pulledAt
    const isOnline = consumers.findChannel(group.group, clientId) !== undefined
    if (isOnline) return age >= settings.broadcastOffsetExpireMaxSecond * 1000 ? 'idle' : undefined
    return age >= settings.broadcastOffsetExpireSecond * 1000 ? 'gone' : undefined
  }

  private progressOf(group: GroupProgress, { clientId, fromProxy }: BroadcastClient): Progress {
    let progress = group.clients.get(clientId)
    if (progress === undefined) {
      progress = { fromProxy, pulledAt: this.options.clock.monotonic(), offsets: new Map() }
      group.clients.set(clientId, progress)
    }
    return progress
  }

  private async offsetFor(pull: QueuePull, progress: Progress | undefined): Promise<number> {
    const { offsets, store } = this.options
    const { topic, consumerGroup, queueId } = pull
    const known = progress?.offsets.get(queueId) ?? -1
    if (known >= 0) return known
    const committed = offsets.queryOffset(broadcastGroup(consumerGroup), topic, queueId)
    if (committed >= 0) return committed
    const isYoung = store.minOffset(topic, queueId) <= 0 && (await store.queries.isFirstInMemory(topic, queueId))
    return isYoung ? 0 : store.maxOffset(topic, queueId)
  }
}

function keyOf({ topic, consumerGroup }: Pick<QueuePull, 'topic' | 'consumerGroup'>): string {
  return `${topic}@${consumerGroup}`
}

function broadcastGroup(group: string): string {
  return `${group}@broadcast`
}
