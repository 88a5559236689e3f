import {
  isTagType,
  MASTER_ID,
  type MessageExt,
  messageQueueKey,
  PullSysFlag,
  ResponseCode,
  type SubscriptionData,
} from '../../common/index.js'
import { createLogLimiter, errorText, type LogLimiter } from '../../util/index.js'
import { brokerMissing, isResponse } from '../client-error.js'
import { type PullResult, pullMessage, queueText } from '../pull-message.js'
import type { ConsumptionContext } from './consumption.js'
import { firstOffset } from './first-offset.js'
import type { ProcessQueue } from './process-queue.js'

const FLOW_CONTROL_DELAY_MS = 50
const BROKER_FLOW_CONTROL_DELAY_MS = 20
const SUSPEND_DELAY_MS = 1000
const FAILED_DELAY_MS = 1000
const BROKER_SUSPEND_MAX_MS = 15_000
const PULL_TIMEOUT_MS = 30_000
const MIB = 1024 * 1024

export interface PullerHost extends ConsumptionContext {
  readonly paused: boolean
  subscription(topic: string): SubscriptionData | undefined
  /** Messages have been put into the queue. */
  onMessages(messages: readonly MessageExt[], processQueue: ProcessQueue): void
  /** The broker moved the group: the queue is to be taken up anew at `offset`. */
  onOffsetMoved(processQueue: ProcessQueue, offset: number): Promise<void>
  /** Bounds per queue that follow from bounds per topic. */
  queueLimits(): { count: number; mib: number }
}

/** Keeps one pull under way for each queue, as fast as its messages are consumed. */
export class Puller {
  private readonly brokerIds = new Map<string, number>()
  private readonly limiter: LogLimiter

  constructor(private readonly host: PullerHost) {
    this.limiter = createLogLimiter({ clock: host.instance.clock, periodMs: 30_000 })
  }

  /** Pulls until the queue is dropped. */
  start(processQueue: ProcessQueue, delayMs: number): void {
    void this.loop(processQueue, delayMs)
  }

  private async loop(processQueue: ProcessQueue, firstDelayMs: number): Promise<void> {
    let delayMs = firstDelayMs
    for (;;) {
      if (delayMs > 0) await processQueue.wait(delayMs)
      if (processQueue.dropped) return
      try {
        delayMs = await this.pullOnce(processQueue)
      } catch (error) {
        delayMs = this.failed(processQueue, error)
      }
    }
  }

  /** Resolves to the ms until the next pull. */
  private async pullOnce(processQueue: ProcessQueue): Promise<number> {
    const { host } = this
    const { clock } = host.instance
    processQueue.lastPullAt = clock.monotonic()
    if (host.paused) return SUSPEND_DELAY_MS
    if (this.isFull(processQueue)) return FLOW_CONTROL_DELAY_MS
    if (host.settings.ordered && host.settings.messageModel === 'CLUSTERING') {
      if (!processQueue.locked) return FAILED_DELAY_MS
      await this.fixOffsetUnderLock(processQueue)
    }
    const subscription = host.subscription(processQueue.queue.topic)
    if (!subscription) return FAILED_DELAY_MS
    const start = clock.monotonic()
    const result = await this.pull(processQueue, subscription)
    if (processQueue.dropped) return 0
    this.brokerIds.set(messageQueueKey(processQueue.queue), result.suggestWhichBrokerId)
    host.stats.of(processQueue.queue.topic).pulled(result.messages.length, clock.monotonic() - start)
    return this.take(processQueue, result)
  }

  private async take(processQueue: ProcessQueue, result: PullResult): Promise<number> {
    const { host } = this
    if (result.status === 'OFFSET_ILLEGAL') {
      host.instance.logger.warn(
        { event: 'offset-moved', queue: processQueue.queue, from: processQueue.nextOffset, to: result.nextBeginOffset },
        `the broker moved ${host.group} to offset ${result.nextBeginOffset} of ${queueText(processQueue.queue)}`,
      )
      await host.onOffsetMoved(processQueue, result.nextBeginOffset)
      return 0
    }
    processQueue.nextOffset = result.nextBeginOffset
    if (result.messages.length > 0) {
      processQueue.put(result.messages)
      host.onMessages(result.messages, processQueue)
      return host.settings.pullInterval
    }
    // nothing wanted up to here: the stored offset may follow, so that a restart does not filter it all again
    if (processQueue.count === 0) host.offsets.update(processQueue.queue, processQueue.nextOffset, true)
    return 0
  }

  private isFull(processQueue: ProcessQueue): boolean {
    const { settings } = this.host
    const limits = this.host.queueLimits()
    return (
      processQueue.count > limits.count ||
      Math.floor(processQueue.bytes / MIB) > limits.mib ||
      (!settings.ordered && processQueue.span > settings.consumeConcurrentlyMaxSpan)
    )
  }

  /** What another member stored before it lost the lock is known for sure only now. */
  private async fixOffsetUnderLock(processQueue: ProcessQueue): Promise<void> {
    if (processQueue.offsetFixedUnderLock) return
    const { instance, offsets, settings } = this.host
    const { consumeFromWhere, consumeTimestamp } = settings
    processQueue.nextOffset = await firstOffset(processQueue.queue, {
      instance,
      offsets,
      consumeFromWhere,
      consumeTimestamp,
    })
    processQueue.offsetFixedUnderLock = true
  }

  private async pull(processQueue: ProcessQueue, subscription: SubscriptionData): Promise<PullResult> {
    const { host } = this
    const { queue } = processQueue
    const { instance, settings, group } = host
    const brokerId = this.brokerIds.get(messageQueueKey(queue)) ?? MASTER_ID
    let found = instance.routes.broker(queue.brokerName, brokerId)
    if (!found) {
      await instance.routes.refresh(queue.topic)
      found = instance.routes.broker(queue.brokerName, brokerId)
    }
    if (!found) throw brokerMissing(queue.brokerName)
    const stored = settings.messageModel === 'CLUSTERING' ? (host.offsets.inMemory(queue) ?? 0) : 0
    const commits = stored > 0 && !found.slave
    const postsSubscription = settings.postSubscriptionWhenPull
    const target = { address: found.address, brokerName: queue.brokerName }
    return pullMessage(instance.brokers.connection, target, {
      timeoutMs: PULL_TIMEOUT_MS,
      tags: isTagType(subscription.expressionType) ? subscription.tagsSet : undefined,
      header: {
        consumerGroup: group,
        topic: queue.topic,
        queueId: queue.queueId,
        queueOffset: processQueue.nextOffset,
        maxMsgNums: settings.pullBatchSize,
        sysFlag:
          PullSysFlag.SUSPEND |
          (commits ? PullSysFlag.COMMIT_OFFSET : 0) |
          (postsSubscription ? PullSysFlag.SUBSCRIPTION : 0),
        commitOffset: stored,
        suspendTimeoutMillis: BROKER_SUSPEND_MAX_MS,
        subscription: postsSubscription ? subscription.subString : undefined,
        subVersion: subscription.subVersion,
        expressionType: subscription.expressionType,
        maxMsgBytes: settings.pullBatchSizeInBytes,
      },
    })
  }

  private failed(processQueue: ProcessQueue, error: unknown): number {
    if (processQueue.dropped) return 0
    if (isResponse(error, ResponseCode.FLOW_CONTROL)) return BROKER_FLOW_CONTROL_DELAY_MS
    const { instance, group } = this.host
    const { queue } = processQueue
    this.limiter.warn(
      instance.logger,
      messageQueueKey(queue),
      { event: 'pull-failed', group, queue, err: error },
      `a pull of ${queueText(queue)} failed; the next follows: ${errorText(error)}`,
    )
    return FAILED_DELAY_MS
  }
}
