import type { ConsumeFromWhere, ConsumerData, ConsumeType, MessageModel, SubscriptionData } from '../../common/index.js'
import type { ClientChannelInfo, ClientConnection } from './client-channel.js'

/** How the members of a group consume: what the last of them to send a heartbeat said. */
export type ConsumeTraits = Pick<ConsumerData, 'consumeType' | 'messageModel' | 'consumeFromWhere'>

export interface TopicChanges {
  added: string[]
  removed: string[]
}

/** A consumer group with members. */
export class ConsumerGroupInfo {
  consumeType: ConsumeType = 'CONSUME_PASSIVELY'
  messageModel: MessageModel = 'CLUSTERING'
  consumeFromWhere: ConsumeFromWhere = 'CONSUME_FROM_LAST_OFFSET'
  lastUpdateTimestamp: number
  private readonly subscriptionTable = new Map<string, SubscriptionData>()
  private readonly channelTable = new Map<ClientConnection, ClientChannelInfo>()

  constructor(
    readonly groupName: string,
    now: number,
  ) {
    this.lastUpdateTimestamp = now
  }

  get subscriptions(): ReadonlyMap<string, SubscriptionData> {
    return this.subscriptionTable
  }

  get channels(): ReadonlyMap<ClientConnection, ClientChannelInfo> {
    return this.channelTable
  }

  get isEmpty(): boolean {
    return this.channelTable.size === 0
  }

  findSubscriptionData(topic: string): SubscriptionData | undefined {
    return this.subscriptionTable.get(topic)
  }

  findChannel(clientId: string): ClientChannelInfo | undefined {
    for (const channel of this.channelTable.values()) if (channel.clientId === clientId) return channel
    return undefined
  }

  /** One per connection: a client with two of them is there twice. */
  clientIds(): string[] {
    return Array.from(this.channelTable.values(), channel => channel.clientId)
  }

  /** Adds a member or notes that it is alive. True when it is new. */
  updateChannel(channel: ClientChannelInfo, traits: ConsumeTraits, now: number): boolean {
    this.consumeType = traits.consumeType
    this.messageModel = traits.messageModel
    this.consumeFromWhere = traits.consumeFromWhere
    this.lastUpdateTimestamp = now
    const known = this.channelTable.get(channel.connection)
    if (known?.clientId === channel.clientId) known.lastUpdateTimestamp = now
    else this.channelTable.set(channel.connection, channel)
    return known === undefined
  }

  removeChannel(connection: ClientConnection): ClientChannelInfo | undefined {
    const channel = this.channelTable.get(connection)
    this.channelTable.delete(connection)
    return channel
  }

  /**
   * Takes the subscriptions of one member for those of the group: a topic it does not name is dropped, a newer version
   * replaces an older one, which is no change of topics.
   */
  updateSubscriptions(subscriptions: readonly SubscriptionData[], now: number): TopicChanges {
    const added: string[] = []
    const named = new Set<string>()
    for (const subscription of subscriptions) {
      const old = this.subscriptionTable.get(subscription.topic)
      if (old === undefined) added.push(subscription.topic)
      if (old === undefined || subscription.subVersion > old.subVersion) this.putSubscription(subscription)
      named.add(subscription.topic)
    }
    const removed = [...this.subscriptionTable.keys()].filter(topic => !named.has(topic))
    for (const topic of removed) this.subscriptionTable.delete(topic)
    this.lastUpdateTimestamp = now
    return { added, removed }
  }

  putSubscription(subscription: SubscriptionData): void {
    this.subscriptionTable.set(subscription.topic, subscription)
  }

  /** Drops subscriptions of a version before `oldest`. True when none is left. */
  expireSubscriptions(oldest: number): boolean {
    for (const [topic, { subVersion }] of [...this.subscriptionTable]) {
      if (subVersion < oldest) this.subscriptionTable.delete(topic)
    }
    return this.subscriptionTable.size === 0
  }
}
