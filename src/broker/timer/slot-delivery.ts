import { SystemTopic } from '../../common/index.js'
import {
  isDeleteMarker,
  isRolled,
  NO_POSITION,
  newTimerUnit,
  type RecordPlace,
  type TimerRecords,
  type TimerStore,
} from '../../store/index.js'
import { RecordTimerProperties } from './record-properties.js'
import type { TimerDelivery } from './timer-delivery.js'
import type { WorkState } from './timer-enqueue.js'
import type { TimerMetrics } from './timer-metrics.js'
import type { WorkSlice } from './work-slice.js'

export interface SlotDeliveryOptions {
  timer: TimerStore
  records: TimerRecords
  delivery: TimerDelivery
  metrics: TimerMetrics
}

/** Records that are read from the disk together. */
const COLD_BATCH = 64
const TIMER_TOPIC = Buffer.from(SystemTopic.TIMER_WHEEL)

/** `topic+uniqKey`: how a delete marker names its message. */
export function deleteKeyOf(topic: string, uniqKey: string): string {
  return `${topic}+${uniqKey}`
}

/**
 * The delivery of one slot, in bounded steps: the chain is followed back, delete markers are read, then the messages
 * are
 * put in the order they were sent (store-format 11.5).
 */
export class SlotDelivery {
  /** End of the log when the slot was read: what is added to it later is another reading's. */
  readonly readUpTo: number
  private readonly unit = newTimerUnit()
  private readonly properties = new RecordTimerProperties()
  /** Next unit of the chain to follow. */
  private position: number
  /** Newest first. */
  private readonly messages: number[] = []
  private readonly markers: number[] = []
  /** What the markers name, how many do, and how many messages were found. */
  private readonly deletes = new Map<string, { topic: string; markers: number; found: number }>()
  private readonly cold = new Map<number, Buffer | undefined>()
  private delivered = 0
  /** Whether messages went back to the timer topic. */
  hasRolled = false

  constructor(
    private readonly options: SlotDeliveryOptions,
    /** Ms. */
    readonly time: number,
    last: number,
  ) {
    this.position = last
    this.readUpTo = options.timer.log.maxOffset
  }

  /** Units of the slot in front of it have been delivered; undefined as long as none has. */
  get next(): number | undefined {
    // a check point may be taken before the slot that has nothing left is closed
    return this.delivered > 0 ? (this.messages.at(-1) ?? this.readUpTo) : undefined
  }

  /** Goes on until all is delivered (`idle`), the slice is over, or the store takes no more. */
  async run(slice: WorkSlice): Promise<WorkState> {
    if (!this.followChain(slice)) return 'more'
    const hasMarkers = this.markers.length > 0
    const state = hasMarkers ? this.readMarkers(slice) : this.putMessages(slice)
    if (state !== 'cold') return state
    await this.readCold(hasMarkers ? this.markers : this.messages)
    // whoever called looks at the clock again: time has passed
    return 'more'
  }

  private followChain(slice: WorkSlice): boolean {
    const { timer, delivery } = this.options
    const { unit, time } = this
    while (this.position !== NO_POSITION) {
      if (!timer.log.read(this.position, unit) || timer.floor(unit.slotTime) !== time) {
        const text = `the timer log has no unit of slot ${time} at ${this.position}: what was sent before it is missing`
        delivery.warn('timer-chain-broken', { time, position: this.position }, text)
        this.position = NO_POSITION
        break
      }
      if (isDeleteMarker(unit.magic)) this.markers.push(this.position)
      else if (!timer.marks.covers(time, this.position)) this.messages.push(this.position)
      this.position = unit.previous
      if (slice.isOver()) return false
    }
    return true
  }

  private readMarkers(slice: WorkSlice): WorkState | 'cold' {
    const { markers, properties } = this
    while (markers.length > 0) {
      const place = this.open(markers.at(-1)!)
      if (place === 'cold') return 'cold'
      const key = place === 'open' ? properties.text('deleteKey') : undefined
      if (key !== undefined) this.noteMarker(key)
      markers.pop()
      if (slice.isOver()) return 'more'
    }
    return 'more'
  }

  private noteMarker(key: string): void {
    const known = this.deletes.get(key)
    if (known !== undefined) known.markers++
    else this.deletes.set(key, { topic: this.properties.text('realTopic')!, markers: 1, found: 0 })
  }

  private putMessages(slice: WorkSlice): WorkState | 'cold' {
    const { messages } = this
    while (messages.length > 0) {
      const position = messages.at(-1)!
      const place = this.open(position)
      if (place === 'cold') return 'cold'
      if (place === 'gone') this.warnGone(position)
      else if (!this.putOne()) return 'blocked'
      this.cold.delete(position)
      messages.pop()
      this.delivered++
      if (slice.isOver()) return 'more'
    }
    this.settleMarkers()
    return 'idle'
  }

  /** False when the store takes no messages. */
  private putOne(): boolean {
    const { properties, unit } = this
    const { records, delivery, metrics } = this.options
    const topic = properties.text('realTopic')!
    const isRoll = isRolled(unit.magic)
    if (!isRoll && this.isDeleted(topic)) return true
    const outcome = delivery.deliver(records, properties, String(unit.writeTime), isRoll)
    if (outcome === 'retry') return false
    this.hasRolled ||= isRoll
    metrics.add(topic, properties.has('deleteKey') ? 1 : -1)
    return true
  }

  private isDeleted(topic: string): boolean {
    if (this.deletes.size === 0) return false
    const uniqKey = this.properties.text('uniqKey')
    const found = uniqKey === undefined ? undefined : this.deletes.get(deleteKeyOf(topic, uniqKey))
    if (found === undefined) return false
    found.found++
    return true
  }

  /** Each marker took one message off the count when it came: put right where it found none, or several. */
  private settleMarkers(): void {
    for (const { topic, markers, found } of this.deletes.values()) {
      if (markers !== found) this.options.metrics.add(topic, markers - found)
    }
    this.deletes.clear()
  }

  /** Opens the record of a unit and reads its properties. */
  private open(position: number): RecordPlace {
    const { unit, properties, cold } = this
    const { timer, records, delivery } = this.options
    if (!timer.log.read(position, unit)) return 'gone'
    const { physicalOffset, recordSize } = unit
    let place = records.open(physicalOffset, recordSize)
    if (place === 'cold' && cold.has(position)) {
      const record = cold.get(position)
      place = record === undefined || record.length !== recordSize ? 'gone' : records.openCopy(record)
    }
    if (place !== 'open') return place
    const { buffer, head } = records
    // the place in the log may have been taken by another message after a power cut
    if (!isTimerTopic(buffer, head.topicStart, head.topicEnd)) return 'gone'
    properties.scan(buffer, head.propertiesStart, head.propertiesEnd)
    return delivery.problemOf(properties) === undefined ? 'open' : 'gone'
  }

  private async readCold(positions: readonly number[]): Promise<void> {
    const { timer, records } = this.options
    const batch = positions.slice(-COLD_BATCH)
    const offsets = batch.map(position => (timer.log.read(position, this.unit) ? this.unit.physicalOffset : -1))
    const read = await Promise.all(offsets.map(async offset => (offset < 0 ? undefined : records.readCold(offset))))
    this.cold.clear()
    for (const [i, position] of batch.entries()) this.cold.set(position, read[i])
  }

  private warnGone(position: number): void {
    const { physicalOffset } = this.unit
    const text = `a due message is gone: there is no such record at ${physicalOffset} of the commit log any more`
    this.options.delivery.warn('timer-message-gone', { position, physicalOffset }, text)
  }
}

function isTimerTopic(buffer: Buffer, from: number, to: number): boolean {
  return to - from === TIMER_TOPIC.length && buffer.compare(TIMER_TOPIC, 0, TIMER_TOPIC.length, from, to) === 0
}
