import type { ConsumerData, ConsumeType, MessageModel, SubscriptionData } from '../../common/index.js'
import type { Clock, Logger } from '../../util/index.js'
import type { BrokerSettings } from '../settings.js'
import { type ClientChannelInfo, type ClientConnection, describeClient } from './client-channel.js'
import { ConsumerGroupInfo } from './consumer-group-info.js'
import { type ManyGroupsSettings, warnOfManyGroups } from './many-groups.js'

export interface ConsumerManagerOptions {
  settings: ManyGroupsSettings & Pick<BrokerSettings, 'channelExpiredTimeout' | 'subscriptionExpiredTimeout'>
  clock: Clock
  logger: Logger
}

/** A heartbeat of one member, for one of its groups. */
export interface ConsumerRegistration {
  channel: ClientChannelInfo
  consumerData: ConsumerData
  /** Whether the group wants its members told of changes (`notifyConsumerIdsChangedEnable`). */
  notify: boolean
  /** The heartbeat leaves subscriptions out: the group keeps those it has. */
  withoutSub?: boolean
}

export interface ConsumerIdsChangeListener {
  /** The members named are to be told that members or topics came or went. */
  onChange?(group: string, connections: readonly ClientConnection[]): void
  /** A full heartbeat has been taken over. */
  onRegister?(group: string, subscriptions: readonly SubscriptionData[]): void
  /** The last member has left. */
  onUnregister?(group: string): void
}

/** The consumers that are connected, by group, and what their groups subscribe to. */
export class ConsumerManager {
  private readonly table = new Map<string, ConsumerGroupInfo>()
  /** What pulls with a subscription of their own have said; for those who ask, not for members. */
  private readonly compensation = new Map<string, ConsumerGroupInfo>()
  private readonly groupsOfTopic = new Map<string, Set<string>>()
  private readonly groupsOf = new Map<ClientConnection, Set<string>>()
  private readonly watched = new WeakSet<ClientConnection>()
  private readonly listeners: ConsumerIdsChangeListener[] = []

  constructor(private readonly options: ConsumerManagerOptions) {}

  get groups(): ReadonlyMap<string, ConsumerGroupInfo> {
    return this.table
  }

  addListener(listener: ConsumerIdsChangeListener): void {
    this.listeners.push(listener)
  }

  getConsumerGroupInfo(group: string, fromCompensation = false): ConsumerGroupInfo | undefined {
    return this.table.get(group) ?? (fromCompensation ? this.compensation.get(group) : undefined)
  }

  findSubscriptionData(group: string, topic: string): SubscriptionData | undefined {
    return (
      this.table.get(group)?.findSubscriptionData(topic) ?? this.compensation.get(group)?.findSubscriptionData(topic)
    )
  }

  findChannel(group: string, clientId: string): ClientChannelInfo | undefined {
    return this.table.get(group)?.findChannel(clientId)
  }

  findChannelByConnection(group: string, connection: ClientConnection): ClientChannelInfo | undefined {
    return this.table.get(group)?.channels.get(connection)
  }

  /** Groups with members that subscribe the topic. */
  queryTopicConsumeByWho(topic: string): Set<string> {
    return new Set(this.groupsOfTopic.get(topic))
  }

  /** Takes a heartbeat over. True when members or topics of the group came or went. */
  registerConsumer(group: string, registration: ConsumerRegistration): boolean {
    const { channel, consumerData, notify, withoutSub = false } = registration
    // its end has been dealt with already
    if (channel.connection.isClosed) return false
    const now = this.options.clock.now()
    let info = this.table.get(group)
    if (info === undefined) this.table.set(group, (info = new ConsumerGroupInfo(group, now)))
    const isNewMember = info.updateChannel(channel, consumerData, now)
    if (isNewMember) this.added(info, channel)
    const isNewTopic = !withoutSub && this.updateSubscriptions(info, consumerData.subscriptionDataSet, now)
    if ((isNewMember || isNewTopic) && notify) this.tellMembers(info)
    if (!withoutSub) {
      for (const listener of this.listeners) listener.onRegister?.(group, consumerData.subscriptionDataSet)
    }
    return isNewMember || isNewTopic
  }

  /** Removes a member that says goodbye. */
  unregisterConsumer(group: string, connection: ClientConnection, notify: boolean): void {
    const info = this.remove(group, connection, 'it unregistered')
    if (info !== undefined && notify) this.tellMembers(info)
  }

  compensateSubscribeData(group: string, topic: string, data: SubscriptionData): void {
    this.compensated(group).putSubscription(data.topic === topic ? data : { ...data, topic })
  }

  compensateBasicConsumerInfo(group: string, consumeType: ConsumeType, messageModel: MessageModel): void {
    const info = this.compensated(group)
    info.consumeType = consumeType
    info.messageModel = messageModel
  }

  /**
   * Closes the connections that have been silent for `channelExpiredTimeout` and forgets compensated subscriptions that
   * nobody repeats. Members left are told of those gone, which Java leaves to their next rebalance.
   */
  scan(): void {
    const { clock, settings } = this.options
    const oldest = clock.now() - settings.channelExpiredTimeout
    for (const info of [...this.table.values()]) {
      const silent = [...info.channels.values()].filter(channel => channel.lastUpdateTimestamp < oldest)
      for (const { connection } of silent) {
        this.remove(info.groupName, connection, 'it sent no heartbeat')
        connection.close('the consumer sent no heartbeat')
      }
      if (silent.length > 0) this.tellMembers(info)
    }
    const oldestVersion = clock.now() - settings.subscriptionExpiredTimeout
    for (const [group, info] of [...this.compensation]) {
      if (info.expireSubscriptions(oldestVersion)) this.compensation.delete(group)
    }
  }

  private compensated(group: string): ConsumerGroupInfo {
    let info = this.compensation.get(group)
    if (info === undefined)
      this.compensation.set(group, (info = new ConsumerGroupInfo(group, this.options.clock.now())))
    return info
  }

  private added(info: ConsumerGroupInfo, channel: ClientChannelInfo): void {
    const { groupName } = info
    const groups = this.groupsOf.get(channel.connection)
    if (groups === undefined) this.groupsOf.set(channel.connection, new Set([groupName]))
    else groups.add(groupName)
    this.options.logger.info(
      {
        event: 'consumer-connected',
        group: groupName,
        clientId: channel.clientId,
        remote: channel.connection.peer.text,
        messageModel: info.messageModel,
      },
      `consumer of ${groupName}: ${describeClient(channel)}`,
    )
    this.watch(channel.connection)
  }

  private updateSubscriptions(
    info: ConsumerGroupInfo,
    subscriptions: readonly SubscriptionData[],
    now: number,
  ): boolean {
    const { added, removed } = info.updateSubscriptions(subscriptions, now)
    if (added.length === 0 && removed.length === 0) return false
    const { groupName } = info
    for (const topic of added) {
      const groups = this.groupsOfTopic.get(topic)
      if (groups === undefined) this.groupsOfTopic.set(topic, new Set([groupName]))
      else groups.add(groupName)
    }
    this.unlinkTopics(groupName, removed)
    this.options.logger.info(
      { event: 'subscription-changed', group: groupName, added, removed },
      `${groupName} subscribes ${[...info.subscriptions.keys()].join(', ') || 'nothing'}`,
    )
    return true
  }

  private unlinkTopics(group: string, topics: Iterable<string>): void {
    for (const topic of topics) {
      const groups = this.groupsOfTopic.get(topic)
      groups?.delete(group)
      if (groups?.size === 0) this.groupsOfTopic.delete(topic)
    }
  }

  private watch(connection: ClientConnection): void {
    if (this.watched.has(connection)) return
    this.watched.add(connection)
    connection.onClose(() => {
      warnOfManyGroups('consumer', connection, this.groupsOf.get(connection), this.options)
      for (const group of [...(this.groupsOf.get(connection) ?? [])]) {
        const info = this.remove(group, connection, 'its connection closed')
        if (info !== undefined) this.tellMembers(info)
      }
    })
  }

  /** Gives the group the member was removed from; undefined when it was none. */
  private remove(group: string, connection: ClientConnection, why: string): ConsumerGroupInfo | undefined {
    const info = this.table.get(group)
    const channel = info?.removeChannel(connection)
    if (info === undefined || channel === undefined) return undefined
    const groups = this.groupsOf.get(connection)
    groups?.delete(group)
    if (groups?.size === 0) this.groupsOf.delete(connection)
    this.options.logger.info(
      { event: 'consumer-gone', group, clientId: channel.clientId, remote: connection.peer.text },
      `no longer a consumer of ${group}: ${describeClient(channel)}, ${why}`,
    )
    if (info.isEmpty) {
      this.table.delete(group)
      this.unlinkTopics(group, info.subscriptions.keys())
      for (const listener of this.listeners) listener.onUnregister?.(group)
    }
    return info
  }

  private tellMembers(info: ConsumerGroupInfo): void {
    // members of a broadcast group share nothing that could be divided anew
    if (info.messageModel === 'BROADCASTING' || info.isEmpty) return
    const connections = [...info.channels.keys()]
    for (const listener of this.listeners) listener.onChange?.(info.groupName, connections)
  }
}
