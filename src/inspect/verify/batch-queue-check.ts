import type { BatchEntry, BatchQueueReader } from '../batch-queue-reader.js'
import { readRecordAt } from '../log-scanner.js'
import type { RecordFacts } from '../record-facts.js'
import { type AffectedMessage, addAffected } from './damage.js'
import type { CheckParts } from './queue-check.js'

/** Compares one queue of a BatchCQ topic with the records of the log, which come in log order. */
export class BatchQueueCheck {
  checkedEntries = 0
  private next: number
  private missing: AffectedMessage[] = []

  constructor(
    private readonly parts: CheckParts,
    readonly queue: BatchQueueReader,
  ) {
    this.next = queue.units.firstIndex
  }

  async record(facts: RecordFacts): Promise<void> {
    for (;;) {
      const entry = await this.queue.entry(this.next)
      if (entry === undefined || entry.physicalOffset > facts.position) {
        const isSame = entry?.msgBaseOffset === facts.batchBase && entry.size === facts.size
        if (!isSame) return this.noteMissing(facts, entry)
      } else if (entry.physicalOffset < facts.position && entry.msgBaseOffset !== facts.batchBase) {
        await this.accountFor(entry)
        this.next++
        continue
      }
      this.compare(entry!, facts)
      this.next++
      return
    }
  }

  private compare(entry: BatchEntry, facts: RecordFacts): void {
    this.checkedEntries++
    const pairs: [string, number, number][] = [
      ['physical offset', entry.physicalOffset, facts.position],
      ['size', entry.size, facts.size],
      ['tags code', entry.tagsCode, facts.tagsCode],
      ['store time', entry.storeTimestamp, facts.storeTimestamp],
      ['first queue offset', entry.msgBaseOffset, facts.batchBase],
      ['number of messages', entry.batchSize, facts.batchSize],
      ['offset in a compacted log', this.parts.hasCompaction ? -1 : entry.compactedOffset, -1],
    ]
    const wrong = pairs.filter(([, found, expected]) => found !== expected)
    if (wrong.length === 0) return
    const texts = wrong.map(([name, found, expected]) => `the ${name} ${found} instead of ${expected}`)
    this.report(`has ${texts.join(' and ')}`, this.messageOf(facts))
  }

  private messageOf(facts: RecordFacts): AffectedMessage {
    const { topic, queueId, batchBase: queueOffset, position: physicalOffset, uniqKey } = facts
    return { topic, queueId, queueOffset, physicalOffset, uniqKey }
  }

  private noteMissing(facts: RecordFacts, entry: BatchEntry | undefined): void {
    if (entry !== undefined) this.report('is followed by none for a record of the log', this.messageOf(facts))
    else this.missing.push(this.messageOf(facts))
  }

  private async accountFor(entry: BatchEntry): Promise<void> {
    const { logMin, logDamage, directory, isOpen } = this.parts
    const { physicalOffset, size, msgBaseOffset: queueOffset } = entry
    if (physicalOffset + size <= logMin) return
    const { topic, queueId } = this.queue
    const message = { topic, queueId, queueOffset, physicalOffset }
    const isThere = (await readRecordAt(directory, physicalOffset)) !== undefined
    // appended while the log was read
    if (isThere && isOpen) return
    const known = logDamage.at(physicalOffset) ?? (isThere ? undefined : logDamage.behindEnd(physicalOffset))
    if (known !== undefined) addAffected(known, message)
    else this.report(`points to ${physicalOffset}, where no record of the queue begins`, message)
  }

  private report(problem: string, message: AffectedMessage): void {
    const { file, position } = this.queue.units.placeOf(this.next)
    const { topic, queueId, units } = this.queue
    this.parts.report.add(
      {
        part: 'batchconsumequeue',
        file,
        position,
        end: position + units.unitSize,
        problem: `entry number ${this.next} of ${topic}-${queueId} ${problem}`,
        effect: 'consumers do not get it',
      },
      message,
    )
  }

  async finish(): Promise<void> {
    for (; ; this.next++) {
      const entry = await this.queue.entry(this.next)
      if (entry === undefined) break
      await this.accountFor(entry)
    }
    if (this.missing.length > 0 && !this.parts.isOpen) {
      this.report(`and those behind it are missing for ${this.missing.length} records`, this.missing[0]!)
    }
  }
}
