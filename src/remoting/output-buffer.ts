import type { Socket } from 'node:net'
import type { ByteSink } from '../util/index.js'

/** The writers behind `Buffer.write`, without its dispatch on the encoding's name. */
interface FastBuffer extends Buffer {
  latin1Write(text: string, at: number): number
  utf8Write(text: string, at: number): number
}

function writeText(slab: Buffer, text: string, at: number): number {
  return (slab as FastBuffer).utf8Write(text, at)
}

const SLAB_BYTES = 256 * 1024
/** Below this a slice is copied next to its head: cheaper than an entry of its own in the writev. */
const COPY_BELOW_BYTES = 4096

/**
 * One slab for all connections: an idle connection owns no output memory. Its bytes are written again only where the
 * kernel took them at once, so nothing has to wait until it has taken the others.
 */
let sharedSlab = Buffer.allocUnsafeSlow(SLAB_BYTES)
let sharedAt = 0

/**
 * The frames a connection has to send, gathered until {@link flush}: heads go into a slab, large bodies stay where they
 * are, and everything leaves in one writev.
 */
export class OutputBuffer implements ByteSink {
  private slab = sharedSlab
  private slabStart = 0
  private slabEnd = 0
  /** From here to {@link slabEnd} the slab holds nothing but what is gathered since the last flush. */
  private gatheredFrom = 0
  private segments: Buffer[] = []
  private releases: (() => void)[] = []
  private bytes = 0

  get pendingBytes(): number {
    return this.bytes
  }

  /** Writes length, type 0 and a JSON header; the caller writes `bodyBytes` of body next. */
  writeFrame(headerJson: string, bodyBytes: number): void {
    this.reserve(8 + headerJson.length * 3)
    const at = this.slabEnd
    const headerBytes = writeText(this.slab, headerJson, at + 8)
    this.slab.writeInt32BE(4 + headerBytes + bodyBytes, at)
    this.slab.writeInt32BE(headerBytes, at + 4)
    this.advance(8 + headerBytes)
  }

  /** The same with a binary header, type 1, given as a byte string. */
  writeBinaryFrame(header: string, bodyBytes: number): void {
    this.reserve(8 + header.length)
    const at = this.slabEnd
    this.slab.writeInt32BE(4 + header.length + bodyBytes, at)
    this.slab.writeInt32BE(0x01000000 | header.length, at + 4)
    ;(this.slab as FastBuffer).latin1Write(header, at + 8)
    this.advance(8 + header.length)
  }

  /** Adds a body or a part of it. Its memory must stay as it is until the release given to {@link onSent} runs. */
  writeRange(bytes: Buffer, start: number, end: number): void {
    const length = end - start
    if (length < COPY_BELOW_BYTES) {
      this.reserve(length)
      bytes.copy(this.slab, this.slabEnd, start, end)
      this.advance(length)
      return
    }
    this.closeSegment()
    this.segments.push(length === bytes.length ? bytes : bytes.subarray(start, end))
    this.bytes += length
  }

  /** Runs `release` once all that is gathered so far has left or the socket is gone. */
  onSent(release: () => void): void {
    this.releases.push(release)
  }

  /** Hands everything to the socket as one write. */
  flush(socket: Socket): void {
    if (this.bytes === 0) return
    this.closeSegment()
    const segments = this.segments
    const done = this.releases.length === 0 ? undefined : runAll(this.releases)
    this.segments = []
    this.releases = []
    this.bytes = 0
    if (segments.length === 1) socket.write(segments[0]!, done)
    else {
      socket.cork()
      for (let i = 0; i < segments.length - 1; i++) socket.write(segments[i]!)
      socket.write(segments[segments.length - 1]!, done)
      socket.uncork()
    }
    if (socket.writableLength === 0) this.reuse()
    this.gatheredFrom = this.slabEnd
  }

  /** Nobody needs the gathered bytes any more: the next ones go to their place, which is still in the CPU's cache. */
  private reuse(): void {
    if (this.slab !== sharedSlab || this.slabEnd !== sharedAt) return
    sharedAt = this.slabStart = this.slabEnd = this.gatheredFrom
  }

  /** Drops what is gathered: the socket is gone. */
  discard(): void {
    const releases = this.releases
    this.segments = []
    this.releases = []
    this.bytes = 0
    this.slabStart = this.slabEnd
    this.gatheredFrom = this.slabEnd
    for (const release of releases) release()
  }

  private reserve(bytes: number): void {
    if (sharedSlab.length - sharedAt < bytes) {
      sharedSlab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes))
      sharedAt = 0
    }
    if (this.slab === sharedSlab && this.slabEnd === sharedAt) return
    this.closeSegment()
    this.slab = sharedSlab
    this.slabStart = this.slabEnd = this.gatheredFrom = sharedAt
  }

  private advance(bytes: number): void {
    this.slabEnd += bytes
    sharedAt = this.slabEnd
    this.bytes += bytes
  }

  private closeSegment(): void {
    if (this.slabEnd === this.slabStart) return
    this.segments.push(this.slab.subarray(this.slabStart, this.slabEnd))
    this.slabStart = this.slabEnd
  }
}

function runAll(releases: readonly (() => void)[]): () => void {
  return () => {
    for (const release of releases) release()
  }
}
