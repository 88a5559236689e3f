import { MessageSysFlag, MIN_RECORD_LENGTH, transactionType } from '../common/index.js'
import { BatchConsumeQueue } from './batch-consume-queue.js'
import type { ConsumeQueue } from './consume-queue.js'
import { BLANK_UNIT_SIZE } from './consume-queue-chunk.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { DamageLog } from './damage.js'
import type { DispatchRequest } from './dispatch-request.js'
import type { Dispatcher } from './dispatcher.js'
import type { FormerUnits } from './former-units.js'
import type { IndexService } from './index-service.js'
import type { LightQueues } from './light-queues.js'
import type { MappedFile } from './mapped-file.js'
import { PropertyScan, parseDecimal } from './property-scan.js'
import { RecordReader } from './record-reader.js'
import { emptyRequest, fillRequest } from './reput.js'
import type { StoreMarks } from './store-marks.js'
import { TopicLookup, topicName } from './topic-lookup.js'
import type { TopicQueues } from './topic-queues.js'

export interface QueueReplayOptions {
  queues: ConsumeQueueStore
  dispatcher: Dispatcher
  light: LightQueues
  index: IndexService | undefined
  marks: StoreMarks
  damage: DamageLog
  /** Only these queues take units; the index none. Undefined: all. */
  only?: ReadonlySet<ConsumeQueue>
  /** The scan began behind the start of the log: units may be missing because they stand before it. */
  startsLate: boolean
  /** The scan sees every record that there ever was. */
  isWholeLog: boolean
  /** What numbers damaged records in front of it have was settled by an earlier start, and is in the queues. */
  settledTo: number
  /** What the queues held before. */
  former: FormerUnits
  /** Physical offsets of records that an earlier scan found to be in the wrong queue; this one adds what it finds. */
  strays: Set<number>
}

/** A record whose offset is not the one its queue expects: the next one of the queue tells who is wrong. */
interface Doubtful {
  readonly file: MappedFile
  readonly physicalOffset: number
  readonly queueOffset: number
  readonly messages: number
}

/** Two records that claim one number of a queue, which the records behind them continue either way. */
interface Contest {
  readonly queue: ConsumeQueue
  readonly number: number
  /** Physical offset of the record that came first, and was put into the queue. */
  readonly held: number
  readonly claimant: number
}

const LARGEST_QUEUE_ID = 0xffff
const QUEUE_ID_BITS = 16

/**
 * Enters the records of the log into queues and index again. No checksum covers a record's queue and offset, so they
 * are believed only where they continue what is there, or where the next record of the queue bears them out: one
 * flipped bit must not take its neighbours along.
 */
export class QueueReplay {
  /** Queues whose units begin, or go on, in the middle although the log may hold more. */
  readonly incomplete = new Set<ConsumeQueue>()
  /** Queues that took a record which is not theirs; to be built again without it. */
  readonly misled = new Set<ConsumeQueue>()
  private readonly contests: Contest[] = []
  private readonly doubtful = new Map<ConsumeQueue, Doubtful>()
  private readonly damaged: { queue: ConsumeQueue; physicalOffset: number; queueOffset: number; messages: number }[] =
    []
  private readonly reader = new RecordReader()
  private readonly scan = new PropertyScan()
  private readonly topics: TopicLookup
  private request: DispatchRequest | undefined

  private readonly hasLightQueues: boolean

  constructor(private readonly options: QueueReplayOptions) {
    this.topics = new TopicLookup(name => options.queues.topicOf(name))
    this.hasLightQueues = options.light.mayHave
  }

  /** A sound record, in log order. */
  take(file: MappedFile, physicalOffset: number, reader: RecordReader): void {
    const { only, index, dispatcher, strays } = this.options
    if (strays.size > 0 && strays.has(physicalOffset)) return
    const topic = hasQueue(reader) && reader.queueOffset >= 0 ? this.topics.of(file.buffer, reader) : undefined
    if (topic === undefined) {
      const name = topicName(file.buffer, reader) ?? 'unreadable'
      this.misplaced(physicalOffset, `its topic or queue (${name}-${reader.queueId}) cannot be`)
      return
    }
    const request = this.requestFor(topic, file, physicalOffset, reader)
    if (only === undefined && index !== undefined && physicalOffset > (index.last?.endPhyOffset ?? -1)) {
      dispatcher.dispatchToIndex(request)
    }
    const queue = this.queueFor(request)
    if (queue !== undefined) this.offer(queue, file, request)
    if (!this.hasLightQueues) return
    for (const light of this.lightQueuesOf(this.requestFor(topic, file, physicalOffset, reader))) {
      this.offer(light, file, this.requestAgain(light, file, physicalOffset))
    }
  }

  /** The light queues that a record is in. */
  private lightQueuesOf(request: DispatchRequest): ConsumeQueue[] {
    const { light, only, marks } = this.options
    if (!isVisible(request)) return []
    const queues = light.entriesOf(request).map(entry => light.queueOf(entry))
    return queues.filter(
      queue => request.physicalOffset >= marks.deletedBefore(queue.topic) && (only === undefined || only.has(queue)),
    )
  }

  /**
   * A record whose head is sound but whose body is not: its number stays empty, unless a sound record behind it has the
   * same, because an earlier start saw the damage and gave the number to another message.
   */
  takeDamaged(file: MappedFile, physicalOffset: number, reader: RecordReader): void {
    const topic = hasQueue(reader) ? this.topics.of(file.buffer, reader) : undefined
    if (topic === undefined) return
    const request = this.requestFor(topic, file, physicalOffset, reader)
    const queue = this.queueFor(request)
    const { queueOffset } = request
    if (queue !== undefined) {
      this.damaged.push({ queue, physicalOffset, queueOffset, messages: this.messagesOf(queue, request) })
    }
    if (!this.hasLightQueues) return
    for (const light of this.lightQueuesOf(request)) {
      const { queueOffset: number } = this.requestAgain(light, file, physicalOffset)
      this.damaged.push({ queue: light, physicalOffset, queueOffset: number, messages: 1 })
    }
  }

  /** Nothing follows that could have taken the numbers of damaged records. */
  private keepDamagedNumbers(): void {
    for (const { queue, physicalOffset, queueOffset, messages } of this.damaged) {
      if (physicalOffset < this.options.settledTo) continue
      if (physicalOffset >= queue.maxPhysicalOffset && queueOffset === queue.maxOffset) {
        queue.padTo(queueOffset + messages)
      }
    }
  }

  private queueFor(request: DispatchRequest): ConsumeQueue | undefined {
    const { queues, marks, only } = this.options
    if (!isVisible(request)) return undefined
    if (marks.hasDeletedTopics && request.physicalOffset < marks.deletedBefore(request.topic.topic)) return undefined
    if (only === undefined) return queues.queueOf(request.topic, request.queueId)
    const queue = request.topic.queues[request.queueId]
    return queue !== undefined && only.has(queue) ? queue : undefined
  }

  private offer(queue: ConsumeQueue, file: MappedFile, request: DispatchRequest): void {
    // built again in any case
    if (this.incomplete.size > 0 && this.incomplete.has(queue)) return
    const { physicalOffset, queueOffset, size } = request
    const doubtful = this.doubtful.size > 0 ? this.doubtful.get(queue) : undefined
    if (doubtful !== undefined) {
      this.doubtful.delete(queue)
      this.judge(queue, doubtful, queueOffset)
      // judging has used the request
      this.offer(queue, file, this.requestAgain(queue, file, physicalOffset))
      return
    }
    if (physicalOffset + size <= queue.maxPhysicalOffset) {
      if (queueOffset >= queue.maxOffset) this.incomplete.add(queue)
      return
    }
    if (queueOffset === queue.maxOffset) this.put(request)
    else {
      const messages = this.messagesOf(queue, request)
      this.doubtful.set(queue, { file, physicalOffset, queueOffset, messages })
    }
  }

  /** Decides about a doubtful record, now that the next one of its queue says what number it has. */
  private judge(queue: ConsumeQueue, doubtful: Doubtful, next: number): void {
    const expected = queue.maxOffset
    if (next === expected && this.isContest(queue, doubtful)) return
    if (next === doubtful.queueOffset + doubtful.messages) this.believe(queue, doubtful)
    else if (next === expected + doubtful.messages) this.blankOut(queue, doubtful)
    else if (next === expected) this.refuse(queue, doubtful)
    else if (this.isPossible(queue, doubtful)) this.believe(queue, doubtful)
    else this.refuse(queue, doubtful)
  }

  /** At the end of the log nothing follows that could tell. */
  finish(): void {
    for (const [queue, doubtful] of this.doubtful) {
      if (this.incomplete.has(queue) || this.isContest(queue, doubtful)) this.doubtful.delete(queue)
    }
    const { damage, former, startsLate } = this.options
    for (const [queue, doubtful] of this.doubtful) {
      const { queueOffset: number, physicalOffset } = doubtful
      const isLonely = queue.isEmpty || damage.total > 0 || this.contests.length > 0 || startsLate
      const isKnown = former.physicalOffsetOf(queue, number) === physicalOffset
      if (number > queue.maxOffset && (isLonely || isKnown) && this.isPossible(queue, doubtful)) {
        this.believe(queue, doubtful)
      } else this.blankOut(queue, doubtful)
    }
    this.doubtful.clear()
    for (const contest of this.contests) this.decide(contest)
    this.keepDamagedNumbers()
  }

  /**
   * Whether a doubtful record has the number of the one in front of it. Noted if so: one of them is a stray of another
   * queue, where its number may turn out to be missing.
   */
  private isContest(queue: ConsumeQueue, { queueOffset: number, physicalOffset, messages }: Doubtful): boolean {
    if (queue instanceof BatchConsumeQueue || number + messages !== queue.maxOffset) return false
    const held = queue.readUnitSync(number)
    if (held === undefined) return false
    // the queue was told that the number has no message: the whole log knows better
    if (held.size === BLANK_UNIT_SIZE) this.misled.add(queue)
    else this.contests.push({ queue, number, held: held.physicalOffset, claimant: physicalOffset })
    return true
  }

  private decide({ queue, number, held, claimant }: Contest): void {
    const { former, strays } = this.options
    const was = former.physicalOffsetOf(queue, number)
    const isHeldStray = was === claimant || (was !== held && this.isMissing(queue, number, held))
    const isClaimantStray = was === held || (was !== claimant && this.isMissing(queue, number, claimant))
    const name = `${queue.topic}-${queue.queueId}`
    const why = `it calls itself number ${number} of ${name}, which is another's`
    if (isHeldStray === isClaimantStray && number > 0) this.misplaced(claimant, why)
    else if (isClaimantStray && !isHeldStray) this.misplaced(claimant, why)
    else {
      // a queue that began again at 0 is no damage: its topic was deleted and made again
      if (isHeldStray) this.misplaced(held, why)
      strays.add(held)
      this.misled.add(queue)
    }
  }

  /** Whether a queue whose id differs in one bit lacks just this number, there where the record stands in the log. */
  private isMissing(from: ConsumeQueue, number: number, physicalOffset: number): boolean {
    const { queues } = this.options.queues.topicOf(from.topic)
    for (let bit = 0; bit < QUEUE_ID_BITS; bit++) {
      const queue = queues[from.queueId ^ (1 << bit)]
      if (queue === undefined || queue.isEmpty || number > queue.maxOffset) continue
      const before = number > 0 ? queue.readUnitSync(number - 1) : undefined
      if (before !== undefined && before.size !== BLANK_UNIT_SIZE && before.physicalOffset >= physicalOffset) continue
      if (number === queue.maxOffset) return true
      const after = queue.readUnitSync(number + 1)
      const isBlank = queue.readUnitSync(number)?.size === BLANK_UNIT_SIZE
      if (isBlank && (after === undefined || after.physicalOffset > physicalOffset)) return true
    }
    return false
  }

  /** Every record takes room in the log: there cannot have been more of them than fit. */
  private isPossible(queue: ConsumeQueue, doubtful: Doubtful): boolean {
    if (queue instanceof BatchConsumeQueue) return doubtful.queueOffset > queue.maxOffset
    const room = doubtful.physicalOffset - (queue.isEmpty ? 0 : Math.max(0, queue.maxPhysicalOffset))
    return doubtful.queueOffset - queue.maxOffset <= room / MIN_RECORD_LENGTH
  }

  private believe(queue: ConsumeQueue, doubtful: Doubtful): void {
    const { damage, startsLate } = this.options
    const { queueOffset } = doubtful
    if (queueOffset < queue.maxOffset || !this.isPossible(queue, doubtful)) {
      // the topic was deleted and made again, or all of the queue before it has wrong numbers
      queue.reset()
    }
    const isInside = !queue.isEmpty || this.options.isWholeLog
    if (queueOffset > 0 && startsLate) this.incomplete.add(queue)
    else if (isInside && queueOffset - queue.maxOffset > this.damagedBetween(queue, queueOffset)) {
      const lost = queueOffset - queue.maxOffset
      damage.add({
        kind: 'offset-hole',
        ...place(queue, queue.maxOffset),
        text: `${lost} messages of ${queue.topic}-${queue.queueId} from ${queue.maxOffset} on are not in the log`,
      })
    }
    this.put(this.requestAgain(queue, doubtful.file, doubtful.physicalOffset))
  }

  /** How many of the numbers up to `end` belong to damaged records, which are reported as such. */
  private damagedBetween(queue: ConsumeQueue, end: number): number {
    let count = 0
    for (const { queue: owner, queueOffset, messages } of this.damaged) {
      if (owner === queue && queueOffset >= queue.maxOffset && queueOffset < end) count += messages
    }
    return count
  }

  /**
   * The record is the queue's next one, but what it says of its number is wrong: the number stays without a message.
   */
  private blankOut(queue: ConsumeQueue, doubtful: Doubtful): void {
    this.refuse(queue, doubtful)
    queue.padTo(queue.maxOffset + doubtful.messages)
  }

  private refuse(queue: ConsumeQueue, doubtful: Doubtful): void {
    const name = `${queue.topic}-${queue.queueId}`
    this.misplaced(
      doubtful.physicalOffset,
      `it calls itself number ${doubtful.queueOffset} of ${name}, where ${queue.maxOffset} comes next`,
    )
  }

  private misplaced(physicalOffset: number, why: string): void {
    const text = `the record at ${physicalOffset} is damaged: ${why}; it is in no queue`
    this.options.damage.add({ kind: 'record', physicalOffset, text })
  }

  private put(request: DispatchRequest): void {
    this.options.dispatcher.dispatchToQueue(request)
  }

  private messagesOf(queue: ConsumeQueue, request: DispatchRequest): number {
    if (!(queue instanceof BatchConsumeQueue)) return 1
    const { scan } = this
    scan.scan(request.bytes, request.propertiesStart, request.propertiesEnd)
    if (scan.innerNumStart < 0) return 1
    return Math.max(1, parseDecimal(request.bytes, scan.innerNumStart, scan.innerNumEnd, 1))
  }

  /** The request that enters a record into `queue`: its own, or a light one that it names. */
  private requestAgain(queue: ConsumeQueue, file: MappedFile, physicalOffset: number): DispatchRequest {
    file.map()
    this.reader.read(file.buffer, file.view, physicalOffset - file.startOffset, file.length)
    // it had one when it was offered first
    const topic = this.topics.of(file.buffer, this.reader) ?? this.options.queues.topicOf(queue.topic)
    const request = this.requestFor(topic, file, physicalOffset, this.reader)
    if (topic.topic === queue.topic) return request
    const entry = this.options.light.entriesOf(request).find(light => light.name === queue.topic)
    request.topic = this.options.queues.topicOf(queue.topic)
    request.queueId = queue.queueId
    request.queueOffset = entry?.queueOffset ?? -1
    return request
  }

  private requestFor(
    topic: TopicQueues,
    file: MappedFile,
    physicalOffset: number,
    reader: RecordReader,
  ): DispatchRequest {
    const request = this.request ?? emptyRequest(topic, file.buffer)
    this.request = request
    request.topic = topic
    request.bytes = file.buffer
    return fillRequest(request, reader, physicalOffset)
  }
}

function hasQueue({ queueId }: RecordReader): boolean {
  return queueId >= 0 && queueId <= LARGEST_QUEUE_ID
}

function isVisible(request: DispatchRequest): boolean {
  const type = transactionType(request.sysFlag)
  return type === MessageSysFlag.TRANSACTION_NOT_TYPE || type === MessageSysFlag.TRANSACTION_COMMIT_TYPE
}

function place(queue: ConsumeQueue, queueOffset: number): { topic: string; queueId: number; queueOffset: number } {
  return { topic: queue.topic, queueId: queue.queueId, queueOffset }
}
