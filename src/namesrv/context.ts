import type { Clock, Logger } from '../util/index.js'
import type { KVConfigManager } from './kv-config-manager.js'
import type { BrokerLiveness } from './liveness.js'
import type { MinBrokerIdChange } from './min-broker-id-change.js'
import type { RouteBodies } from './route-bodies.js'
import type { RouteInfoManager } from './route-info-manager.js'
import type { NamesrvSettingsSource } from './settings.js'
import type { UnregistrationQueue } from './unregistration-queue.js'

/** What processors may use; each is handed the part it names. */
export interface NamesrvContext {
  readonly settings: NamesrvSettingsSource
  readonly routeInfo: RouteInfoManager
  readonly routeBodies: RouteBodies
  readonly kvConfig: KVConfigManager
  readonly unregistrations: UnregistrationQueue
  readonly liveness: Pick<BrokerLiveness, 'watch'>
  readonly notifier: { notify(change: MinBrokerIdChange): void }
  readonly clock: Clock
  readonly logger: Logger
  /** Monotonic ms at which this NameServer was made. */
  readonly startedAt: number
}
