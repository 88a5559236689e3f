import { RequestCode } from '../../common/index.js'
import { ConsumerSendMsgBackRequestHeader, type Route, route } from '../../remoting/index.js'
import type { SendBackService } from '../retry/send-back-service.js'

/** CONSUMER_SEND_MSG_BACK (36): a message that could not be handled; the broker reads it again from its log. */
export function consumerSendMsgBackRoute(sendBacks: SendBackService): Route {
  return route({
    code: RequestCode.CONSUMER_SEND_MSG_BACK,
    request: ConsumerSendMsgBackRequestHeader,
    lane: 'send',
    action: 'SUB',
    handle: (header, command) => sendBacks.sendBack(header, command),
  })
}
