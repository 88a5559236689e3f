import { keepsBatches, TopicAttribute, type TopicConfig, topicAttribute } from '../../common/index.js'
import type { TopicQueues } from '../../store/index.js'
import type { BrokerContext } from '../context.js'
import type { TopicPuts } from '../stats/topic-puts.js'

/** A topic with all that a send needs of it. */
export interface SendTopic extends TopicConfig {
  /** It keeps the last message per key: one without a key could never be replaced. */
  readonly isCompacted: boolean
  readonly keepsBatches: boolean
  /** The store's entry, as soon as there is one. */
  readonly queues: TopicQueues | undefined
  /** Its counters, as soon as there are some. */
  readonly puts: TopicPuts | undefined
}

/**
 * The topics that messages are sent to, each with what configuration, store and statistics keep of it: one look-up
 * instead of one in each table, which with thousands of topics are several waits for memory apiece.
 */
export class SendTopics {
  private readonly found = new Map<string, SendTopic>()
  private foundIn = -1

  constructor(private readonly broker: Pick<BrokerContext, 'topics' | 'store' | 'stats'>) {}

  /** Undefined for a topic that is in no table: one that is not there, or a light queue. */
  find(name: string): SendTopic | undefined {
    const { tableVersion } = this.broker.topics
    if (this.foundIn !== tableVersion) {
      this.found.clear()
      this.foundIn = tableVersion
    }
    const known = this.found.get(name)
    return known?.queues?.isDropped === false && known.puts?.isDropped === false ? known : this.look(name)
  }

  private look(name: string): SendTopic | undefined {
    const { topics, store, stats } = this.broker
    const config = topics.topicConfigTable.get(name)
    if (config === undefined) return undefined
    const queues = store.queues.topics.get(name)
    const topic = { ...sendTopicOf(config), queues, puts: stats.findPuts(name) }
    this.found.set(config.topicName, topic)
    return topic
  }
}

/** The topic by its configuration alone. */
export function sendTopicOf(config: TopicConfig): SendTopic {
  const { attributes } = config
  return {
    ...config,
    isCompacted: topicAttribute(attributes, TopicAttribute.CLEANUP_POLICY) === 'COMPACTION',
    keepsBatches: keepsBatches(attributes),
    queues: undefined,
    puts: undefined,
  }
}
