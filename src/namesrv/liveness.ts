import type { Connection } from '../remoting/index.js'
import { type Clock, type Logger, PeriodicTask } from '../util/index.js'
import type { RouteInfoManager } from './route-info-manager.js'
import type { BrokerLiveInfo } from './route-tables.js'
import type { NamesrvValues } from './settings.js'
import type { UnregistrationQueue } from './unregistration-queue.js'

export interface BrokerLivenessOptions {
  readonly routeInfo: RouteInfoManager
  readonly unregistrations: UnregistrationQueue
  readonly values: Pick<NamesrvValues, 'scanNotActiveBrokerInterval'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Notices brokers that have gone: by their connection at once, by their silence within a scan. */
export class BrokerLiveness {
  private readonly watched = new WeakSet<Connection>()
  private stopped = false
  private readonly scans: PeriodicTask

  constructor(private readonly options: BrokerLivenessOptions) {
    this.scans = new PeriodicTask({
      name: 'scan for silent brokers',
      periodMs: options.values.scanNotActiveBrokerInterval,
      clock: options.clock,
      logger: options.logger,
      run: () => this.scan(),
    })
  }

  start(): void {
    this.scans.start()
  }

  /** From now on nobody is missed: it is this server that goes. */
  async stop(): Promise<void> {
    this.stopped = true
    await this.scans.stop()
  }

  /** Brokers that registered through this connection go when it goes. */
  watch(connection: Connection): void {
    if (this.watched.has(connection)) return
    this.watched.add(connection)
    connection.onClose(() => {
      if (this.stopped) return
      for (const live of this.options.routeInfo.brokersOf(connection)) {
        this.submit(live, `the connection is gone: ${connection.closeReason}`)
      }
    })
  }

  private scan(): void {
    for (const live of this.options.routeInfo.lostBrokers()) {
      // closing it is noticed above, with all the brokers of that connection
      if (!live.channel.isClosed) live.channel.close(`the broker was silent for over ${live.heartbeatTimeoutMs} ms`)
      else this.submit(live, 'the connection is gone')
    }
  }

  private submit(live: BrokerLiveInfo, reason: string): void {
    const { clusterName, brokerAddr, channel } = live
    const fields = { event: 'broker-lost', clusterName, brokerAddr }
    this.options.logger.warn(fields, `broker ${brokerAddr} of ${clusterName} is lost: ${reason}`)
    if (this.options.unregistrations.submit({ clusterName, brokerAddr, channel })) return
    // the entry stays in the live table with its closed connection: the next scan finds it
    this.options.logger.error(fields, `too many brokers wait to be unregistered; ${brokerAddr} goes with the next scan`)
  }
}
