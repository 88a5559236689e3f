import { connect, type Socket } from 'node:net'
import { type Clock, errorText, type Logger, MQError } from '../util/index.js'
import type { OutgoingRequest, RemotingCommand } from './command.js'
import { Connection } from './connection.js'
import { RequestPipeline } from './pipeline.js'
import { type Route, RouteTable } from './route.js'

export interface RemotingClientOptions {
  clock: Clock
  logger: Logger
  /** Requests the other side may send us (39, 40, 220 and kin). */
  routes?: readonly Route[]
  /** Java: 3000. */
  connectTimeoutMs?: number
  /** Language byte our requests announce. */
  language?: number
  /** Told of each connection that goes, with the address it was opened to. */
  onClosed?: (address: string) => void
}

const DEFAULT_CONNECT_TIMEOUT_MS = 3000

/** Connections to servers, one per address, opened when first used and again when one is gone. */
export class RemotingClient {
  private readonly open = new Map<string, Connection>()
  private readonly opening = new Map<string, Promise<Connection>>()
  private readonly pipeline: RequestPipeline
  private stopped = false

  constructor(private readonly options: RemotingClientOptions) {
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
    const start = this.options.clock.monotonic()
    const connection = this.open.get(address) ?? (await this.connection(address))
    const left = timeoutMs - (this.options.clock.monotonic() - start)
    return connection.invoke(request, Math.max(1, left))
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
    const timeoutMs = this.options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS
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
    })
    this.open.set(address, connection)
    connection.onClose(() => {
      if (this.open.get(address) === connection) this.open.delete(address)
      this.options.onClosed?.(address)
    })
    socket.on('data', (chunk: Buffer) => connection.receive(chunk, chunk.length))
    return connection
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
