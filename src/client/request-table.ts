import type { MessageExt } from '../common/index.js'
import type { Clock, Timer } from '../util/index.js'
import { ClientErrorCode, MQClientError } from './client-error.js'

interface Waiting {
  resolve: (reply: MessageExt) => void
  reject: (error: Error) => void
  timer: Timer
}

/** Requests whose reply message has not come, by correlation id. */
export class RequestTable {
  private readonly waiting = new Map<string, Waiting>()

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.waiting.size
  }

  /** Waits for the reply. @throws MQClientError ERR_CLIENT_TIMEOUT (10006) after `timeoutMs` */
  wait(correlationId: string, timeoutMs: number): Promise<MessageExt> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.after(timeoutMs, () => {
        this.fail(
          correlationId,
          new MQClientError('ERR_CLIENT_TIMEOUT', `request timeout, no reply message. Waited ${timeoutMs} ms`, {
            responseCode: ClientErrorCode.REQUEST_TIMEOUT,
          }),
        )
      })
      this.waiting.set(correlationId, { resolve, reject, timer })
    })
  }

  /** Hands a reply over; false when nobody waits for it (any more). */
  complete(correlationId: string, reply: MessageExt): boolean {
    const waiting = this.take(correlationId)
    waiting?.resolve(reply)
    return waiting !== undefined
  }

  fail(correlationId: string, error: Error): void {
    this.take(correlationId)?.reject(error)
  }

  failAll(error: Error): void {
    for (const correlationId of [...this.waiting.keys()]) this.fail(correlationId, error)
  }

  private take(correlationId: string): Waiting | undefined {
    const waiting = this.waiting.get(correlationId)
    this.waiting.delete(correlationId)
    waiting?.timer.cancel()
    return waiting
  }
}
