import type { Socket } from 'node:net'
import { encodeHostAddress } from '../common/index.js'
import { type Clock, errorText, type Logger, MQError, type Timer } from '../util/index.js'
import { type OutgoingRequest, type RemotingCommand, SerializeType } from './command.js'
import { FrameDecoder } from './frame-decoder.js'
import { encodeReply, encodeRequest } from './frame-encoder.js'
import { OutputBuffer } from './output-buffer.js'
import type { Hold, Reply } from './route.js'
import { type Writer, WriteTurn } from './write-turn.js'

/** Bounds on what one connection may cost. */
export interface ConnectionLimits {
  /** Above this many unsent bytes nothing more is read from the peer until it has taken its answers. */
  highWaterBytes: number
  /** Above this many unsent bytes the connection is closed: the peer does not read. */
  maxUnsentBytes: number
}

export const DEFAULT_LIMITS: ConnectionLimits = { highWaterBytes: 4 * 1024 * 1024, maxUnsentBytes: 256 * 1024 * 1024 }

export interface ConnectionOptions {
  clock: Clock
  logger: Logger
  limits?: ConnectionLimits
  /** Whether the peer reached us by the fast (VIP) port. */
  fastPort?: boolean
  /** Language byte of requests we send. */
  language?: number
  onRequest: (command: RemotingCommand, connection: Connection) => void
  /** Shared by connections whose writes belong together. */
  writes?: WriteTurn
}

/** More than this leaves at the end of its chunk: the peer has something to do, and memory is not to pile up. */
const PUT_OFF_BELOW_BYTES = 16 * 1024

/** Handling one chunk for longer than this is said in the log: everybody else waited. */
const SLOW_CHUNK_MS = 500

/** How long a peer may take to read its last answers. */
const CLOSE_GRACE_MS = 1000

interface Pending {
  resolve: (response: RemotingCommand) => void
  reject: (error: MQError) => void
  timer: Timer
}

/** The address of a peer in the forms the broker needs. */
export interface PeerAddress {
  /** `ip:port` as Java prints it. */
  readonly text: string
  readonly ip: string
  readonly port: number
  /** Address bytes and port as a record keeps its hosts: 8 or 20 bytes. */
  readonly bytes: Buffer
}

/**
 * One TCP connection, the same on both sides: frames in, coalesced frames out, requests of our own with their answers,
 * and the held requests of the peer.
 */
export class Connection implements Writer {
  readonly peer: PeerAddress
  readonly fastPort: boolean
  /** Clock time (monotonic ms) of the last byte in or out. */
  lastActive: number
  /** Header serialization last seen from the peer: what our own requests to it use. */
  serializeType: SerializeType = SerializeType.JSON
  private readonly out = new OutputBuffer()
  private readonly decoder: FrameDecoder
  private readonly pending = new Map<number, Pending>()
  private readonly holds = new Set<Hold>()
  private readonly closeListeners: (() => void)[] = []
  private readonly limits: ConnectionLimits
  private readonly writes: WriteTurn
  private nextOpaque = 0
  private fresh = true
  private inChunk = false
  private flushScheduled = false
  private readingPaused = false
  private closedFor: string | undefined

  constructor(
    private readonly socket: Socket,
    private readonly options: ConnectionOptions,
  ) {
    this.peer = peerAddress(socket)
    this.fastPort = options.fastPort ?? false
    this.limits = options.limits ?? DEFAULT_LIMITS
    this.writes = options.writes ?? new WriteTurn()
    this.lastActive = options.clock.monotonic()
    this.decoder = new FrameDecoder(
      command => this.onCommand(command),
      () => this.isFull(),
    )
    socket.setNoDelay(true)
    socket.on('drain', () => this.onDrain())
    socket.on('error', error => this.closed(errorText(error)))
    socket.on('close', () => this.closed('the peer closed it'))
    socket.on('end', () => this.close('the peer closed it'))
  }

  get isClosed(): boolean {
    return this.closedFor !== undefined
  }

  /** Why it is closed, or undefined while it is open. */
  get closeReason(): string | undefined {
    return this.closedFor
  }

  /** Nothing has been received yet. */
  get isFresh(): boolean {
    return this.fresh
  }

  get unsentBytes(): number {
    return this.out.pendingBytes + this.socket.writableLength
  }

  get heldRequests(): number {
    return this.holds.size
  }

  /**
   * Takes bytes that have arrived. All frames of a chunk are handled in one turn, their answers leave as one write, a
   * short one together with those of other connections.
   */
  receive(chunk: Buffer, length: number): void {
    if (this.closedFor !== undefined) return
    this.lastActive = this.options.clock.monotonic()
    this.fresh = false
    const arrived = this.lastActive
    this.decode(() => this.decoder.push(chunk, length))
    this.decodeStash()
    const tookMs = this.lastActive - arrived
    if (tookMs > SLOW_CHUNK_MS)
      this.options.logger.warn(
        { event: 'slow-chunk', remote: this.peer.text, bytes: length, costMs: Math.round(tookMs) },
        `the requests of ${this.peer.text} in one chunk of ${length} bytes took ${Math.round(tookMs)} ms`,
      )
  }

  private decode(step: () => void): void {
    this.inChunk = true
    try {
      step()
      this.inChunk = false
      if (this.out.pendingBytes < PUT_OFF_BELOW_BYTES) this.scheduleFlush()
      else this.flush()
    } catch (error) {
      this.inChunk = false
      this.options.logger.warn(
        { event: 'bad-frame', remote: this.peer.text, err: errorText(error) },
        `closed the connection of ${this.peer.text}: ${errorText(error)}`,
      )
      this.close(errorText(error))
    }
  }

  /** Frames kept back because answers were piling up go on as soon as the peer has taken enough of them. */
  private decodeStash(): void {
    while (this.closedFor === undefined && this.decoder.hasStash && !this.isFull())
      this.decode(() => this.decoder.resume())
  }

  private isFull(): boolean {
    return this.unsentBytes > this.limits.highWaterBytes
  }

  /** Writes an answer; it leaves at the end of this turn, or of its chunk when there is much to send. */
  reply(request: RemotingCommand, reply: Reply): void {
    if (this.closedFor !== undefined || request.isOneway) {
      reply.release?.()
      return
    }
    encodeReply(this.out, request, reply)
    if (reply.release) this.out.onSent(reply.release)
    this.scheduleFlush()
  }

  /** Keeps a held request until it is answered or the connection goes. */
  hold(hold: Hold, deliver: (reply: Reply) => void): void {
    if (this.closedFor !== undefined) {
      hold.abandon()
      return
    }
    this.holds.add(hold)
    hold.attach(reply => {
      this.holds.delete(hold)
      deliver(reply)
    })
  }

  /**
   * Sends a request and waits for its answer.
   * @throws MQError ERR_REMOTING_TIMEOUT after `timeoutMs`, ERR_REMOTING_CLOSED when the connection goes first.
   */
  invoke(request: OutgoingRequest, timeoutMs: number): Promise<RemotingCommand> {
    return new Promise((resolve, reject) => {
      if (this.closedFor !== undefined) {
        reject(this.closedError())
        return
      }
      const opaque = this.takeOpaque()
      const timer = this.options.clock.after(timeoutMs, () => {
        this.pending.delete(opaque)
        reject(
          new MQError(
            'ERR_REMOTING_TIMEOUT',
            `no answer from ${this.peer.text} to request ${request.code} in ${timeoutMs} ms`,
          ),
        )
      })
      this.pending.set(opaque, { resolve, reject, timer })
      this.send(request, opaque, false)
    })
  }

  /** Sends a request that is not answered. */
  invokeOneway(request: OutgoingRequest): void {
    if (this.closedFor === undefined) this.send(request, this.takeOpaque(), true)
  }

  /** Runs `listener` once when the connection is gone; at once if it is already. */
  onClose(listener: () => void): void {
    if (this.closedFor !== undefined) listener()
    else this.closeListeners.push(listener)
  }

  /** Sends what is gathered and closes. */
  close(reason: string): void {
    if (this.closedFor !== undefined) return
    this.flush()
    this.socket.end()
    this.socket.destroySoon()
    this.closed(reason)
  }

  /** Closes and resolves when the socket is gone, by force after a second for a peer that does not read. */
  closeAndWait(reason: string): Promise<void> {
    return new Promise(resolve => {
      const force = this.options.clock.after(CLOSE_GRACE_MS, () => this.socket.destroy())
      this.socket.once('close', () => {
        force.cancel()
        resolve()
      })
      this.close(reason)
      if (this.socket.closed) resolve()
    })
  }

  private send(request: OutgoingRequest, opaque: number, oneway: boolean): void {
    encodeRequest(this.out, request, {
      opaque,
      oneway,
      language: this.options.language ?? 0,
      serializeType: this.serializeType,
    })
    this.scheduleFlush()
  }

  private takeOpaque(): number {
    const opaque = this.nextOpaque
    this.nextOpaque = (opaque + 1) | 0
    return opaque
  }

  private onCommand(command: RemotingCommand): void {
    this.serializeType = command.serializeType
    if (!command.isResponse) {
      this.options.onRequest(command, this)
      return
    }
    const pending = this.pending.get(command.opaque)
    // an answer nobody waits for is late: Java ignores it too
    if (!pending) return
    this.pending.delete(command.opaque)
    pending.timer.cancel()
    command.body = Buffer.from(command.body)
    pending.resolve(command)
  }

  private scheduleFlush(): void {
    if (this.inChunk || this.flushScheduled || this.out.pendingBytes === 0) return
    this.flushScheduled = true
    this.writes.add(this)
  }

  writeOut(): void {
    this.flushScheduled = false
    this.flush()
  }

  private flush(): void {
    if (this.out.pendingBytes === 0) return
    if (this.socket.destroyed) {
      this.out.discard()
      return
    }
    this.lastActive = this.options.clock.monotonic()
    this.out.flush(this.socket)
    const unsent = this.socket.writableLength
    if (unsent > this.limits.maxUnsentBytes) {
      this.socket.destroy()
      this.options.logger.warn(
        { event: 'slow-reader-closed', remote: this.peer.text, unsentBytes: unsent },
        `closed the connection of ${this.peer.text}: it does not read, ${unsent} bytes of answers wait`,
      )
      this.closed(`${unsent} bytes of answers were not read`)
    } else if (unsent > this.limits.highWaterBytes && !this.readingPaused) {
      this.readingPaused = true
      this.socket.pause()
    }
  }

  private onDrain(): void {
    if (!this.readingPaused) return
    this.decodeStash()
    if (this.isFull()) return
    this.readingPaused = false
    this.socket.resume()
  }

  private closedError(): MQError {
    return new MQError('ERR_REMOTING_CLOSED', `the connection to ${this.peer.text} is closed: ${this.closedFor}`)
  }

  private closed(reason: string): void {
    if (this.closedFor !== undefined) return
    this.closedFor = reason
    this.out.discard()
    for (const pending of this.pending.values()) {
      pending.timer.cancel()
      pending.reject(this.closedError())
    }
    this.pending.clear()
    for (const hold of this.holds) hold.abandon()
    this.holds.clear()
    for (const listener of this.closeListeners.splice(0)) listener()
  }
}

function peerAddress(socket: Socket): PeerAddress {
  const raw = socket.remoteAddress ?? '0.0.0.0'
  const ip = raw.startsWith('::ffff:') ? raw.slice(7) : raw
  const port = socket.remotePort ?? 0
  const bytes = encodeHostAddress({ host: ip, port })
  return { text: ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`, ip, port, bytes }
}
