import { connect, type Socket } from 'node:net'
import { FrameDecoder, type RemotingCommand } from '../../src/remoting/index.js'

export interface RawRequest {
  code: number
  version?: number
  extFields?: Record<string, string>
  flag?: number
  body?: Buffer | string
}

/** A connection that sends frames exactly as given, one at a time, and waits for the answer. */
export class RawClient {
  private waiting: ((answer: RemotingCommand) => void)[] = []
  private opaque = 0
  private readonly decoder = new FrameDecoder(command => {
    // what the server asks of its clients is not an answer
    if (!command.isResponse) return
    command.body = Buffer.from(command.body)
    this.waiting.shift()?.(command)
  })

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.decoder.push(chunk, chunk.length))
    socket.on('error', () => undefined)
  }

  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RawClient(socket)))
    })
  }

  /** Sends whole frames; resolves with the first answer. */
  exchange(frame: Buffer): Promise<RemotingCommand> {
    return new Promise(resolve => {
      this.waiting.push(resolve)
      this.socket.write(frame)
    })
  }

  /** Sends a request with a JSON header. */
  call(request: RawRequest): Promise<RemotingCommand> {
    return this.exchange(rawFrame(request, this.opaque++))
  }

  close(): void {
    this.socket.destroy()
  }
}

/** A whole frame with a JSON header. */
export function rawFrame({ body = '', ...header }: RawRequest, opaque: number): Buffer {
  const full = { flag: 0, language: 'JAVA', version: 479, serializeTypeCurrentRPC: 'JSON', opaque, ...header }
  const json = Buffer.from(JSON.stringify(full))
  const bytes = Buffer.from(body)
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + json.length + bytes.length, 0)
  head.writeInt32BE(json.length, 4)
  return Buffer.concat([head, json, bytes])
}
