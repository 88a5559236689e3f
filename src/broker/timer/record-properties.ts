import { PropertyName } from '../../common/index.js'

const NAME_END = 1
const PROPERTY_END = 2

/** What the timer looks at in a record's properties. */
type Slot = 'realTopic' | 'realQueueId' | 'outMs' | 'uniqKey' | 'deleteKey' | 'enqueueMs' | 'dequeueMs' | 'rollTimes'

const WANTED: readonly { slot: Slot; name: Buffer }[] = (
  [
    ['realTopic', PropertyName.REAL_TOPIC],
    ['realQueueId', PropertyName.REAL_QUEUE_ID],
    ['outMs', PropertyName.TIMER_OUT_MS],
    ['uniqKey', PropertyName.UNIQ_KEY],
    ['deleteKey', PropertyName.TIMER_DEL_UNIQKEY],
    ['enqueueMs', PropertyName.TIMER_ENQUEUE_MS],
    ['dequeueMs', PropertyName.TIMER_DEQUEUE_MS],
    ['rollTimes', PropertyName.TIMER_ROLL_TIMES],
  ] as const
).map(([slot, name]) => ({ slot, name: Buffer.from(name) }))

/** By the length of the name: few are compared. */
const BY_LENGTH: (typeof WANTED)[] = []
for (const wanted of WANTED) {
  const { length } = wanted.name
  BY_LENGTH[length] = [...(BY_LENGTH[length] ?? []), wanted]
}

/**
 * Finds the timer's properties in the bytes of a record in one pass, without making strings of the others. One object,
 * filled again and again; of several properties of one name the last counts.
 */
export class RecordTimerProperties {
  private bytes: Buffer = Buffer.alloc(0)
  private from = 0
  private to = 0
  private readonly starts: Record<Slot, number> = emptyPlaces()
  private readonly ends: Record<Slot, number> = emptyPlaces()

  scan(bytes: Buffer, from: number, to: number): void {
    this.bytes = bytes
    this.from = from
    this.to = to
    for (const { slot } of WANTED) this.starts[slot] = -1
    for (let at = from; at < to; ) {
      let nameEnd = at
      while (nameEnd < to && bytes[nameEnd]! !== NAME_END && bytes[nameEnd]! !== PROPERTY_END) nameEnd++
      let end = nameEnd
      while (end < to && bytes[end]! !== PROPERTY_END) end++
      if (bytes[nameEnd] === NAME_END) this.note(at, nameEnd, end)
      at = end + 1
    }
  }

  private note(at: number, nameEnd: number, end: number): void {
    const candidates = BY_LENGTH[nameEnd - at]
    if (candidates === undefined || end <= nameEnd + 1) return
    for (const { slot, name } of candidates) {
      if (!equals(this.bytes, at, name)) continue
      this.starts[slot] = nameEnd + 1
      this.ends[slot] = end
    }
  }

  has(slot: Slot): boolean {
    return this.starts[slot] >= 0
  }

  /** Undefined when missing or empty. */
  text(slot: Slot): string | undefined {
    const start = this.starts[slot]
    return start < 0 ? undefined : this.bytes.toString('utf8', start, this.ends[slot])
  }

  /** A decimal that is not negative; undefined when missing or anything else. */
  number(slot: Slot): number | undefined {
    const start = this.starts[slot]
    const end = this.ends[slot]
    if (start < 0 || end - start > 15) return undefined
    let value = 0
    for (let at = start; at < end; at++) {
      const digit = this.bytes[at]! - 48
      if (digit < 0 || digit > 9) return undefined
      value = value * 10 + digit
    }
    return value
  }

  /** Whether the message has been through the timer before, and so carries its marks. */
  get isUsed(): boolean {
    return this.has('enqueueMs') || this.has('dequeueMs') || this.has('rollTimes')
  }

  /** The bytes of all properties, borrowed. */
  get all(): Buffer {
    return this.bytes.subarray(this.from, this.to)
  }
}

function emptyPlaces(): Record<Slot, number> {
  return {
    realTopic: -1,
    realQueueId: -1,
    outMs: -1,
    uniqKey: -1,
    deleteKey: -1,
    enqueueMs: -1,
    dequeueMs: -1,
    rollTimes: -1,
  }
}

function equals(bytes: Buffer, at: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false
  return true
}
