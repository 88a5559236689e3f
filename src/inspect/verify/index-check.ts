import type { IndexItem } from '../../store/index.js'
import { IndexReader } from '../index-reader.js'
import { readRecordAt } from '../log-scanner.js'
import { RecordFacts } from '../record-facts.js'
import type { AffectedMessage } from './damage.js'
import { IndexFileCheck } from './index-file-check.js'
import type { CheckParts } from './queue-check.js'

/** A key of a record that the index should hold next. */
interface ExpectedKey {
  readonly key: string
  readonly hash: number
  readonly position: number
  readonly size: number
  readonly storeTimestamp: number
  readonly message: AffectedMessage
}

/**
 * Compares the index files with the records of the log, which come in log order as the items do: each key must have its
 * item, each item its key, and each slot must lead to its items.
 */
export class IndexCheck {
  checkedItems = 0
  private readonly names: string[]
  private nextFile = 0
  private file: IndexFileCheck | undefined
  /** Keys of records since the last one that was in the index. */
  private missing: ExpectedKey[] = []
  private missingCount = 0
  private lastHashes = new Set<number>()
  private lastPosition = -1
  private readonly other = new RecordFacts()

  constructor(
    private readonly parts: CheckParts,
    private readonly hashSlots: number | undefined,
  ) {
    this.names = parts.directory.indexFileNames()
  }

  get fileCount(): number {
    return this.names.length
  }

  async record(facts: RecordFacts): Promise<void> {
    if (this.names.length === 0 || facts.keys.length === 0) return
    for (const key of facts.keys) await this.expect(toExpected(facts, key))
    this.lastPosition = facts.position
    this.lastHashes = new Set(facts.keys.map(key => facts.hashOf(key)))
  }

  /** The item that is next, over all files; undefined behind the last. */
  private async peek(): Promise<IndexItem | undefined> {
    for (;;) {
      const item = await this.file?.peek()
      if (item !== undefined) return item
      await this.file?.finish()
      if (this.file !== undefined) this.checkedItems += this.file.itemCount
      const name = this.names[this.nextFile++]
      if (name === undefined) {
        this.file = undefined
        return undefined
      }
      const previousEnd = this.file?.endTimestamp
      this.file = await this.openFile(name, previousEnd)
    }
  }

  private async openFile(name: string, previousEnd: number | undefined): Promise<IndexFileCheck | undefined> {
    const { parts } = this
    try {
      const reader = await IndexReader.open(parts.directory, name, this.hashSlots)
      const isNewest = name === this.names.at(-1)
      const check = new IndexFileCheck({ parts, reader, previousEnd, mayGrow: isNewest && parts.isOpen })
      await check.start()
      return check
    } catch (error) {
      parts.report.add({
        part: 'index',
        file: parts.directory.path('index', name),
        position: 0,
        problem: error instanceof Error ? error.message : String(error),
        effect: 'its entries are not checked',
      })
      return undefined
    }
  }

  private async expect(key: ExpectedKey): Promise<void> {
    for (;;) {
      const item = await this.peek()
      if (item === undefined) return this.noteMissing(key)
      const isHere = item.physicalOffset === key.position
      if (isHere || (item.keyHash === key.hash && !(await this.isOfAnother(item)))) {
        await this.reportMissing()
        return this.take(item, key)
      }
      if (item.physicalOffset > key.position) return this.noteMissing(key)
      await this.takeUnmatched(item)
    }
  }

  /** Takes the item that must be the one of `key`: says which of the two is wrong when they differ. */
  private async take(item: IndexItem, key: ExpectedKey): Promise<void> {
    const file = this.file!
    const isHere = item.physicalOffset === key.position
    if (isHere && item.keyHash !== key.hash && (await file.isChained(item))) {
      this.blame(key, `its topic or its keys do not fit item ${file.number + 1} of ${file.path}`)
      file.take(item, undefined)
    } else if (isHere && file.blamesTimeOf(item, key)) {
      this.blame(
        key,
        `it says that it was stored at ${key.storeTimestamp}, item ${file.number + 1} of ${file.path} differs`,
      )
      file.take(item, { ...key, storeTimestamp: undefined })
    } else {
      file.take(item, key)
    }
  }

  /** The index is sound there, so the record is not. */
  private blame({ position, size, message }: Omit<ExpectedKey, 'key' | 'hash'>, why: string): void {
    this.parts.logDamage.blame(
      this.parts.directory,
      { position, size },
      {
        problem: `the record is damaged: ${why}`,
        effect: 'queries miss it, or consumers get it with a wrong topic, key or time',
        message,
      },
    )
  }

  /** Whether an item whose hash is right belongs to another record with such a key, or to one that is gone. */
  private async isOfAnother(item: IndexItem): Promise<boolean> {
    const { logDamage, directory, logMin } = this.parts
    const { physicalOffset, keyHash } = item
    if (physicalOffset >= 0 && physicalOffset < logMin) return true
    if (this.isKnown(item) || logDamage.at(physicalOffset) !== undefined) return true
    const record = await readRecordAt(directory, physicalOffset)
    if (record === undefined) return false
    this.other.of(record)
    return this.other.keys.some(key => this.other.hashOf(key) === keyHash)
  }

  /** Whether an item is one of a record that came before: it may be there twice after a crash. */
  private isKnown(item: IndexItem): boolean {
    return item.physicalOffset === this.lastPosition && this.lastHashes.has(item.keyHash)
  }

  /** Takes an item that no key of the log asks for. */
  private async takeUnmatched(item: IndexItem): Promise<void> {
    const { logMin, logDamage, directory } = this.parts
    const { physicalOffset } = item
    const file = this.file!
    const isExplained =
      (physicalOffset >= 0 && physicalOffset < logMin) ||
      logDamage.at(physicalOffset) !== undefined ||
      logDamage.behindEnd(physicalOffset) !== undefined ||
      this.isKnown(item)
    const isChained = !isExplained && (await file.isChained(item))
    file.take(item, undefined)
    if (isExplained) return
    const record = isChained ? await readRecordAt(directory, physicalOffset) : undefined
    if (record === undefined)
      return file.reportItem(`points to ${physicalOffset}, where no record with such a key begins`)
    this.other.of(record)
    this.blame(recordOf(this.other), `item ${file.number} of ${file.path} has a key that it lacks`)
  }

  private noteMissing(key: ExpectedKey): void {
    this.missingCount++
    if (this.missing.length < 100) this.missing.push(key)
  }

  private async reportMissing(): Promise<void> {
    const { missing, missingCount } = this
    if (missingCount === 0) return
    const { report, logDamage } = this.parts
    this.missing = []
    this.missingCount = 0
    const first = missing[0]!
    if (missing.every(key => logDamage.at(key.position) !== undefined)) return
    const damage = report.add(
      {
        part: 'index',
        file: this.file?.path ?? this.parts.directory.path('index', this.names.at(-1) ?? ''),
        position: this.file?.position ?? 0,
        problem: `${missingCount} keys of records from ${first.position} on are not in the index`,
        effect: 'queries by these keys do not find the messages',
      },
      ...missing.map(({ message }) => message),
    )
    damage.messageCount = missingCount
  }

  /** All records have been taken. Returns the number of keys that the index does not reach. */
  async finish(logEnd: number): Promise<number> {
    for (let item = await this.peek(); item !== undefined; item = await this.peek()) {
      if (item.physicalOffset >= logEnd && this.parts.isOpen) {
        // appended while the log was read
        this.file!.take(item, undefined)
      } else {
        await this.takeUnmatched(item)
      }
    }
    const behind = this.missingCount
    if (!this.parts.isOpen) await this.reportMissing()
    return behind
  }
}

function toExpected(facts: RecordFacts, key: string): ExpectedKey {
  return { key, hash: facts.hashOf(key), ...recordOf(facts) }
}

function recordOf(facts: RecordFacts): Omit<ExpectedKey, 'key' | 'hash'> {
  const { topic, queueId, queueOffset, position, size, uniqKey, storeTimestamp } = facts
  const message = { topic, queueId, queueOffset, physicalOffset: position, uniqKey }
  return { position, size, storeTimestamp, message }
}
