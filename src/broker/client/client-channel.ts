import type { Connection, RemotingCommand } from '../../remoting/index.js'
import type { Clock } from '../../util/index.js'

/** What the client tables use of a connection; it is their key, as Java's Channel is. */
export type ClientConnection = Pick<
  Connection,
  'peer' | 'isClosed' | 'unsentBytes' | 'invoke' | 'invokeOneway' | 'onClose' | 'close'
>

/** A client on a connection. */
export interface ClientChannelInfo {
  readonly connection: ClientConnection
  readonly clientId: string
  /** Number of its language. */
  readonly language: number
  /** MQVersion ordinal. */
  readonly version: number
  /** Ms of the last heartbeat. */
  lastUpdateTimestamp: number
}

/** The client that sent `command`. */
export function newClientChannel(
  connection: ClientConnection,
  clientId: string,
  command: Pick<RemotingCommand, 'language' | 'version'>,
  clock: Clock,
): ClientChannelInfo {
  const { language, version } = command
  return { connection, clientId, language, version, lastUpdateTimestamp: clock.now() }
}

export function describeClient({ clientId, connection }: ClientChannelInfo): string {
  return `${clientId} at ${connection.peer.text}`
}
