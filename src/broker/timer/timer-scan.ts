import {
  isDeleteMarker,
  isRolled,
  type MessageStore,
  NO_POSITION,
  newTimerSlot,
  newTimerUnit,
  TimerMagic,
  TimerRecords,
  type TimerStore,
} from '../../store/index.js'
import { javaHash } from '../../util/index.js'
import { RecordTimerProperties } from './record-properties.js'
import { deleteKeyOf } from './slot-delivery.js'
import { nextTurn } from './work-slice.js'

/** A message that waits in the wheel. */
export interface PendingTimer {
  readonly topic: string
  readonly queueId: number
  readonly uniqKey: string | undefined
  /** Ms: the slot its TIMER_OUT_MS names; it is delivered when that slot ends. */
  readonly outTime: number
  readonly physicalOffset: number
  readonly size: number
}

/** What {@link TimerScan.pending} looks for; times in ms. */
export interface PendingQuery {
  readonly topic?: string | undefined
  /** TIMER_OUT_MS from and to, inclusive. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

const UNITS_PER_TURN = 2000

/** Looks through the wheel without disturbing it, a few thousand units per turn. */
export class TimerScan {
  constructor(private readonly options: { store: MessageStore; timer: TimerStore }) {}

  /** Pending messages in the order of their slots; such as were taken back are left out. */
  async *pending(query: PendingQuery = {}): AsyncIterable<PendingTimer> {
    const deleted = await this.deleteMarkers()
    const hash = query.topic === undefined ? undefined : javaHash(query.topic)
    const reader = new RecordLook(this.options.store)
    for await (const { magic, physicalOffset, recordSize, topicHash } of this.units(query.to)) {
      if ((magic & TimerMagic.DELETE) !== 0 || (hash !== undefined && hash !== topicHash)) continue
      if (!(await reader.look(physicalOffset, recordSize))) continue
      const { properties } = reader
      const outTime = properties.number('outMs')
      const topic = properties.text('realTopic')
      if (outTime === undefined || topic === undefined) continue
      if (outTime < (query.from ?? 0) || outTime > (query.to ?? Number.POSITIVE_INFINITY)) continue
      if (query.topic !== undefined && topic !== query.topic) continue
      const uniqKey = properties.text('uniqKey')
      if (uniqKey !== undefined && deleted.has(markerKey(deleteKeyOf(topic, uniqKey), outTime))) continue
      const queueId = properties.number('realQueueId') ?? 0
      yield { topic, queueId, uniqKey, outTime, physicalOffset, size: recordSize }
    }
  }

  /** Whether a delete marker for this message waits in the slot of `outTime`. */
  async isTakenBack(topic: string, uniqKey: string, outTime: number): Promise<boolean> {
    return (await this.deleteMarkers()).has(markerKey(deleteKeyOf(topic, uniqKey), outTime))
  }

  /** Messages that wait minus delete markers, by topic: what the metrics count. */
  async countByTopic(): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    const topics = new Map<number, string>()
    const reader = new RecordLook(this.options.store)
    for await (const { magic, topicHash, physicalOffset, recordSize } of this.units()) {
      let topic = topics.get(topicHash)
      if (topic === undefined && (await reader.look(physicalOffset, recordSize))) {
        topic = reader.properties.text('realTopic')
        if (topic !== undefined) topics.set(topicHash, topic)
      }
      if (topic === undefined) continue
      const step = (magic & TimerMagic.DELETE) === 0 ? 1 : -1
      counts.set(topic, (counts.get(topic) ?? 0) + step)
    }
    return counts
  }

  private async deleteMarkers(): Promise<Set<string>> {
    const keys = new Set<string>()
    const reader = new RecordLook(this.options.store)
    for await (const { magic, physicalOffset, recordSize } of this.units()) {
      if (!isDeleteMarker(magic) && !(isRolled(magic) && (magic & TimerMagic.DELETE) !== 0)) continue
      if (!(await reader.look(physicalOffset, recordSize))) continue
      const key = reader.properties.text('deleteKey')
      const outTime = reader.properties.number('outMs')
      if (key !== undefined && outTime !== undefined) keys.add(markerKey(key, outTime))
    }
    return keys
  }

  /** Units of slots that have not been delivered, up to `to`; one object, filled again and again. */
  private async *units(to = Number.POSITIVE_INFINITY) {
    const { timer } = this.options
    const { wheel, log, marks, precisionMs } = timer
    const slot = newTimerSlot()
    const unit = newTimerUnit()
    const limit = Math.min(timer.readTime + wheel.spanMs, to + 1)
    let looked = 0
    for (let time = timer.readTime; time < limit; time += precisionMs) {
      time = wheel.nextUsed(time, limit)
      if (time >= limit || !wheel.get(time, slot)) continue
      const positions: number[] = []
      for (let at = slot.last; at !== NO_POSITION; at = unit.previous) {
        if (++looked % UNITS_PER_TURN === 0) await nextTurn()
        if (!log.read(at, unit) || timer.floor(unit.slotTime) !== time) break
        if (!marks.covers(time, at)) positions.push(at)
      }
      for (const at of positions.toReversed()) {
        if (time < timer.readTime) break
        if (++looked % UNITS_PER_TURN === 0) await nextTurn()
        if (log.read(at, unit)) yield unit
      }
    }
  }
}

function markerKey(deleteKey: string, outTime: number): string {
  return `${outTime} ${deleteKey}`
}

/** One record after the other, from memory or from the disk. */
class RecordLook {
  readonly properties = new RecordTimerProperties()
  private readonly records: TimerRecords

  constructor(store: MessageStore) {
    this.records = new TimerRecords(store)
  }

  /** False when there is no such record. */
  async look(physicalOffset: number, size: number): Promise<boolean> {
    const { records } = this
    let place = records.open(physicalOffset, size)
    if (place === 'cold') {
      const record = await records.readCold(physicalOffset)
      place = record === undefined ? 'gone' : records.openCopy(record)
    }
    if (place !== 'open') return false
    this.properties.scan(records.buffer, records.head.propertiesStart, records.head.propertiesEnd)
    return true
  }
}
