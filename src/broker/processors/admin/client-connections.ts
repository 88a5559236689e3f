import { languageName, RequestCode, ResponseCode } from '../../../common/index.js'
import {
  fail,
  GetConsumerConnectionListRequestHeader,
  GetProducerConnectionListRequestHeader,
  NoHeader,
  ok,
  type Route,
  route,
} from '../../../remoting/index.js'
import type { ClientChannelInfo } from '../../client/client-channel.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody } from './json-body.js'

function connectionSet(channels: ReadonlyMap<unknown, ClientChannelInfo>): object[] {
  return Array.from(channels.values(), ({ clientId, connection, language, version }) => ({
    clientAddr: connection.peer.text,
    clientId,
    language: languageName(language),
    version,
  }))
}

/** GET_CONSUMER_CONNECTION_LIST (203). */
export function consumerConnectionsRoute(broker: Pick<BrokerContext, 'consumers'>): Route {
  return route({
    code: RequestCode.GET_CONSUMER_CONNECTION_LIST,
    request: GetConsumerConnectionListRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle({ consumerGroup }) {
      const info = broker.consumers.getConsumerGroupInfo(consumerGroup)
      if (info === undefined) {
        return fail(ResponseCode.CONSUMER_NOT_ONLINE, `the consumer group[${consumerGroup}] not online`)
      }
      const { consumeFromWhere, consumeType, messageModel, subscriptions, channels } = info
      return ok(
        jsonBody({
          connectionSet: connectionSet(channels),
          consumeFromWhere,
          consumeType,
          messageModel,
          subscriptionTable: subscriptions,
        }),
      )
    },
  })
}

/** GET_PRODUCER_CONNECTION_LIST (204). */
export function producerConnectionsRoute(broker: Pick<BrokerContext, 'producers'>): Route {
  return route({
    code: RequestCode.GET_PRODUCER_CONNECTION_LIST,
    request: GetProducerConnectionListRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle({ producerGroup }) {
      const channels = broker.producers.groups.get(producerGroup)
      if (channels === undefined) {
        return fail(ResponseCode.SYSTEM_ERROR, `the producer group[${producerGroup}] not exist`)
      }
      return ok(jsonBody({ connectionSet: connectionSet(channels) }))
    },
  })
}

/** GET_ALL_PRODUCER_INFO (328). */
export function allProducersRoute(broker: Pick<BrokerContext, 'producers'>): Route {
  return route({
    code: RequestCode.GET_ALL_PRODUCER_INFO,
    request: NoHeader,
    lane: 'admin',
    action: 'LIST',
    handle() {
      const data = new Map<string, object[]>()
      for (const [group, channels] of broker.producers.groups) {
        data.set(
          group,
          Array.from(channels.values(), ({ clientId, connection, language, lastUpdateTimestamp, version }) => ({
            clientId,
            language: languageName(language),
            lastUpdateTimestamp,
            remoteIP: `/${connection.peer.text}`,
            version,
          })),
        )
      }
      return ok(jsonBody({ data }))
    },
  })
}
