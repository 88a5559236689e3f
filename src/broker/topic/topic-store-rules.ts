import { isSystemTopic, keepsBatches, TopicAttribute, type TopicConfig } from '../../common/index.js'

const HOUR_MS = 3_600_000

/** What the store asks of a topic's attributes. */
export interface TopicStoreRules {
  isBatchQueue(topic: string): boolean
  /** How long (ms) messages are kept at most; undefined without `reserve.time`, which counts hours. */
  reserveTimeOf(topic: string): number | undefined
}

export function topicStoreRules(configOf: (topic: string) => TopicConfig | undefined): TopicStoreRules {
  return {
    isBatchQueue(topic) {
      const config = configOf(topic)
      return config !== undefined && keepsBatches(config.attributes)
    },
    reserveTimeOf(topic) {
      const hours = Number(configOf(topic)?.attributes.get(TopicAttribute.RESERVE_TIME) ?? -1)
      return hours < 0 || isSystemTopic(topic) ? undefined : hours * HOUR_MS
    },
  }
}
