import { decodeProperties } from '../../common/index.js'
import type { AppendResult, MessageStore, MessageToStore, PutStatus, TopicQueues } from '../../store/index.js'
import { isSpecialProperty } from './send-properties.js'
import type { SpecialMessageRule, StoredListener } from './special-messages.js'

/** What became of a message the broker put on its own behalf. */
export interface PutOutcome {
  status: PutStatus
  physicalOffset: number
  queueOffset: number
}

/**
 * The one way of a message into the store: rules for special messages, then the append. Sends use it, and so does
 * whatever puts messages on the broker's own behalf (retries, due delays, committed transactions).
 */
export class MessagePutter {
  private readonly rules: SpecialMessageRule[] = []
  private readonly listeners: StoredListener[] = []

  constructor(private readonly store: MessageStore) {}

  /** Adds a rule; rules run in the order they were added. At start only. */
  addRule(rule: SpecialMessageRule): void {
    this.rules.push(rule)
  }

  /** Adds a listener told of every special message that was stored, in the turn of its append. At start only. */
  addListener(listener: StoredListener): void {
    this.listeners.push(listener)
  }

  /**
   * Appends in this turn. The answer is the store's one result object, or a refusal.
   * @param special whether the properties hold one that a rule may care for.
   * @param topic the store's entry of the message's topic, where it is at hand.
   */
  put(message: MessageToStore, special: boolean, topic?: TopicQueues): AppendResult {
    return special ? this.putSpecial(message) : this.store.append(message, topic)
  }

  private putSpecial(message: MessageToStore): AppendResult {
    for (const rule of this.rules) {
      const refused = rule(message)
      if (refused !== undefined) return refusal(refused)
    }
    const result = this.store.append(message)
    if (result.status === 'PUT_OK') for (const listener of this.listeners) listener(message)
    return result
  }

  /** Appends a batch; batches carry nothing special. */
  putBatch(message: MessageToStore): AppendResult {
    return this.store.appendBatch(message)
  }

  /** Puts a message of the broker's own and waits until the flush mode's promise is kept. */
  async putAndWait(message: MessageToStore): Promise<PutOutcome> {
    const { status, physicalOffset, queueOffset, endOffset } = this.put(message, hasSpecialProperty(message))
    if (status !== 'PUT_OK' || this.store.isDurable(endOffset)) return { status, physicalOffset, queueOffset }
    return { status: await this.store.whenDurable(endOffset), physicalOffset, queueOffset }
  }
}

function hasSpecialProperty(message: MessageToStore): boolean {
  const text = typeof message.properties === 'string' ? message.properties : message.properties.toString()
  for (const name of decodeProperties(text).keys()) if (isSpecialProperty(name)) return true
  return false
}

function refusal(status: PutStatus): AppendResult {
  return {
    status,
    physicalOffset: 0,
    queueOffset: 0,
    wroteBytes: 0,
    messageCount: 0,
    storeTimestamp: 0,
    endOffset: 0,
    physicalOffsets: [],
  }
}
