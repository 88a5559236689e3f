import { isTagType, MASTER_ID, messageQueueKey, PullSysFlag, type SubscriptionData } from '../../common/index.js'
import { createLogLimiter, errorText, type LogLimiter, sleep } from '../../util/index.js'
import { brokerMissing } from '../client-error.js'
import type { ClientInstance } from '../client-instance.js'
import { type PullResult, pullMessage, queueText } from '../pull-message.js'
import type { LitePullSettings } from './lite-pull-options.js'
import type { LiteQueue, PulledBatch } from './lite-queue.js'

const FLOW_CONTROL_DELAY_MS = 50
const PAUSED_DELAY_MS = 1000
const FAILED_DELAY_MS = 1000
const MIB = 1024 * 1024
const UNLIMITED_BYTES = 2 ** 31 - 1

export interface LitePullerHost {
  readonly instance: ClientInstance
  readonly group: string
  readonly settings: LitePullSettings
  subscription(topic: string): SubscriptionData
  /** Messages pulled and not polled, of all queues. */
  cachedCount(): number
  onBatch(batch: PulledBatch): void
}

/** Keeps one pull under way for each queue while there is room for its messages. */
export class LitePuller {
  private readonly brokerIds = new Map<string, number>()
  private readonly limiter: LogLimiter

  constructor(private readonly host: LitePullerHost) {
    this.limiter = createLogLimiter({ clock: host.instance.clock, periodMs: 30_000 })
  }

  /** Pulls until the queue is dropped or moved to another offset; then start it anew. */
  start(queue: LiteQueue): void {
    void this.loop(queue, queue.generation)
  }

  private async loop(queue: LiteQueue, generation: number): Promise<void> {
    const isOver = (): boolean => queue.dropped || queue.generation !== generation
    while (!isOver()) {
      let delayMs = FAILED_DELAY_MS
      try {
        delayMs = await this.pullOnce(queue, isOver)
      } catch (error) {
        this.warn(queue, error)
      }
      if (delayMs > 0) await sleep(this.host.instance.clock, delayMs)
    }
  }

  private async pullOnce(queue: LiteQueue, isOver: () => boolean): Promise<number> {
    if (queue.paused) return PAUSED_DELAY_MS
    if (this.isFull(queue)) return FLOW_CONTROL_DELAY_MS
    queue.lastPullAt = this.host.instance.clock.now()
    const result = await this.pull(queue)
    if (isOver()) return 0
    this.brokerIds.set(messageQueueKey(queue.queue), result.suggestWhichBrokerId)
    if (result.status === 'OFFSET_ILLEGAL') {
      queue.moveTo(result.nextBeginOffset)
      this.start(queue)
      return 0
    }
    const { messages, nextBeginOffset: nextOffset } = result
    if (messages.length > 0) {
      queue.consumeOffset ??= queue.pullOffset
      queue.cached(messages)
      this.host.onBatch({ from: queue, generation: queue.generation, messages, nextOffset })
    } else if (queue.cachedCount === 0) queue.consumeOffset = nextOffset
    queue.pullOffset = nextOffset
    return 0
  }

  private isFull(queue: LiteQueue): boolean {
    const { settings } = this.host
    return (
      this.host.cachedCount() > settings.pullThresholdForAll ||
      queue.cachedCount > settings.pullThresholdForQueue ||
      Math.floor(queue.cachedBytes / MIB) > settings.pullThresholdSizeForQueue ||
      queue.span > settings.consumeMaxSpan
    )
  }

  private async pull({ queue, pullOffset }: LiteQueue): Promise<PullResult> {
    const { instance, settings, group } = this.host
    const brokerId = this.brokerIds.get(messageQueueKey(queue)) ?? MASTER_ID
    let found = instance.routes.broker(queue.brokerName, brokerId)
    if (!found) {
      await instance.routes.refresh(queue.topic)
      found = instance.routes.broker(queue.brokerName, brokerId)
    }
    if (!found) throw brokerMissing(queue.brokerName)
    const subscription = this.host.subscription(queue.topic)
    const target = { address: found.address, brokerName: queue.brokerName }
    return pullMessage(instance.brokers.connection, target, {
      lite: true,
      timeoutMs: settings.consumerTimeoutMillisWhenSuspend,
      tags: isTagType(subscription.expressionType) ? subscription.tagsSet : undefined,
      header: {
        consumerGroup: group,
        topic: queue.topic,
        queueId: queue.queueId,
        queueOffset: pullOffset,
        maxMsgNums: settings.pullBatchSize,
        sysFlag: PullSysFlag.SUSPEND | PullSysFlag.SUBSCRIPTION | PullSysFlag.LITE_PULL_MESSAGE,
        commitOffset: 0,
        suspendTimeoutMillis: settings.brokerSuspendMaxTimeMillis,
        subscription: subscription.subString,
        subVersion: subscription.subVersion,
        expressionType: subscription.expressionType,
        maxMsgBytes: UNLIMITED_BYTES,
      },
    })
  }

  private warn({ queue, dropped }: LiteQueue, error: unknown): void {
    if (dropped) return
    this.limiter.warn(
      this.host.instance.logger,
      messageQueueKey(queue),
      { event: 'pull-failed', group: this.host.group, queue, err: error },
      `a pull of ${queueText(queue)} failed; the next follows: ${errorText(error)}`,
    )
  }
}
