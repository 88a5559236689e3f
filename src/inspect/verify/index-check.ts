import type { IndexItem } from '../../store/index.js'
import { IndexReader } from '../index-reader.js'
import type { RecordFacts } from '../record-facts.js'
import { type AffectedMessage, addAffected } from './damage.js'
import { IndexFileCheck } from './index-file-check.js'
import type { CheckParts } from './queue-check.js'

/** A key of a record that the index should hold next. */
interface ExpectedKey {
  readonly key: string
  readonly hash: number
  readonly position: number
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
    const expected = facts.keys.map(key => toExpected(facts, key))
    const blamed = await this.blameRecord(facts, expected)
    for (const key of expected) await this.expect(key, blamed)
    this.lastPosition = facts.position
    this.lastHashes = new Set(expected.map(({ hash }) => hash))
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

  private async expect(key: ExpectedKey, isRecordBlamed: boolean): Promise<void> {
    for (;;) {
      const item = await this.peek()
      if (item === undefined) return this.noteMissing(key)
      const isHere = item.physicalOffset === key.position
      if (isHere || item.keyHash === key.hash) {
        const isOfAnother = !isHere && item.physicalOffset < key.position && this.isKnown(item)
        if (!isOfAnother) {
          await this.reportMissing()
          this.file!.take(item, isRecordBlamed ? undefined : key)
          return
        }
      }
      if (item.physicalOffset > key.position) return this.noteMissing(key)
      this.takeUnmatched(item)
    }
  }

  /** Whether an item is one of a record that came before: it may be there twice after a crash. */
  private isKnown(item: IndexItem): boolean {
    return item.physicalOffset === this.lastPosition && this.lastHashes.has(item.keyHash)
  }

  private takeUnmatched(item: IndexItem): void {
    const { logMin, logDamage } = this.parts
    const { physicalOffset } = item
    const isExpected =
      physicalOffset < logMin ||
      logDamage.at(physicalOffset) !== undefined ||
      logDamage.behindEnd(physicalOffset) !== undefined ||
      this.isKnown(item)
    this.file!.take(item, undefined)
    if (!isExpected) this.file!.reportItem(`points to ${physicalOffset}, where no record with such a key begins`)
  }

  /**
   * When an item of a record has another hash but is found under it, the index is sound and the record is not: its
   * topic or its key has changed.
   */
  private async blameRecord(facts: RecordFacts, expected: readonly ExpectedKey[]): Promise<boolean> {
    const item = await this.peekPast(facts.position)
    if (item === undefined || item.physicalOffset !== facts.position) return false
    if (expected.some(({ hash }) => hash === item.keyHash)) return false
    const { file } = this
    if (file === undefined || !(await file.isChained(item))) return false
    const { directory, logDamage } = this.parts
    const message = expected[0]!.message
    const known = logDamage.at(facts.position)
    if (known !== undefined) {
      addAffected(known, message)
      return true
    }
    const segment = directory.logFileAt(facts.position)
    const text = {
      file: segment?.path ?? '',
      position: facts.position - (segment?.startOffset ?? 0),
      problem: `the topic or the keys of the record do not fit item ${file.number} of ${file.path}`,
      effect: 'a query by its key does not find it, or its topic is wrong',
    }
    logDamage.add(facts.position, facts.position + facts.size, text, message)
    return true
  }

  /** The next item that is not of a record in front of `position`, taking those. */
  private async peekPast(position: number): Promise<IndexItem | undefined> {
    for (;;) {
      const item = await this.peek()
      if (item === undefined || item.physicalOffset >= position || item.physicalOffset >= this.parts.logMin) return item
      this.takeUnmatched(item)
    }
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
        file: this.file?.path ?? this.parts.directory.path('index'),
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
        this.takeUnmatched(item)
      }
    }
    const behind = this.missingCount
    if (!this.parts.isOpen) await this.reportMissing()
    return behind
  }
}

function toExpected(facts: RecordFacts, key: string): ExpectedKey {
  const { topic, queueId, queueOffset, position, uniqKey, storeTimestamp } = facts
  const message = { topic, queueId, queueOffset, physicalOffset: position, uniqKey }
  return { key, hash: facts.hashOf(key), position, storeTimestamp, message }
}
