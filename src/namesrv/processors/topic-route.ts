import { RequestCode, ResponseCode, VersionMark } from '../../common/index.js'
import { fail, GetRouteInfoRequestHeader, ok, type Route, route } from '../../remoting/index.js'
import type { NamesrvContext } from '../context.js'

/** The second line stands in Java's remark too; people search for it. */
const FAQ_LINE = 'See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.'

type Context = Pick<NamesrvContext, 'settings' | 'routeBodies' | 'clock' | 'startedAt'>

/** Code 105: where the queues of a topic are (namesrv-and-admin 2.6). What every client asks every 30 s per topic. */
export const getRouteInfoByTopic = (namesrv: Context): Route => {
  const { routeBodies, settings, clock } = namesrv
  const isWarmingUp = (): boolean => {
    const { needWaitForService, waitSecondsForService } = settings.values
    return needWaitForService && clock.monotonic() - namesrv.startedAt < waitSecondsForService * 1000
  }
  return route({
    code: RequestCode.GET_ROUTEINFO_BY_TOPIC,
    request: GetRouteInfoRequestHeader,
    lane: 'route',
    action: 'GET',
    borrowsBody: true,
    handle({ topic, acceptStandardJsonOnly, zoneMode, zoneName }, command) {
      if (isWarmingUp()) return fail(ResponseCode.SYSTEM_ERROR, 'name server not ready')
      const standard = acceptStandardJsonOnly === true || command.version >= VersionMark.V4_9_4
      const body =
        zoneMode === true && zoneName !== undefined && zoneName.trim() !== ''
          ? routeBodies.bodyOfZone(topic, zoneName)
          : routeBodies.body(topic, standard ? 'standard' : 'legacy')
      if (body !== undefined) return ok(body)
      const remark = `No topic route info in name server for the topic: ${topic}\n${FAQ_LINE}`
      return fail(ResponseCode.TOPIC_NOT_EXIST, remark)
    },
  })
}
