import { ResponseCode, requestCodeName } from '../common/index.js'
import { assert, type ByteSource } from '../util/index.js'
import type { ExtFields, RemotingCommand } from './command.js'
import type { Connection } from './connection.js'
import type { EncodedFields, HeaderCodec } from './header.js'

/** The answer to one request. Made with {@link ok}, {@link okWith} and {@link fail}. */
export class Reply {
  remark: string | undefined = undefined
  codec: HeaderCodec<unknown> | undefined = undefined
  header: unknown = undefined
  /** Header fields that stand behind those of {@link header}, encoded once for many answers. */
  constant: EncodedFields | undefined = undefined
  /** Further ext fields, next to those of the header. */
  extFields: ExtFields | undefined = undefined
  body: Buffer | ByteSource | undefined = undefined
  /** Called once when the body has left (or never will): the point to give mapped slices back. */
  release: (() => void) | undefined = undefined

  constructor(public code: number) {}

  withRemark(remark: string): this {
    this.remark = remark
    return this
  }

  withExt(extFields: ExtFields): this {
    this.extFields = extFields
    return this
  }
}

/** Success, with a body or without. */
export function ok(body?: Buffer): Reply {
  const reply = new Reply(ResponseCode.SUCCESS)
  reply.body = body
  return reply
}

/** An answer with a response header; SUCCESS unless said otherwise. */
export function okWith<V>(codec: HeaderCodec<V>, header: V, body?: Buffer | ByteSource): Reply {
  const reply = new Reply(ResponseCode.SUCCESS)
  reply.codec = codec as HeaderCodec<unknown>
  reply.header = header
  reply.body = body
  return reply
}

/** A refusal: the code is the contract, the remark says what to do next. */
export function fail(code: number, remark: string): Reply {
  return new Reply(code).withRemark(remark)
}

/**
 * A request that is answered later (a long poll). The handler returns it; whoever holds it calls {@link resolve} once.
 * When the connection goes first, `onAbandon` runs and the answer is dropped.
 */
export class Hold {
  private deliver: ((reply: Reply) => void) | undefined
  private early: Reply | undefined
  private done = false

  constructor(private readonly onAbandon: () => void = () => {}) {}

  get settled(): boolean {
    return this.done
  }

  resolve(reply: Reply): void {
    if (this.done) {
      reply.release?.()
      return
    }
    this.done = true
    if (this.deliver) this.deliver(reply)
    else this.early = reply
  }

  /** @internal The pipeline attaches the way back to the peer. */
  attach(deliver: (reply: Reply) => void): void {
    this.deliver = deliver
    if (this.early) deliver(this.early)
  }

  /** @internal The connection is gone. */
  abandon(): void {
    if (this.done) return
    this.done = true
    this.onAbandon()
  }
}

export type HandlerResult = Reply | Hold | Promise<Reply | Hold>

/** Groups of requests with one bound on how many may be under way. */
export type Lane =
  | 'send'
  | 'reply'
  | 'pull'
  | 'litePull'
  | 'ack'
  | 'query'
  | 'heartbeat'
  | 'client'
  | 'consumer'
  | 'transaction'
  | 'admin'
  | 'route'

/** What authorization checks on the resources of the header. */
export type Action = 'PUB' | 'SUB' | 'GET' | 'LIST' | 'CREATE' | 'UPDATE' | 'DELETE' | 'ANY'

export interface RouteSpec<V> {
  code: number
  request: HeaderCodec<V>
  lane: Lane
  action: Action
  /** Not served on the fast (VIP) port, as in Java. */
  mainPortOnly?: boolean
  /** The handler is done with `command.body` when it returns: no copy is made. Never for asynchronous use. */
  borrowsBody?: boolean
  /**
   * Decodes nothing, writes to no socket: gets the decoded header, does its work and returns the answer.
   * A thrown ResponseError is the answer; anything else becomes SYSTEM_ERROR and is logged with the request.
   */
  handle(header: V, command: RemotingCommand, connection: Connection): HandlerResult
}

/** A request code and all that follows from it, as a value. */
export type Route = RouteSpec<unknown>

export function route<V>(spec: RouteSpec<V>): Route {
  return spec as unknown as Route
}

/** Routes by code: dense for the codes in use, refusing two routes for one code at start. */
export class RouteTable {
  private readonly byCode: (Route | undefined)[] = []
  private readonly far = new Map<number, Route>()

  constructor(routes: readonly Route[]) {
    for (const entry of routes) {
      assert(!this.find(entry.code), `two routes for ${requestCodeName(entry.code)} (${entry.code})`)
      if (entry.code >= 0 && entry.code < 4096) this.byCode[entry.code] = entry
      else this.far.set(entry.code, entry)
    }
  }

  find(code: number): Route | undefined {
    return code >= 0 && code < 4096 ? this.byCode[code] : this.far.get(code)
  }

  codes(): number[] {
    return [...Object.keys(this.byCode).map(Number), ...this.far.keys()]
  }
}
