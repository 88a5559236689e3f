import { buildSubscriptionData, ExpressionType, type SubscriptionData } from '../../common/index.js'
import type { Clock } from '../../util/index.js'
import { checkTopic } from '../outgoing-message.js'

/** Which messages of a topic are wanted. */
export interface MessageSelector {
  type: 'TAG' | 'SQL92'
  expression: string
}

/** Messages with one of these tags: `TagA || TagB`, or `*`. */
export function byTag(expression: string): MessageSelector {
  return { type: 'TAG', expression }
}

/** Messages whose properties fulfil a SQL92 condition: `color = 'red' AND price > 10`. */
export function bySql(expression: string): MessageSelector {
  return { type: 'SQL92', expression }
}

/** What a consumer reads, by topic. */
export class Subscriptions {
  private readonly byTopic = new Map<string, SubscriptionData>()

  constructor(private readonly clock: Clock) {}

  /** @throws MQClientError or MQError for a bad topic or expression */
  add(topic: string, selector: string | MessageSelector = '*'): void {
    checkTopic(topic)
    const { type, expression } = typeof selector === 'string' ? byTag(selector) : selector
    this.byTopic.set(
      topic,
      buildSubscriptionData({ topic, expression, expressionType: ExpressionType[type], subVersion: this.clock.now() }),
    )
  }

  /** Adds a topic whose name applications may not use. */
  addInternal(topic: string): void {
    this.byTopic.set(topic, buildSubscriptionData({ topic, subVersion: this.clock.now() }))
  }

  delete(topic: string): boolean {
    return this.byTopic.delete(topic)
  }

  get(topic: string): SubscriptionData | undefined {
    return this.byTopic.get(topic)
  }

  has(topic: string): boolean {
    return this.byTopic.has(topic)
  }

  topics(): string[] {
    return [...this.byTopic.keys()]
  }

  all(): SubscriptionData[] {
    return [...this.byTopic.values()]
  }

  /** Makes brokers take the subscription over anew. */
  renew(topic: string): void {
    const subscription = this.byTopic.get(topic)
    if (subscription) subscription.subVersion = Math.max(this.clock.now(), subscription.subVersion + 1)
  }
}
