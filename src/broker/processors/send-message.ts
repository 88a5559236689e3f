import { RequestCode } from '../../common/index.js'
import { type Route, route, SendMessageRequestHeader, SendMessageRequestHeaderV2 } from '../../remoting/index.js'
import type { SendService } from '../put/send-service.js'

/**
 * SEND_MESSAGE (10), SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320). The header's form follows the code; whether the
 * body is a batch follows its `batch` field (wire-protocol 6.1).
 */
export function sendMessageRoutes(sends: SendService): Route[] {
  const shared = { lane: 'send', action: 'PUB', borrowsBody: true } as const
  const handle: SendService['send'] = (header, command, connection) => sends.send(header, command, connection)
  return [
    route({ ...shared, code: RequestCode.SEND_MESSAGE, request: SendMessageRequestHeader, handle }),
    route({ ...shared, code: RequestCode.SEND_MESSAGE_V2, request: SendMessageRequestHeaderV2, handle }),
    route({ ...shared, code: RequestCode.SEND_BATCH_MESSAGE, request: SendMessageRequestHeaderV2, handle }),
  ]
}
