import type { Clock, Logger } from '../../util/index.js'
import type { BrokerSettings } from '../settings.js'
import { type ClientChannelInfo, type ClientConnection, describeClient } from './client-channel.js'
import { type ManyGroupsSettings, warnOfManyGroups } from './many-groups.js'

export interface ProducerManagerOptions {
  settings: ManyGroupsSettings &
    Pick<BrokerSettings, 'channelExpiredTimeout' | 'enableRegisterProducer' | 'rejectTransactionMessage'>
  clock: Clock
  logger: Logger
}

/** More unsent bytes than this and a connection is not chosen for a request of ours. */
const WRITEABLE_BYTES = 1024 * 1024

/** The producers that are connected, by group. */
export class ProducerManager {
  private readonly table = new Map<string, Map<ClientConnection, ClientChannelInfo>>()
  private readonly byClientId = new Map<string, ClientConnection>()
  /** Groups of each connection, so that a closing one need not be looked for in all. */
  private readonly groupsOf = new Map<ClientConnection, Set<string>>()
  private readonly watched = new WeakSet<ClientConnection>()
  private turn = 0

  constructor(private readonly options: ProducerManagerOptions) {}

  get groups(): ReadonlyMap<string, ReadonlyMap<ClientConnection, ClientChannelInfo>> {
    return this.table
  }

  groupOnline(group: string): boolean {
    return this.table.has(group)
  }

  /** Adds a producer, or notes that it is alive. */
  registerProducer(group: string, channel: ClientChannelInfo): void {
    const { connection } = channel
    // its end has been dealt with already
    if (connection.isClosed) return
    const channels = this.table.get(group)
    const known = channels?.get(connection)
    if (known !== undefined) {
      known.lastUpdateTimestamp = this.options.clock.now()
      return
    }
    const { enableRegisterProducer, rejectTransactionMessage } = this.options.settings
    // only transaction checks need the table: a broker that refuses them may do without
    if (!enableRegisterProducer && rejectTransactionMessage) return
    if (channels === undefined) this.table.set(group, new Map([[connection, channel]]))
    else channels.set(connection, channel)
    this.byClientId.set(channel.clientId, connection)
    this.noteGroup(connection, group)
    this.options.logger.info(
      { event: 'producer-connected', group, clientId: channel.clientId, remote: connection.peer.text },
      `producer of ${group}: ${describeClient(channel)}`,
    )
    this.watch(connection)
  }

  unregisterProducer(group: string, connection: ClientConnection): void {
    this.remove(group, connection, 'it unregistered')
  }

  /** A connection of the group, in turn, preferring those that take what they are sent. */
  getAvailableChannel(group: string): ClientConnection | undefined {
    const connections = [...(this.table.get(group)?.keys() ?? [])].filter(connection => !connection.isClosed)
    if (connections.length === 0) return undefined
    this.turn = (this.turn + 1) % Number.MAX_SAFE_INTEGER
    const from = this.turn % connections.length
    const inTurn = [...connections.slice(from), ...connections.slice(0, from)]
    return inTurn.find(connection => connection.unsentBytes < WRITEABLE_BYTES) ?? inTurn[0]
  }

  findChannel(clientId: string): ClientConnection | undefined {
    return this.byClientId.get(clientId)
  }

  /** Closes the connections that have been silent for `channelExpiredTimeout`. */
  scan(): void {
    const oldest = this.options.clock.now() - this.options.settings.channelExpiredTimeout
    for (const [group, channels] of [...this.table]) {
      for (const { connection, lastUpdateTimestamp } of [...channels.values()]) {
        if (lastUpdateTimestamp >= oldest) continue
        this.remove(group, connection, 'it sent no heartbeat')
        connection.close('the producer sent no heartbeat')
      }
    }
  }

  private watch(connection: ClientConnection): void {
    if (this.watched.has(connection)) return
    this.watched.add(connection)
    connection.onClose(() => {
      warnOfManyGroups('producer', connection, this.groupsOf.get(connection), this.options)
      for (const group of [...(this.groupsOf.get(connection) ?? [])])
        this.remove(group, connection, 'its connection closed')
    })
  }

  private noteGroup(connection: ClientConnection, group: string): void {
    const groups = this.groupsOf.get(connection)
    if (groups === undefined) this.groupsOf.set(connection, new Set([group]))
    else groups.add(group)
  }

  private remove(group: string, connection: ClientConnection, why: string): void {
    const channels = this.table.get(group)
    const channel = channels?.get(connection)
    if (channels === undefined || channel === undefined) return
    channels.delete(connection)
    if (channels.size === 0) this.table.delete(group)
    const groups = this.groupsOf.get(connection)
    groups?.delete(group)
    if (groups?.size === 0) {
      this.groupsOf.delete(connection)
      if (this.byClientId.get(channel.clientId) === connection) this.byClientId.delete(channel.clientId)
    }
    this.options.logger.info(
      { event: 'producer-gone', group, clientId: channel.clientId, remote: connection.peer.text },
      `no longer a producer of ${group}: ${describeClient(channel)}, ${why}`,
    )
  }
}
