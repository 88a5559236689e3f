import { isLmq, LMQ_PREFIX } from '../../common/index.js'
import { BrokerStats, type BrokerStatsOptions, type CountedQueue } from './broker-stats.js'

export interface LightBrokerStatsOptions extends BrokerStatsOptions {
  /** Whether each light queue is counted by itself (`enableLmqStats`); asked for every count. */
  countsEach: () => boolean
}

/** Counts light queues, and groups named like them, all as one: there may be any number of them. */
export class LightBrokerStats extends BrokerStats {
  private readonly countsEach: () => boolean

  constructor(options: LightBrokerStatsOptions) {
    super(options)
    this.countsEach = options.countsEach
  }

  override incTopicPut(topic: string, count: number, bytes: number, queueId?: number): void {
    super.incTopicPut(this.fold(topic), count, bytes, queueId)
  }

  override incGroupGet(group: string, topic: string, count: number, bytes: number): void {
    super.incGroupGet(this.fold(group), this.fold(topic), count, bytes)
  }

  override incQueueGet(group: string, { topic, queueId }: CountedQueue, count: number, bytes: number): void {
    super.incQueueGet(this.fold(group), { topic: this.fold(topic), queueId }, count, bytes)
  }

  override incDiskGet(group: string, topic: string, count: number, bytes: number): void {
    super.incDiskGet(this.fold(group), this.fold(topic), count, bytes)
  }

  override incSendBack(group: string, topic: string, count = 1): void {
    super.incSendBack(this.fold(group), this.fold(topic), count)
  }

  override incDlqPut(group: string, topic: string, count = 1): void {
    super.incDlqPut(this.fold(group), this.fold(topic), count)
  }

  override groupGetTps(group: string, topic: string): number {
    return super.groupGetTps(this.fold(group), this.fold(topic))
  }

  override topicPutTps(topic: string): number {
    return super.topicPutTps(this.fold(topic))
  }

  private fold(name: string): string {
    return isLmq(name) && !this.countsEach() ? LMQ_PREFIX : name
  }
}
