import { RequestCode, ResponseCode } from '../../../common/index.js'
import { fail, NoHeader, ok, type Route, route } from '../../../remoting/index.js'
import { readProperties } from '../../../util/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody } from './json-body.js'

type Parts = Pick<BrokerContext, 'coldReads' | 'logger'>

/** The requests 2001 to 2003: limits of single groups for old data, and what has been read of it. */
export function coldDataFlowCtrRoutes(broker: Parts): Route[] {
  return [updateRoute(broker), removeRoute(broker), infoRoute(broker)]
}

/** Body: `group=bytes` lines. All or none, while Java passes over wrong ones and calls it a success. */
function updateRoute({ coldReads, logger }: Parts): Route {
  return route({
    code: RequestCode.UPDATE_COLD_DATA_FLOW_CTR_CONFIG,
    request: NoHeader,
    lane: 'admin',
    action: 'UPDATE',
    handle(_header, command, { peer }) {
      const thresholds = [...readProperties(command.body?.toString() ?? '')]
      for (const [group, text] of thresholds) {
        if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) continue
        const remark = `the threshold of ${group} must be a number of bytes, 0 or more, and not ${text}`
        return fail(ResponseCode.SYSTEM_ERROR, remark)
      }
      for (const [group, text] of thresholds) {
        const threshold = Number(text)
        coldReads.addOrUpdateGroupConfig(group, threshold)
        logger.info(
          { event: 'cold-threshold-set', group, threshold, peer: peer.text },
          `group ${group} may read ${threshold} bytes of old data in 5 s`,
        )
      }
      return ok()
    },
  })
}

/** Body: the name of the group. */
function removeRoute({ coldReads, logger }: Parts): Route {
  return route({
    code: RequestCode.REMOVE_COLD_DATA_FLOW_CTR_CONFIG,
    request: NoHeader,
    lane: 'admin',
    action: 'UPDATE',
    handle(_header, command, { peer }) {
      const group = command.body?.toString() ?? ''
      coldReads.removeGroupConfig(group)
      logger.info(
        { event: 'cold-threshold-removed', group, peer: peer.text },
        `group ${group} may read as much old data as others`,
      )
      return ok()
    },
  })
}

function infoRoute({ coldReads }: Parts): Route {
  return route({
    code: RequestCode.GET_COLD_DATA_FLOW_CTR_INFO,
    request: NoHeader,
    lane: 'admin',
    action: 'GET',
    handle: () => ok(jsonBody(coldReads.info)),
  })
}
