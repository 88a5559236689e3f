import { type Clock, type Logger, PeriodicTask } from '../../util/index.js'
import type { ConsumerManager } from './consumer-manager.js'
import type { ProducerManager } from './producer-manager.js'
import type { RebalanceLockManager } from './rebalance-lock-manager.js'

export interface ClientHousekeepingOptions {
  producers: Pick<ProducerManager, 'scan'>
  consumers: Pick<ConsumerManager, 'scan'>
  locks: Pick<RebalanceLockManager, 'removeExpired'>
  clock: Clock
  logger: Logger
}

const SCAN_PERIOD_MS = 10_000

/** Looks for clients that have gone silent. Those whose connection closes leave the tables at once without it. */
export class ClientHousekeeping {
  private readonly task: PeriodicTask

  constructor({ producers, consumers, locks, clock, logger }: ClientHousekeepingOptions) {
    this.task = new PeriodicTask({
      name: 'scan of clients',
      periodMs: SCAN_PERIOD_MS,
      clock,
      logger,
      run() {
        producers.scan()
        consumers.scan()
        locks.removeExpired()
      },
    })
  }

  start(): void {
    this.task.start()
  }

  stop(): Promise<void> {
    return this.task.stop()
  }
}
