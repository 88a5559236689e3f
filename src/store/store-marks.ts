import { type Disk, type Logger, MQError } from '../util/index.js'
import { readOwnFile, writeOwnFileSync } from './own-file.js'
import type { StoreSettings } from './settings.js'

/** File sizes that a store was written with, under the names of their settings. */
export interface StoreShape {
  readonly mappedFileSizeCommitLog: number
  readonly mappedFileSizeConsumeQueue: number
  readonly mapperFileSizeBatchConsumeQueue: number
  readonly maxHashSlotNum: number
  readonly maxIndexNum: number
  /** Where queues have extensions. */
  readonly mappedFileSizeConsumeQueueExt?: number
}

/** A part of the log: physical offsets of its start and of what follows. */
export type LogPart = readonly [from: number, to: number]

interface Content {
  shape?: StoreShape
  logGaps?: LogPart[]
  damagedParts?: LogPart[]
  deletedTopics?: Record<string, number>
  purged?: Record<string, Record<string, number>>
}

/**
 * What must outlive a crash and cannot be read from Java's files: which records of the log belong to topics deleted
 * since, and which messages an operator took away. Written, and on the disk, before the deed is done.
 */
export class StoreMarks {
  /** Sizes at the last start; undefined for a store that the Java broker wrote. */
  shape: StoreShape | undefined
  /** Parts of the log that were found missing, and accepted as such. */
  logGaps: readonly LogPart[] = []
  /** Parts of the log in which no readable record was found, ascending. */
  damagedParts: readonly LogPart[] = []
  /** Topic -> records in front of this physical offset belong to the deleted topic. */
  private readonly deletedTopics = new Map<string, number>()
  /** Topic -> queue -> first offset that is left. */
  private readonly purged = new Map<string, Map<number, number>>()
  private savedFacts = this.facts()

  constructor(
    private readonly disk: Disk,
    private readonly path: string,
    private readonly logger: Logger,
  ) {}

  /** Reads the file, or its backup; what became of it. */
  load(): 'read' | 'missing' | 'damaged' {
    for (const path of [this.path, `${this.path}.bak`]) {
      const lines = readOwnFile(this.disk, path)
      if (lines === 'missing') continue
      if (lines === 'damaged') {
        this.logger.error({ event: 'store-marks-damaged', path }, `${path} is damaged`)
        continue
      }
      this.decode(lines[0] ?? '{}')
      return path === this.path ? 'read' : 'damaged'
    }
    return readOwnFile(this.disk, this.path) === 'missing' ? 'missing' : 'damaged'
  }

  private decode(text: string): void {
    const content = JSON.parse(text) as Content
    this.shape = content.shape
    this.logGaps = content.logGaps ?? []
    this.damagedParts = content.damagedParts ?? []
    for (const [topic, offset] of Object.entries(content.deletedTopics ?? {})) this.deletedTopics.set(topic, offset)
    for (const [topic, queues] of Object.entries(content.purged ?? {})) {
      const byQueue = new Map(Object.entries(queues).map(([queueId, offset]) => [Number(queueId), offset] as const))
      this.purged.set(topic, byQueue)
    }
    this.savedFacts = this.facts()
  }

  /** What is written but for the shape, to see whether it has changed. */
  private facts(): string {
    const purged = [...this.purged].map(([topic, map]) => [topic, [...map]])
    return JSON.stringify([[...this.deletedTopics], purged, this.logGaps, this.damagedParts])
  }

  /** Writes both copies. Throws MQError `ERR_STORE_MARKS` when the disk refuses: the deed must not be done then. */
  save(): void {
    const content: Content = {
      ...(this.shape && { shape: this.shape }),
      ...(this.logGaps.length > 0 && { logGaps: [...this.logGaps] }),
      ...(this.damagedParts.length > 0 && { damagedParts: [...this.damagedParts] }),
      deletedTopics: Object.fromEntries(this.deletedTopics),
      purged: Object.fromEntries([...this.purged].map(([topic, queues]) => [topic, Object.fromEntries(queues)])),
    }
    const lines = [JSON.stringify(content)]
    try {
      writeOwnFileSync(this.disk, this.path, lines)
      writeOwnFileSync(this.disk, `${this.path}.bak`, lines)
      this.savedFacts = this.facts()
    } catch (error) {
      throw new MQError('ERR_STORE_MARKS', `${this.path} could not be written, so nothing is deleted`, { cause: error })
    }
  }

  get hasDeletedTopics(): boolean {
    return this.deletedTopics.size > 0
  }

  /** Records of the topic in front of this offset are none of it any more; 0 without a mark. */
  deletedBefore(topic: string): number {
    return this.deletedTopics.get(topic) ?? 0
  }

  /** Topics that were deleted and whose records may still be in the log. */
  get deleted(): Iterable<string> {
    return this.deletedTopics.keys()
  }

  markDeleted(topics: Iterable<string>, physicalOffset: number): void {
    const before = new Map(this.deletedTopics)
    const purgedBefore = new Map(this.purged)
    for (const topic of topics) {
      this.deletedTopics.set(topic, physicalOffset)
      this.purged.delete(topic)
    }
    this.saveOrUndo(() => {
      refill(this.deletedTopics, before)
      refill(this.purged, purgedBefore)
    })
  }

  /** First offset left of a queue; 0 without a mark. */
  purgedTo(topic: string, queueId: number): number {
    return this.purged.get(topic)?.get(queueId) ?? 0
  }

  markPurged(topic: string, offsets: ReadonlyMap<number, number>): void {
    const before = this.purged.get(topic)
    this.purged.set(topic, new Map([...(before ?? []), ...offsets]))
    this.saveOrUndo(() => {
      if (before === undefined) this.purged.delete(topic)
      else this.purged.set(topic, before)
    })
  }

  private saveOrUndo(undo: () => void): void {
    try {
      this.save()
    } catch (error) {
      undo()
      throw error
    }
  }

  /**
   * Fits the marks to the log that a start has found: those for records that are gone are forgotten, and none reaches
   * into what will be written from now on, where a power cut has taken the end of the log.
   */
  fit(log: { minOffset: number; endOffset: number }, maxOffset: (topic: string, queueId: number) => number): void {
    for (const [topic, offset] of [...this.deletedTopics]) {
      if (offset <= log.minOffset) this.deletedTopics.delete(topic)
      else this.deletedTopics.set(topic, Math.min(offset, log.endOffset))
    }
    for (const [topic, queues] of this.purged) {
      for (const [queueId, offset] of queues) queues.set(queueId, Math.min(offset, maxOffset(topic, queueId)))
    }
    if (this.facts() !== this.savedFacts) this.save()
  }
}

function refill<V>(map: Map<string, V>, from: ReadonlyMap<string, V>): void {
  map.clear()
  for (const [key, value] of from) map.set(key, value)
}

/** The sizes that a store is written with from now on. */
export function shapeOf(settings: StoreSettings): StoreShape {
  const { mappedFileSizeCommitLog, mappedFileSizeConsumeQueue, mapperFileSizeBatchConsumeQueue } = settings
  const { maxHashSlotNum, maxIndexNum } = settings
  return {
    mappedFileSizeCommitLog,
    mappedFileSizeConsumeQueue,
    mapperFileSizeBatchConsumeQueue,
    maxHashSlotNum,
    maxIndexNum,
    ...(settings.enableConsumeQueueExt && {
      mappedFileSizeConsumeQueueExt: settings.mappedFileSizeConsumeQueueExt,
    }),
  }
}
