import { stringifyFastJson } from '../common/index.js'
import { type KVConfigManager, ORDER_TOPIC_NAMESPACE } from './kv-config-manager.js'
import type { RouteInfoManager } from './route-info-manager.js'
import { filterByZone, type TopicRoute } from './route-queries.js'
import type { NamesrvValues } from './settings.js'

/** `standard` is JSON in ASCII, for clients from 4.9.4 on; `legacy` has number keys without quotes. */
export type RouteDialect = 'standard' | 'legacy'

export interface RouteBodiesOptions {
  readonly routeInfo: RouteInfoManager
  readonly kvConfig: KVConfigManager
  readonly values: Pick<NamesrvValues, 'orderMessageEnable' | 'supportActingMaster'>
}

/** Zones are named by clients: no more of their routes are kept than this. */
const MAX_ZONE_BODIES = 10_000

/** Routes as they go over the wire. Each is written once and sent as it is until something it depends on changes. */
export class RouteBodies {
  private readonly byTopic: Readonly<Record<RouteDialect, Map<string, Buffer>>> = {
    standard: new Map(),
    legacy: new Map(),
  }
  private readonly byZone = new Map<string, Buffer>()
  private routeGeneration = -1
  private kvGeneration = -1
  private orderMessageEnable = false
  private supportActingMaster = false

  constructor(private readonly options: RouteBodiesOptions) {}

  /** Undefined without a route. */
  body(topic: string, dialect: RouteDialect): Buffer | undefined {
    this.forgetWhatChanged()
    const bodies = this.byTopic[dialect]
    return bodies.get(topic) ?? this.write(bodies, topic, () => encode(this.route(topic), dialect))
  }

  /** The part of the route in one zone; always in the legacy dialect, as Java answers it. */
  bodyOfZone(topic: string, zoneName: string): Buffer | undefined {
    this.forgetWhatChanged()
    const key = `${topic}\u0000${zoneName.toLowerCase()}`
    const known = this.byZone.get(key)
    if (known !== undefined) return known
    if (this.byZone.size >= MAX_ZONE_BODIES) this.byZone.clear()
    return this.write(this.byZone, key, () => {
      const route = this.route(topic)
      return encode(route && filterByZone(route, zoneName), 'legacy')
    })
  }

  private write(bodies: Map<string, Buffer>, key: string, make: () => Buffer | undefined): Buffer | undefined {
    const body = make()
    if (body !== undefined) bodies.set(key, body)
    return body
  }

  private route(topic: string): TopicRoute | undefined {
    const route = this.options.routeInfo.topicRoute(topic)
    if (route === undefined || !this.options.values.orderMessageEnable) return route
    const orderTopicConf = this.options.kvConfig.get(ORDER_TOPIC_NAMESPACE, topic)
    return orderTopicConf === undefined ? route : { ...route, orderTopicConf }
  }

  private forgetWhatChanged(): void {
    const { routeInfo, kvConfig, values } = this.options
    if (
      this.routeGeneration === routeInfo.generation &&
      this.kvGeneration === kvConfig.generation &&
      this.orderMessageEnable === values.orderMessageEnable &&
      this.supportActingMaster === values.supportActingMaster
    ) {
      return
    }
    this.routeGeneration = routeInfo.generation
    this.kvGeneration = kvConfig.generation
    this.orderMessageEnable = values.orderMessageEnable
    this.supportActingMaster = values.supportActingMaster
    this.byTopic.standard.clear()
    this.byTopic.legacy.clear()
    this.byZone.clear()
  }
}

function encode(route: TopicRoute | undefined, dialect: RouteDialect): Buffer | undefined {
  if (route === undefined) return undefined
  return Buffer.from(stringifyFastJson(route, dialect === 'standard' ? { ascii: true } : { bareNumberKeys: true }))
}
