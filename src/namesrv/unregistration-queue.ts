import type { Logger } from '../util/index.js'
import type { MinBrokerIdChange } from './min-broker-id-change.js'
import type { RouteInfoManager } from './route-info-manager.js'
import type { NamesrvValues } from './settings.js'
import type { Unregistration } from './unregister-broker.js'

export interface UnregistrationQueueOptions {
  readonly routeInfo: RouteInfoManager
  readonly values: Pick<NamesrvValues, 'unRegisterBrokerQueueCapacity' | 'notifyMinBrokerIdChanged'>
  readonly logger: Logger
  /** Told when another broker has the lowest id of its name. */
  onMinBrokerIdChange(change: MinBrokerIdChange): void
}

/**
 * Gathers the brokers to be taken out until the end of the turn: when a rack goes, all its brokers cost one pass over
 * the topics. What comes after a sign-off and depends on it calls {@link drain} first.
 */
export class UnregistrationQueue {
  private waiting: Unregistration[] = []
  private scheduled = false

  constructor(private readonly options: UnregistrationQueueOptions) {}

  /** False when too many wait already. */
  submit(unregistration: Unregistration): boolean {
    if (this.waiting.length >= this.options.values.unRegisterBrokerQueueCapacity) return false
    this.waiting.push(unregistration)
    if (!this.scheduled) {
      this.scheduled = true
      setImmediate(() => this.drain())
    }
    return true
  }

  /** Takes out what waits, now. */
  drain(): void {
    this.scheduled = false
    if (this.waiting.length === 0) return
    const { routeInfo, values, logger } = this.options
    const batch = this.waiting
    this.waiting = []
    const { removed, minBrokerIdChanges } = routeInfo.unregister(batch)
    for (const broker of removed) {
      const { clusterName, brokerName, brokerId, brokerAddr } = broker
      const text = `broker ${brokerName} ${brokerId} (${brokerAddr}) of ${clusterName} is unregistered`
      logger.info({ event: 'broker-unregistered', ...broker }, text)
    }
    if (values.notifyMinBrokerIdChanged) minBrokerIdChanges.forEach(this.options.onMinBrokerIdChange)
  }
}
