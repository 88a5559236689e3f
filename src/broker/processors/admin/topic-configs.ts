import {
  type DataVersion,
  dataVersionFromJson,
  parseFastJson,
  RequestCode,
  ResponseCode,
  sameDataVersion,
  stringifyFastJson,
} from '../../../common/index.js'
import {
  fail,
  GetAllTopicConfigRequestHeader,
  GetAllTopicConfigResponseHeader,
  ok,
  okWith,
  type Route,
  route,
  TopicRequestHeader,
} from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody, tableJson } from './json-body.js'

/** No static topics: their table never changes. */
const MAPPING_VERSION: DataVersion = { counter: 0, stateVersion: 0, timestamp: 0 }

/** Which part of a table a caller wants; callers that know no pages leave all of it out. */
export interface PageWish {
  seq?: number | undefined
  maxNum?: number | undefined
  /** JSON of the version the caller's earlier pages had. */
  dataVersion?: string | undefined
}

/**
 * One page of a table, or all of it. A caller that has seen another version begins anew (namesrv-and-admin 3.1).
 */
export function pageOf<V>(
  table: ReadonlyMap<string, V>,
  wish: PageWish,
  state: { version: DataVersion; splitSize: number | undefined },
): [string, V][] {
  const { seq, maxNum, dataVersion } = wish
  if (state.splitSize === undefined || (seq === undefined && maxNum === undefined && dataVersion === undefined)) {
    return [...table]
  }
  const isSameVersion = !dataVersion || sameDataVersion(dataVersionFromJson(parseFastJson(dataVersion)), state.version)
  const from = isSameVersion ? Math.max(0, seq ?? 0) : 0
  const count = Math.min(state.splitSize, maxNum ?? state.splitSize)
  return [...table].slice(from, from + Math.max(0, count))
}

/** GET_ALL_TOPIC_CONFIG (21). */
export function allTopicConfigRoute(broker: Pick<BrokerContext, 'topics' | 'settings'>): Route {
  return route({
    code: RequestCode.GET_ALL_TOPIC_CONFIG,
    request: GetAllTopicConfigRequestHeader,
    lane: 'admin',
    action: 'LIST',
    async handle(header) {
      const { topics, settings } = broker
      const version = { ...topics.dataVersion }
      const page = pageOf(
        topics.topicConfigTable,
        { seq: header.topicSeq, maxNum: header.maxTopicNum, dataVersion: header.dataVersion },
        { version, splitSize: settings.enableSplitMetadata ? settings.splitMetadataSize : undefined },
      )
      const totalTopicNum = topics.topicConfigTable.size
      const body =
        `{"dataVersion":${stringifyFastJson(version)},"mappingDataVersion":${stringifyFastJson(MAPPING_VERSION)},` +
        `"topicConfigTable":${await tableJson(page)},"topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{}}`
      return okWith(GetAllTopicConfigResponseHeader, { totalTopicNum }, Buffer.from(body))
    },
  })
}

/** GET_TOPIC_CONFIG (351). */
export function topicConfigRoute(broker: Pick<BrokerContext, 'topics'>): Route {
  return route({
    code: RequestCode.GET_TOPIC_CONFIG,
    request: TopicRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle({ topic }) {
      const config = broker.topics.selectTopicConfig(topic)
      if (config === undefined) return fail(ResponseCode.TOPIC_NOT_EXIST, `No topic in this broker. topic: ${topic}`)
      return ok(jsonBody(config))
    },
  })
}
