import {
  type ConsumerData,
  type HeartbeatData,
  type ProducerData,
  RequestCode,
  ResponseCode,
  stringifyFastJson,
} from '../common/index.js'
import type { RemotingClient } from '../remoting/index.js'
import { type Clock, createLogLimiter, errorText, type Logger, type LogLimiter, MQError } from '../util/index.js'

export interface HeartbeatsOptions {
  clientId: string
  remoting: RemotingClient
  clock: Clock
  logger: Logger
  timeoutMs: number
  producers: () => ProducerData[]
  consumers: () => ConsumerData[]
  /** A broker has heard of us over a connection that is new: it may have forgotten us meanwhile. */
  onIntroduced: () => void
}

/** Tells brokers which groups this client belongs to. Failures are logged and left to the next time. */
export class Heartbeats {
  private readonly underWay = new Map<string, Promise<boolean>>()
  private readonly limiter: LogLimiter

  constructor(private readonly options: HeartbeatsOptions) {
    this.limiter = createLogLimiter({ clock: options.clock, periodMs: 30_000 })
  }

  /** Whether there is anything to tell. */
  get empty(): boolean {
    return this.options.producers().length === 0 && this.options.consumers().length === 0
  }

  /** Sends to each address; resolves when all have answered or failed. */
  async sendTo(addresses: readonly string[]): Promise<void> {
    await Promise.all(addresses.map(address => this.send(address)))
  }

  /** What a new connection starts with: joins a heartbeat to that address that is under way. */
  async greet(address: string): Promise<void> {
    await (this.underWay.get(address) ?? this.send(address))
  }

  /** Resolves to whether the broker took it. A heartbeat always tells the state of the moment it is sent. */
  send(address: string): Promise<boolean> {
    const sending = this.sendNow(address).finally(() => {
      if (this.underWay.get(address) === sending) this.underWay.delete(address)
    })
    this.underWay.set(address, sending)
    return sending
  }

  private async sendNow(address: string): Promise<boolean> {
    if (this.empty) return false
    const { remoting, timeoutMs } = this.options
    const isNew = !remoting.isOpen(address)
    try {
      const body = Buffer.from(stringifyFastJson(this.data()))
      const response = await remoting.invoke(address, { code: RequestCode.HEART_BEAT, body }, timeoutMs)
      if (response.code === ResponseCode.SUCCESS) {
        if (isNew) this.options.onIntroduced()
        return true
      }
      this.warn(address, `code ${response.code}: ${response.remark}`)
    } catch (error) {
      this.warn(address, errorText(error))
      // a connection whose other end is gone without a word would swallow pulls until they time out
      if (error instanceof MQError && error.code === 'ERR_REMOTING_TIMEOUT')
        remoting.drop(address, 'no answer to a heartbeat')
    }
    return false
  }

  private data(): HeartbeatData {
    return {
      clientID: this.options.clientId,
      producerDataSet: this.options.producers(),
      consumerDataSet: this.options.consumers(),
      heartbeatFingerprint: 0,
      withoutSub: false,
    }
  }

  private warn(address: string, why: string): void {
    this.limiter.warn(
      this.options.logger,
      address,
      { event: 'heartbeat-failed', remote: address },
      `heartbeat to ${address} failed: ${why}`,
    )
  }
}
