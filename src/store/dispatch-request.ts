import type { TopicQueues } from './topic-queues.js'

/** One record to be entered into queues and index. Filled again and again. */
export interface DispatchRequest {
  topic: TopicQueues
  queueId: number
  queueOffset: number
  physicalOffset: number
  size: number
  sysFlag: number
  storeTimestamp: number
  /** Where the properties lie in {@link bytes}. */
  bytes: Buffer
  propertiesStart: number
  propertiesEnd: number
  /** Bytes at the end of the properties that records with the same {@link batch} share; 0 where that is not known. */
  tailLength: number
  batch: number
  /** Index hash of the UNIQ_KEY where a batch shares it; undefined where it is to be computed. */
  uniqKeyHash: number | undefined
}
