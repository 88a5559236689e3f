import { queueDataFromJson, RequestCode, readArray, readObject } from '../../common/index.js'
import {
  DeleteTopicFromNamesrvRequestHeader,
  ok,
  RegisterTopicRequestHeader,
  type Route,
  route,
} from '../../remoting/index.js'
import type { NamesrvContext } from '../context.js'
import { jsonBody, orNoFields } from '../request-body.js'

type Context = Pick<NamesrvContext, 'routeInfo' | 'logger'>

/** Code 216: forgets a topic, in one cluster or everywhere. An unknown one is a success too. */
export const deleteTopicInNamesrv = (namesrv: Context): Route =>
  route({
    code: RequestCode.DELETE_TOPIC_IN_NAMESRV,
    request: orNoFields(DeleteTopicFromNamesrvRequestHeader),
    lane: 'admin',
    action: 'DELETE',
    handle(header, _command, connection) {
      if (header === undefined) return ok()
      const brokers = namesrv.routeInfo.deleteTopic(header.topic, header.clusterName || undefined)
      const fields = { event: 'topic-deleted', topic: header.topic, remote: connection.peer.text }
      namesrv.logger.info(fields, `topic ${header.topic} is forgotten on ${brokers} brokers`)
      return ok()
    },
  })

/** Code 217: the queues of one topic, by a broker that made it. Left aside, with success, when a broker is unknown. */
export const registerTopicInNamesrv = (namesrv: Context): Route =>
  route({
    code: RequestCode.REGISTER_TOPIC_IN_NAMESRV,
    request: orNoFields(RegisterTopicRequestHeader),
    lane: 'heartbeat',
    action: 'UPDATE',
    handle(header, command, connection) {
      if (header === undefined) return ok()
      const queueDatas = readArray(readObject(jsonBody(command)).queueDatas).map(queueDataFromJson)
      if (queueDatas.length === 0 || namesrv.routeInfo.registerTopic(header.topic, queueDatas)) return ok()
      const fields = { event: 'topic-of-unknown-broker', topic: header.topic, remote: connection.peer.text }
      namesrv.logger.warn(fields, `topic ${header.topic} is left aside: it names a broker that is not registered`)
      return ok()
    },
  })
