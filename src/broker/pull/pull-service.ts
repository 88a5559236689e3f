import { hasFlag, isSystemPullGroup, MASTER_ID, PullSysFlag, ResponseCode } from '../../common/index.js'
import {
  type Connection,
  fail,
  type Hold,
  okWith,
  PullMessageResponseHeader,
  type RemotingCommand,
  type Reply,
} from '../../remoting/index.js'
import type { GetMessageResult, GetMessageStatus, MessageFilter } from '../../store/index.js'
import type { BrokerContext } from '../context.js'
import type { BroadcastClient } from '../offset/broadcast-offset-manager.js'
import { messageFilter } from './message-filters.js'
import { type AdmittedPull, PullAdmission, type PullHeader, PullRefusal } from './pull-admission.js'

/** Answer code of each outcome of a read (broker-behaviour 3.3); an empty queue depends on the offset asked for. */
const CODES: Readonly<Record<GetMessageStatus, number>> = {
  FOUND: ResponseCode.SUCCESS,
  NO_MATCHED_MESSAGE: ResponseCode.PULL_RETRY_IMMEDIATELY,
  MESSAGE_WAS_REMOVING: ResponseCode.PULL_RETRY_IMMEDIATELY,
  OFFSET_FOUND_NULL: ResponseCode.PULL_NOT_FOUND,
  OFFSET_OVERFLOW_ONE: ResponseCode.PULL_NOT_FOUND,
  OFFSET_OVERFLOW_BADLY: ResponseCode.PULL_OFFSET_MOVED,
  OFFSET_TOO_SMALL: ResponseCode.PULL_OFFSET_MOVED,
  OFFSET_RESET: ResponseCode.PULL_OFFSET_MOVED,
  NO_MATCHED_LOGIC_QUEUE: ResponseCode.PULL_OFFSET_MOVED,
  NO_MESSAGE_IN_QUEUE: ResponseCode.PULL_OFFSET_MOVED,
}

const COLD_READS_LIMITED = 'This consumer group is reading cold data. It has been flow control'

/** A pull under way. A class, so that all have one shape: this is the busiest path of a broker that is read from. */
class Pull implements AdmittedPull {
  readonly group: AdmittedPull['group']
  readonly topic: AdmittedPull['topic']
  readonly subscription: AdmittedPull['subscription']
  readonly filterData: AdmittedPull['filterData']
  /** Set when it is a broadcast consumer whose progress is kept. */
  broadcaster: BroadcastClient | undefined = undefined

  constructor(
    admitted: AdmittedPull,
    readonly header: PullHeader,
    readonly from: { readonly command: RemotingCommand; readonly connection: Connection },
    /** Whether the answer may wait for a message. */
    readonly maySuspend: boolean,
  ) {
    this.group = admitted.group
    this.topic = admitted.topic
    this.subscription = admitted.subscription
    this.filterData = admitted.filterData
  }
}

/** Pulls: read, answer, or hold until there is something (broker-behaviour 3). */
export class PullService {
  private readonly admission: PullAdmission

  constructor(
    private readonly broker: Pick<
      BrokerContext,
      | 'settings'
      | 'identity'
      | 'topics'
      | 'groups'
      | 'consumers'
      | 'filters'
      | 'offsets'
      | 'broadcasts'
      | 'store'
      | 'holds'
      | 'coldReads'
      | 'coldHolds'
      | 'stats'
      | 'clock'
    >,
  ) {
    this.admission = new PullAdmission(broker)
  }

  pull(header: PullHeader, command: RemotingCommand, connection: Connection): Reply | Hold | Promise<Reply | Hold> {
    const admitted = this.admission.check(header, command.code, connection)
    if (admitted instanceof PullRefusal) return refusal(admitted)
    // a reset that waits for this pull must not be overwritten by where the client was
    const isReset = this.broker.offsets.hasOffsetReset(header.topic, header.consumerGroup, header.queueId)
    if (hasFlag(header.sysFlag, PullSysFlag.COMMIT_OFFSET) && !isReset)
      this.broker.offsets.commitOffset(header.consumerGroup, header.topic, header.queueId, header.commitOffset)
    const maySuspend = hasFlag(header.sysFlag, PullSysFlag.SUSPEND)
    const pull = new Pull(admitted, header, { command, connection }, maySuspend)
    if (this.broker.coldReads.isCgNeedColdDataFlowCtr(header.consumerGroup)) return this.readLimited(pull, true)
    return this.read(pull)
  }

  /**
   * A pull of a group that has read enough old data. If it wants more, members that push are refused; a pull is held
   * once, and then given one message.
   */
  private async readLimited(pull: Pull, mayHold: boolean): Promise<Reply | Hold> {
    const { topic, queueId, queueOffset, consumerGroup } = pull.header
    if (!(await this.broker.store.queries.isInColdArea(topic, queueId, queueOffset))) return this.read(pull)
    const consumeType = this.broker.consumers.getConsumerGroupInfo(consumerGroup)?.consumeType ?? 'CONSUME_ACTIVELY'
    if (consumeType === 'CONSUME_PASSIVELY') return fail(ResponseCode.SYSTEM_BUSY, COLD_READS_LIMITED)
    if (consumeType !== 'CONSUME_ACTIVELY') return this.read(pull)
    const hold = mayHold ? this.broker.coldHolds.hold(() => this.pullAgain(pull)) : undefined
    return hold ?? this.read(new Pull(pull, { ...pull.header, maxMsgNums: 1 }, pull.from, pull.maySuspend))
  }

  private read(pull: Pull): Reply | Hold | Promise<Reply | Hold> {
    const { header } = pull
    const reset = this.broker.offsets.hasAnyReset
      ? this.broker.offsets.queryThenEraseResetOffset(header.topic, header.consumerGroup, header.queueId)
      : undefined
    pull.broadcaster = this.broker.broadcasts.clientOf(header, pull.from.connection)
    if (reset !== undefined) return this.offsetReset(pull, reset)
    const { broadcaster } = pull
    if (broadcaster !== undefined && this.broker.broadcasts.mayMove(header, broadcaster))
      return this.readFromStart(pull, broadcaster)
    return this.readQueue(pull)
  }

  /** A broadcast consumer that may not know where to go on. */
  private async readFromStart(pull: Pull, broadcaster: BroadcastClient): Promise<Reply | Hold> {
    const offset = await this.broker.broadcasts.initialOffset(pull.header, broadcaster)
    return offset === undefined ? this.readQueue(pull) : this.offsetReset(pull, offset)
  }

  private readQueue(pull: Pull): Reply | Hold | Promise<Reply | Hold> {
    const { header } = pull
    const filter = this.filterOf(pull)
    const start = this.broker.clock.monotonic()
    const result = this.broker.store.getMessage({
      group: header.consumerGroup,
      topic: header.topic,
      queueId: header.queueId,
      offset: header.queueOffset,
      maxMsgNums: header.maxMsgNums,
      filter,
    })
    if (result === undefined) return fail(ResponseCode.SYSTEM_ERROR, 'store getMessage return null')
    return result instanceof Promise
      ? result.then(read => this.answer(pull, read, start))
      : this.answer(pull, result, start)
  }

  private answer(pull: Pull, result: GetMessageResult, readSince: number): Reply | Hold {
    const { header } = pull
    const { stats, clock } = this.broker
    stats.incGetLatency(clock.monotonic() - readSince)
    if (result.messageCount === 0) stats.incGetMiss()
    if (result.coldDataSum > 0) this.broker.coldReads.coldAcc(header.consumerGroup, result.coldDataSum)
    const code = pullCode(result.status, header.queueOffset)
    if (pull.broadcaster !== undefined) {
      const next = code === ResponseCode.PULL_OFFSET_MOVED ? result.nextBeginOffset : header.queueOffset
      this.broker.broadcasts.pulled(header, pull.broadcaster, next)
    }
    if (code === ResponseCode.PULL_NOT_FOUND && pull.maySuspend) {
      result.release()
      return this.suspend(pull)
    }
    this.broker.offsets.commitPullOffset(header.consumerGroup, header.topic, header.queueId, result.nextBeginOffset)
    const reply = this.reply(pull, result, code)
    if (result.messageCount === 0) result.release()
    else {
      reply.body = result
      reply.release = () => result.release()
      this.count(header, result)
    }
    return reply
  }

  private reply(
    pull: Pull,
    result: Pick<
      GetMessageResult,
      'status' | 'nextBeginOffset' | 'minOffset' | 'maxOffset' | 'suggestPullingFromSlave'
    >,
    code: number,
  ): Reply {
    const { settings, identity } = this.broker
    let suggestWhichBrokerId = MASTER_ID
    if (settings.slaveReadEnable)
      suggestWhichBrokerId = result.suggestPullingFromSlave
        ? pull.group.whichBrokerWhenConsumeSlowly
        : pull.group.brokerId
    const reply = okWith(PullMessageResponseHeader, {
      suggestWhichBrokerId,
      nextBeginOffset: result.nextBeginOffset,
      minOffset: result.minOffset,
      maxOffset: result.maxOffset,
      topicSysFlag: pull.topic.topicSysFlag,
      groupSysFlag: pull.group.groupSysFlag,
    })
    // a slave never makes a client jump: the master decides where its offset belongs
    const moved = code === ResponseCode.PULL_OFFSET_MOVED && identity.brokerId !== MASTER_ID
    reply.code = moved ? ResponseCode.PULL_RETRY_IMMEDIATELY : code
    reply.remark = result.status
    return reply
  }

  private filterOf(pull: Pull): MessageFilter | undefined {
    const { filters, settings } = this.broker
    const { sysFlag, consumerGroup } = pull.header
    const ofRetried = settings.filterSupportRetry ? (topic: string) => filters.get(topic, consumerGroup) : undefined
    return messageFilter(pull, sysFlag, filters.bloomFilter, ofRetried)
  }

  private suspend(pull: Pull): Hold {
    const { header } = pull
    const { settings } = this.broker
    const filter = this.filterOf(pull)
    return this.broker.holds.hold({
      topic: header.topic,
      queueId: header.queueId,
      offset: header.queueOffset,
      filter,
      waitMs: settings.longPollingEnable ? header.suspendTimeoutMillis : settings.shortPollingTimeMills,
      pullAgain: () => this.pullAgain(pull),
    })
  }

  /** The whole pull once more, with its checks, this time without waiting and without committing. */
  private pullAgain(pull: Pull): Reply | Promise<Reply> {
    const { header, from } = pull
    const { command, connection } = from
    const admitted = this.admission.check(header, command.code, connection)
    if (admitted instanceof PullRefusal) return refusal(admitted)
    const again = new Pull(admitted, header, from, false)
    const isLimited = this.broker.coldReads.isCgNeedColdDataFlowCtr(header.consumerGroup)
    return (isLimited ? this.readLimited(again, false) : this.read(again)) as Reply | Promise<Reply>
  }

  private offsetReset(pull: Pull, nextBeginOffset: number): Reply {
    const { store } = this.broker
    const { topic, queueId } = pull.header
    if (pull.broadcaster !== undefined) this.broker.broadcasts.pulled(pull.header, pull.broadcaster, nextBeginOffset)
    const result = {
      status: 'OFFSET_RESET',
      nextBeginOffset,
      minOffset: store.minOffset(topic, queueId),
      maxOffset: store.maxOffset(topic, queueId),
      suggestPullingFromSlave: false,
    } as const
    return this.reply(pull, result, ResponseCode.PULL_OFFSET_MOVED)
  }

  private count(header: PullHeader, result: GetMessageResult): void {
    if (isSystemPullGroup(header.consumerGroup)) return
    const { stats } = this.broker
    stats.incGroupGet(header.consumerGroup, header.topic, result.messageCount, result.totalBytes)
    stats.incBrokerGet(result.messageCount)
    // what lies farther back than memory reaches comes from the disk
    if (result.suggestPullingFromSlave)
      stats.incDiskGet(header.consumerGroup, header.topic, result.messageCount, result.totalBytes)
  }
}

function pullCode(status: GetMessageStatus, queueOffset: number): number {
  const emptyAtStart = (status === 'NO_MESSAGE_IN_QUEUE' || status === 'NO_MATCHED_LOGIC_QUEUE') && queueOffset === 0
  return emptyAtStart ? ResponseCode.PULL_NOT_FOUND : CODES[status]
}

/** Java sends the offsets of an empty header with a refusal, so clients that unbox them survive it. */
function refusal(refused: PullRefusal): Reply {
  if (refused.forbiddenType === undefined) return fail(refused.code, refused.remark)
  const reply = okWith(PullMessageResponseHeader, {
    suggestWhichBrokerId: MASTER_ID,
    nextBeginOffset: 0,
    minOffset: 0,
    maxOffset: 0,
    forbiddenType: refused.forbiddenType,
  })
  reply.code = refused.code
  return reply.withRemark(refused.remark)
}
