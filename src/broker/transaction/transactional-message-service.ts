import {
  decodeMessage,
  type MessageExt,
  MessageSysFlag,
  PropertyName,
  ResponseCode,
  ResponseError,
  SystemTopic,
} from '../../common/index.js'
import type { EndTransactionRequestHeader, HeaderValue } from '../../remoting/index.js'
import { createLogLimiter, type Logger, type LogLimiter } from '../../util/index.js'
import type { BrokerContext } from '../context.js'
import { storeHostOf } from '../identity.js'
import { CheckHistory } from './check-history.js'
import { pastOf } from './decided-before.js'
import {
  firstHalfOffset,
  HALF_TOPIC,
  immunityOf,
  OUTCOME,
  outcomeNote,
  realTarget,
  transactionIdOf,
} from './half-message.js'
import { HalfQueue } from './half-queue.js'
import { OpQueue } from './op-queue.js'
import { OpenTransactions } from './open-transactions.js'
import { TransactionChecks } from './transaction-checks.js'
import { type Decided, type Decision, TransactionDecisions } from './transaction-decisions.js'
import { TransactionMetrics } from './transaction-metrics.js'

export type EndTransactionHeader = HeaderValue<typeof EndTransactionRequestHeader>

/** Who sent a decision, and what it wrote with it. */
export interface DecisionSource {
  client: string
  remark: string | undefined
}

type ServiceParts = Pick<
  BrokerContext,
  | 'settings'
  | 'identity'
  | 'clock'
  | 'logger'
  | 'store'
  | 'puts'
  | 'topics'
  | 'offsets'
  | 'producers'
  | 'notifier'
  | 'stats'
>

interface Asked {
  header: EndTransactionHeader
  decision: Decision | undefined
  source: DecisionSource
}

const WARNING_PERIOD_MS = 60_000
const STORE_REFUSES = 'The store takes no messages now: try again when the disk has room'
const NOT_FOUND = 'Find prepared transaction message failed'
const DECISIONS: Readonly<Record<number, Decision>> = {
  [MessageSysFlag.TRANSACTION_COMMIT_TYPE]: 'COMMIT',
  [MessageSysFlag.TRANSACTION_ROLLBACK_TYPE]: 'ROLLBACK',
}

/** Transactions from the half message to their end (broker-behaviour 7). Only a master serves them. */
export class TransactionalMessageService {
  readonly open: OpenTransactions
  readonly checks: TransactionChecks
  readonly metrics: TransactionMetrics
  private readonly half: HalfQueue
  private readonly ops: OpQueue
  private readonly history: CheckHistory
  private readonly decisions: TransactionDecisions
  private readonly logger: Logger
  private readonly warnings: LogLimiter

  constructor(private readonly parts: ServiceParts) {
    const { clock, puts, identity } = parts
    this.logger = parts.logger.child('RocketmqTransaction')
    this.warnings = createLogLimiter({ clock, periodMs: WARNING_PERIOD_MS })
    const shared = { ...parts, logger: this.logger, warnings: this.warnings, storeHost: storeHostOf(identity) }
    this.history = new CheckHistory(clock)
    this.metrics = new TransactionMetrics(shared)
    this.ops = new OpQueue(shared)
    this.half = new HalfQueue({ ...shared, ops: this.ops })
    const inner = { ...shared, half: this.half, history: this.history, metrics: this.metrics }
    this.decisions = new TransactionDecisions(inner)
    this.checks = new TransactionChecks(inner)
    this.open = new OpenTransactions(inner)
    puts.addListener(message => this.noteStored(message.topic, message.properties))
  }

  private get isMaster(): boolean {
    return this.parts.settings.brokerRole !== 'SLAVE'
  }

  /** Reads what was open when the broker ended. The store must be running, the consumer offsets loaded. */
  async load(): Promise<void> {
    this.metrics.load()
    if (!this.isMaster) return
    let found = 0
    await this.half.load(half => {
      found++
      const target = realTarget(half)
      if (target !== undefined) this.metrics.add(target.topic, 1)
    })
    this.logger.info({ event: 'transactions-loaded', open: found }, `${found} transactions are open`)
  }

  start(): void {
    if (!this.isMaster) return
    this.checks.start()
    this.metrics.start()
  }

  /** Ends the round under way and stores the marks that wait. */
  async stop(): Promise<void> {
    await this.checks.stop()
    this.ops.stop()
    if (this.isMaster) this.half.advance()
    await this.metrics.stop()
  }

  /**
   * END_TRANSACTION (37): checks in Java's order, then decides.
   * @throws ResponseError with the code and remark of the answer.
   */
  end(header: EndTransactionHeader, source: DecisionSource): Decided | Promise<Decided> {
    if (!this.isMaster)
      throw new ResponseError(
        ResponseCode.SLAVE_NOT_AVAILABLE,
        `this broker is a slave: send END_TRANSACTION to the master of ${this.parts.identity.brokerName}`,
      )
    const decision = DECISIONS[header.commitOrRollback]
    if (decision === undefined && header.commitOrRollback !== MessageSysFlag.TRANSACTION_NOT_TYPE)
      throw new ResponseError(
        ResponseCode.SYSTEM_ERROR,
        'commitOrRollback field wrong: give 8 to commit, 12 to roll back, 0 to be asked later',
      )
    try {
      const ended = this.endAt(header.commitLogOffset, { header, decision, source })
      return ended instanceof Promise ? ended.catch(error => this.refused(header, source, error)) : ended
    } catch (error) {
      return this.refused(header, source, error)
    }
  }

  /** Most are decided soon after their half message was stored: in this turn then, without a copy of it. */
  private endAt(offset: number, asked: Asked): Decided | Promise<Decided> {
    const record = this.parts.store.queries.recordInMemory(offset)
    if (record !== undefined) return this.endChecked(halfMessage(decodeMessage(record), offset), asked)
    return this.halfMessageAt(offset).then(half => this.endChecked(half, asked))
  }

  /** Most producers do not wait for an answer: what is refused must be seen here. */
  private refused(header: EndTransactionHeader, source: DecisionSource, error: unknown): never {
    if (error instanceof ResponseError) this.warnOfRefusal(header, source, error)
    throw error
  }

  private endChecked(half: MessageExt, { header, decision, source }: Asked): Decided | Promise<Decided> {
    if (decision !== undefined && header.fromTransactionCheck !== true) this.refuseAfterImmunity(half)
    refuseWrongNames(half, header)
    if (decision !== undefined) return this.decisions.decide(half, decision)
    if (this.half.openPosition(half) !== undefined) {
      this.history.noteAnswer(firstHalfOffset(half), 'UNKNOWN', source.client, source.remark)
    }
    return { remark: `transaction ${transactionIdOf(half)} stays open: its producers will be asked` }
  }

  /** An operator's decision on an open transaction, whatever its immunity. @throws ResponseError */
  async decide(half: MessageExt, decision: Decision, source: DecisionSource): Promise<Decided> {
    const decided = await this.decisions.decide(half, decision)
    const transactionId = transactionIdOf(half)
    const fields = { event: 'transaction-decided-by-operator', transactionId, decision, from: source.client }
    this.logger.warn(fields, `an operator at ${source.client} decided transaction ${transactionId}: ${decision}`)
    return decided
  }

  /**
   * RESUME_CHECK_HALF_MESSAGE (323): has the producers asked again, from the first check on, about a transaction that
   * was given up or is open. @throws ResponseError
   */
  async resume(commitLogOffset: number): Promise<void> {
    const half = await this.recordAt(commitLogOffset)
    if (half === undefined || realTarget(half) === undefined || !isResumable(half))
      throw new ResponseError(
        ResponseCode.SYSTEM_ERROR,
        `Put message back to ${HALF_TOPIC} failed. No message of ${SystemTopic.TRANS_CHECK_MAX_TIME} or of it ` +
          `begins at commit log offset ${commitLogOffset}: give the msgId that a query of these topics shows`,
      )
    if (half.topic === HALF_TOPIC && this.half.openPosition(half)?.physicalOffset === commitLogOffset) {
      if (this.half.putBack(half, 0) === undefined) throw notPutBack(STORE_REFUSES)
      return
    }
    const past = await pastOf(half, this.half, this.parts.store)
    if (past.state === 'open' || this.half.hasCopy(half)) throw notPutBack('It is open already')
    if (past.state !== 'given up') throw notPutBack('Its transaction is finished')
    if (this.half.reopen(half) === undefined) throw notPutBack(STORE_REFUSES)
    this.parts.puts.put(outcomeNote(half, 'RESUMED'), false)
    this.metrics.add(realTarget(half)!.topic, 1)
  }

  /** The half message that begins at `commitLogOffset`. @throws ResponseError when there is none */
  async halfMessageAt(commitLogOffset: number): Promise<MessageExt> {
    return halfMessage(await this.recordAt(commitLogOffset), commitLogOffset)
  }

  private async recordAt(commitLogOffset: number): Promise<MessageExt | undefined> {
    if (!Number.isSafeInteger(commitLogOffset) || commitLogOffset < 0) return undefined
    const record = await this.parts.store.queries.recordAt(commitLogOffset)
    return record === undefined ? undefined : decodeMessage(record)
  }

  /** After its own time of immunity a transaction is decided by check-back only. */
  private refuseAfterImmunity(half: MessageExt): void {
    const { settings, clock } = this.parts
    const own = immunityOf(half, settings.transactionTimeOut)
    if (own === undefined) return
    const immunity = Math.max(own, settings.transactionTimeOut)
    if (clock.now() - half.bornTimestamp <= immunity) return
    throw new ResponseError(
      ResponseCode.ILLEGAL_OPERATION,
      `transaction ${transactionIdOf(half)} is older than its ${PropertyName.CHECK_IMMUNITY_TIME_IN_SECONDS} ` +
        `(${immunity / 1000} s): answer the check that its producers get`,
    )
  }

  private warnOfRefusal(header: EndTransactionHeader, { client }: DecisionSource, error: ResponseError): void {
    const { producerGroup, msgId, commitOrRollback } = header
    const fields = {
      event: 'end-transaction-refused',
      producerGroup,
      msgId,
      commitOrRollback,
      code: error.code,
      client,
    }
    const text = `refused what ${producerGroup} at ${client} decided on ${msgId}: ${error.remark}`
    this.warnings.warn(this.logger, `end ${producerGroup} ${error.code}`, fields, text)
  }

  private noteStored(topic: string, properties: string | Buffer): void {
    if (topic !== HALF_TOPIC) return
    const real = /(?:^|\u0002)REAL_TOPIC\u0001([^\u0002]*)/.exec(properties.toString())?.[1]
    if (real !== undefined) this.metrics.add(real, 1)
  }
}

/** A record that is a half message. @throws ResponseError */
function halfMessage(half: MessageExt | undefined, commitLogOffset: number): MessageExt {
  if (half !== undefined && half.topic === HALF_TOPIC) return half
  const what = half === undefined ? 'no message begins there' : `a message of ${half.topic} begins there`
  throw new ResponseError(
    ResponseCode.SYSTEM_ERROR,
    `${NOT_FOUND}: ${what} (commit log offset ${commitLogOffset}). ` +
      "Name the offsets of the send's answer or of the check",
  )
}

function isResumable({ topic, properties }: MessageExt): boolean {
  return (topic === SystemTopic.TRANS_CHECK_MAX_TIME && !properties.has(OUTCOME)) || topic === HALF_TOPIC
}

function notPutBack(why: string): ResponseError {
  return new ResponseError(ResponseCode.SYSTEM_ERROR, `Put message back to ${HALF_TOPIC} failed. ${why}`)
}

/** The names in a decision must be those of the message; the remarks begin with Java's. */
function refuseWrongNames(half: MessageExt, header: EndTransactionHeader): void {
  const group = half.properties.get(PropertyName.PRODUCER_GROUP)
  if (group !== header.producerGroup)
    throw wrong(`The producer group wrong: the message is of ${group ?? 'no group'}, not of ${header.producerGroup}`)
  if (half.queueOffset !== header.tranStateTableOffset)
    throw wrong(
      `The transaction state table offset wrong: it is ${half.queueOffset}, not ${header.tranStateTableOffset}`,
    )
}

function wrong(remark: string): ResponseError {
  return new ResponseError(ResponseCode.SYSTEM_ERROR, remark)
}
