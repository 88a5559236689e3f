import type { CommitLog } from './commit-log.js'
import type { ConsumeQueue } from './consume-queue.js'
import { BLANK_UNIT_SIZE } from './consume-queue-chunk.js'
import type { DamageLog } from './damage.js'
import { getInt64, viewOf } from './int64-view.js'
import type { LightQueues } from './light-queues.js'
import { RecordReader } from './record-reader.js'

export interface UnitRepairOptions {
  log: CommitLog
  light: LightQueues
  damage: DamageLog
  /** What a unit of the record holds as tags code. */
  tagsCodeOf: (record: Buffer, reader: RecordReader) => number
}

/** `fits`: the record is the queue's, however it is numbered; `lost`: neither unit nor log lead to the message. */
export type RepairOutcome = 'fits' | 'repaired' | 'lost'

/** Units on each side that are asked where the record must lie. */
const NEIGHBOURS = 8
/** Bytes of the log looked through at most. */
const LARGEST_GAP = 64 * 1024 * 1024
const READ_STEP = 256 * 1024

/** Puts units right whose record is another than it should be, from the part of the log between their neighbours. */
export class UnitRepair {
  constructor(private readonly options: UnitRepairOptions) {}

  async check(queue: ConsumeQueue, unit: number, queueOffset: number): Promise<RepairOutcome> {
    const found = await this.search(queue, unit, queueOffset)
    const { topic, queueId } = queue
    const name = `message ${queueOffset} of ${topic}-${queueId}`
    if (found !== undefined) {
      await queue.repair(unit, found)
      const text = `the queue entry of ${name} was damaged and is put right from the log`
      this.options.damage.add({ kind: 'queue', topic, queueId, queueOffset, text })
      return 'repaired'
    }
    return (await this.isShifted(queue, unit)) ? 'fits' : 'lost'
  }

  /**
   * Where the Java broker has lost units it goes on without a hole: all that follow are that much off. A unit beside
   * this one is off by as much then.
   */
  private async isShifted(queue: ConsumeQueue, unit: number): Promise<boolean> {
    const number = await this.numberOf(queue, unit)
    if (number === undefined) return false
    for (const beside of [unit + 1, unit - 1]) {
      const other = await this.numberOf(queue, beside)
      if (other !== undefined && other - beside === number - unit) return true
    }
    return false
  }

  private async fits(queue: ConsumeQueue, unit: number): Promise<boolean> {
    return (await this.numberOf(queue, unit)) !== undefined
  }

  /** The number that a unit's record gives itself; undefined when it is no record of this queue. */
  private async numberOf(queue: ConsumeQueue, unit: number): Promise<number | undefined> {
    if (unit < queue.minUnit || unit >= queue.endUnit) return undefined
    const fields = await readFields(queue, unit)
    if (fields === undefined || fields.size <= 0 || fields.size === BLANK_UNIT_SIZE) return undefined
    const file = this.options.log.files.find(fields.physicalOffset)
    if (file === undefined || fields.physicalOffset + fields.size > file.startOffset + file.wrotePosition)
      return undefined
    const bytes = Buffer.alloc(fields.size)
    await file.read(bytes, fields.physicalOffset - file.startOffset)
    const reader = new RecordReader()
    const isOurs =
      reader.read(bytes, viewOf(bytes), 0, bytes.length) === 'record' &&
      reader.totalSize === fields.size &&
      reader.physicalOffset === fields.physicalOffset
    return isOurs ? this.numberIn(queue, bytes, reader) : undefined
  }

  /** The number that a record has in a queue; undefined when it is not in it. */
  private numberIn(queue: ConsumeQueue, bytes: Buffer, reader: RecordReader): number | undefined {
    const topic = bytes.toString('utf8', reader.topicStart, reader.topicEnd)
    if (topic === queue.topic && reader.queueId === queue.queueId) return reader.queueOffset
    if (!queue.isShared) return undefined
    const { propertiesStart, propertiesEnd } = reader
    const entries = this.options.light.entriesOf({ topic: { topic }, bytes, propertiesStart, propertiesEnd })
    return entries.find(entry => entry.name === queue.topic)?.queueOffset
  }

  private async search(
    queue: ConsumeQueue,
    unit: number,
    queueOffset: number,
  ): Promise<{ physicalOffset: number; size: number; tagsCode: number } | undefined> {
    const { log } = this.options
    let from = log.minOffset
    let to = log.maxOffset
    for (let i = 1; i <= NEIGHBOURS; i++) {
      const before = await this.neighbour(queue, unit - i, -i)
      if (before === undefined) continue
      from = Math.max(from, before.physicalOffset + before.size)
      break
    }
    for (let i = 1; i <= NEIGHBOURS; i++) {
      const after = await this.neighbour(queue, unit + i, i)
      if (after === undefined) continue
      to = Math.min(to, after.physicalOffset)
      break
    }
    if (to - from > LARGEST_GAP) return undefined
    return this.findBetween(queue, queueOffset, from, to)
  }

  /** The place of a neighbour's record, if its unit is sound. */
  private async neighbour(
    queue: ConsumeQueue,
    unit: number,
    distance: number,
  ): Promise<{ physicalOffset: number; size: number } | undefined> {
    if (unit < queue.minUnit || unit >= queue.endUnit || distance === 0) return undefined
    const fields = await readFields(queue, unit)
    return fields !== undefined && (await this.fits(queue, unit)) ? fields : undefined
  }

  private async findBetween(
    queue: ConsumeQueue,
    queueOffset: number,
    from: number,
    to: number,
  ): Promise<{ physicalOffset: number; size: number; tagsCode: number } | undefined> {
    const { log, tagsCodeOf } = this.options
    const reader = new RecordReader()
    let at = from
    while (at < to) {
      const file = log.files.find(at)
      if (file === undefined) return undefined
      let bytes = Buffer.alloc(Math.min(READ_STEP, file.startOffset + file.wrotePosition - at))
      await file.read(bytes, at - file.startOffset)
      const size = bytes.length >= 4 ? bytes.readInt32BE(0) : 0
      if (size > bytes.length && at + size <= file.startOffset + file.wrotePosition) {
        bytes = Buffer.alloc(size)
        await file.read(bytes, at - file.startOffset)
      }
      const view = viewOf(bytes)
      let position = 0
      for (;;) {
        const kind = reader.read(bytes, view, position, bytes.length)
        if (kind === 'blank') {
          at = file.endOffset
          break
        }
        if (kind === 'bad') {
          if (position === 0) return undefined
          at += position
          break
        }
        const isIt = reader.physicalOffset === at + position && this.numberIn(queue, bytes, reader) === queueOffset
        if (isIt) {
          return { physicalOffset: at + position, size: reader.totalSize, tagsCode: tagsCodeOf(bytes, reader) }
        }
        position += reader.totalSize
        if (at + position >= to) return undefined
      }
    }
    return undefined
  }
}

async function readFields(
  queue: ConsumeQueue,
  unit: number,
): Promise<{ physicalOffset: number; size: number } | undefined> {
  if (!queue.holds(unit)) return undefined
  const chunk = queue.chunkAt(unit) ?? (await queue.loadChunk(unit))
  const at = unit * queue.unitSize - chunk.start
  const fields = { physicalOffset: getInt64(chunk.view, at), size: chunk.view.getInt32(at + 8) }
  return fields.size === BLANK_UNIT_SIZE ? undefined : fields
}
