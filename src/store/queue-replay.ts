import { MessageSysFlag, MIN_RECORD_LENGTH, transactionType } from '../common/index.js'
import { BatchConsumeQueue } from './batch-consume-queue.js'
import type { ConsumeQueue } from './consume-queue.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { DamageLog } from './damage.js'
import type { Dispatcher, DispatchRequest } from './dispatcher.js'
import type { IndexService } from './index-service.js'
import type { LightQueues } from './light-queues.js'
import type { MappedFile } from './mapped-file.js'
import { PropertyScan, parseDecimal } from './property-scan.js'
import { RecordReader } from './record-reader.js'
import { emptyRequest, fillRequest } from './reput.js'
import type { StoreMarks } from './store-marks.js'

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
}

/** A record whose offset is not the one its queue expects: the next one of the queue tells who is wrong. */
interface Doubtful {
  readonly file: MappedFile
  readonly physicalOffset: number
  readonly queueOffset: number
  readonly messages: number
}

const LARGEST_QUEUE_ID = 0xffff

/**
 * Enters the records of the log into queues and index again. No checksum covers a record's queue and offset, so they
 * are believed only where they continue what is there, or where the next record of the queue bears them out: one
 * flipped bit must not take its neighbours along.
 */
export class QueueReplay {
  /** Queues whose units begin, or go on, in the middle although the log may hold more. */
  readonly incomplete = new Set<ConsumeQueue>()
  private readonly doubtful = new Map<ConsumeQueue, Doubtful>()
  private readonly damaged: { queue: ConsumeQueue; physicalOffset: number; queueOffset: number; messages: number }[] =
    []
  private readonly reader = new RecordReader()
  private readonly scan = new PropertyScan()
  private request: DispatchRequest | undefined

  private readonly hasLightQueues: boolean

  constructor(private readonly options: QueueReplayOptions) {
    this.hasLightQueues = options.light.mayHave
  }

  /** A sound record, in log order. */
  take(file: MappedFile, physicalOffset: number, reader: RecordReader): void {
    const { only, index, dispatcher } = this.options
    const name = topicName(file.buffer, reader)
    if (name === undefined || reader.queueId < 0 || reader.queueId > LARGEST_QUEUE_ID || reader.queueOffset < 0) {
      this.misplaced(physicalOffset, `its topic or queue (${name ?? 'unreadable'}-${reader.queueId}) cannot be`)
      return
    }
    const request = this.requestFor(name, file, physicalOffset, reader)
    if (only === undefined && index !== undefined && physicalOffset > (index.last?.endPhyOffset ?? -1)) {
      dispatcher.dispatchToIndex(request)
    }
    const queue = this.queueFor(request)
    if (queue !== undefined) this.offer(queue, file, request)
    if (!this.hasLightQueues) return
    for (const light of this.lightQueuesOf(this.requestFor(name, file, physicalOffset, reader))) {
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
    const name = topicName(file.buffer, reader)
    if (name === undefined || reader.queueId < 0 || reader.queueId > LARGEST_QUEUE_ID) return
    const request = this.requestFor(name, file, physicalOffset, reader)
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
    if (this.incomplete.has(queue)) return
    const { physicalOffset, queueOffset, size } = request
    const doubtful = this.doubtful.get(queue)
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
    if (next === doubtful.queueOffset + doubtful.messages) this.believe(queue, doubtful)
    else if (next === expected + doubtful.messages) this.blankOut(queue, doubtful)
    else if (next === expected) this.refuse(queue, doubtful)
    else if (this.isPossible(queue, doubtful)) this.believe(queue, doubtful)
    else this.refuse(queue, doubtful)
  }

  /** At the end of the log nothing follows that could tell. */
  finish(): void {
    for (const [queue, doubtful] of this.doubtful) {
      if (this.incomplete.has(queue)) continue
      const isLonely = queue.isEmpty || this.options.damage.total > 0 || this.options.startsLate
      if (doubtful.queueOffset > queue.maxOffset && isLonely && this.isPossible(queue, doubtful)) {
        this.believe(queue, doubtful)
      } else this.blankOut(queue, doubtful)
    }
    this.doubtful.clear()
    this.keepDamagedNumbers()
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
    const name = topicName(file.buffer, this.reader) ?? ''
    const request = this.requestFor(name, file, physicalOffset, this.reader)
    if (name === queue.topic) return request
    const entry = this.options.light.entriesOf(request).find(light => light.name === queue.topic)
    request.topic = this.options.queues.topicOf(queue.topic)
    request.queueId = queue.queueId
    request.queueOffset = entry?.queueOffset ?? -1
    return request
  }

  private requestFor(name: string, file: MappedFile, physicalOffset: number, reader: RecordReader): DispatchRequest {
    const topic = this.options.queues.topicOf(name)
    const request = this.request ?? emptyRequest(topic, file.buffer)
    this.request = request
    request.topic = topic
    request.bytes = file.buffer
    return fillRequest(request, reader, physicalOffset)
  }
}

function isVisible(request: DispatchRequest): boolean {
  const type = transactionType(request.sysFlag)
  return type === MessageSysFlag.TRANSACTION_NOT_TYPE || type === MessageSysFlag.TRANSACTION_COMMIT_TYPE
}

function place(queue: ConsumeQueue, queueOffset: number): { topic: string; queueId: number; queueOffset: number } {
  return { topic: queue.topic, queueId: queue.queueId, queueOffset }
}

/** The topic of a record, which becomes the name of a folder; undefined when it cannot be one. */
export function topicName(bytes: Buffer, reader: RecordReader): string | undefined {
  const { topicStart, topicEnd } = reader
  for (let at = topicStart; at < topicEnd; at++) if (bytes[at]! < 0x20 || bytes[at] === 0x2f) return undefined
  const name = bytes.toString('utf8', topicStart, topicEnd)
  return name === '' || name === '.' || name === '..' ? undefined : name
}
