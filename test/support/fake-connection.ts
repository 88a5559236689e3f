import type { ClientConnection } from '../../src/broker/client/client-channel.js'
import { encodeHostAddress } from '../../src/common/index.js'
import { type OutgoingRequest, RemotingCommand } from '../../src/remoting/index.js'
import { MQError } from '../../src/util/index.js'

let nextPort = 40_000

/** The broker's side of a client's connection, without a socket. Records what is sent to the client. */
export class FakeConnection implements ClientConnection {
  readonly peer
  readonly sent: OutgoingRequest[] = []
  isClosed = false
  closeReason: string | undefined
  unsentBytes = 0
  /** What the client answers; without it no answer comes in time. */
  answer: ((request: OutgoingRequest) => RemotingCommand) | undefined
  private readonly listeners: (() => void)[] = []

  constructor() {
    const port = nextPort++
    this.peer = { text: `10.0.0.1:${port}`, ip: '10.0.0.1', port, bytes: encodeHostAddress({ host: '10.0.0.1', port }) }
  }

  invokeOneway(request: OutgoingRequest): void {
    if (!this.isClosed) this.sent.push(request)
  }

  async invoke(request: OutgoingRequest, timeoutMs: number): Promise<RemotingCommand> {
    this.sent.push(request)
    if (this.isClosed) throw new MQError('ERR_REMOTING_CLOSED', 'closed')
    if (this.answer === undefined) throw new MQError('ERR_REMOTING_TIMEOUT', `no answer in ${timeoutMs} ms`)
    return this.answer(request)
  }

  onClose(listener: () => void): void {
    if (this.isClosed) listener()
    else this.listeners.push(listener)
  }

  close(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.closeReason = reason
    for (const listener of this.listeners.splice(0)) listener()
  }

  /** Codes of what was sent, forgotten once read. */
  takeCodes(): number[] {
    return this.sent.splice(0).map(request => request.code)
  }
}

/** An answer a client gives. */
export function clientAnswer(code: number, body = ''): RemotingCommand {
  const command = new RemotingCommand()
  command.code = code
  command.body = Buffer.from(body)
  return command
}
