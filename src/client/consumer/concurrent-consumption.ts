import { type MessageExt, PropertyName } from '../../common/index.js'
import { errorText, PeriodicTask } from '../../util/index.js'
import type { DirectConsumption } from '../members.js'
import { type Consumption, type ConsumptionContext, restoreTopics } from './consumption.js'
import type { ProcessQueue } from './process-queue.js'
import type { ConsumeContext, ConsumeResult, MessageListener } from './push-consumer-options.js'
import { WorkerPool } from './worker-pool.js'

const CONSUME_AGAIN_DELAY_MS = 5000
/** Timed-out messages come back after 10 s. */
const TIMED_OUT_DELAY_LEVEL = 3
const TIMED_OUT_PER_QUEUE = 16
const MINUTE_MS = 60_000

interface Outcome {
  result: ConsumeResult
  error?: unknown
}

/** Calls the listener for messages of all queues side by side; what fails goes back to the broker. */
export class ConcurrentConsumption implements Consumption {
  private readonly pool: WorkerPool
  private readonly expiry: PeriodicTask

  constructor(
    private readonly context: ConsumptionContext,
    private readonly listener: MessageListener,
  ) {
    const { settings, instance } = context
    this.pool = new WorkerPool(settings.consumeThreads)
    this.expiry = new PeriodicTask({
      name: 'consume timeout',
      periodMs: settings.consumeTimeout * MINUTE_MS,
      clock: instance.clock,
      logger: instance.logger,
      run: () => this.expire(),
    })
  }

  start(): void {
    this.expiry.start()
  }

  submit(messages: readonly MessageExt[], processQueue: ProcessQueue): void {
    const size = this.context.settings.consumeMessageBatchMaxSize
    for (let at = 0; at < messages.length; at += size) {
      const batch = messages.slice(at, at + size)
      this.pool.run(() => this.consume(batch, processQueue))
    }
  }

  async stop(): Promise<void> {
    await this.expiry.stop()
    await this.pool.close(this.context.instance.clock, this.context.settings.awaitTerminationMillisWhenShutdown)
  }

  async consumeDirectly(message: MessageExt, brokerName: string): Promise<DirectConsumption> {
    const { clock } = this.context.instance
    const start = clock.monotonic()
    restoreTopics([message], this.context.group)
    const queue = { brokerName, queueId: message.queueId, topic: message.topic }
    const { result, error } = await this.listen([message], newContext(queue))
    return {
      order: false,
      autoCommit: true,
      consumeResult:
        error !== undefined ? 'CR_THROW_EXCEPTION' : result === 'CONSUME_SUCCESS' ? 'CR_SUCCESS' : 'CR_LATER',
      ...(error === undefined ? {} : { remark: errorText(error) }),
      spentTimeMills: Math.round(clock.monotonic() - start),
    }
  }

  private async consume(messages: readonly MessageExt[], processQueue: ProcessQueue): Promise<void> {
    if (processQueue.dropped) return
    const { instance, group, stats } = this.context
    restoreTopics(messages, group)
    const context = newContext(processQueue.queue)
    const start = instance.clock.monotonic()
    processQueue.lastConsumeTimestamp = instance.clock.now()
    for (const message of messages)
      message.properties.set(PropertyName.CONSUME_START_TIME, String(instance.clock.now()))
    const traceEnd = this.context.trace?.begin(messages)
    const { result, error } = await this.listen(messages, context)
    if (error !== undefined) context.reason ??= errorText(error)
    const success = result === 'CONSUME_SUCCESS'
    traceEnd?.({ success, code: success ? 'SUCCESS' : error === undefined ? 'FAILED' : 'EXCEPTION' })
    const succeeded = result === 'CONSUME_SUCCESS' ? Math.min(context.ackIndex + 1, messages.length) : 0
    stats.of(processQueue.queue.topic).listened({
      succeeded,
      failed: messages.length - succeeded,
      costMs: instance.clock.monotonic() - start,
    })
    if (processQueue.dropped) {
      instance.logger.info(
        { event: 'consumed-after-drop', queue: processQueue.queue },
        'messages were handled after their queue went to another consumer: they may be delivered there too',
      )
      return
    }
    await this.settle(messages, succeeded, context, processQueue)
  }

  private async listen(messages: readonly MessageExt[], context: ConsumeContext): Promise<Outcome> {
    try {
      const result = await this.listener(messages, context)
      return { result: result ?? 'CONSUME_SUCCESS' }
    } catch (error) {
      this.context.instance.logger.warn(
        { event: 'listener-failed', group: this.context.group, queue: context.queue, err: error },
        `the listener failed, its messages come back later: ${errorText(error)}`,
      )
      return { result: 'RECONSUME_LATER', error }
    }
  }

  /** Sends back what failed and moves the offset past what is done with. */
  private async settle(
    messages: readonly MessageExt[],
    succeeded: number,
    context: ConsumeContext,
    processQueue: ProcessQueue,
  ): Promise<void> {
    const { settings, offsets } = this.context
    const failed = messages.slice(succeeded)
    const again: MessageExt[] = []
    if (failed.length > 0 && settings.messageModel === 'BROADCASTING') this.warnDropped(failed)
    else {
      for (const message of failed) {
        // a message that took too long has been sent back already
        if (!processQueue.has(message)) continue
        const givenBack = { delayLevel: context.delayLevelWhenNextConsume, reason: context.reason }
        if (!(await this.context.sendBack.send(message, givenBack))) again.push(message)
      }
    }
    for (const message of again) message.reconsumeTimes++
    if (again.length > 0) this.consumeAgainLater(again, processQueue)
    const offset = processQueue.remove(messages.filter(message => !again.includes(message)))
    if (offset >= 0 && !processQueue.dropped) offsets.update(processQueue.queue, offset, true)
  }

  private consumeAgainLater(messages: readonly MessageExt[], processQueue: ProcessQueue): void {
    void processQueue.wait(CONSUME_AGAIN_DELAY_MS).then(() => {
      if (!processQueue.dropped) this.pool.run(() => this.consume(messages, processQueue))
    })
  }

  private warnDropped(messages: readonly MessageExt[]): void {
    for (const message of messages) {
      this.context.instance.logger.warn(
        { event: 'broadcast-message-dropped', group: this.context.group, msgId: message.offsetMsgId },
        `message ${message.offsetMsgId} failed; broadcasting knows no retry`,
      )
    }
  }

  /** Sends back messages whose listener has not returned for too long, so that they do not hold up the offset. */
  private async expire(): Promise<void> {
    const { instance, settings, sendBack } = this.context
    if (settings.messageModel === 'BROADCASTING') return
    const limit = instance.clock.now() - settings.consumeTimeout * MINUTE_MS
    const reason = `the listener did not return within ${settings.consumeTimeout} minutes`
    for (const processQueue of this.context.owned()) {
      for (const message of processQueue.head(TIMED_OUT_PER_QUEUE)) {
        const start = Number(message.properties.get(PropertyName.CONSUME_START_TIME) ?? Number.POSITIVE_INFINITY)
        if (start > limit) break
        if (await sendBack.send(message, { delayLevel: TIMED_OUT_DELAY_LEVEL, reason })) processQueue.remove([message])
      }
    }
  }
}

function newContext(queue: ConsumeContext['queue']): ConsumeContext {
  return { queue, delayLevelWhenNextConsume: 0, ackIndex: Number.MAX_SAFE_INTEGER - 1 }
}
