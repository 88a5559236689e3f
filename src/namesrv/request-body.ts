import {
  type JsonValue,
  parseFastJson,
  ResponseCode,
  ResponseError,
  requestCodeName,
  stringifyFastJson,
} from '../common/index.js'
import type { ExtFields, HeaderCodec, RemotingCommand } from '../remoting/index.js'
import { errorText, MQError } from '../util/index.js'

/** The body as JSON, null when there is none. @throws ResponseError SYSTEM_ERROR naming the request. */
export function jsonBody(command: RemotingCommand): JsonValue {
  try {
    return parseFastJson(command.body)
  } catch (error) {
    throw badBody(command, error)
  }
}

/** The refusal of a body that cannot be read; errors of other kinds pass. */
export function badBody(command: RemotingCommand, error: unknown): unknown {
  if (!(error instanceof MQError)) return error
  const text = `the body of ${requestCodeName(command.code)} cannot be read: ${errorText(error)}`
  return new ResponseError(ResponseCode.SYSTEM_ERROR, text, { cause: error })
}

export function toJsonBody(value: unknown): Buffer {
  return Buffer.from(stringifyFastJson(value))
}

/**
 * A header that may be left out as a whole: Java checks nothing in a request without any field, and some codes are an
 * empty success then. With one field there, all required ones must be.
 */
export function orNoFields<V>(codec: HeaderCodec<V>): HeaderCodec<V | undefined> {
  const lenient: HeaderCodec<V | undefined> = Object.create(codec)
  lenient.decode = ext => (hasFields(ext) ? codec.decode(ext) : undefined)
  return lenient
}

function hasFields(ext: ExtFields | undefined): boolean {
  for (const _key in ext) return true
  return false
}
