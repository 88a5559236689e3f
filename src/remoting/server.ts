import { createServer, type Server, Socket } from 'node:net'
import { type Clock, createLogLimiter, type Logger, MQError, openFileLimit, PeriodicTask } from '../util/index.js'
import { Connection, type ConnectionLimits } from './connection.js'
import type { RequestPipeline } from './pipeline.js'
import type { PollTurn } from './poll-turn.js'
import { WriteTurn } from './write-turn.js'

export interface RemotingServerOptions {
  /** Address to bind, e.g. `0.0.0.0`. */
  host: string
  /** Port to listen on; 0 takes a free one. */
  port: number
  /** The fast (VIP) port; undefined for none. */
  fastPort?: number | undefined
  pipeline: RequestPipeline
  clock: Clock
  logger: Logger
  /** Names the port's setting in the text of an error, e.g. `listenPort`. */
  portSetting: string
  /** A connection without a byte in or out for this long is closed (serverChannelMaxIdleTimeSeconds). */
  idleMs?: number
  limits?: ConnectionLimits
  /** More connections than this are closed at once. Default: what leaves files to open for the rest of the process. */
  maxConnections?: number
  backlog?: number
  /** Told of each chunk of bytes that was read. */
  turn?: PollTurn | undefined
}

const READ_BUFFER_BYTES = 64 * 1024
const DEFAULT_IDLE_MS = 120_000
const IDLE_SWEEP_MS = 5_000
const TLS_HANDSHAKE = 0x16
const REFUSAL_PERIOD_MS = 10_000
/** Of the files a process may open, those that are not for connections: a quarter, and this many at least. */
const MIN_OTHER_FILES = 64

/** Accepts connections on the main and the fast port and feeds what they send into the pipeline. */
export class RemotingServer {
  readonly connections = new Set<Connection>()
  private readonly servers: Server[] = []
  private readonly writes = new WriteTurn()
  private readonly idleSweep: PeriodicTask
  private readonly maxConnections: number
  private readonly refusals: ReturnType<typeof createLogLimiter>
  /**
   * One read buffer for all connections: a chunk is decoded completely before the next is read, and what outlives it is
   * copied by the decoder.
   */
  private readonly readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)

  constructor(private readonly options: RemotingServerOptions) {
    this.maxConnections = options.maxConnections ?? connectionsWithin(openFileLimit())
    this.refusals = createLogLimiter({ clock: options.clock, periodMs: REFUSAL_PERIOD_MS })
    this.idleSweep = new PeriodicTask({
      name: 'idle connections',
      periodMs: IDLE_SWEEP_MS,
      clock: options.clock,
      logger: options.logger,
      run: () => this.closeIdle(),
    })
  }

  /** The port listened on. */
  get port(): number {
    const address = this.servers[0]?.address()
    return typeof address === 'object' && address ? address.port : this.options.port
  }

  /** @throws MQError ERR_PORT_IN_USE or ERR_LISTEN, naming the port and what to change. */
  async start(): Promise<void> {
    try {
      await this.listen(this.options.port, false)
      if (this.options.fastPort !== undefined) await this.listen(this.options.fastPort, true)
    } catch (error) {
      this.stopAccepting()
      throw error
    }
    this.idleSweep.start()
  }

  /** No new connections; those that exist go on. */
  stopAccepting(): void {
    for (const server of this.servers) server.close()
  }

  /** Sends what is gathered, closes every connection and waits for the ports to be free. */
  async stop(): Promise<void> {
    await this.idleSweep.stop()
    this.stopAccepting()
    this.servers.length = 0
    const gone = [...this.connections].map(connection => connection.closeAndWait('this server is stopping'))
    await Promise.all(gone)
  }

  private listen(port: number, fastPort: boolean): Promise<void> {
    const server = createServer({ pauseOnConnect: true, noDelay: true }, socket => this.accept(socket, fastPort))
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(this.listenError(port, fastPort, error)))
      server.listen({ host: this.options.host, port, backlog: this.options.backlog ?? 1024 }, () => {
        server.on('error', error =>
          this.options.logger.error({ event: 'accept-failed', err: error }, 'accepting a connection failed'),
        )
        this.servers.push(server)
        resolve()
      })
    })
  }

  private listenError(port: number, fastPort: boolean, cause: NodeJS.ErrnoException): MQError {
    const setting = this.options.portSetting
    const what = fastPort ? `port ${port} (the fast port, ${setting} - 2)` : `port ${port} (${setting})`
    if (cause.code === 'EADDRINUSE')
      return new MQError(
        'ERR_PORT_IN_USE',
        `${what} is in use by another process: stop that one, or set another ${setting}`,
        { cause },
      )
    return new MQError('ERR_LISTEN', `cannot listen on ${this.options.host} ${what}: ${cause.message}`, { cause })
  }

  private accept(accepted: Socket, fastPort: boolean): void {
    if (this.connections.size >= this.maxConnections) {
      this.refuse(accepted)
      return
    }
    let connection: Connection | undefined
    const socket = withSharedReadBuffer(accepted, this.readBuffer, (length, buffer) => {
      if (connection) this.received(connection, length, buffer)
      return true
    })
    connection = new Connection(socket, {
      clock: this.options.clock,
      logger: this.options.logger,
      fastPort,
      ...(this.options.limits ? { limits: this.options.limits } : {}),
      writes: this.writes,
      onRequest: (command, from) => this.options.pipeline.handle(command, from),
    })
    const opened = connection
    this.connections.add(opened)
    opened.onClose(() => this.connections.delete(opened))
    socket.resume()
  }

  /** A process without a file to open could not even store what others send. */
  private refuse(accepted: Socket): void {
    const remote = `${accepted.remoteAddress}:${accepted.remotePort}`
    accepted.destroy()
    this.refusals.warn(
      this.options.logger,
      'connections',
      { event: 'connection-refused', remote, connections: this.connections.size },
      `closed the new connection of ${remote}: there are ${this.connections.size}, which is what the limit of open ` +
        'files allows; raise that (ulimit -n, or LimitNOFILE of systemd), or find out who opens so many',
    )
  }

  private received(connection: Connection, length: number, buffer: Buffer): void {
    // a frame starts with a zero byte (its length is below 16 MiB): this is a TLS client
    if (buffer[0] === TLS_HANDSHAKE && connection.isFresh) {
      this.options.logger.warn(
        { event: 'tls-refused', remote: connection.peer.text },
        `${connection.peer.text} speaks TLS, which this server does not serve: turn tls.enable off in the client`,
      )
      connection.close('TLS is not served')
      return
    }
    this.options.turn?.onChunk()
    connection.receive(buffer, length)
  }

  private closeIdle(): void {
    const now = this.options.clock.monotonic()
    const idleMs = this.options.idleMs ?? DEFAULT_IDLE_MS
    for (const connection of this.connections) {
      if (now - connection.lastActive < idleMs) continue
      this.options.logger.info(
        { event: 'idle-closed', remote: connection.peer.text },
        `closed ${connection.peer.text}: idle for ${idleMs / 1000} s`,
      )
      connection.close('idle')
    }
  }
}

function connectionsWithin(files: number | undefined): number {
  return files === undefined ? Number.MAX_SAFE_INTEGER : files - Math.max(MIN_OTHER_FILES, Math.ceil(files / 4))
}

/**
 * Rebuilds an accepted socket so that it reads into `buffer` instead of allocating a Buffer per chunk (`onread`, which
 * Node takes only at construction). Needs `pauseOnConnect`: nothing has been read yet.
 */
function withSharedReadBuffer(
  accepted: Socket,
  buffer: Buffer,
  callback: (length: number, buffer: Buffer) => boolean,
): Socket {
  const inner = accepted as Socket & { _handle: unknown }
  const handle = inner._handle
  inner._handle = null
  const options = {
    handle,
    onread: { buffer, callback: (length: number, read: Uint8Array) => callback(length, read as Buffer) },
  }
  return new Socket(options as unknown as ConstructorParameters<typeof Socket>[0])
}
