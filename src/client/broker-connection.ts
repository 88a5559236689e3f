import { RequestCode, ResponseCode } from '../common/index.js'
import type { OutgoingRequest, RemotingClient, RemotingCommand } from '../remoting/index.js'
import type { Clock } from '../util/index.js'
import { responseFailure, transportFailure } from './client-error.js'

export interface BrokerConnectionOptions {
  remoting: RemotingClient
  clock: Clock
  /**
   * Introduces this client (heartbeat) to a broker before anything else goes over a new connection, so that the broker
   * knows its groups when it answers.
   */
  greet: (address: string) => Promise<void>
}

export interface BrokerTarget {
  address: string
  /** For error texts. */
  brokerName?: string | undefined
}

/** Requests to brokers: greets new connections, follows GO_AWAY, turns failures into MQClientError. */
export class BrokerConnection {
  constructor(private readonly options: BrokerConnectionOptions) {}

  /** The answer, whatever its code is. @throws MQClientError when none comes. */
  async request(target: BrokerTarget, request: OutgoingRequest, timeoutMs: number): Promise<RemotingCommand> {
    const { remoting, clock } = this.options
    const deadline = clock.monotonic() + timeoutMs
    const invoke = async (): Promise<RemotingCommand> => {
      await this.greetIfNew(target.address, request.code)
      return remoting.invoke(target.address, request, Math.max(1, deadline - clock.monotonic()))
    }
    try {
      const response = await invoke()
      if (response.code !== ResponseCode.GO_AWAY) return response
      // the broker is stopping: once more over a new connection, which may reach its successor
      remoting.drop(target.address, 'the broker sent GO_AWAY')
      return await invoke()
    } catch (error) {
      throw transportFailure(error, target.address, target.brokerName)
    }
  }

  /** The answer when its code is SUCCESS. @throws MQClientError */
  async requestOk(target: BrokerTarget, request: OutgoingRequest, timeoutMs: number): Promise<RemotingCommand> {
    const response = await this.request(target, request, timeoutMs)
    if (response.code !== ResponseCode.SUCCESS) throw responseFailure(response, target.address, target.brokerName)
    return response
  }

  /** Resolves when the request is written. @throws MQClientError when there is no connection */
  async oneway(target: BrokerTarget, request: OutgoingRequest): Promise<void> {
    try {
      await this.greetIfNew(target.address, request.code)
      await this.options.remoting.invokeOneway(target.address, request)
    } catch (error) {
      throw transportFailure(error, target.address, target.brokerName)
    }
  }

  private greetIfNew(address: string, code: number): Promise<void> | undefined {
    if (code === RequestCode.HEART_BEAT || this.options.remoting.isOpen(address)) return undefined
    return this.options.greet(address)
  }
}
