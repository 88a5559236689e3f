import { ResponseCode, responseCodeName } from '../common/index.js'
import type { RemotingCommand } from '../remoting/index.js'
import { errorText, MQError } from '../util/index.js'

/** Codes of failures that no server answered with, as Java's clients number them. */
export const ClientErrorCode = {
  CONNECT_BROKER: 10001,
  ACCESS_BROKER_TIMEOUT: 10002,
  BROKER_NOT_EXIST: 10003,
  NO_NAME_SERVER: 10004,
  NOT_FOUND_TOPIC: 10005,
  REQUEST_TIMEOUT: 10006,
  CREATE_REPLY_MESSAGE: 10007,
} as const
export type ClientErrorCode = (typeof ClientErrorCode)[keyof typeof ClientErrorCode]

export interface MQClientErrorDetails {
  /** A `ResponseCode` of a server, or one of {@link ClientErrorCode}; 0 when neither applies. */
  responseCode?: number
  brokerName?: string | undefined
  /** `host:port` of the server that was asked. */
  address?: string | undefined
  /** What the server said, to the letter. */
  remark?: string | undefined
  cause?: unknown
}

/**
 * What goes wrong in a client: a refusal by a server (`code` ERR_CLIENT_RESPONSE), a connection that fails
 * (ERR_CLIENT_CONNECT), an answer that does not come (ERR_CLIENT_TIMEOUT), a wrong argument (ERR_CLIENT_ARGUMENT), a
 * client that is not running (ERR_CLIENT_STATE), a topic nobody knows (ERR_CLIENT_NO_ROUTE).
 */
export class MQClientError extends MQError {
  readonly responseCode: number
  readonly brokerName: string | undefined
  readonly address: string | undefined
  readonly remark: string | undefined

  constructor(code: string, message: string, details: MQClientErrorDetails = {}) {
    super(code, message, details.cause === undefined ? {} : { cause: details.cause })
    this.name = 'MQClientError'
    this.responseCode = details.responseCode ?? 0
    this.brokerName = details.brokerName
    this.address = details.address
    this.remark = details.remark
  }
}

/** The error of an answer that is not the hoped-for one; the text begins as Java's. */
export function responseFailure(response: RemotingCommand, address: string, brokerName?: string): MQClientError {
  const remark = response.remark ?? responseCodeName(response.code)
  const from = brokerName === undefined ? address : `${brokerName} ${address}`
  return new MQClientError('ERR_CLIENT_RESPONSE', `CODE: ${response.code}  DESC: ${remark} (from ${from})`, {
    responseCode: response.code,
    brokerName,
    address,
    remark: response.remark,
  })
}

const transportErrors: Readonly<Record<string, readonly [code: string, responseCode: number]>> = {
  ERR_REMOTING_CONNECT: ['ERR_CLIENT_CONNECT', ClientErrorCode.CONNECT_BROKER],
  ERR_REMOTING_CLOSED: ['ERR_CLIENT_CONNECT', ClientErrorCode.CONNECT_BROKER],
  ERR_ADDRESS: ['ERR_CLIENT_CONNECT', ClientErrorCode.CONNECT_BROKER],
  ERR_REMOTING_TIMEOUT: ['ERR_CLIENT_TIMEOUT', ClientErrorCode.ACCESS_BROKER_TIMEOUT],
}

/** A failure of the transport as a client's error; everything else unchanged. */
export function transportFailure(error: unknown, address: string, brokerName?: string): unknown {
  const known = error instanceof MQError ? transportErrors[error.code] : undefined
  if (!known) return error
  return new MQClientError(known[0], errorText(error), { responseCode: known[1], address, brokerName, cause: error })
}

/** Whether the request may never have reached a server, or its answer was lost. */
export function isTransportFailure(error: unknown): boolean {
  return error instanceof MQClientError && (error.code === 'ERR_CLIENT_CONNECT' || error.code === 'ERR_CLIENT_TIMEOUT')
}

/** Whether a server answered with `code`. */
export function isResponse(error: unknown, code: number): error is MQClientError {
  return error instanceof MQClientError && error.code === 'ERR_CLIENT_RESPONSE' && error.responseCode === code
}

/** An argument that cannot be sent; Java gives such errors no code, or MESSAGE_ILLEGAL. */
export function badArgument(message: string, responseCode = 0): MQClientError {
  return new MQClientError('ERR_CLIENT_ARGUMENT', message, { responseCode })
}

export function illegalMessage(message: string): MQClientError {
  return badArgument(message, ResponseCode.MESSAGE_ILLEGAL)
}

export function brokerMissing(brokerName: string): MQClientError {
  return new MQClientError(
    'ERR_CLIENT_BROKER',
    `The broker[${brokerName}] not exist: no address of its master is known; start it, or wait until it registers`,
    { responseCode: ClientErrorCode.BROKER_NOT_EXIST, brokerName },
  )
}

export function noRoute(topic: string): MQClientError {
  return new MQClientError(
    'ERR_CLIENT_NO_ROUTE',
    `No route info of this topic: ${topic}. Create it (mqadmin updateTopic), or start a broker with ` +
      'autoCreateTopicEnable=true that registers with this NameServer',
    { responseCode: ClientErrorCode.NOT_FOUND_TOPIC },
  )
}
