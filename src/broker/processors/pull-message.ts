import { RequestCode } from '../../common/index.js'
import { PullMessageRequestHeader, type Route, route } from '../../remoting/index.js'
import type { PullService } from '../pull/pull-service.js'

/** PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361): one read, two codes; not on the fast port. */
export function pullMessageRoutes(pulls: PullService): Route[] {
  return [RequestCode.PULL_MESSAGE, RequestCode.LITE_PULL_MESSAGE].map(code =>
    route({
      code,
      request: PullMessageRequestHeader,
      lane: 'pull',
      action: 'SUB',
      mainPortOnly: true,
      handle: (header, command, connection) => pulls.pull(header, command, connection),
    }),
  )
}
