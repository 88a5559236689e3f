import { extensionOffset } from '../extension-reader.js'
import { readRecordAt } from '../log-scanner.js'
import { isEntry, isFiller, type QueueEntry, type QueueReader } from '../queue-reader.js'
import { RecordFacts } from '../record-facts.js'
import type { StoreDirectory } from '../store-directory.js'
import { type AffectedMessage, addAffected, type DamageReport } from './damage.js'
import type { LogDamage } from './log-damage.js'

export interface CheckParts {
  readonly directory: StoreDirectory
  readonly report: DamageReport
  readonly logDamage: LogDamage
  readonly logMin: number
  /** A broker runs, or crashed: what is not written out yet is no damage. */
  readonly isOpen: boolean
  /** Entries may hold addresses of extensions instead of tags codes. */
  readonly hasExtensions: boolean
  /** Entries of batch queues may hold offsets into compacted logs. */
  readonly hasCompaction: boolean
}

/** What a record of the log says about its entry in a queue. */
export interface ExpectedEntry {
  position: number
  size: number
  tagsCode: number
  tags: string
  delayLevel: number
  queueOffset: number
  storeTimestamp: number
  uniqKey: string
}

const NOT_DELIVERED = 'consumers do not get it'

/**
 * Compares one queue with the records of the log, which come in log order: each must have its entry, and each entry its
 * record.
 */
export class QueueCheck {
  /** Records in front of the queue's first entry: of a topic that was deleted and made again. */
  earlierRecords = 0
  checkedEntries = 0
  /** Entry that is to be accounted for next. */
  private next = 0
  private firstPosition = -1
  /** Of an open store: from this entry on the files held nothing when they were looked at. */
  private emptyFrom = Number.POSITIVE_INFINITY
  private missing: AffectedMessage[] = []
  private missingCount = 0
  private readonly learnedDelays = new Map<number, number>()

  constructor(
    private readonly parts: CheckParts,
    readonly queue: QueueReader,
  ) {}

  async start(): Promise<void> {
    const { units } = this.queue
    this.next = units.firstIndex
    this.checkFiles()
    // fillers in front of the first message; a first file may begin with many
    for (let index = units.firstIndex; index < units.endIndex; index++) {
      const found = this.queue.entry(index)
      const entry = found instanceof Promise ? await found : found
      if (entry !== undefined && isFiller(entry)) continue
      this.firstPosition = entry?.physicalOffset ?? -1
      this.next = index
      return
    }
  }

  private checkFiles(): void {
    const { segments, fileSize, folder } = this.queue.units
    const { report } = this.parts
    for (const [i, file] of segments.entries()) {
      if (file.length !== fileSize) {
        report.add({
          part: 'consumequeue',
          file: file.path,
          position: file.length,
          problem: `the file has ${file.length} bytes, the others of this queue have ${fileSize}`,
          effect: 'brokers refuse to start; delete the folder of the queue to have it built again from the log',
        })
      }
      const before = segments[i - 1]
      const expected = before === undefined ? file.startOffset : before.startOffset + fileSize
      if (file.startOffset > expected) {
        report.add({
          part: 'consumequeue',
          file: folder,
          position: expected,
          problem: `the files that hold entries ${expected / 20} to ${file.startOffset / 20 - 1} are missing`,
          effect: 'consumers do not get these messages; delete the folder to have the queue built again from the log',
        })
      }
    }
  }

  /** Takes the next record of this queue. A promise only when the queue's file must be read. */
  record(expected: ExpectedEntry): void | Promise<void> {
    if (expected.queueOffset === this.next) {
      const found = this.queue.entry(this.next)
      if (!(found instanceof Promise) && found !== undefined && this.fits(found, expected)) {
        this.next++
        this.checkedEntries++
        const extension = extensionOffset(found.tagsCode)
        return extension < 0 ? undefined : this.checkExtension(extension, { ...expected })
      }
    }
    return this.compare({ ...expected })
  }

  /** What an entry points to besides its record must say the same as that. */
  private async checkExtension(offset: number, expected: ExpectedEntry): Promise<void> {
    const { tagsCode, storeTimestamp, queueOffset } = expected
    const { extensions } = this.queue
    const unit = await extensions.unit(offset)
    // a running broker writes it after the entry
    if (unit === undefined && this.parts.isOpen) return
    const isSameCode = expected.delayLevel > 0 || unit?.tagsCode === tagsCode
    if (unit !== undefined && isSameCode && unit.storeTimestamp === storeTimestamp) return
    const says = unit && `says tags code ${unit.tagsCode}, stored at ${unit.storeTimestamp}`
    const { report } = this.parts
    report.add(
      {
        part: 'consumequeue_ext',
        ...extensions.placeOf(offset),
        problem:
          `the extension of entry ${queueOffset} of ${this.name} ` +
          (says === undefined
            ? 'is not there'
            : `${says}, but the record at ${expected.position} makes ${tagsCode}, stored at ${storeTimestamp}`),
        effect:
          unit === undefined
            ? 'the broker looks at the message itself instead'
            : 'filters take or leave it wrongly; delete the queue and its extensions to have them built again',
      },
      this.messageOf(queueOffset, expected),
    )
  }

  private fits(entry: QueueEntry, expected: ExpectedEntry): boolean {
    return (
      entry.physicalOffset === expected.position &&
      entry.size === expected.size &&
      (entry.tagsCode === expected.tagsCode || this.isOtherTagsCode(entry.tagsCode, expected))
    )
  }

  /** Codes that are right although they are not the hash: addresses of an extension, other delay levels. */
  private isOtherTagsCode(tagsCode: number | bigint, expected: ExpectedEntry): boolean {
    if (tagsCode < -2_147_483_648) return this.parts.hasExtensions
    if (typeof tagsCode === 'bigint') return false
    if (expected.delayLevel === 0) return false
    const delay = tagsCode - expected.storeTimestamp
    const known = this.learnedDelays.get(expected.delayLevel)
    if (known !== undefined) return delay === known
    // levels are whole seconds, which one flipped bit does not give
    if (delay <= 0 || delay % 1000 !== 0) return false
    this.learnedDelays.set(expected.delayLevel, delay)
    return true
  }

  private async compare(expected: ExpectedEntry): Promise<void> {
    const { position, queueOffset } = expected
    if (position < this.firstPosition && (await this.isEarlier(queueOffset))) {
      this.earlierRecords++
      return
    }
    if (queueOffset >= this.emptyFrom) return this.noteMissing(expected)
    let entry = await this.queue.entry(queueOffset)
    if (entry === undefined || !this.fits(entry, expected)) {
      // what is in memory may be older than the record
      if (this.parts.isOpen && queueOffset >= this.queue.units.endIndex) this.queue.units.refresh()
      entry = await this.queue.readEntry(queueOffset)
    }
    if (entry !== undefined && entry.physicalOffset === position) {
      if (queueOffset < this.next) return
      await this.accountFor(queueOffset)
      const extension = extensionOffset(entry.tagsCode)
      if (!this.fits(entry, expected)) this.reportFields(entry, expected)
      else if (extension >= 0) await this.checkExtension(extension, expected)
      this.next = queueOffset + 1
      this.checkedEntries++
      return
    }
    if (entry !== undefined && isFiller(entry) && this.parts.logDamage.at(position) !== undefined) {
      // a broker that met the damage has put the filler
      await this.accountFor(queueOffset)
      this.next = queueOffset + 1
      return
    }
    const nextEntry = queueOffset === this.next ? undefined : await this.queue.readEntry(this.next)
    if (nextEntry?.physicalOffset === position && nextEntry.size === expected.size) return this.reportOffset(expected)
    if (entry === undefined) {
      // what a broker still writes comes to the files in order
      if (this.parts.isOpen) this.emptyFrom = queueOffset
      return this.noteMissing(expected)
    }
    if (isEntry(entry) && !isFiller(entry) && (await this.isOwnRecord(entry, queueOffset))) {
      return this.reportDouble(expected, entry)
    }
    await this.accountFor(queueOffset)
    this.reportFields(entry, expected)
    if (queueOffset === this.next) this.next++
  }

  /** Whether a record in front of the queue's first is of an earlier queue of this name, and not one that it lacks. */
  private async isEarlier(queueOffset: number): Promise<boolean> {
    if (queueOffset !== this.next) return true
    const entry = await this.queue.readEntry(queueOffset)
    return entry === undefined || isFiller(entry) || this.isOwnRecord(entry, queueOffset)
  }

  private async isOwnRecord(entry: QueueEntry, queueOffset: number): Promise<boolean> {
    const record = await readRecordAt(this.parts.directory, entry.physicalOffset)
    if (record === undefined || record.problem !== undefined) return false
    const { topic, queueId } = this.queue
    return record.topic === topic && record.reader.queueId === queueId && record.reader.queueOffset === queueOffset
  }

  private messageOf(queueOffset: number, expected?: ExpectedEntry): AffectedMessage {
    const { topic, queueId } = this.queue
    const known = expected && { physicalOffset: expected.position, uniqKey: expected.uniqKey }
    return { topic, queueId, queueOffset, ...known }
  }

  private get name(): string {
    return `${this.queue.topic}-${this.queue.queueId}`
  }

  private reportFields(entry: QueueEntry, expected: ExpectedEntry): void {
    const wrong: string[] = []
    if (entry.physicalOffset !== expected.position) {
      wrong.push(`points to ${entry.physicalOffset} instead of ${expected.position}`)
    }
    if (entry.size !== expected.size) wrong.push(`says ${entry.size} bytes instead of ${expected.size}`)
    if (entry.tagsCode !== expected.tagsCode && !this.isOtherTagsCode(entry.tagsCode, expected)) {
      const what = expected.delayLevel > 0 ? `delay level ${expected.delayLevel}` : `the tags "${expected.tags}"`
      const { position, tagsCode } = expected
      wrong.push(`has the tags code ${entry.tagsCode}, but ${what} of the record at ${position} make ${tagsCode}`)
    }
    const isReadable = entry.physicalOffset === expected.position && entry.size === expected.size
    this.parts.report.add(
      {
        part: 'consumequeue',
        ...this.place(expected.queueOffset),
        problem: `entry ${expected.queueOffset} of ${this.name} ${wrong.join(' and ')}`,
        effect: isReadable ? 'filters by tag take or leave it wrongly' : NOT_DELIVERED,
      },
      this.messageOf(expected.queueOffset, expected),
    )
  }

  private reportOffset(expected: ExpectedEntry): void {
    const { logDamage, directory } = this.parts
    logDamage.blame(directory, expected, {
      problem:
        `the record says that it is message ${expected.queueOffset} of ${this.name}, ` +
        `but its entry is number ${this.next}`,
      effect: 'consumers get it with a wrong queue offset',
      message: this.messageOf(this.next, expected),
    })
    this.next++
    this.checkedEntries++
  }

  private reportDouble(expected: ExpectedEntry, entry: QueueEntry): void {
    const { logDamage, directory } = this.parts
    logDamage.blame(directory, expected, {
      problem:
        `the record says that it is message ${expected.queueOffset} of ${this.name}, ` +
        `which is the one at ${entry.physicalOffset}`,
      effect: 'no queue leads to it under this name',
      message: this.messageOf(expected.queueOffset, expected),
    })
  }

  private noteMissing(expected: ExpectedEntry): void {
    this.missingCount++
    if (this.missing.length < 100) this.missing.push(this.messageOf(expected.queueOffset, expected))
  }

  /** Entries up to `end` had no record of their own. */
  private async accountFor(end: number): Promise<void> {
    let emptyFrom = -1
    for (; this.next < end; this.next++) {
      const found = this.queue.entry(this.next)
      const entry = found instanceof Promise ? await found : found
      if (entry === undefined) {
        if (emptyFrom < 0) emptyFrom = this.next
        continue
      }
      if (emptyFrom >= 0) this.reportEmpty(emptyFrom, this.next)
      emptyFrom = -1
      await this.accountForEntry(entry)
    }
    if (emptyFrom >= 0) this.reportEmpty(emptyFrom, end)
  }

  private reportEmpty(from: number, end: number): void {
    const isIn = (message: AffectedMessage): boolean => message.queueOffset >= from && message.queueOffset < end
    const messages = this.missing.filter(isIn)
    this.missing = this.missing.filter(message => !isIn(message))
    this.missingCount -= messages.length
    const damage = this.parts.report.add(
      {
        part: 'consumequeue',
        ...this.place(from, end),
        problem: `entries ${from} to ${end - 1} of ${this.name} are empty, although the queue goes on behind them`,
        effect: 'the queue seems to end there: consumers do not get what follows until it is built again from the log',
      },
      ...messages,
    )
    damage.messageCount = end - from
  }

  private async accountForEntry(entry: QueueEntry): Promise<void> {
    const { parts, queue } = this
    const { physicalOffset, size } = entry
    if (isFiller(entry) || (isEntry(entry) && physicalOffset + size <= parts.logMin)) return
    const message = this.messageOf(this.next)
    const known = parts.logDamage.at(physicalOffset)
    if (known !== undefined) return addAffected(known, { ...message, physicalOffset })
    if (!isEntry(entry)) return this.reportEntry('is no entry', message)
    const record = await readRecordAt(parts.directory, physicalOffset)
    const lost = record === undefined ? parts.logDamage.behindEnd(physicalOffset) : undefined
    if (lost !== undefined) return addAffected(lost, { ...message, physicalOffset })
    if (record === undefined) return this.reportEntry(`points to ${physicalOffset}, where no record begins`, message)
    const facts = new RecordFacts()
    facts.of(record)
    const isOwn = facts.topic === queue.topic && facts.queueId === queue.queueId
    if (isOwn && facts.queueOffset === this.next && facts.isQueued) {
      // appended while the log was read
      this.checkedEntries++
      return
    }
    if (facts.queueOffset === this.next && facts.size === size && facts.tagsCode === entry.tagsCode) {
      const is = facts.isQueued ? `it is of ${facts.topic}-${facts.queueId}` : 'it is the mark of a transaction'
      return parts.logDamage.blame(parts.directory, facts, {
        problem: `the record says that ${is}, but ${this.name} has its entry`,
        effect: 'consumers get it with a wrong topic or queue',
        message: { ...message, physicalOffset, uniqKey: facts.uniqKey },
      })
    }
    const kind = facts.isQueued ? `message ${facts.queueOffset}` : 'a transaction mark'
    const problem = `points to ${physicalOffset}, where ${kind} of ${facts.topic}-${facts.queueId} stands`
    this.reportEntry(problem, message)
  }

  private reportEntry(problem: string, message: AffectedMessage): void {
    this.parts.report.add(
      {
        part: 'consumequeue',
        ...this.place(message.queueOffset),
        problem: `entry ${message.queueOffset} of ${this.name} ${problem}`,
        effect: NOT_DELIVERED,
      },
      message,
    )
  }

  private place(from: number, to = from + 1): { file: string; position: number; end: number } {
    const { file, position } = this.queue.units.placeOf(from)
    return { file, position, end: position + (to - from) * this.queue.units.unitSize }
  }

  /** All records have been taken: what else do the files hold? Returns the number of records without an entry. */
  async finish(): Promise<number> {
    const { units } = this.queue
    while (this.next < units.endIndex) {
      const at = await units.load(this.next)
      if (at < 0) break
      const isLast = (this.next + 1) * units.unitSize > (units.segments.at(-1)?.startOffset ?? 0)
      const end = units.loadedEnd
      if (units.isZero) {
        if (isLast) break
        this.next = end
        continue
      }
      await this.accountFor(await this.endOfEntries(end))
      this.next = Math.max(this.next, end)
    }
    return this.reportMissing()
  }

  /** Behind the last entry in memory that was written. */
  private async endOfEntries(loadedEnd: number): Promise<number> {
    let end = loadedEnd
    while (end > this.next && (await this.queue.entry(end - 1)) === undefined) end--
    return end
  }

  private reportMissing(): number {
    const { missing, missingCount, parts } = this
    if (missingCount === 0 || parts.isOpen) return missingCount
    const first = missing[0]!.queueOffset
    const damage = parts.report.add(
      {
        part: 'consumequeue',
        ...this.queue.units.placeOf(first),
        problem: `${missingCount} records of ${this.name} from message ${first} on have no entry`,
        effect: 'consumers do not get them until the queue is built again from the log',
      },
      ...missing,
    )
    damage.messageCount = missingCount
    return missingCount
  }
}
