import { JavaDouble, RequestCode, ResponseCode } from '../../../common/index.js'
import { fail, ok, type Route, route, ViewBrokerStatsDataRequestHeader } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import type { StatsSnapshot } from '../../stats/stats-item.js'
import { jsonBody } from './json-body.js'

function snapshotJson({ sum, tps, avgpt }: StatsSnapshot): object {
  return { avgpt: new JavaDouble(avgpt), sum, tps: new JavaDouble(tps) }
}

/** VIEW_BROKER_STATS_DATA (315). */
export function brokerStatsDataRoute(broker: Pick<BrokerContext, 'stats' | 'identity'>): Route {
  return route({
    code: RequestCode.VIEW_BROKER_STATS_DATA,
    request: ViewBrokerStatsDataRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle({ statsName, statsKey }) {
      const data = broker.stats.view(statsName, statsKey, broker.identity.clusterName)
      if (data === undefined) {
        return fail(ResponseCode.SYSTEM_ERROR, `The stats <${statsName}> <${statsKey}> not exist`)
      }
      const { statsDay, statsHour, statsMinute } = data
      return ok(
        jsonBody({
          statsDay: snapshotJson(statsDay),
          statsHour: snapshotJson(statsHour),
          statsMinute: snapshotJson(statsMinute),
        }),
      )
    },
  })
}
