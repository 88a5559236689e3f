import type { ClientConnection } from '../../src/broker/client/client-channel.js'
import {
  type Connection,
  type ExtFields,
  Hold,
  RemotingCommand,
  type Reply,
  type Route,
} from '../../src/remoting/index.js'
import { FakeConnection } from './fake-connection.js'

export interface RouteCall {
  extFields?: ExtFields
  body?: string | Buffer
  connection?: ClientConnection
  version?: number
}

export interface RouteAnswer {
  code: number
  remark: string | undefined
  extFields: ExtFields
  body: Buffer
}

/** Calls a route as the pipeline does, without a wire; held requests are not for it. */
export async function callRoute(route: Route, call: RouteCall = {}): Promise<RouteAnswer> {
  const command = new RemotingCommand()
  command.code = route.code
  command.version = call.version ?? 479
  command.extFields = call.extFields
  command.body = Buffer.from(call.body ?? '')
  // handlers use no more of a connection than a fake has
  const connection = (call.connection ?? new FakeConnection()) as Connection
  const reply = await route.handle(route.request.decode(call.extFields), command, connection)
  if (reply instanceof Hold) throw new Error(`request ${route.code} is held`)
  return asAnswer(reply)
}

function bodyOf({ body }: Reply): Buffer {
  if (body === undefined || Buffer.isBuffer(body)) return Buffer.from(body ?? '')
  const pieces: Buffer[] = []
  body.writeTo({ writeRange: (bytes, start, end) => pieces.push(Buffer.from(bytes.subarray(start, end))) })
  return Buffer.concat(pieces)
}

function asAnswer(reply: Reply): RouteAnswer {
  const body = bodyOf(reply)
  reply.release?.()
  return {
    code: reply.code,
    remark: reply.remark,
    extFields: { ...reply.codec?.encode(reply.header), ...reply.extFields },
    body,
  }
}
