import { MQError } from '../util/index.js'
import { RemotingCommand, SerializeType } from './command.js'
import { decodeBinaryHeader } from './header-binary.js'
import { decodeJsonHeader } from './header-json.js'

/**
 * A frame (wire-protocol 1):
 *
 *   0  i32  L, bytes that follow = 4 + H + B
 *   4  u8   T, header serialization
 *   5  u24  H
 *   8       header, then the body
 */
export const MAX_FRAME_BYTES = 16_777_216

const FIRST_PIECE_BYTES = 64 * 1024

/**
 * Cuts a stream of chunks into frames. Whole frames are decoded in place; a frame that arrives in pieces is gathered in
 * a buffer that grows with what has come, not with what its length field promises.
 */
export class FrameDecoder {
  private gathered: Buffer | undefined
  private gatheredLength = 0
  private stashed: Buffer | undefined

  /**
   * @param onFrame gets each command; its body is a view on memory that is reused after this call returns.
   * @param isFull asked after each frame: true keeps the rest of the chunk until {@link resume}.
   */
  constructor(
    private readonly onFrame: (command: RemotingCommand) => void,
    private readonly isFull: () => boolean = () => false,
  ) {}

  /** Frames that have arrived wait for {@link resume}. */
  get hasStash(): boolean {
    return this.stashed !== undefined
  }

  /** Bytes of an unfinished frame. */
  get pendingBytes(): number {
    return this.gatheredLength
  }

  /** @throws MQError ERR_REMOTING_FRAME or ERR_REMOTING_HEADER: close this connection, the stream is lost. */
  push(chunk: Buffer, length: number): void {
    if (this.stashed) {
      this.stashed = Buffer.concat([this.stashed, chunk.subarray(0, length)])
      return
    }
    this.decode(chunk, length)
  }

  /** Goes on with what was kept back. Throws as {@link push} does. */
  resume(): void {
    const rest = this.stashed
    this.stashed = undefined
    if (rest) this.decode(rest, rest.length)
  }

  private decode(chunk: Buffer, length: number): void {
    let at = 0
    if (this.gatheredLength > 0) at = this.completeGathered(chunk, length)
    while (length - at >= 4) {
      const size = frameSize(chunk, at)
      if (length - at < size) break
      this.onFrame(decodeFrame(chunk, at, size))
      at += size
      if (at < length && this.isFull()) {
        this.stashed = Buffer.from(chunk.subarray(at, length))
        return
      }
    }
    if (at < length) this.gather(chunk, at, length)
  }

  /** Takes what the unfinished frame still needs from the chunk; returns where the next frame starts. */
  private completeGathered(chunk: Buffer, length: number): number {
    let at = 0
    if (this.gatheredLength < 4) {
      at = Math.min(4 - this.gatheredLength, length)
      this.gather(chunk, 0, at)
      if (this.gatheredLength < 4) return at
    }
    const size = frameSize(this.gathered!, 0)
    const take = Math.min(size - this.gatheredLength, length - at)
    this.gather(chunk, at, at + take)
    at += take
    if (this.gatheredLength < size) return at
    const frame = this.gathered!
    this.gathered = undefined
    this.gatheredLength = 0
    this.onFrame(decodeFrame(frame, 0, size))
    return at
  }

  private gather(chunk: Buffer, from: number, to: number): void {
    const needed = this.gatheredLength + to - from
    if (!this.gathered || this.gathered.length < needed) {
      const grown = Buffer.allocUnsafe(this.nextCapacity(chunk, from, needed))
      this.gathered?.copy(grown, 0, 0, this.gatheredLength)
      this.gathered = grown
    }
    chunk.copy(this.gathered, this.gatheredLength, from, to)
    this.gatheredLength = needed
  }

  /** Room for the frame as far as it is known, but at most twice what has come. */
  private nextCapacity(chunk: Buffer, from: number, needed: number): number {
    const grown = Math.max(FIRST_PIECE_BYTES, (this.gathered?.length ?? 0) * 2)
    if (needed < 4) return 4
    if (this.gatheredLength >= 4) return Math.max(needed, Math.min(frameSize(this.gathered!, 0), grown))
    if (this.gatheredLength === 0) return Math.max(needed, Math.min(frameSize(chunk, from), grown))
    return needed
  }
}

/** Reads and checks the length field: bytes of the frame at `at`, the field included. */
function frameSize(buffer: Buffer, at: number): number {
  const length = buffer.readInt32BE(at)
  if (length < 4 || length > MAX_FRAME_BYTES - 4)
    throw new MQError(
      'ERR_REMOTING_FRAME',
      `a frame of ${length} bytes: not RocketMQ's remoting protocol, or larger than ${MAX_FRAME_BYTES}`,
    )
  return length + 4
}

function decodeFrame(buffer: Buffer, at: number, size: number): RemotingCommand {
  const type = buffer[at + 4]!
  const headerLength = buffer.readInt32BE(at + 4) & 0xffffff
  if (headerLength > size - 8)
    throw new MQError(
      'ERR_REMOTING_FRAME',
      `decode error, bad header length: ${headerLength} in a frame of ${size} bytes`,
    )
  const command = new RemotingCommand()
  const headerEnd = at + 8 + headerLength
  if (type === SerializeType.JSON) decodeJsonHeader(buffer, at + 8, headerEnd, command)
  else if (type === SerializeType.ROCKETMQ) {
    command.serializeType = SerializeType.ROCKETMQ
    decodeBinaryHeader(buffer, at + 8, headerEnd, command)
  } else
    throw new MQError('ERR_REMOTING_FRAME', `header serialization ${type} does not exist: 0 is JSON, 1 is ROCKETMQ`)
  if (headerEnd < at + size) command.body = buffer.subarray(headerEnd, at + size)
  return command
}
