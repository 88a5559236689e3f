import type { MessageExt, MessageQueue } from '../../common/index.js'
import { errorText, PeriodicTask } from '../../util/index.js'
import type { DirectConsumption } from '../members.js'
import { type Consumption, type ConsumptionContext, restoreTopics } from './consumption.js'
import type { ProcessQueue } from './process-queue.js'
import type { OrderedConsumeContext, OrderedConsumeResult, OrderedMessageListener } from './push-consumer-options.js'
import { WorkerPool } from './worker-pool.js'

const FIRST_LOCK_MS = 1000
const LOCK_INTERVAL_MS = 20_000
const MAX_RUN_MS = 60_000
const AFTER_RUN_MS = 10
const LOCK_RETRY_MS = 10
const AFTER_LOCK_MS = 10
const AFTER_LOCK_FAILED_MS = 3000
const MIN_SUSPEND_MS = 10
const MAX_SUSPEND_MS = 30_000

const directResults: Readonly<Record<OrderedConsumeResult, DirectConsumption['consumeResult']>> = {
  SUCCESS: 'CR_SUCCESS',
  COMMIT: 'CR_COMMIT',
  ROLLBACK: 'CR_ROLLBACK',
  SUSPEND_CURRENT_QUEUE_A_MOMENT: 'CR_LATER',
}

interface Outcome {
  result: OrderedConsumeResult
  error?: unknown
}

interface Settlement {
  result: OrderedConsumeResult
  /** Why messages that failed did, where that is known. */
  reason: string | undefined
}

/** Calls the listener for the messages of each queue one after the other, while the broker keeps the queue for us. */
export class OrderedConsumption implements Consumption {
  private readonly pool: WorkerPool
  private readonly locking: PeriodicTask

  constructor(
    private readonly context: ConsumptionContext,
    private readonly listener: OrderedMessageListener,
  ) {
    const { settings, instance } = context
    this.pool = new WorkerPool(settings.consumeThreads)
    this.locking = new PeriodicTask({
      name: 'queue locks',
      periodMs: LOCK_INTERVAL_MS,
      clock: instance.clock,
      logger: instance.logger,
      run: () => context.locks.lockAll(context.owned()),
    })
  }

  start(): void {
    if (this.needsLock) this.locking.start(FIRST_LOCK_MS)
  }

  submit(_messages: readonly MessageExt[], processQueue: ProcessQueue): void {
    if (processQueue.consuming) return
    processQueue.consuming = true
    this.pool.run(() => this.run(processQueue))
  }

  async stop(): Promise<void> {
    await this.locking.stop()
    await this.pool.close(this.context.instance.clock, this.context.settings.awaitTerminationMillisWhenShutdown)
    if (this.needsLock) await this.context.locks.unlockAll(this.context.owned())
  }

  async consumeDirectly(message: MessageExt, brokerName: string): Promise<DirectConsumption> {
    const { clock } = this.context.instance
    const start = clock.monotonic()
    restoreTopics([message], this.context.group)
    const context = this.newContext({ brokerName, queueId: message.queueId, topic: message.topic })
    const { result, error } = await this.listen([message], context)
    return {
      order: true,
      autoCommit: context.autoCommit,
      consumeResult: error === undefined ? directResults[result] : 'CR_THROW_EXCEPTION',
      ...(error === undefined ? {} : { remark: errorText(error) }),
      spentTimeMills: Math.round(clock.monotonic() - start),
    }
  }

  private get needsLock(): boolean {
    return this.context.settings.messageModel === 'CLUSTERING'
  }

  private mayConsume(processQueue: ProcessQueue): boolean {
    return !this.needsLock || (processQueue.locked && !processQueue.isLockExpired)
  }

  /** Works through the queue until it is empty, suspended, lost, or others should have their turn. */
  private async run(processQueue: ProcessQueue): Promise<void> {
    const { clock } = this.context.instance
    const start = clock.monotonic()
    for (;;) {
      if (processQueue.dropped) return
      if (!this.mayConsume(processQueue)) {
        this.lockAndRunLater(processQueue)
        return
      }
      if (clock.monotonic() - start > MAX_RUN_MS) {
        this.runLater(processQueue, AFTER_RUN_MS)
        return
      }
      const messages = processQueue.take(this.context.settings.consumeMessageBatchMaxSize)
      if (messages.length === 0) {
        processQueue.consuming = false
        return
      }
      const suspendMs = await this.consume(messages, processQueue)
      if (suspendMs !== undefined) {
        this.runLater(processQueue, suspendMs)
        return
      }
    }
  }

  private runLater(processQueue: ProcessQueue, delayMs: number): void {
    void processQueue.wait(delayMs).then(() => this.pool.run(() => this.run(processQueue)))
  }

  private lockAndRunLater(processQueue: ProcessQueue): void {
    const { queue } = processQueue
    void processQueue.wait(LOCK_RETRY_MS).then(async () => {
      if (processQueue.dropped) return
      const locked = await this.context.locks.lock(queue, processQueue)
      this.runLater(processQueue, locked ? AFTER_LOCK_MS : AFTER_LOCK_FAILED_MS)
    })
  }

  /** Resolves to the ms to wait before the queue goes on, undefined to go on at once. */
  private async consume(messages: readonly MessageExt[], processQueue: ProcessQueue): Promise<number | undefined> {
    const { instance, group, stats } = this.context
    restoreTopics(messages, group)
    const context = this.newContext(processQueue.queue)
    const start = instance.clock.monotonic()
    processQueue.lastConsumeTimestamp = instance.clock.now()
    const traceEnd = this.context.trace?.begin(messages)
    const listening = this.listen(messages, context)
    processQueue.listenerRunning = listening.then(() => {})
    const { result, error } = await listening
    processQueue.listenerRunning = undefined
    const failed = result === 'SUSPEND_CURRENT_QUEUE_A_MOMENT' || result === 'ROLLBACK'
    traceEnd?.({ success: !failed, code: !failed ? 'SUCCESS' : error === undefined ? 'FAILED' : 'EXCEPTION' })
    stats.of(processQueue.queue.topic).listened({
      succeeded: failed ? 0 : messages.length,
      failed: failed ? messages.length : 0,
      costMs: instance.clock.monotonic() - start,
    })
    const reason = context.reason ?? (error === undefined ? undefined : errorText(error))
    const settled = context.autoCommit
      ? await this.settleAtOnce(messages, { result, reason }, processQueue)
      : await this.settleByListener(messages, { result, reason }, processQueue)
    if (settled.offset !== undefined && !processQueue.dropped) {
      this.context.offsets.update(processQueue.queue, settled.offset, false)
    }
    return settled.suspend ? clampSuspension(context.suspendCurrentQueueTimeMillis) : undefined
  }

  private async settleAtOnce(
    messages: readonly MessageExt[],
    { result, reason }: Settlement,
    processQueue: ProcessQueue,
  ): Promise<{ offset?: number | undefined; suspend: boolean }> {
    if (result === 'SUSPEND_CURRENT_QUEUE_A_MOMENT' && (await this.offerAgain(messages, reason, processQueue)))
      return { suspend: true }
    if (result === 'COMMIT' || result === 'ROLLBACK') {
      this.context.instance.logger.warn(
        { event: 'ordered-result-ignored', result },
        `${result} means nothing while autoCommit is on; the messages count as handled`,
      )
    }
    return { offset: processQueue.commit(), suspend: false }
  }

  private async settleByListener(
    messages: readonly MessageExt[],
    { result, reason }: Settlement,
    processQueue: ProcessQueue,
  ): Promise<{ offset?: number | undefined; suspend: boolean }> {
    switch (result) {
      case 'SUCCESS':
        return { suspend: false }
      case 'COMMIT':
        return { offset: processQueue.commit(), suspend: false }
      case 'ROLLBACK':
        processQueue.putBack()
        return { suspend: true }
      case 'SUSPEND_CURRENT_QUEUE_A_MOMENT':
        return { suspend: await this.offerAgain(messages, reason, processQueue) }
    }
  }

  /**
   * Puts failed messages back to the front; those offered too often become dead letters and count as handled. Resolves
   * to whether any was put back.
   */
  private async offerAgain(
    messages: readonly MessageExt[],
    reason: string | undefined,
    processQueue: ProcessQueue,
  ): Promise<boolean> {
    const again: MessageExt[] = []
    for (const message of messages) {
      const givenUp = message.reconsumeTimes >= this.context.settings.maxDeliveries
      if (givenUp && (await this.context.sendBack.sendAnew(message, reason))) continue
      message.reconsumeTimes++
      again.push(message)
    }
    if (again.length > 0) processQueue.putBackSome(again)
    return again.length > 0
  }

  private async listen(messages: readonly MessageExt[], context: OrderedConsumeContext): Promise<Outcome> {
    try {
      const result = await this.listener(messages, context)
      return { result: result ?? 'SUCCESS' }
    } catch (error) {
      this.context.instance.logger.warn(
        { event: 'listener-failed', group: this.context.group, queue: context.queue, err: error },
        `the listener failed, its queue waits a moment: ${errorText(error)}`,
      )
      return { result: 'SUSPEND_CURRENT_QUEUE_A_MOMENT', error }
    }
  }

  private newContext(queue: MessageQueue): OrderedConsumeContext {
    const { suspendCurrentQueueTimeMillis } = this.context.settings
    return { queue, autoCommit: true, suspendCurrentQueueTimeMillis }
  }
}

function clampSuspension(ms: number): number {
  return Math.min(Math.max(ms, MIN_SUSPEND_MS), MAX_SUSPEND_MS)
}
