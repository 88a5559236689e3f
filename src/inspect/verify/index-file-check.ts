import type { IndexItem } from '../../store/index.js'
import { FileWindow } from '../file-window.js'
import {
  INDEX_HEADER_SIZE,
  INDEX_ITEM_SIZE,
  INDEX_SLOT_SIZE,
  type IndexHeader,
  type IndexReader,
} from '../index-reader.js'
import type { AffectedMessage } from './damage.js'
import type { CheckParts } from './queue-check.js'

export interface IndexFileCheckOptions {
  parts: CheckParts
  reader: IndexReader
  /** End time of the file before: what a rolled file counts its first item from. */
  previousEnd: number | undefined
  /** A broker may be writing to it. */
  mayGrow: boolean
}

/** What the log says that an item should be. */
export interface ExpectedItem {
  readonly key: string
  readonly hash: number
  readonly position: number
  /** Undefined when it is not to be trusted. */
  readonly storeTimestamp: number | undefined
  readonly message: AffectedMessage
}

const NOT_FOUND = 'queries by key do not find it'

/** Goes through the items of one index file, building the slots anew beside them. */
export class IndexFileCheck {
  itemCount = 0
  /** Of the item taken last. */
  number = 0
  private header!: IndexHeader
  /** Newest item of each slot, as the items up to here make it. */
  private slots!: Int32Array
  private usedSlots = 0
  /** Header fields as the items, corrected by the log, make them. */
  private firstPosition = 0
  private lastPosition = 0
  private beginTimestamp: number | undefined
  private lastTimestamp: number | undefined
  private wrongTimes = 0
  private lastTimeDiff = 0
  private readonly unlinked = new Set<number>()

  constructor(private readonly options: IndexFileCheckOptions) {}

  get path(): string {
    return this.options.reader.path
  }

  /** Of the next item, in the file. */
  get position(): number {
    return this.options.reader.positionOf(this.number + 1)
  }

  get endTimestamp(): number {
    return this.lastTimestamp ?? this.header.endTimestamp
  }

  async start(): Promise<void> {
    const { reader, parts } = this.options
    this.header = await reader.header()
    this.itemCount = await reader.usedItems()
    this.slots = new Int32Array(reader.shape.slots)
    if (reader.hasFullLength) return
    parts.report.add({
      part: 'index',
      file: reader.path,
      position: reader.open.length,
      problem: `the file ends after ${reader.open.length} bytes, in the middle of an item`,
      effect: 'brokers refuse to start; delete the file, what it holds is then not found by key',
    })
  }

  /** The next item; undefined behind the last. */
  async peek(): Promise<IndexItem | undefined> {
    const number = this.number + 1
    if (number > this.itemCount) return undefined
    const item = await this.options.reader.item(number)
    return item ?? { keyHash: 0, physicalOffset: 0, timeDiffSeconds: 0, previous: 0 }
  }

  /** Whether its slot leads to the next item. */
  async isChained(item: IndexItem): Promise<boolean> {
    const { reader } = this.options
    const number = this.number + 1
    if (item.keyHash < 0) return false
    let at = await reader.slot(item.keyHash % reader.shape.slots)
    while (at > number) {
      const one = await reader.item(at)
      if (one === undefined || one.previous >= at) return false
      at = one.previous
    }
    return at === number
  }

  /** Whether the record's time is wrong and not the next item's: of the two it is farther from the item before. */
  blamesTimeOf(item: IndexItem, { storeTimestamp }: { storeTimestamp: number }): boolean {
    if (this.number === 0) return false
    const expected = diffSeconds(storeTimestamp, this.beginTimestamp ?? this.header.beginTimestamp)
    const found = item.timeDiffSeconds
    if (found === expected) return false
    return expected < this.lastTimeDiff || (found >= this.lastTimeDiff && found < expected)
  }

  /** Takes the next item. Without `expected` the log does not tell what it should be. */
  take(item: IndexItem, expected: ExpectedItem | undefined): void {
    this.number++
    const position = expected?.position ?? item.physicalOffset
    if (this.number === 1) {
      this.firstPosition = position
      this.beginTimestamp = expected?.storeTimestamp
    }
    this.lastPosition = position
    this.lastTimestamp = expected?.storeTimestamp
    if (expected !== undefined && this.number > 1) this.lastTimeDiff = item.timeDiffSeconds
    const hash = expected?.hash ?? item.keyHash
    const wrong: string[] = []
    if (item.keyHash !== hash) wrong.push(`has the hash ${item.keyHash} instead of ${hash}`)
    if (item.physicalOffset !== position) wrong.push(`points to ${item.physicalOffset} instead of ${position}`)
    this.link(item, hash, wrong)
    if (expected?.storeTimestamp !== undefined) this.checkTime(item, expected.storeTimestamp, wrong)
    if (wrong.length === 0) return
    const key = expected === undefined ? '' : ` (key "${expected.key}" of ${expected.message.topic})`
    this.reportItem(`${wrong.join(' and ')}${key}`, expected?.message)
  }

  private link(item: IndexItem, hash: number, wrong: string[]): void {
    // a hash is never negative: a damaged one that the log cannot correct has no slot
    if (hash < 0) {
      this.unlinked.add(this.number)
      return
    }
    const slot = hash % this.slots.length
    const previous = this.slots[slot]!
    if (previous === 0) this.usedSlots++
    this.slots[slot] = this.number
    if (item.previous !== previous) wrong.push(`is followed by item ${item.previous} instead of ${previous}`)
  }

  private checkTime(item: IndexItem, storeTimestamp: number, wrong: string[]): void {
    const { previousEnd } = this.options
    if (this.number === 1) {
      // counted from what the header was made with, the end of the file before; that file may be gone
      const atMost = previousEnd === undefined ? Number.MAX_SAFE_INTEGER : diffSeconds(storeTimestamp, previousEnd)
      if (item.timeDiffSeconds < 0 || (previousEnd !== undefined && item.timeDiffSeconds > atMost)) {
        wrong.push(`has a time difference of ${item.timeDiffSeconds} s instead of ${atMost} s`)
      }
      return
    }
    const begin = this.beginTimestamp ?? this.header.beginTimestamp
    const expected = diffSeconds(storeTimestamp, begin)
    if (item.timeDiffSeconds === expected) return
    // without the record of the first item the begin itself may be damaged: then it is said once, in the header
    if (this.beginTimestamp === undefined) this.wrongTimes++
    else wrong.push(`has a time difference of ${item.timeDiffSeconds} s instead of ${expected} s`)
  }

  /** Reports the item taken last. */
  reportItem(problem: string, message?: AffectedMessage): void {
    const { reader, parts } = this.options
    const position = reader.positionOf(this.number)
    const text = {
      part: 'index' as const,
      file: reader.path,
      position,
      end: position + INDEX_ITEM_SIZE,
      problem: `item ${this.number} ${problem}`,
      effect: NOT_FOUND,
    }
    parts.report.add(text, ...(message === undefined ? [] : [message]))
  }

  /** All items have been taken: compares slots and header with what they make. */
  async finish(): Promise<void> {
    const { reader } = this.options
    await this.checkSlots()
    await this.checkHeader()
    reader.close()
  }

  private async checkSlots(): Promise<void> {
    const { reader, mayGrow } = this.options
    const window = new FileWindow(reader.open)
    const end = INDEX_HEADER_SIZE + this.slots.length * INDEX_SLOT_SIZE
    for (let slot = 0, at = INDEX_HEADER_SIZE; at < end; slot++, at += INDEX_SLOT_SIZE) {
      if (window.available(at) < INDEX_SLOT_SIZE) await window.fill(at)
      if (window.available(at) < INDEX_SLOT_SIZE) return
      const found = window.view.getInt32(at - window.start)
      const expected = this.slots[slot]!
      if (found === expected || (mayGrow && found > this.itemCount) || this.unlinked.has(found)) continue
      this.reportPlace(at, INDEX_SLOT_SIZE, `slot ${slot} leads to item ${found} instead of ${expected}`)
    }
  }

  private async checkHeader(): Promise<void> {
    const { reader, mayGrow } = this.options
    const header = mayGrow ? await reader.header() : this.header
    if (this.itemCount === 0) return
    const fields: [name: string, at: number, found: number, expected: number | undefined][] = [
      ['beginTimestamp', 0, header.beginTimestamp, this.wrongTimes > 1 ? Number.NaN : this.beginTimestamp],
      ['endTimestamp', 8, header.endTimestamp, mayGrow ? undefined : this.lastTimestamp],
      ['beginPhyOffset', 16, header.beginPhyOffset, this.firstPosition],
      ['endPhyOffset', 24, header.endPhyOffset, mayGrow ? undefined : this.lastPosition],
      ['hashSlotCount', 32, header.hashSlotCount, mayGrow ? undefined : this.usedSlots],
      ['indexCount', 36, header.indexCount, mayGrow ? undefined : this.itemCount + 1],
    ]
    for (const [name, at, found, expected] of fields) {
      if (expected === undefined || found === expected) continue
      const should = Number.isNaN(expected) ? 'which the times of its items do not fit' : `instead of ${expected}`
      this.reportPlace(at, at < 32 ? 8 : 4, `${name} in the header is ${found}, ${should}`)
    }
  }

  private reportPlace(position: number, length: number, problem: string): void {
    this.options.parts.report.add({
      part: 'index',
      file: this.path,
      position,
      end: position + length,
      problem,
      effect: 'queries by key miss messages of this file',
    })
  }
}

function diffSeconds(storeTimestamp: number, begin: number): number {
  if (begin <= 0) return 0
  return Math.max(0, Math.min(Math.trunc((storeTimestamp - begin) / 1000), 0x7fffffff))
}
