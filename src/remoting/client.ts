import { connect, type Socket } from 'node:net'
import { ResponseCode } from '../common/index.js'
import { type Clock, errorText, type Logger, MQError, type Timer } from '../util/index.js'
import type { OutgoingRequest, RemotingCommand } from './command.js'
import { Connection } from './connection.js'
import { RequestPipeline } from './pipeline.js'
import { type Route, RouteTable } from './route.js'
import { WriteTurn } from './write-turn.js'

/** How a client treats its connections, by Java's keys; read when used. */
export interface PeerPolicy {
  readonly connectTimeoutMillis: number
  /** A connection without a byte in or out for so long is closed. */
  readonly clientChannelMaxIdleTimeSeconds: number
  /** A connection on which an answer did not come in time is closed, unless the time was short. */
  readonly clientCloseSocketIfTimeout: boolean
  /** A request answered GO_AWAY is sent once more over a new connection. */
  readonly enableReconnectForGoAway: boolean
}

/** Java's, but for what would cost the requests beside the one that failed: callers choose that. */
const DEFAULT_POLICY: PeerPolicy = {
  connectTimeoutMillis: 3000,
  clientChannelMaxIdleTimeSeconds: 120,
  clientCloseSocketIfTimeout: false,
  enableReconnectForGoAway: false,
}

/** Requests with less time than this say little about the connection they time out on. */
const TELLING_TIMEOUT_MS = 100

export interface RemotingClientOptions {
  clock: Clock
  logger: Logger
  /** Requests the other side may send us (39, 40, 220 and kin). */
  routes?: readonly Route[]
  policy?: PeerPolicy
  /** Language byte our requests announce. */
  language?: number
  /** Told of each connection that goes, with the address it was opened to. */
  onClosed?: (address: string) => void
}

/** Connections to servers, one per address, opened when first used and again when one is gone. */
export class RemotingClient {
  private readonly writes = new WriteTurn()
  private readonly open = new Map<string, Connection>()
  private readonly opening = new Map<string, Promise<Connection>>()
  private readonly pipeline: RequestPipeline
  private readonly policy: PeerPolicy
  private stopped = false

  constructor(private readonly options: RemotingClientOptions) {
    this.policy = options.policy ?? DEFAULT_POLICY
    this.pipeline = new RequestPipeline({
      routes: new RouteTable(options.routes ?? []),
      clock: options.clock,
      logger: options.logger,
    })
  }

  /**
   * Sends a request to `address` (`host:port`) and waits for its answer, whatever its code is.
   * @throws MQError ERR_REMOTING_CONNECT, ERR_REMOTING_TIMEOUT or ERR_REMOTING_CLOSED, naming the address.
   */
  async invoke(address: string, request: OutgoingRequest, timeoutMs: number): Promise<RemotingCommand> {
    const { clock } = this.options
    const deadline = clock.monotonic() + timeoutMs
    const answer = await this.invokeOnce(address, request, timeoutMs)
    if (answer.code !== ResponseCode.GO_AWAY || !this.policy.enableReconnectForGoAway) return answer
    // the peer is stopping: once more over a new connection, which may reach its successor
    this.drop(address, 'the peer sent GO_AWAY')
    return this.invokeOnce(address, request, Math.max(1, deadline - clock.monotonic()))
  }

  /** Sends without waiting for anything but the connection. @throws MQError ERR_REMOTING_CONNECT */
  async invokeOneway(address: string, request: OutgoingRequest): Promise<void> {
    const connection = this.open.get(address) ?? (await this.connection(address))
    connection.invokeOneway(request)
  }

  isOpen(address: string): boolean {
    return this.open.has(address)
  }

  /** Closes the connection to one address, e.g. one that answered GO_AWAY. */
  drop(address: string, reason: string): void {
    this.open.get(address)?.close(reason)
  }

  /** Closes everything; later calls fail with ERR_REMOTING_CLOSED. */
  stop(): void {
    this.stopped = true
    for (const connection of this.open.values()) connection.close('this client is stopping')
  }

  private async invokeOnce(address: string, request: OutgoingRequest, timeoutMs: number): Promise<RemotingCommand> {
    const start = this.options.clock.monotonic()
    const connection = this.open.get(address) ?? (await this.connection(address))
    const left = timeoutMs - (this.options.clock.monotonic() - start)
    try {
      return await connection.invoke(request, Math.max(1, left))
    } catch (error) {
      const isTelling = left > TELLING_TIMEOUT_MS || left > timeoutMs / 4
      if (error instanceof MQError && error.code === 'ERR_REMOTING_TIMEOUT' && isTelling) this.timedOut(connection)
      throw error
    }
  }

  private timedOut(connection: Connection): void {
    if (this.policy.clientCloseSocketIfTimeout) connection.close('an answer did not come in time')
  }

  private connection(address: string): Promise<Connection> {
    if (this.stopped) return Promise.reject(new MQError('ERR_REMOTING_CLOSED', 'this client is stopped'))
    let opening = this.opening.get(address)
    if (!opening) {
      opening = this.connect(address).finally(() => this.opening.delete(address))
      this.opening.set(address, opening)
    }
    return opening
  }

  private connect(address: string): Promise<Connection> {
    const { host, port } = parseAddress(address)
    const timeoutMs = this.policy.connectTimeoutMillis
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true })
      const failed = (why: string): void => {
        timer.cancel()
        socket.destroy()
        reject(new MQError('ERR_REMOTING_CONNECT', `connect to ${address} failed: ${why}`))
      }
      const timer = this.options.clock.after(timeoutMs, () => failed(`no connection in ${timeoutMs} ms`))
      const onError = (error: Error): void => failed(errorText(error))
      socket.once('error', onError)
      socket.once('connect', () => {
        timer.cancel()
        socket.off('error', onError)
        if (this.stopped) failed('this client is stopped')
        else resolve(this.adopt(address, socket))
      })
    })
  }

  private adopt(address: string, socket: Socket): Connection {
    const connection = new Connection(socket, {
      clock: this.options.clock,
      logger: this.options.logger,
      ...(this.options.language === undefined ? {} : { language: this.options.language }),
      onRequest: (command, from) => this.pipeline.handle(command, from),
      writes: this.writes,
    })
    this.open.set(address, connection)
    const idleTimer = this.closeWhenIdle(connection)
    connection.onClose(() => {
      idleTimer.cancel()
      if (this.open.get(address) === connection) this.open.delete(address)
      this.options.onClosed?.(address)
    })
    socket.on('data', (chunk: Buffer) => connection.receive(chunk, chunk.length))
    return connection
  }

  private closeWhenIdle(connection: Connection): Timer {
    const { clock } = this.options
    let timer: Timer
    const look = (): void => {
      const left = this.policy.clientChannelMaxIdleTimeSeconds * 1000 - (clock.monotonic() - connection.lastActive)
      if (left <= 0) connection.close('idle')
      else timer = clock.after(left, look)
    }
    look()
    return { cancel: () => timer.cancel() }
  }
}

/** Splits `host:port`, `[v6]:port`. @throws MQError ERR_ADDRESS */
export function parseAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address.trim())
  const port = Number(match?.[3])
  if (!match || port > 65535)
    throw new MQError('ERR_ADDRESS', `${JSON.stringify(address)} is not an address: write host:port`)
  return { host: match[1] ?? match[2]!, port }
}
