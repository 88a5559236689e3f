import { type DataVersion, newTopicConfig, type TopicConfig } from '../../../src/common/index.js'
import type { BrokerRegistration } from '../../../src/namesrv/register-broker.js'
import { RouteInfoManager } from '../../../src/namesrv/route-info-manager.js'
import type { BrokerChannel } from '../../../src/namesrv/route-tables.js'
import type { NamesrvValues } from '../../../src/namesrv/settings.js'
import { ManualClock } from '../../support/manual-clock.js'

export const version = (counter: number, stateVersion = 0): DataVersion => ({
  counter,
  stateVersion,
  timestamp: 1_700_000_000_000,
})

export const newChannel = (): BrokerChannel => ({ isClosed: false, close: () => undefined })

export function topics(...names: (string | TopicConfig)[]): Map<string, TopicConfig> {
  const configs = names.map(name =>
    typeof name === 'string' ? newTopicConfig(name, { readQueueNums: 4, writeQueueNums: 4 }) : name,
  )
  return new Map(configs.map(config => [config.topicName, config]))
}

interface RegistrationParts extends Partial<Omit<BrokerRegistration, 'topics'>> {
  names?: (string | TopicConfig)[]
  version?: DataVersion
  mappings?: BrokerRegistration['topics']['topicQueueMappingInfoMap']
}

/** The master `broker-a` of `DefaultCluster` with two topics, but for what is given. */
export function registration(parts: RegistrationParts = {}): BrokerRegistration {
  const { names = ['TopicA', 'TopicB'], version: dataVersion = version(1), mappings = new Map(), ...rest } = parts
  const brokerId = parts.brokerId ?? 0
  return {
    clusterName: 'DefaultCluster',
    brokerName: 'broker-a',
    brokerAddr: `10.0.0.${brokerId + 1}:10911`,
    brokerId,
    haServerAddr: `10.0.0.${brokerId + 1}:10912`,
    zoneName: undefined,
    heartbeatTimeoutMs: undefined,
    enableActingMaster: false,
    filterServerList: [],
    channel: newChannel(),
    ...rest,
    topics: { dataVersion, topicConfigTable: topics(...names), topicQueueMappingInfoMap: mappings },
  }
}

type RouteValues = Pick<NamesrvValues, 'supportActingMaster' | 'deleteTopicWithBrokerRegistration'>

interface RouteInfoParts {
  routeInfo: RouteInfoManager
  clock: ManualClock
  /** Live: what is changed here counts from then on. */
  values: { -readonly [K in keyof RouteValues]: RouteValues[K] } & { orderMessageEnable: boolean }
}

export function newRouteInfo(given: Partial<RouteValues> = {}): RouteInfoParts {
  const clock = new ManualClock()
  const values = {
    supportActingMaster: false,
    deleteTopicWithBrokerRegistration: false,
    orderMessageEnable: false,
    ...given,
  }
  return { routeInfo: new RouteInfoManager({ values, clock }), clock, values }
}
