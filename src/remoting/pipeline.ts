import { ResponseCode, ResponseError, requestCodeName } from '../common/index.js'
import { type Clock, createLogLimiter, errorText, type Logger, type LogLimiter } from '../util/index.js'
import { EMPTY, type RemotingCommand } from './command.js'
import type { Connection } from './connection.js'
import { fail, Hold, type Lane, Reply, type Route, type RouteTable } from './route.js'

/** First version whose clients understand GO_AWAY: above V5_3_1 (wire-protocol 8.4). */
const GO_AWAY_ABOVE_VERSION = 475

export interface PipelineOptions {
  routes: RouteTable
  clock: Clock
  logger: Logger
  /** Requests of a lane that may be under way at once; more are answered SYSTEM_BUSY. */
  laneLimits?: Partial<Record<Lane, number>>
  /** Requests that take longer are logged with who, what and how long. */
  slowRequestMs?: number
  /** Refuses a request before it is decoded (authentication, roles, overload); undefined lets it pass. */
  admit?: (route: Route, command: RemotingCommand, connection: Connection) => Reply | undefined
  /** Told of each answered request, e.g. for metrics. */
  onAnswered?: (route: Route, code: number, costMs: number) => void
}

const DEFAULT_LANE_LIMIT = 100_000
const DEFAULT_SLOW_MS = 500
/** Requests of a host that are refused for one reason are told once in this time, and the rest counted. */
const REFUSAL_PERIOD_MS = 60_000

/** The one way of every request: route, admission, header, handler, answer. */
export class RequestPipeline {
  private readonly underWay = new Map<Lane, number>()
  private readonly refusals: LogLimiter
  private stopping = false

  constructor(private readonly options: PipelineOptions) {
    this.refusals = createLogLimiter({ clock: options.clock, periodMs: REFUSAL_PERIOD_MS })
  }

  /** From now on requests of clients that understand it are answered GO_AWAY. */
  goAway(): void {
    this.stopping = true
  }

  /** Requests under way that are not held: what a graceful stop waits for. */
  get busy(): number {
    let sum = 0
    for (const count of this.underWay.values()) sum += count
    return sum
  }

  /** Requests of a lane that wait for their answer; held ones do not count. */
  waiting(lane: Lane): number {
    return this.underWay.get(lane) ?? 0
  }

  handle(command: RemotingCommand, connection: Connection): void {
    const route = this.options.routes.find(command.code)
    const refusal =
      !route || (route.mainPortOnly && connection.fastPort)
        ? fail(ResponseCode.REQUEST_CODE_NOT_SUPPORTED, ` request type ${command.code} not supported`)
        : this.refuse(route, command, connection)
    if (!route || refusal) {
      this.tellRefusal(command, connection, refusal!)
      connection.reply(command, refusal!)
      return
    }
    // the time of the chunk it came in: what a request waits behind others of its chunk counts as its own
    const start = connection.lastActive
    if (!route.borrowsBody && command.body !== EMPTY) command.body = Buffer.from(command.body)
    let result: ReturnType<Route['handle']>
    try {
      result = route.handle(route.request.decodeFrom(command), command, connection)
    } catch (error) {
      this.answer({ route, command, connection, start }, this.replyTo(error, route, command, connection))
      return
    }
    if (result instanceof Reply) this.answerNow(route, command, connection, result)
    else if (result instanceof Hold) this.hold({ route, command, connection, start }, result)
    else this.await({ route, command, connection, start }, result)
  }

  private refuse(route: Route, command: RemotingCommand, connection: Connection): Reply | undefined {
    if (this.stopping && command.version > GO_AWAY_ABOVE_VERSION) return fail(ResponseCode.GO_AWAY, 'please go away')
    const limit = this.options.laneLimits?.[route.lane] ?? DEFAULT_LANE_LIMIT
    if ((this.underWay.get(route.lane) ?? 0) >= limit)
      return fail(ResponseCode.SYSTEM_BUSY, '[OVERLOAD]system busy, start flow control for a while')
    return this.options.admit?.(route, command, connection)
  }

  private tellRefusal(command: RemotingCommand, connection: Connection, refusal: Reply): void {
    const { logger, clock } = this.options
    const fields = {
      ...facts(command, connection),
      event: 'request-refused',
      answer: refusal.code,
      costMs: Math.round(clock.monotonic() - connection.lastActive),
    }
    const text = `refused ${requestCodeName(command.code)} of ${connection.peer.text}: ${refusal.remark?.trim()}`
    // everybody who is connected gets it while this server stops
    if (refusal.code === ResponseCode.GO_AWAY) logger.debug(fields, text)
    else this.refusals.warn(logger, `${refusal.code}@${connection.peer.ip}`, fields, text)
  }

  private hold(call: Call, hold: Hold): void {
    // an unanswered frame has no use for the answer, but its work was done
    if (call.command.isOneway) hold.abandon()
    else call.connection.hold(hold, reply => call.connection.reply(call.command, reply))
  }

  private await(call: Call, result: Promise<Reply | Hold>): void {
    const { route } = call
    this.underWay.set(route.lane, (this.underWay.get(route.lane) ?? 0) + 1)
    result
      .catch((error: unknown) => this.replyTo(error, route, call.command, call.connection))
      .then(settled => {
        if (settled instanceof Hold) this.hold(call, settled)
        else this.answer(call, settled)
      })
      .finally(() => this.underWay.set(route.lane, this.underWay.get(route.lane)! - 1))
      .catch((error: unknown) => {
        this.options.logger.error({ ...facts(call.command, call.connection), err: error }, 'could not answer a request')
      })
  }

  /** Most answers: no clock is read here, a slow turn shows at the end of its chunk. */
  private answerNow(route: Route, command: RemotingCommand, connection: Connection, reply: Reply): void {
    connection.reply(command, reply)
    this.options.onAnswered?.(route, reply.code, 0)
  }

  private answer(call: Call, reply: Reply): void {
    call.connection.reply(call.command, reply)
    const costMs = this.options.clock.monotonic() - call.start
    this.options.onAnswered?.(call.route, reply.code, costMs)
    if (costMs < (this.options.slowRequestMs ?? DEFAULT_SLOW_MS)) return
    this.options.logger.warn(
      { ...facts(call.command, call.connection), event: 'slow-request', costMs: Math.round(costMs) },
      `${requestCodeName(call.route.code)} of ${call.connection.peer.text} took ${Math.round(costMs)} ms`,
    )
  }

  private replyTo(error: unknown, route: Route, command: RemotingCommand, connection: Connection): Reply {
    if (error instanceof ResponseError) {
      this.options.logger.debug(
        { ...facts(command, connection), event: 'request-answered', answer: error.code },
        `${requestCodeName(route.code)} of ${connection.peer.text}: ${error.remark}`,
      )
      return fail(error.code, error.remark)
    }
    this.options.logger.error(
      { ...facts(command, connection), event: 'request-failed', err: error },
      `${requestCodeName(route.code)} of ${connection.peer.text} failed: ${errorText(error)}`,
    )
    return fail(
      ResponseCode.SYSTEM_ERROR,
      `${requestCodeName(route.code)} failed inside the server: ${errorText(error)}`,
    )
  }
}

function facts(command: RemotingCommand, connection: Connection): Record<string, unknown> {
  return {
    event: 'request',
    code: command.code,
    request: requestCodeName(command.code),
    opaque: command.opaque,
    remote: connection.peer.text,
    topic: topicOf(command),
  }
}

/** Undefined also for extFields that cannot be read: this is asked while an error is being told. */
function topicOf(command: RemotingCommand): string | undefined {
  try {
    return command.extFields?.topic ?? command.extFields?.b
  } catch {
    return undefined
  }
}

interface Call {
  route: Route
  command: RemotingCommand
  connection: Connection
  /** Monotonic ms at which the handler was called. */
  start: number
}
