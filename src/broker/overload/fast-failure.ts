import { ResponseCode, requestCodeName } from '../../common/index.js'
import { fail, type Lane, type PollTurn, type Reply, type Route } from '../../remoting/index.js'
import { type Clock, createLogLimiter, type Logger, type LogLimiter } from '../../util/index.js'
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

const WARNING_PERIOD_MS = 10_000

export interface FastFailureOptions {
  settings: Pick<BrokerSettings, WaitLimit | 'brokerFastFailureEnable'>
  turn: Pick<PollTurn, 'waitedMs'>
  /** Requests of a kind that wait for their answer. */
  waiting: (lane: Lane) => number
  clock: Clock
  logger: Logger
}

/**
 * Refuses requests that have waited too long (broker-behaviour 2.9), so that those behind them are answered while
 * somebody still waits for it.
 */
export class FastFailure {
  private readonly warnings: LogLimiter

  constructor(private readonly options: FastFailureOptions) {
    this.warnings = createLogLimiter({ clock: options.clock, periodMs: WARNING_PERIOD_MS })
  }

  /** The refusal of a request; undefined for one that is in time. */
  readonly admit = (route: Route): Reply | undefined => {
    const waited = this.options.turn.waitedMs()
    return waited < 1 ? undefined : this.refusal(route, waited)
  }

  private refusal({ lane, code }: Route, waited: number): Reply | undefined {
    const { settings, logger, waiting } = this.options
    const key = WAIT_LIMITS[lane]
    if (key === undefined || waited < settings[key] || !settings.brokerFastFailureEnable) return undefined
    const waitedMs = Math.floor(waited)
    const text = `${requestCodeName(code)} refused after ${waitedMs} ms of waiting (${key} is ${settings[key]})`
    this.warnings.warn(logger, lane, { event: 'request-shed', code, waitedMs }, text)
    return fail(
      ResponseCode.SYSTEM_BUSY,
      `[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: ${waitedMs}ms, ` +
        `size of queue: ${waiting(lane)}`,
    )
  }
}
