import {
  decodeOffsetMessageId,
  type Message,
  type MessageExt,
  MessageSysFlag,
  PropertyName,
  type TraceTransactionState,
} from '../../common/index.js'
import { errorText } from '../../util/index.js'
import type { TransactionCheck } from '../members.js'
import { type OutgoingMessage, toMessage } from '../outgoing-message.js'
import { Producer, type ProducerOptions } from './producer.js'
import type { SendResult } from './send-result.js'

/** UNKNOWN leaves the message undecided: the broker asks again later. */
export type TransactionState = 'COMMIT' | 'ROLLBACK' | 'UNKNOWN'

/** A half message as the local transaction sees it. */
export interface HalfMessage extends Message {
  /** Its id, stored with the transaction so that a check can find it. */
  transactionId: string
}

export interface TransactionProducerOptions<Argument> extends ProducerOptions {
  /**
   * Runs the local transaction once the half message is stored. What it throws makes the state UNKNOWN: the broker will
   * have it checked.
   */
  execute: (message: HalfMessage, argument: Argument) => TransactionState | Promise<TransactionState>
  /** Looks up what became of the local transaction of a message; any producer of the group may be asked. */
  check: (message: MessageExt) => TransactionState | Promise<TransactionState>
}

export interface TransactionSendResult extends SendResult {
  state: TransactionState
  /** What the local transaction threw. */
  error?: unknown
}

const decisions: Readonly<Record<TransactionState, number>> = {
  COMMIT: MessageSysFlag.TRANSACTION_COMMIT_TYPE,
  ROLLBACK: MessageSysFlag.TRANSACTION_ROLLBACK_TYPE,
  UNKNOWN: MessageSysFlag.TRANSACTION_NOT_TYPE,
}

const tracedStates: Readonly<Record<TransactionState, TraceTransactionState>> = {
  COMMIT: 'COMMIT_MESSAGE',
  ROLLBACK: 'ROLLBACK_MESSAGE',
  UNKNOWN: 'UNKNOW',
}

interface Outcome {
  state: TransactionState
  error?: unknown
}

/** Sends messages that consumers see only when a local transaction has been committed. */
export class TransactionProducer<Argument = void> extends Producer {
  constructor(private readonly transactions: TransactionProducerOptions<Argument>) {
    super(transactions)
  }

  /**
   * Stores a half message, runs `execute`, and tells the broker what to do with the message.
   * @throws MQClientError when the half message could not be stored; `execute` has not run then
   */
  async sendInTransaction(outgoing: OutgoingMessage, argument: Argument): Promise<TransactionSendResult> {
    this.life.assertRunning()
    const message = toMessage(outgoing, this.maxMessageSize)
    message.properties.delete(PropertyName.DELAY)
    message.properties.set(PropertyName.TRANSACTION_PREPARED, 'true')
    message.properties.set(PropertyName.PRODUCER_GROUP, this.group)
    const result = await this.sendMessage(message, {})
    const outcome = await this.run(message, result, argument)
    await this.end(message, result, outcome)
    return { ...result, ...outcome }
  }

  /** @internal Answers CHECK_TRANSACTION_STATE. */
  async checkTransaction(check: TransactionCheck): Promise<void> {
    const { message, header } = check
    const msgId = message.properties.get(PropertyName.UNIQ_KEY) ?? message.offsetMsgId
    const outcome = await settle(() => this.transactions.check(message))
    const answer = {
      topic: message.topic,
      producerGroup: this.group,
      tranStateTableOffset: header.tranStateTableOffset,
      commitLogOffset: header.commitLogOffset,
      commitOrRollback: decisions[outcome.state],
      fromTransactionCheck: true,
      msgId,
      transactionId: header.transactionId,
    }
    const target = { address: check.address, brokerName: header.bname }
    await this.instance.brokers.endTransaction(target, answer, remarkOf('checkLocalTransactionState', outcome))
    const { properties } = message
    const traced = {
      msgId,
      regionId: properties.get(PropertyName.MSG_REGION) ?? '',
      traceOn: properties.get(PropertyName.TRACE_ON) !== 'false',
      ...(header.transactionId === undefined ? {} : { transactionId: header.transactionId }),
    }
    this.trace?.ended(message, traced, {
      state: tracedStates[outcome.state],
      isCheck: true,
      brokerAddress: check.address,
    })
  }

  private async run(message: Message, result: SendResult, argument: Argument): Promise<Outcome> {
    // a half message that may get lost is given up before anything happens
    if (result.status !== 'SEND_OK') return { state: 'ROLLBACK' }
    const transactionId = message.properties.get(PropertyName.UNIQ_KEY)!
    message.properties.set(PropertyName.TRANSACTION_ID, result.transactionId ?? transactionId)
    return settle(() => this.transactions.execute({ ...message, transactionId }, argument))
  }

  private async end(message: Message, result: SendResult, outcome: Outcome): Promise<void> {
    const { routes, brokers, logger } = this.instance
    const brokerName = result.queue.brokerName
    const address = routes.master(brokerName)
    try {
      if (address === undefined) throw new Error(`no address of ${brokerName} is known any more`)
      const header = {
        topic: message.topic,
        producerGroup: this.group,
        tranStateTableOffset: result.queueOffset,
        commitLogOffset: decodeOffsetMessageId(result.offsetMsgId).commitLogOffset,
        commitOrRollback: decisions[outcome.state],
        fromTransactionCheck: false,
        msgId: result.msgId,
        transactionId: result.transactionId,
      }
      await brokers.endTransaction({ address, brokerName }, header, remarkOf('executeLocalTransactionBranch', outcome))
      this.trace?.ended(message, result, { state: tracedStates[outcome.state], isCheck: false })
    } catch (error) {
      // the state is decided whether the broker hears of it or not: it will ask
      logger.warn(
        { event: 'end-transaction-failed', msgId: result.msgId, err: error },
        `could not tell ${brokerName} that ${result.msgId} is to ${outcome.state}; it will check: ${errorText(error)}`,
      )
    }
  }
}

async function settle(run: () => TransactionState | Promise<TransactionState>): Promise<Outcome> {
  try {
    const state = await run()
    // without types a listener may return anything
    return { state: state in decisions ? state : 'UNKNOWN' }
  } catch (error) {
    return { state: 'UNKNOWN', error }
  }
}

function remarkOf(method: string, outcome: Outcome): string | undefined {
  return outcome.error === undefined ? undefined : `${method} exception: ${errorText(outcome.error)}`
}
