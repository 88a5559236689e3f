import { ResponseCode } from '../../common/index.js'
import { fail, type Lane, type PollTurn, type Reply, type Route } from '../../remoting/index.js'
import type { BrokerSettings } from '../settings.js'

type WaitLimit = Extract<keyof BrokerSettings, `waitTimeMillsIn${string}`>

/** The keys of Java's limits by kind of request; the other kinds wait as long as it takes, as there. */
const WAIT_LIMITS: Partial<Record<Lane, WaitLimit>> = {
  send: 'waitTimeMillsInSendQueue',
  pull: 'waitTimeMillsInPullQueue',
  litePull: 'waitTimeMillsInLitePullQueue',
  heartbeat: 'waitTimeMillsInHeartbeatQueue',
  transaction: 'waitTimeMillsInTransactionQueue',
  ack: 'waitTimeMillsInAckQueue',
  admin: 'waitTimeMillsInAdminBrokerQueue',
}

export interface FastFailureOptions {
  settings: Pick<BrokerSettings, WaitLimit | 'brokerFastFailureEnable'>
  turn: Pick<PollTurn, 'waitedMs'>
  /** Requests of a kind that wait for their answer. */
  waiting: (lane: Lane) => number
}

/**
 * Refuses requests that have waited too long (broker-behaviour 2.9), so that those behind them are answered while
 * somebody still waits for it. The pipeline logs what it refuses.
 */
export class FastFailure {
  constructor(private readonly options: FastFailureOptions) {}

  /** The refusal of a request; undefined for one that is in time. */
  readonly admit = (route: Route): Reply | undefined => {
    const waited = this.options.turn.waitedMs()
    return waited < 1 ? undefined : this.refusal(route, waited)
  }

  private refusal({ lane }: Route, waited: number): Reply | undefined {
    const { settings, waiting } = this.options
    const key = WAIT_LIMITS[lane]
    if (key === undefined || waited < settings[key] || !settings.brokerFastFailureEnable) return undefined
    const waitedMs = Math.floor(waited)
    return fail(
      ResponseCode.SYSTEM_BUSY,
      `[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: ${waitedMs}ms, ` +
        `size of queue: ${waiting(lane)}`,
    )
  }
}
