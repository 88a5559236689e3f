import type { PeerPolicy } from '../remoting/index.js'

/** The keys a NameServer works by, with Java's names. Read when used, so that changes at run time are seen. */
export interface NamesrvValues extends PeerPolicy {
  readonly enableShutdownGracefully: boolean
  readonly shutdownWaitTimeSeconds: number
  readonly bindAddress: string
  readonly listenPort: number
  readonly serverSocketBacklog: number
  readonly serverChannelMaxIdleTimeSeconds: number
  readonly kvConfigPath: string
  readonly clientRequestThreadPoolQueueCapacity: number
  readonly defaultThreadPoolQueueCapacity: number
  readonly orderMessageEnable: boolean
  readonly returnOrderTopicConfigToBroker: boolean
  /** In ms. */
  readonly scanNotActiveBrokerInterval: number
  readonly unRegisterBrokerQueueCapacity: number
  readonly supportActingMaster: boolean
  readonly enableAllTopicList: boolean
  readonly enableTopicList: boolean
  readonly notifyMinBrokerIdChanged: boolean
  readonly needWaitForService: boolean
  readonly waitSecondsForService: number
  readonly deleteTopicWithBrokerRegistration: boolean
}

/** The settings of a running NameServer. */
export interface NamesrvSettingsSource {
  readonly values: NamesrvValues
  /** All of them as sorted `key=value` lines. */
  asProperties(): string
  /** Checks, saves and applies a properties text; `text` of the outcome says in a line what came of it. */
  update(text: string): Promise<{ readonly text: string }>
}
