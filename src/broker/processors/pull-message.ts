import { RequestCode } from '../../common/index.js'
import { PullMessageRequestHeader, type Route, route } from '../../remoting/index.js'
import type { PullService } from '../pull/pull-service.js'

/** PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361): one read, two codes; not on the fast port. */
export function pullMessageRoutes(pulls: PullService): Route[] {
  const lanes = [
    [RequestCode.PULL_MESSAGE, 'pull'],
    [RequestCode.LITE_PULL_MESSAGE, 'litePull'],
  ] as const
  return lanes.map(([code, lane]) =>
    route({
      code,
      request: PullMessageRequestHeader,
      lane,
      action: 'SUB',
      mainPortOnly: true,
      handle: (header, command, connection) => pulls.pull(header, command, connection),
    }),
  )
}
