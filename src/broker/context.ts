import type { DataVersion } from '../common/index.js'
import type { Lane } from '../remoting/index.js'
import type { MessageStore } from '../store/index.js'
import type { Clock, Logger } from '../util/index.js'
import type { ClientNotifier } from './client/client-notifier.js'
import type { ConsumerManager } from './client/consumer-manager.js'
import type { ProducerManager } from './client/producer-manager.js'
import type { RebalanceLockManager } from './client/rebalance-lock-manager.js'
import type { ColdDataCgCtrService } from './coldctr/cold-data-cg-ctr-service.js'
import type { ColdDataPullRequestHoldService } from './coldctr/cold-data-pull-request-hold-service.js'
import type { BrokerIdentity } from './identity.js'
import type { PullRequestHoldService } from './longpolling/pull-request-hold-service.js'
import type { BroadcastOffsetManager } from './offset/broadcast-offset-manager.js'
import type { ConsumerFilterManager } from './offset/consumer-filter-manager.js'
import type { ConsumerOffsetManager } from './offset/consumer-offset-manager.js'
import type { OffsetResetLog } from './offset/offset-reset-log.js'
import type { BrokerOuterApi } from './out/broker-outer-api.js'
import type { BrokerRegistration } from './out/broker-registration.js'
import type { NamesrvAddresses } from './out/namesrv-addresses.js'
import type { MessagePutter } from './put/message-putter.js'
import type { ScheduleMessageService } from './schedule/schedule-message-service.js'
import type { BrokerSettings } from './settings.js'
import type { BrokerStats } from './stats/broker-stats.js'
import type { SubscriptionGroupManager } from './subscription/subscription-group-manager.js'
import type { TimerService } from './timer/timer-service.js'
import type { TopicConfigManager } from './topic/topic-config-manager.js'

/** The configuration as text, for the requests that read and change it (codes 26 and 25). */
export interface BrokerConfiguration {
  /** All keys, `key=value` lines. */
  asProperties(): string
  dataVersion(): DataVersion
  /** Checks, writes back and applies; nothing changes when one line is wrong. */
  update(text: string): Promise<{ text: string }>
}

/** How much there is to do. */
export interface RequestLoad {
  /** Requests of a kind that wait for their answer; held ones do not count. */
  waiting(this: void, lane: Lane): number
}

/** What a broker is made of. Processors take a `Pick` of it, so that a test can hand them just what they use. */
export interface BrokerContext {
  readonly identity: BrokerIdentity
  readonly settings: BrokerSettings
  readonly configuration: BrokerConfiguration
  readonly clock: Clock
  readonly logger: Logger
  readonly store: MessageStore
  readonly puts: MessagePutter
  readonly topics: TopicConfigManager
  readonly groups: SubscriptionGroupManager
  readonly offsets: ConsumerOffsetManager
  readonly offsetResets: OffsetResetLog
  readonly broadcasts: BroadcastOffsetManager
  readonly filters: ConsumerFilterManager
  readonly producers: ProducerManager
  readonly consumers: ConsumerManager
  readonly locks: RebalanceLockManager
  readonly notifier: ClientNotifier
  readonly holds: PullRequestHoldService
  readonly coldReads: ColdDataCgCtrService
  readonly coldHolds: ColdDataPullRequestHoldService
  readonly schedule: ScheduleMessageService
  /** Undefined when `timerWheelEnable` is off, and on a slave. */
  readonly timer: TimerService | undefined
  readonly stats: BrokerStats
  readonly requestLoad: RequestLoad
  readonly out: BrokerOuterApi
  readonly registration: BrokerRegistration
  readonly namesrvs: NamesrvAddresses
}
