import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeMessage, type MessageExt, SystemGroup } from '../../common/index.js'
import type { GetMessageResult, MessageStore } from '../../store/index.js'
import type { Logger } from '../../util/index.js'
import type { ConsumerOffsetManager } from '../offset/consumer-offset-manager.js'
import type { MessagePutter } from '../put/message-putter.js'
import { firstHalfOffset, HALF_QUEUE_ID, HALF_TOPIC, halfMessageAgain, OP_TOPIC } from './half-message.js'
import { OffsetSet } from './offset-set.js'
import type { OpQueue } from './op-queue.js'

export interface HalfQueueParts {
  store: Pick<MessageStore, 'getMessage' | 'minOffset' | 'maxOffset' | 'log' | 'flushedOffset'>
  puts: Pick<MessagePutter, 'put'>
  offsets: Pick<ConsumerOffsetManager, 'commitOffset' | 'queryOffset'>
  ops: OpQueue
  logger: Logger
}

/** Where a half message stands now. */
export interface HalfPosition {
  queueOffset: number
  physicalOffset: number
}

const GROUP = SystemGroup.SYS_RMQ_TRANS
const READ_AT_ONCE = 32

/**
 * Which half messages are open. The store has it all: a half message is finished when an op message marks it or when it
 * lies in front of the saved offset of the queue, which only saves reading. A transaction that was put back is open as
 * its newest copy; decisions that name an older one reach it all the same.
 */
export class HalfQueue {
  private readonly finished = new OffsetSet()
  /** Newest copy of the open transactions that were put back, by the commit log offset of their first half message. */
  private readonly copies = new Map<number, HalfPosition>()
  /** Offsets to save once the log is on the disk up to `logEnd`. */
  private unsaved: { half: number; op: number; logEnd: number } | undefined

  constructor(private readonly parts: HalfQueueParts) {}

  /** First behind the last half message. */
  get end(): number {
    return this.parts.store.maxOffset(HALF_TOPIC, HALF_QUEUE_ID)
  }

  /** Reads what was open when the broker ended, calling `visit` for each. The store must be running. */
  async load(visit: (half: MessageExt) => void): Promise<void> {
    const { store, offsets, ops } = this.parts
    const saved = offsets.queryOffset(GROUP, HALF_TOPIC, HALF_QUEUE_ID)
    const end = this.end
    this.finished.reset(Math.min(Math.max(saved, store.minOffset(HALF_TOPIC, HALF_QUEUE_ID)), end))
    // a mark of what is not there yet would hide a transaction to come
    await ops.load(offsets.queryOffset(GROUP, OP_TOPIC, HALF_QUEUE_ID), offset => {
      if (offset < end) this.finished.add(offset)
    })
    const open: MessageExt[] = []
    await this.scan(end, half => {
      const first = firstHalfOffset(half)
      // the process ended between a copy and the mark of what it copies
      const older = this.copies.get(first)
      if (older !== undefined) this.finish(older.queueOffset)
      this.copies.set(first, positionOf(half))
      open.push({ ...half, body: NO_BODY })
      return 'go on'
    })
    for (const half of open) {
      if (this.finished.has(half.queueOffset)) continue
      // only copies need an entry: the others are found by their own offset
      if (firstHalfOffset(half) === half.commitLogOffset) this.copies.delete(half.commitLogOffset)
      visit(half)
    }
    this.advance()
  }

  /** The open half message that `half` is, or has become; undefined when its transaction is finished. */
  openPosition(half: MessageExt): HalfPosition | undefined {
    const copy = this.copies.get(firstHalfOffset(half))
    if (copy !== undefined) return copy
    return this.finished.has(half.queueOffset) ? undefined : positionOf(half)
  }

  /** Whether the transaction of a message, whatever its queue, is open as a copy. */
  hasCopy(message: MessageExt): boolean {
    return this.copies.has(firstHalfOffset(message))
  }

  isOpen(queueOffset: number): boolean {
    return !this.finished.has(queueOffset)
  }

  /** Ends the transaction of `half` at the position that {@link openPosition} gave. */
  close(half: MessageExt, at: HalfPosition): void {
    this.copies.delete(firstHalfOffset(half))
    this.finish(at.queueOffset)
  }

  /** Stores an open half message once more, and goes on with the copy. Undefined when the store refuses. */
  putBack(half: MessageExt, checkTimes: number): HalfPosition | undefined {
    const copy = this.append(half, checkTimes)
    if (copy !== undefined) this.finish(half.queueOffset)
    return copy
  }

  /** Opens a transaction that was given up. Undefined when the store refuses. */
  reopen(half: MessageExt): HalfPosition | undefined {
    return this.append(half, 0)
  }

  private append(half: MessageExt, checkTimes: number): HalfPosition | undefined {
    const { status, queueOffset, physicalOffset } = this.parts.puts.put(halfMessageAgain(half, checkTimes), false)
    if (status !== 'PUT_OK') return undefined
    const copy = { queueOffset, physicalOffset }
    this.copies.set(firstHalfOffset(half), copy)
    return copy
  }

  /**
   * Gives every open half message in front of `end` to `visit`, oldest first, with turns of the event loop in between.
   * Messages and their bodies are borrowed until `visit` returns.
   */
  async scan(end: number, visit: (half: MessageExt) => 'go on' | 'stop'): Promise<void> {
    for (let at = this.finished.firstMissing(0); at < end; at = this.finished.firstMissing(at)) {
      const got = await this.parts.store.getMessage({
        group: GROUP,
        topic: HALF_TOPIC,
        queueId: HALF_QUEUE_ID,
        offset: at,
        maxMsgNums: READ_AT_ONCE,
      })
      if (got === undefined) return
      if (got.status.startsWith('OFFSET_OVERFLOW')) return got.release()
      const next = Math.max(at + 1, got.nextBeginOffset)
      try {
        if (this.visitAll(got, { at, end }, visit) === 'stop') return
      } finally {
        got.release()
      }
      at = next
      await nextTurn()
    }
  }

  private visitAll(
    got: GetMessageResult,
    { at, end }: { at: number; end: number },
    visit: (half: MessageExt) => 'go on' | 'stop',
  ): 'go on' | 'stop' {
    let expected = at
    for (const slice of got.slices) {
      for (let position = 0; position < slice.length; ) {
        const half = decodeMessage(slice, position)
        position += half.storeSize
        if (half.queueOffset >= end) return 'go on'
        this.noteLost(expected, half.queueOffset)
        expected = half.queueOffset + 1
        if (!this.finished.has(half.queueOffset) && visit(half) === 'stop') return 'stop'
      }
    }
    if (got.status !== 'NO_MESSAGE_IN_QUEUE') this.noteLost(expected, Math.min(got.nextBeginOffset, end))
    return 'go on'
  }

  /** Half messages whose record the log has no more: nobody can decide or check them. */
  private noteLost(from: number, to: number): void {
    if (to <= from) return
    let lost = 0
    for (let offset = from; offset < to; offset++) {
      if (this.finished.has(offset)) continue
      this.finished.add(offset)
      lost++
    }
    if (lost === 0) return
    const fields = { event: 'half-messages-gone', from, to, lost }
    this.parts.logger.error(fields, `${lost} undecided half messages from ${from} to ${to} are no longer in the log`)
  }

  /** Moves the saved offsets on, as far as what they rely on is on the disk. */
  advance(): void {
    const { ops, store } = this.parts
    this.correctBehindEnd()
    const half = Math.min(this.finished.firstMissing(0), this.end)
    this.finished.raiseFloor(half)
    ops.forgetBelow(half)
    // what waits is saved first: under load the end of the log is never on the disk
    this.save()
    this.unsaved ??= { half, op: ops.offset, logEnd: store.log.maxOffset }
    this.save()
  }

  /** Hands the offsets to the table of consumer offsets when a power cut can no longer take back what they skip. */
  save(): void {
    const { store, offsets } = this.parts
    if (this.unsaved === undefined || store.flushedOffset < this.unsaved.logEnd) return
    const { half, op } = this.unsaved
    this.unsaved = undefined
    if (half !== offsets.queryOffset(GROUP, HALF_TOPIC, HALF_QUEUE_ID)) {
      offsets.commitOffset(GROUP, HALF_TOPIC, HALF_QUEUE_ID, half)
    }
    if (op !== offsets.queryOffset(GROUP, OP_TOPIC, HALF_QUEUE_ID)) {
      offsets.commitOffset(GROUP, OP_TOPIC, HALF_QUEUE_ID, op)
    }
  }

  /** Somebody deleted the queue: it has begun again. */
  private correctBehindEnd(): void {
    const { end } = this
    if (this.finished.floor <= end) return
    const fields = { event: 'half-queue-shrunk', floor: this.finished.floor, end }
    this.parts.logger.error(
      fields,
      `the queue of half messages ends at ${end}, in front of what was read: on from there`,
    )
    this.finished.reset(this.parts.store.minOffset(HALF_TOPIC, HALF_QUEUE_ID))
    this.copies.clear()
  }

  private finish(queueOffset: number): void {
    this.finished.add(queueOffset)
    this.parts.ops.mark(queueOffset)
  }
}

const NO_BODY = Buffer.alloc(0)

function positionOf(half: MessageExt): HalfPosition {
  return { queueOffset: half.queueOffset, physicalOffset: half.commitLogOffset }
}
