import { javaHash } from '../util/index.js'

const NAME_END = 1
const PROPERTY_END = 2

/**
 * Where the values that the store itself needs lie in a record; `-1` when absent. One object, filled again and again.
 */
export class PropertyScan {
  tagsStart = -1
  tagsEnd = -1
  keysStart = -1
  keysEnd = -1
  uniqKeyStart = -1
  uniqKeyEnd = -1
  delayStart = -1
  delayEnd = -1
  innerNumStart = -1
  innerNumEnd = -1
  innerBaseStart = -1
  innerBaseEnd = -1

  /**
   * Scans `bytes[from, to)`. As in the parsed form an entry needs a name and a value, a missing last separator does not
   * matter, and the last of several entries wins.
   */
  scan(bytes: Buffer, from: number, to: number): void {
    this.tagsStart =
      this.keysStart =
      this.uniqKeyStart =
      this.delayStart =
      this.innerNumStart =
      this.innerBaseStart =
        -1
    let at = from
    while (at < to) {
      let nameEnd = at
      while (nameEnd < to && bytes[nameEnd] !== NAME_END && bytes[nameEnd] !== PROPERTY_END) nameEnd++
      let end = nameEnd
      while (end < to && bytes[end] !== PROPERTY_END) end++
      if (nameEnd > at && end > nameEnd + 1) this.note(bytes, at, nameEnd, end)
      at = end + 1
    }
  }

  /** Entries of `later`, scanned `shift` bytes before where they stand in this record, win over those found here. */
  overlay(later: PropertyScan, shift: number): void {
    if (later.tagsStart >= 0) {
      this.tagsStart = later.tagsStart + shift
      this.tagsEnd = later.tagsEnd + shift
    }
    if (later.keysStart >= 0) {
      this.keysStart = later.keysStart + shift
      this.keysEnd = later.keysEnd + shift
    }
    if (later.uniqKeyStart >= 0) {
      this.uniqKeyStart = later.uniqKeyStart + shift
      this.uniqKeyEnd = later.uniqKeyEnd + shift
    }
    if (later.delayStart >= 0) {
      this.delayStart = later.delayStart + shift
      this.delayEnd = later.delayEnd + shift
    }
  }

  private note(bytes: Buffer, start: number, nameEnd: number, end: number): void {
    switch (nameEnd - start) {
      case 4:
        if (isName(bytes, start, TAGS)) {
          this.tagsStart = nameEnd + 1
          this.tagsEnd = end
        } else if (isName(bytes, start, KEYS)) {
          this.keysStart = nameEnd + 1
          this.keysEnd = end
        }
        break
      case 5:
        if (isName(bytes, start, DELAY)) {
          this.delayStart = nameEnd + 1
          this.delayEnd = end
        }
        break
      case 8:
        if (isName(bytes, start, UNIQ_KEY)) {
          this.uniqKeyStart = nameEnd + 1
          this.uniqKeyEnd = end
        }
        break
      default:
        this.noteInner(bytes, start, nameEnd, end)
    }
  }

  private noteInner(bytes: Buffer, start: number, nameEnd: number, end: number): void {
    if (nameEnd - start === 9 && isName(bytes, start, INNER_NUM)) {
      this.innerNumStart = nameEnd + 1
      this.innerNumEnd = end
    } else if (nameEnd - start === 10 && isName(bytes, start, INNER_BASE)) {
      this.innerBaseStart = nameEnd + 1
      this.innerBaseEnd = end
    }
  }
}

const TAGS = Buffer.from('TAGS')
const KEYS = Buffer.from('KEYS')
const DELAY = Buffer.from('DELAY')
const UNIQ_KEY = Buffer.from('UNIQ_KEY')
const INNER_NUM = Buffer.from('INNER_NUM')
const INNER_BASE = Buffer.from('INNER_BASE')

function isName(bytes: Buffer, at: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false
  return true
}

/** Java's hash of a text that begins with another of hash `h`, from its UTF-8 bytes. */
export function continueJavaHash(h: number, bytes: Buffer, from: number, to: number): number {
  let hash = h
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    if (byte >= 0x80) return continueHashOfText(h, bytes.toString('utf8', from, to))
    hash = (Math.imul(31, hash) + byte) | 0
  }
  return hash
}

function continueHashOfText(h: number, text: string): number {
  let hash = h
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash
}

/** What a queue's unit holds for a message with these tags: the hash of the whole text, 0 without. */
export function tagsCodeOf(tags: string | undefined): number {
  return tags === undefined || tags === '' ? 0 : javaHash(tags)
}

/** A decimal number in a property; `fallback` when it is none. */
export function parseDecimal(bytes: Buffer, from: number, to: number, fallback: number): number {
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = bytes[i]! - 0x30
    if (digit < 0 || digit > 9) return fallback
    value = value * 10 + digit
  }
  return to > from ? value : fallback
}
