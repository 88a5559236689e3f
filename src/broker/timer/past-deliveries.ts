import { RecordPosition, SystemTopic } from '../../common/index.js'
import type { TimerRecords } from '../../store/index.js'
import { readInt64 } from '../../util/index.js'
import { RecordTimerProperties } from './record-properties.js'
import { nextTurn } from './work-slice.js'

const RECORDS_PER_TURN = 2000

/**
 * What the timer had put into the commit log between its last check point and a crash. The slots in question are read
 * again after the start; with this nothing of them is delivered twice.
 */
export class PastDeliveries {
  /** How often each message was put. */
  private readonly puts = new Map<string, number>()
  private readonly properties = new RecordTimerProperties()

  /** Clock of the latest put: when the read time has passed it, all slots in question have been read again. */
  private latest = 0

  /** Messages that have not been met again. */
  get size(): number {
    return this.puts.size
  }

  /** Looks through the commit log from `offset` on. */
  async read(records: TimerRecords, offset: number): Promise<void> {
    const { puts, properties } = this
    let looked = 0
    for (let found = records.openNext(offset); found !== undefined; found = records.openNext(found.next)) {
      if (++looked % RECORDS_PER_TURN === 0) await nextTurn()
      if (!found.isRecord) continue
      const { buffer, head } = records
      properties.scan(buffer, head.propertiesStart, head.propertiesEnd)
      if (!properties.has('dequeueMs') || !properties.has('outMs')) continue
      const { topic } = records
      const isRoll = topic === SystemTopic.TIMER_WHEEL
      // retries and the like keep the properties of what they were made of
      if (!isRoll && topic !== properties.text('realTopic')) continue
      const key = keyOf(records, properties, { isRoll, rollTimes: properties.number('rollTimes') ?? 0 })
      puts.set(key, (puts.get(key) ?? 0) + 1)
      this.latest = Math.max(this.latest, properties.number('dequeueMs') ?? 0)
    }
  }

  /** Whether the record that is open was put before; each put counts once. */
  take(records: TimerRecords, properties: RecordTimerProperties, isRoll: boolean): boolean {
    if (this.puts.size === 0) return false
    const rollTimes = (properties.number('rollTimes') ?? 0) + (isRoll ? 1 : 0)
    const key = keyOf(records, properties, { isRoll, rollTimes })
    const count = this.puts.get(key)
    if (count === undefined) return false
    if (count > 1) this.puts.set(key, count - 1)
    else this.puts.delete(key)
    return true
  }

  /** Slots in front of `readTime` have been read, and what was to be passed on at once has been. */
  readUpTo(readTime: number): void {
    if (readTime > this.latest) this.puts.clear()
  }
}

/** Tells messages apart: those sent twice by their producer look the same, and are counted. */
function keyOf(
  { buffer, start }: TimerRecords,
  properties: RecordTimerProperties,
  { isRoll, rollTimes }: { isRoll: boolean; rollTimes: number },
): string {
  const bodyCrc = buffer.readInt32BE(start + RecordPosition.BODY_CRC)
  const bornTimestamp = readInt64(buffer, start + RecordPosition.BORN_TIMESTAMP)
  const place = `${properties.text('realTopic')} ${properties.text('realQueueId')} ${properties.text('uniqKey')}`
  // a marker may name a message that is like it in all the rest
  const deleteKey = properties.text('deleteKey') ?? ''
  return `${isRoll} ${rollTimes} ${properties.text('outMs')} ${bornTimestamp} ${bodyCrc} ${deleteKey} ${place}`
}
