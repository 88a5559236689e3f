import {
  createOffsetMessageId,
  type MessageExt,
  PERM_READ_WRITE,
  PropertyName,
  SystemTopic,
} from '../../common/index.js'
import type { Timer } from '../../util/index.js'
import type { BrokerContext } from '../context.js'
import type { CheckHistory } from './check-history.js'
import { checkRequest } from './check-request.js'
import {
  checkTimesOf,
  firstHalfOffset,
  givenUpMessage,
  HALF_QUEUE_ID,
  immunityOf,
  realTarget,
  transactionIdOf,
} from './half-message.js'
import type { HalfQueue } from './half-queue.js'
import type { TransactionMetrics } from './transaction-metrics.js'

export interface TransactionChecksParts
  extends Pick<
    BrokerContext,
    'settings' | 'identity' | 'clock' | 'logger' | 'puts' | 'topics' | 'producers' | 'notifier'
  > {
  half: HalfQueue
  history: CheckHistory
  metrics: TransactionMetrics
  /** As records keep it. */
  storeHost: Buffer
}

const MAX_ROUND_MS = 60_000
const HOUR_MS = 3_600_000
/**
 * An open half message that is as old as this without having been checked is stored once more: what lies in front of it
 * need not be read at the next start, and the log may delete the file it lies in.
 */
const REFRESH_AFTER_MS = 600_000

/** Counts of a round, for its log line. */
interface Round {
  readonly startedAt: number
  readonly startedMono: number
  asked: number
  waiting: number
  givenUp: number
}

/**
 * Asks producers what became of their open transactions (broker-behaviour 7.3): every `transactionCheckInterval`, those
 * older than `transactionTimeOut`, each at most `transactionCheckMax` times. Unlike in Java a round in which nobody of
 * the group is online does not count as a check, nor does one in which the message is immune; and none makes those
 * behind it wait.
 */
export class TransactionChecks {
  private timer: Timer | undefined
  private running: Promise<void> | undefined
  private isStopped = false

  constructor(private readonly parts: TransactionChecksParts) {}

  start(): void {
    this.schedule()
  }

  /** Resolves when the round under way has ended. */
  async stop(): Promise<void> {
    this.isStopped = true
    this.timer?.cancel()
    await this.settled()
  }

  /** Resolves when no round is under way. */
  async settled(): Promise<void> {
    await this.running
  }

  private runNow(): Promise<void> {
    this.running ??= this.round().finally(() => {
      this.running = undefined
    })
    return this.running
  }

  private schedule(): void {
    const { clock, settings, logger } = this.parts
    this.timer = clock.after(settings.transactionCheckInterval, () => {
      void this.runNow()
        .catch((error: unknown) =>
          logger.error({ event: 'transaction-check-failed', err: error }, 'a round of transaction checks failed'),
        )
        .then(() => {
          if (!this.isStopped) this.schedule()
        })
    })
  }

  private async round(): Promise<void> {
    const { clock, half, logger } = this.parts
    const round: Round = {
      startedAt: clock.now(),
      startedMono: clock.monotonic(),
      asked: 0,
      waiting: 0,
      givenUp: 0,
    }
    // what is stored from now on, the copies made in this round included, is for the next one
    await half.scan(half.end, message => {
      if (this.isStopped || clock.monotonic() - round.startedMono > MAX_ROUND_MS) return 'stop'
      return this.look(message, round)
    })
    half.advance()
    const { asked, waiting, givenUp } = round
    if (asked + waiting + givenUp === 0) return
    const text = `transactions: asked for ${asked}, ${waiting} wait, ${givenUp} given up`
    logger.info({ event: 'transaction-check', asked, waiting, givenUp }, text)
  }

  private look(half: MessageExt, round: Round): 'go on' | 'stop' {
    const { settings, clock, history, producers } = this.parts
    const now = clock.now()
    const age = now - half.bornTimestamp
    const checks = checkTimesOf(half)
    const group = half.properties.get(PropertyName.PRODUCER_GROUP) ?? ''
    const isOnline = group !== '' && producers.groupOnline(group)
    const isTooOld = age > settings.fileReservedTime * HOUR_MS && (checks > 0 || !isOnline)
    if (checks >= settings.transactionCheckMax || isTooOld) return this.giveUp(half, round)
    if (this.isImmune(half, now)) return this.wait(half, round)
    if (!isOnline) {
      history.noteOffline(firstHalfOffset(half))
      return this.wait(half, round)
    }
    return this.ask(half, { group, checkTimes: checks + 1 }, round)
  }

  private isImmune(half: MessageExt, now: number): boolean {
    const { transactionTimeOut } = this.parts.settings
    return knownAge(half, now) <= (immunityOf(half, transactionTimeOut) ?? transactionTimeOut)
  }

  private wait(half: MessageExt, round: Round): 'go on' | 'stop' {
    round.waiting++
    if (round.startedAt - half.storeTimestamp <= REFRESH_AFTER_MS) return 'go on'
    return this.parts.half.putBack(half, checkTimesOf(half)) === undefined ? 'stop' : 'go on'
  }

  private ask(
    half: MessageExt,
    { group, checkTimes }: { group: string; checkTimes: number },
    round: Round,
  ): 'go on' | 'stop' {
    const { identity, history, notifier, producers, logger } = this.parts
    const target = realTarget(half)
    if (target === undefined) return this.giveUp(half, round)
    const copy = this.parts.half.putBack(half, checkTimes)
    // the store takes nothing: the next round tries again
    if (copy === undefined) return 'stop'
    const request = checkRequest({
      half,
      target,
      ...copy,
      offsetMsgId: createOffsetMessageId(this.parts.storeHost, copy.physicalOffset),
      checkTimes,
      brokerName: identity.brokerName,
    })
    const connection = notifier.sendToProducer(group, request)
    const client = connection && producers.groups.get(group)?.get(connection)?.clientId
    round.asked++
    if (client !== undefined) history.noteAsked(firstHalfOffset(half), client)
    logger.debug(
      { event: 'transaction-asked', transactionId: transactionIdOf(half), group, client, checkTimes, ...target },
      `asked ${client ?? group} for transaction ${transactionIdOf(half)}, check ${checkTimes}`,
    )
    return 'go on'
  }

  /** Keeps it where an operator finds it; it is delivered to nobody unless it is committed or resumed. */
  private giveUp(half: MessageExt, round: Round): 'go on' | 'stop' {
    const { puts, topics, history, metrics, logger } = this.parts
    topics.createTopicInSendMessageBack(SystemTopic.TRANS_CHECK_MAX_TIME, 1, PERM_READ_WRITE)
    const { status } = puts.put(givenUpMessage(half), false)
    if (status !== 'PUT_OK') return 'stop'
    const position = { queueOffset: half.queueOffset, physicalOffset: half.commitLogOffset }
    this.parts.half.close(half, position)
    history.forget(firstHalfOffset(half))
    const target = realTarget(half)
    if (target !== undefined) metrics.add(target.topic, -1)
    round.givenUp++
    const checks = checkTimesOf(half)
    const fields = { event: 'transaction-given-up', transactionId: transactionIdOf(half), checks, ...target }
    logger.error(
      fields,
      `transaction ${transactionIdOf(half)} is given up after ${checks} checks: the message is kept in ` +
        `${SystemTopic.TRANS_CHECK_MAX_TIME}-${HALF_QUEUE_ID}; RESUME_CHECK_HALF_MESSAGE has it checked again`,
    )
    return 'go on'
  }
}

/**
 * Ms since its birth. A message from the future (its producer's clock is ahead) is as old as its record; when that is
 * from the future too, this broker's clock was set back and nobody knows: it is old enough for anything.
 */
function knownAge(half: MessageExt, now: number): number {
  if (half.bornTimestamp <= now) return now - half.bornTimestamp
  return half.storeTimestamp <= now ? now - half.storeTimestamp : Number.POSITIVE_INFINITY
}
