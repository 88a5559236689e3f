import {
  parseFastJson,
  RequestCode,
  ResponseCode,
  type TopicRouteData,
  topicRouteDataFromJson,
} from '../common/index.js'
import {
  GetRouteInfoRequestHeader,
  type OutgoingRequest,
  type RemotingClient,
  type RemotingCommand,
} from '../remoting/index.js'
import { errorText, type Logger } from '../util/index.js'
import { ClientErrorCode, MQClientError, responseFailure, transportFailure } from './client-error.js'

export interface NameServersOptions {
  addresses: readonly string[]
  /** Asked for the addresses while none is known, and by {@link NameServers.refresh}. */
  find?: (() => Promise<readonly string[]>) | undefined
  remoting: RemotingClient
  logger: Logger
  timeoutMs: number
}

/** The NameServers a client knows: one is chosen and kept, the next one is taken when it fails. */
export class NameServers {
  private list: readonly string[]
  private order: readonly string[]
  private chosen = 0
  private refreshing: Promise<void> | undefined

  constructor(private readonly options: NameServersOptions) {
    this.list = options.addresses
    this.order = shuffled(options.addresses)
  }

  get addresses(): readonly string[] {
    return this.list
  }

  /** Takes other NameServers; connections to those left out are closed. An empty list changes nothing. */
  update(addresses: readonly string[]): void {
    const old = this.list
    if (addresses.length === 0) return
    if (addresses.length === old.length && addresses.every(address => old.includes(address))) return
    this.options.logger.info(
      { event: 'namesrvs-changed', addresses, old },
      `the NameServers are ${addresses.join(', ')} from now on`,
    )
    this.list = [...addresses]
    this.order = shuffled(addresses)
    this.chosen = 0
    for (const address of old) {
      if (!addresses.includes(address)) this.options.remoting.drop(address, 'it is no NameServer of ours any more')
    }
  }

  /** Asks where the NameServers are; a failure is logged and changes nothing. */
  refresh(): Promise<void> {
    this.refreshing ??= this.findAgain().finally(() => {
      this.refreshing = undefined
    })
    return this.refreshing
  }

  private async findAgain(): Promise<void> {
    try {
      this.update((await this.options.find?.()) ?? [])
    } catch (error) {
      this.options.logger.warn(
        { event: 'address-server-failed' },
        `the address server did not tell the NameServers: ${errorText(error)}`,
      )
    }
  }

  /**
   * Asks one NameServer and, when it cannot be reached or does not answer, each of the others once.
   * @throws MQClientError 10004 without an address; the last transport failure when none answers.
   */
  async invoke(request: OutgoingRequest, timeoutMs = this.options.timeoutMs): Promise<RemotingCommand> {
    return (await this.ask(request, timeoutMs)).response
  }

  /** As {@link invoke}, for answers whose code must be SUCCESS or one of `accept`. @throws MQClientError */
  async invokeOk(
    request: OutgoingRequest,
    timeoutMs = this.options.timeoutMs,
    accept: readonly number[] = [],
  ): Promise<RemotingCommand> {
    const { address, response } = await this.ask(request, timeoutMs)
    if (response.code !== ResponseCode.SUCCESS && !accept.includes(response.code))
      throw responseFailure(response, address)
    return response
  }

  private async ask(
    request: OutgoingRequest,
    timeoutMs: number,
  ): Promise<{ address: string; response: RemotingCommand }> {
    if (this.order.length === 0) await this.refresh()
    const { order } = this
    if (order.length === 0) throw noNameServer()
    let failure: unknown
    for (let tries = 0; tries < order.length; tries++) {
      const index = this.chosen
      const address = order[index]!
      try {
        return { address, response: await this.invokeAt(address, request, timeoutMs) }
      } catch (error) {
        failure = error
        this.options.logger.warn(
          { event: 'namesrv-failed', remote: address },
          `NameServer ${address} failed: ${errorText(error)}; trying the next one`,
        )
        // another call may have moved on already, or others may have come
        if (this.order !== order) break
        if (this.chosen === index) this.chosen = (index + 1) % order.length
      }
    }
    throw failure
  }

  /** Asks this one and no other. */
  async invokeAt(
    address: string,
    request: OutgoingRequest,
    timeoutMs = this.options.timeoutMs,
  ): Promise<RemotingCommand> {
    try {
      return await this.options.remoting.invoke(address, request, timeoutMs)
    } catch (error) {
      throw transportFailure(error, address)
    }
  }

  /** The route of a topic; undefined when the NameServer knows none. */
  async topicRoute(topic: string): Promise<TopicRouteData | undefined> {
    const response = await this.invokeOk(
      {
        code: RequestCode.GET_ROUTEINFO_BY_TOPIC,
        extFields: GetRouteInfoRequestHeader.encode({ topic, acceptStandardJsonOnly: true }),
      },
      this.options.timeoutMs,
      [ResponseCode.TOPIC_NOT_EXIST],
    )
    return response.code === ResponseCode.SUCCESS ? topicRouteDataFromJson(parseFastJson(response.body)) : undefined
  }
}

function noNameServer(): MQClientError {
  return new MQClientError(
    'ERR_CLIENT_ARGUMENT',
    'No name server address, please set it: pass namesrvAddr (host:port;host:port), addressServer or set NAMESRV_ADDR',
    { responseCode: ClientErrorCode.NO_NAME_SERVER },
  )
}

/** Clients spread over the NameServers by starting with a random one. */
function shuffled(addresses: readonly string[]): string[] {
  const list = [...addresses]
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[list[i], list[j]] = [list[j]!, list[i]!]
  }
  return list
}
