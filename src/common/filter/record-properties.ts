const NAME_END = 1
const PROPERTY_END = 2

/** Texts kept for each name, a power of two, and the longest of them. */
const KEPT_TEXTS = 128
const LONGEST_KEPT = 32

/** A name that was asked for: its bytes, and texts of its values, which tend to come again. */
interface Wanted {
  readonly name: Buffer
  readonly texts: (string | undefined)[]
}

/**
 * Looks properties up in the bytes of one record after the other, without parsing them all. Names become bytes once.
 * The last of several of one name counts, so it looks from the end, and no farther than it must.
 */
export class RecordProperties {
  private bytes: Buffer = Buffer.alloc(0)
  private from = 0
  /** Where the next property to look at ends. */
  private unread = -1
  /** Those looked at, the last first. */
  private count = 0
  private starts = new Int32Array(64)
  private ends = new Int32Array(64)
  private readonly names = new Map<string, Wanted>()

  /** Turns to the properties string in `bytes[from, to)`. */
  of(bytes: Buffer, from = 0, to = bytes.length): this {
    this.bytes = bytes
    this.from = from
    this.unread = to
    this.count = 0
    return this
  }

  /** For filters: the value of a property of the present record. */
  readonly get = (name: string): string | undefined => {
    const wanted = this.names.get(name) ?? this.want(name)
    const at = this.find(wanted.name)
    if (at < 0) return undefined
    return this.text(wanted.texts, this.starts[at]! + wanted.name.length + 1, this.ends[at]!)
  }

  private want(name: string): Wanted {
    const wanted = { name: Buffer.from(name), texts: Array.from({ length: KEPT_TEXTS }, () => undefined) }
    this.names.set(name, wanted)
    return wanted
  }

  /** Number of the property, -1 when there is none or it is empty. */
  private find(name: Buffer): number {
    for (let i = 0; i < this.count; i++) if (this.isNamed(i, name)) return i
    while (this.unread >= this.from) if (this.isNamed(this.readOne(), name)) return this.count - 1
    return -1
  }

  private readOne(): number {
    const { bytes, from, unread, count } = this
    const start = startBefore(bytes, unread, from)
    if (count === this.starts.length) this.grow()
    this.starts[count] = start
    this.ends[count] = unread
    this.unread = start - 1
    return this.count++
  }

  private grow(): void {
    const { starts, ends } = this
    this.starts = new Int32Array(2 * starts.length)
    this.ends = new Int32Array(2 * ends.length)
    this.starts.set(starts)
    this.ends.set(ends)
  }

  private isNamed(i: number, name: Buffer): boolean {
    const { bytes } = this
    const start = this.starts[i]!
    const nameEnd = start + name.length
    if (nameEnd + 1 >= this.ends[i]! || bytes[nameEnd] !== NAME_END) return false
    for (let at = 0; at < name.length; at++) if (bytes[start + at] !== name[at]) return false
    return true
  }

  private text(texts: (string | undefined)[], start: number, end: number): string {
    const { bytes } = this
    const size = end - start
    if (size > LONGEST_KEPT) return bytes.toString('utf8', start, end)
    const hash = size + bytes[start]! * 7 + bytes[start + (size >> 1)]! * 13 + bytes[end - 1]! * 31
    const place = hash & (KEPT_TEXTS - 1)
    const kept = texts[place]
    if (kept !== undefined && isText(bytes, start, kept, size)) return kept
    const text = bytes.toString('utf8', start, end)
    if (isAscii(bytes, start, end)) texts[place] = text
    return text
  }
}

/** Where the property that ends at `end` starts. Eight bytes at a time: most of what is looked at is passed over. */
function startBefore(bytes: Buffer, end: number, from: number): number {
  let start = end
  while (
    start - 8 >= from &&
    bytes[start - 1] !== PROPERTY_END &&
    bytes[start - 2] !== PROPERTY_END &&
    bytes[start - 3] !== PROPERTY_END &&
    bytes[start - 4] !== PROPERTY_END &&
    bytes[start - 5] !== PROPERTY_END &&
    bytes[start - 6] !== PROPERTY_END &&
    bytes[start - 7] !== PROPERTY_END &&
    bytes[start - 8] !== PROPERTY_END
  )
    start -= 8
  while (start > from && bytes[start - 1] !== PROPERTY_END) start--
  return start
}

function isText(bytes: Buffer, start: number, text: string, size: number): boolean {
  if (text.length !== size) return false
  for (let at = 0; at < size; at++) if (bytes[start + at] !== text.charCodeAt(at)) return false
  return true
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return false
  return true
}
