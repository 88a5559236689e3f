import {
  type JsonObject,
  JsonSyntaxError,
  parseFastJson,
  ResponseCode,
  ResponseError,
  readObject,
} from '../../../common/index.js'
import type { RemotingCommand } from '../../../remoting/index.js'

/** The body of an admin request as an object. @throws ResponseError SYSTEM_ERROR when it is not JSON. */
export function readJsonBody(command: Pick<RemotingCommand, 'body'>): JsonObject {
  try {
    return readObject(parseFastJson(command.body ?? ''))
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    throw new ResponseError(ResponseCode.SYSTEM_ERROR, `the body is not JSON: ${error.message}`, { cause: error })
  }
}
